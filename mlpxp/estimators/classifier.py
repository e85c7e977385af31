"""MLPClassifier: scikit-learn's, on any backend."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from mlpxp.arrays import device_of, namespace
from mlpxp.errors import DataError, RangeError
from mlpxp.estimators.errors import translated
from mlpxp.estimators.inputs import is_foreign, labels_at, to_host
from mlpxp.estimators.shell import MultilayerPerceptron
from mlpxp.losses import Loss

__all__ = ["MLPClassifier"]


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):
    """DOCSTRING"""

    _parameter_constraints = MultilayerPerceptron._parameter_constraints | {
        "loss": [StrOptions({"log_loss"}), Loss],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        backend: Any = "auto",
        device: Any = None,
        dtype: str | None = None,
        loss: Any = "log_loss",
        output_activation: Any = None,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        dropout: Any = 0.0,
        weight_decay: float = 0.01,
        clip_norm: float | None = None,
        warm_up: float = 0,
        monitor: Any = "score",
        restore_best: bool | None = None,
        callbacks: Any = (),
        progress: bool = False,
        max_seconds: float | None = None,
        n_networks: int = 1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.backend = backend
        self.device = device
        self.dtype = dtype
        self.loss = loss
        self.output_activation = output_activation
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.warm_up = warm_up
        self.monitor = monitor
        self.restore_best = restore_best
        self.callbacks = callbacks
        self.progress = progress
        self.max_seconds = max_seconds
        self.n_networks = n_networks

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Self:
        """Learn from X and y.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame, or array of any library, shape (m, n_features)
        y : array-like, shape (m,) or (m, n_classes)
            Labels of any kind, or a multi-label indicator matrix.
        sample_weight : array-like, shape (m,), optional
            Not negative, and not all zero.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Looked at after every epoch: ``validation_loss_curve_`` and ``validation_scores_``. With ``early_stopping`` these are watched
            instead of a part of the training data.

        Returns
        -------
        MLPClassifier
            Itself.

        Raises
        ------
        DataError, DtypeError, InvalidParameterError, RangeError
            Data or parameters that can't be learnt from or with; all are ``ValueError`` or ``TypeError`` too.
        DivergenceError
            The loss stopped being finite; also a ``ValueError``. The last finite weights are kept.
        """
        self._fit(X, y, sample_weight, validation_data=validation_data)
        return self

    @available_if(lambda self: _is_stochastic(self))
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Learn one epoch more, from these data; the optimizer's state and the history go on.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like, optional
            All labels that there will be; the first call needs it, unless y is a multi-label indicator matrix.

        Returns
        -------
        MLPClassifier
            Itself.

        Raises
        ------
        DataError
            Labels that were not announced, and all that :meth:`fit` raises.
        """
        first = not hasattr(self, "coefs_")
        labels = to_host(y)
        with translated():
            multilabel = type_of_target(labels).startswith("multilabel")
            if multilabel and not hasattr(self, "classes_"):
                classes = np.arange(labels.shape[1])
            if _check_partial_fit_first_call(self, to_host(classes)):
                self._binarizer = LabelBinarizer().fit(labels if multilabel else to_host(classes))
        self._fit(X, y, sample_weight, incremental=True, first=first)
        return self

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each example (m,), or each label's presence (m, n_classes)."""
        _, A = self._passed(X, "predict")
        A = self._averaged(A)
        xp = namespace(A)
        binarizer = self._binarizer
        if binarizer.y_type_ == "multiclass":
            return self._labels(xp.argmax(A, axis=-2))
        if self.n_outputs_ == 1 and not binarizer.y_type_.startswith("multilabel"):
            positive = xp.astype(A[0, ...] > 0.5, _integer(A))
            return self._labels(positive if self.classes_.shape[0] > 1 else positive * 0)
        present = xp.astype((A > 0.5).mT, _integer(A))
        if binarizer.sparse_input_:
            return binarizer.inverse_transform(to_host(A.mT))
        return present

    def _labels(self, indices: Any) -> Any:
        """Return the labels with these numbers, in the place of the numbers where labels can be there."""
        if type(indices) is np.ndarray:
            return self._binarizer.classes_[indices]
        if is_foreign(self.classes_):
            return namespace(indices).take(self.classes_, indices, axis=0)
        return self._binarizer.classes_[to_host(indices)]

    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """Return the probability of each class for each example, (m, n_classes).

        With ``return_std`` also the standard deviation over the members of an ensemble, in the same shape.
        """
        _, A = self._passed(X, "predict_proba")
        probabilities = self._columns_of_classes(self._averaged(A))
        return (probabilities, self._columns_of_classes(self._spread(A), spread=True)) if return_std else probabilities

    def _columns_of_classes(self, A: Any, *, spread: bool = False) -> Any:
        """Return (m, n_classes) of (n_L, m); one output is the second class's, and what is left is the first's."""
        if self.n_outputs_ > 1 or self._binarizer.y_type_.startswith("multilabel"):
            return A.mT
        xp = namespace(A)
        p = A[0, ...]
        return xp.stack([p if spread else 1.0 - p, p], axis=-1)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of the probabilities (m, n_classes), from the logits: it is finite where a probability rounds to 0."""
        Z, A = self._passed(X, "predict_log_proba")
        xp = namespace(A)
        if Z is None or A.ndim > 2 or not self._network.natural:
            with np.errstate(divide="ignore"):
                return xp.log(self._columns_of_classes(self._averaged(A)))
        if self._network.output.name == "softmax":
            Z = Z - xp.max(Z, axis=-2, keepdims=True)
            return (Z - xp.log(xp.sum(xp.exp(Z), axis=-2, keepdims=True))).mT
        likely = -(xp.maximum(-Z, 0.0) + xp.log1p(xp.exp(-xp.abs(Z))))  # ln σ(z), and ln σ(-z) = ln σ(z) - z
        if self.n_outputs_ > 1 or self._binarizer.y_type_.startswith("multilabel"):
            return xp.where(A > 0.5, xp.log(A), likely).mT  # labels whose probabilities round to 1 are equally likely
        return xp.stack([(likely - Z)[0, ...], likely[0, ...]], axis=-1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy; for several labels, the share of examples with all of them right."""
        with translated():
            return float(accuracy_score(to_host(y), to_host(self.predict(X)), sample_weight=to_host(sample_weight)))

    def _head(self) -> Any:
        if isinstance(self.loss, Loss):
            loss: Any = self.loss
            return loss.pairing or ("softmax" if self._binarizer.y_type_ == "multiclass" else "sigmoid"), loss
        return ("softmax", "cross_entropy") if self._binarizer.y_type_ == "multiclass" else ("sigmoid", "binary_cross_entropy")

    def _read_targets(self, y: Any, *, incremental: bool) -> Any:
        y = _flat(y)
        if not incremental and (not self.warm_start or not hasattr(self, "classes_")):
            self._binarizer = LabelBinarizer().fit(y)
        elif hasattr(self, "classes_"):
            self._check_labels(unique_labels(y))
        self.classes_ = labels_at(self._place_of_X, self._binarizer.classes_)
        return self._binarize(y)

    def _check_labels(self, labels: Any) -> None:
        known = self._binarizer.classes_
        if self.warm_start:
            if set(labels) != set(known):
                raise DataError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {known}, `y` has {labels}"
                )
        elif len(np.setdiff1d(labels, known, assume_unique=True)):
            raise DataError(f"`y` has classes not in `self.classes_`. `self.classes_` has {known}. 'y' has {labels}.")

    def _read_later_targets(self, y: Any) -> Any:
        y = _flat(y)
        labels = unique_labels(y)
        if len(np.setdiff1d(labels, self._binarizer.classes_, assume_unique=True)):
            raise DataError(
                f"the validation data have classes that the training data lack: {labels}, not all in {self._binarizer.classes_}"
            )
        return self._binarize(y)

    def _binarize(self, y: Any) -> Any:
        return self._binarizer.transform(y).astype(bool)

    def _learnt(self, targets: Any) -> Any:
        if not self.label_smoothing:
            return targets
        n = targets.shape[1] if self._binarizer.y_type_ == "multiclass" else 2
        return (1.0 - self.label_smoothing) * targets + self.label_smoothing / n

    def _class_weights(self, y: Any, *, incremental: bool) -> Any:
        if self.class_weight is None:
            return None
        if self._binarizer.y_type_.startswith("multilabel"):
            raise RangeError("class_weight weighs examples by their one class, and these have several labels: use sample_weight")
        if isinstance(self.class_weight, dict):
            unknown = [label for label in self.class_weight if label not in self._binarizer.classes_]
            if unknown:
                raise RangeError(
                    f"class_weight has weights for {unknown}, which are none of the classes {self._binarizer.classes_.tolist()}"
                )
        elif incremental:
            raise RangeError(
                "class_weight='balanced' is not supported for partial_fit, which sees a part of the examples: "
                "compute the weights with sklearn.utils.class_weight.compute_class_weight and pass them as a dict"
            )
        with translated():
            return compute_sample_weight(self.class_weight, _flat(y))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _integer(like: Any) -> Any:
    """Return the default integer dtype of an array's library: JAX has int64 only where it was asked for."""
    return namespace(like).__array_namespace_info__().default_dtypes(device=device_of(like))["integral"]


def _is_stochastic(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError(f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not stochastic.")
    return True


def _flat(y: Any) -> Any:
    """Return a column of labels as (m,), with scikit-learn's warning."""
    if y.ndim == 2 and y.shape[1] == 1 and not hasattr(y, "tocsr"):
        from sklearn.utils import column_or_1d

        return column_or_1d(y, warn=True)
    return y
