"""MLPClassifier: scikit-learn's, on any backend."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from mlpxp.arrays.placing import beside
from mlpxp.arrays.standard import namespace
from mlpxp.core.losses import Loss
from mlpxp.errors import DataError
from mlpxp.estimators._answers import averaged, check_probabilities, chosen, columns_of_classes, log_probabilities, spread
from mlpxp.estimators._documentation import documented
from mlpxp.estimators._inputs import is_foreign, labels_at, to_host
from mlpxp.estimators._labels import (
    binarizer_of,
    check_labels,
    class_weights,
    host_labels,
    is_multilabel,
    labels_in,
    numbers_of,
    read_labels,
)
from mlpxp.estimators._parameters import CONSTRAINTS
from mlpxp.estimators._shell import MultilayerPerceptron, is_stochastic
from mlpxp.estimators.errors import translated
from mlpxp.estimators.their_privates import Interval, StrOptions

if TYPE_CHECKING:
    from mlpxp.arrays.placing import Place
    from mlpxp.estimators._state import Labels

__all__ = ["MLPClassifier"]


@documented  # with the parameters and the attributes that both have
class MLPClassifier(ClassifierMixin, MultilayerPerceptron):
    """A multi-layer perceptron classifier with scikit-learn's interface, on any array library.

    It minimises the cross-entropy (C3 with softmax; C2 with the sigmoid for two classes and for several labels) by backpropagation
    (B1 to B4). Put in the place of ``sklearn.neural_network.MLPClassifier`` it gives the same weights; what
    scikit-learn doesn't have is off by default.

    Parameters
    ----------
    loss : "log_loss" or Loss, default "log_loss"
        A loss of your own with its derivative, which is checked on the first batch.
    output_activation : str or Activation, optional
        By default softmax, or the sigmoid for two classes and for several labels.
    class_weight : dict or "balanced", optional
        What an example of each class weighs; ``"balanced"`` is m / (n_classes · count). A class that a dict doesn't name weighs 1; one
        that it names and y lacks is a warning.
    label_smoothing : float in [0, 1), default 0
        Targets are moved by this share towards the uniform distribution (Szegedy et al. 2016).
    monitor : {"score", "loss"}, scorer's name or callable, default "score"
        What is watched on the validation data: the accuracy, the loss, or any scorer of scikit-learn's, ``scorer(estimator, X, y)``
        with X an array, whose values are then the ``validation_scores_``; it is told the ``sample_weight`` of the validation data if it
        takes one. Any other than the default needs ``early_stopping`` or ``X_val``, and splits more than two classes stratified too.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlpxp import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16, 8), activation=["tanh", "relu"], solver="lbfgs", class_weight="balanced", random_state=0).fit(X, y)
    >>> model.predict(X[:3])
    array([0, 0, 0])

    A pipeline prepares the validation data as it does X, if it is told to:

    >>> from sklearn import config_context
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> with config_context(enable_metadata_routing=True):
    ...     model = MLPClassifier(early_stopping=True, random_state=0).set_fit_request(X_val=True, y_val=True)
    ...     pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_val"])
    ...     pipeline = pipeline.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    >>> pipeline.score(X[1::2], y[1::2]) == model.best_validation_score_
    True
    """

    _parameter_constraints = CONSTRAINTS | {
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

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Learn one epoch more, from these data; the history goes on, and the optimizer's state unless the solver is another.

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
        with beside(X):
            self._fit(X, y, sample_weight, incremental=True, classes=classes)
        return self

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each example (m,), or each label's presence (m, n_classes)."""
        with beside(X):
            A, labels = averaged(self._predicted(X, "predict")), self._known
            if not labels.several:
                return self._labels(chosen(A, labels), labels)
            return binarizer_of(labels).inverse_transform(to_host(A.mT)) if labels.sparse else chosen(A, labels)

    @property
    def _known(self) -> Labels:
        """The labels that are learnt, on the host."""
        labels = self._fitted.labels
        assert labels is not None  # which every fit of a classifier leaves
        return labels

    def _labels(self, indices: Any, labels: Labels) -> Any:
        """Return the labels with these numbers, in the place of the numbers where labels can be there."""
        if type(indices) is np.ndarray:
            return labels.classes[indices]
        if is_foreign(self.classes_):
            return namespace(indices).take(self.classes_, indices, axis=0)
        return labels.classes[to_host(indices)]

    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """Return the probability of each class for each example, (m, n_classes); of one class alone it is 1.

        With ``return_std`` also the standard deviation over the members of an ensemble, in the same shape.

        Raises
        ------
        InvalidParameterError
            An output activation of your own gives no probabilities.
        """
        with beside(X):
            A = self._predicted(X, "predict_proba")
            return self._probabilities(A, return_std=return_std)

    def _probabilities(self, A: Any, *, return_std: bool = False) -> Any:
        labels = self._known
        check_probabilities(self._fitted.network, A, multiclass=labels.kind == "multiclass")
        mean = columns_of_classes(averaged(A), sharing=labels.sharing)
        return (mean, columns_of_classes(spread(A), sharing=labels.sharing, is_spread=True)) if return_std else mean

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of the probabilities (m, n_classes), from the logits.

        It is finite where a probability rounds to 0. An ensemble's is the logarithm of its mean probability.
        """
        with beside(X):
            Z, A = self._passed(X, "predict_log_proba")
            network = self._fitted.network
            if Z is not None and network.natural:
                return log_probabilities(network, Z, A, sharing=self._known.sharing)
            with np.errstate(divide="ignore"):
                return namespace(A).log(self._probabilities(A))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy; for several labels, the share of examples with all of them right."""
        with translated():
            y = host_labels(y)
            if getattr(y, "ndim", 1) == 2:
                check_labels(y)
            return float(accuracy_score(y, to_host(self.predict(X)), sample_weight=to_host(sample_weight)))

    def _head(self, labels: Any) -> Any:
        if isinstance(self.loss, Loss):
            loss: Any = self.loss
            return loss.pairing or ("softmax" if labels.kind == "multiclass" else "sigmoid"), loss
        return ("softmax", "cross_entropy") if labels.kind == "multiclass" else ("sigmoid", "binary_cross_entropy")

    def _on_host(self, y: Any) -> Any:
        return host_labels(y)

    def _read_y(self, y: Any) -> Any:
        return read_labels(y)

    def _read_targets(self, y: Any, place: Place, *, classes: Any, incremental: bool) -> tuple[Any, Labels]:
        if incremental:
            labels = self._announced(y, classes)
        elif self.warm_start and hasattr(self, "classes_"):
            labels, here = self._known, unique_labels(y)
            if set(here) != set(labels.classes):
                raise DataError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {labels.classes}, `y` has {here}"
                )
        else:
            labels = labels_in(y)
        self.classes_ = labels_at(place, labels.classes)
        return _binarized(y, labels), labels

    def _announced(self, y: Any, classes: Any) -> Labels:
        """Return the labels that the first call of partial_fit is told, and hold the later ones to them."""
        if hasattr(self, "classes_"):
            announced = self._known
        elif classes is None and not is_multilabel(y):
            raise DataError("classes must be passed on the first call to partial_fit.")
        else:
            announced = labels_in(y if is_multilabel(y) else read_labels(host_labels(classes, "classes"), "classes"))
        known = announced.classes
        labels = unique_labels(y) if numbers_of(y, known) is None else known  # which takes longer
        if classes is not None and not np.array_equal(known, unique_labels(host_labels(classes, "classes"))):
            raise DataError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")
        if len(np.setdiff1d(labels, known, assume_unique=True)):
            raise DataError(f"`y` has classes not in `self.classes_`. `self.classes_` has {known}. 'y' has {labels}.")
        return announced

    def _read_later_targets(self, y: Any) -> Any:
        here, known = unique_labels(y), self._known
        if len(np.setdiff1d(here, known.classes, assume_unique=True)):
            raise DataError(f"the validation data have classes that the training data lack: {here}, not all in {known.classes}")
        return _binarized(y, known)

    def _learnt(self, targets: Any) -> Any:
        if not self.label_smoothing:
            return targets
        n = targets.shape[1] if self._known.kind == "multiclass" else 2
        smoothing = float(self.label_smoothing)
        return (1.0 - smoothing) * targets + smoothing / n

    def _class_weights(self, y: Any, labels: Any, *, incremental: bool) -> Any:
        if self.class_weight is None:
            return None
        return class_weights(self.class_weight, y, labels.classes, incremental=incremental)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _binarized(y: Any, labels: Labels) -> Any:
    """Return which label each example has, (m, n_outputs)."""
    numbers, n = numbers_of(y, labels.classes), len(labels.classes)
    if numbers is None or n < 2:
        return binarizer_of(labels).transform(y).astype(bool)
    return numbers[:, None] == (np.arange(n) if n > 2 else 1)
