"""What both estimators share: scikit-learn's constructor and fitted attributes around a :class:`mlpxp.Network` and :func:`mlpxp.train`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from mlpxp.arrays.backend import choose_backend, get_backend
from mlpxp.arrays.placing import beside, on_device_of
from mlpxp.arrays.standard import namespace, tree_map
from mlpxp.core.activations import Activation
from mlpxp.core.losses import Loss
from mlpxp.core.network import Layer, Network
from mlpxp.core.prediction import by_columns_of, last_layer
from mlpxp.errors import DataError
from mlpxp.estimators import _lbfgs as lbfgs
from mlpxp.estimators import _stochastic as stochastic
from mlpxp.estimators._curves import of_members
from mlpxp.estimators._initial import draw_parameters
from mlpxp.estimators._inputs import (
    check_range,
    check_same_place,
    dense_parts,
    place_of,
    read_examples,
    read_features,
    read_weights,
    to_host,
)
from mlpxp.estimators._parameters import CONSTRAINTS, SIGMOID, check_parameters
from mlpxp.estimators._state import Fitted, forget
from mlpxp.estimators._validation import validation_of
from mlpxp.estimators.errors import check_fitted, translated, unchanged_on_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpxp.arrays.backend import Backend
    from mlpxp.arrays.placing import Place
    from mlpxp.core.network import Parameters
    from mlpxp.core.propagation import Passed
    from mlpxp.estimators._state import Labels

__all__ = ["MultilayerPerceptron", "is_stochastic"]


class MultilayerPerceptron(BaseEstimator):
    """The common part of :class:`mlpxp.MLPClassifier` and :class:`mlpxp.MLPRegressor`."""

    stop_: Any  # why the last fit stopped: a Stop, and of an ensemble one each

    _parameter_constraints: dict[str, Any] = CONSTRAINTS

    hidden_layer_sizes: Any
    activation: Any
    solver: str
    random_state: Any
    warm_start: bool
    early_stopping: bool
    backend: Any
    device: Any
    dtype: str | None
    output_activation: Any
    n_networks: int
    dropout: Any
    callbacks: Any
    coefs_: list[Any]
    intercepts_: list[Any]
    _fitted: Fitted  # all else that is known of the fit

    def _on_host(self, y: Any) -> Any:
        """Return labels or numbers from anywhere on the host."""
        raise NotImplementedError

    def _read_y(self, y: Any) -> Any:
        """Return checked labels or numbers, on the host: a column is (m,)."""
        raise NotImplementedError

    def _read_targets(self, y: Any, place: Place, *, classes: Any, incremental: bool) -> tuple[Any, Labels | None]:
        """Return the targets (m, n_outputs), on the host, and the labels that a classifier learns."""
        raise NotImplementedError

    def _read_later_targets(self, y: Any) -> Any:
        """Return the targets of validation data, whose labels are known."""
        raise NotImplementedError

    def _head(self, labels: Labels | None) -> tuple[str | Activation, str | Loss]:
        """Return the output activation and the loss that the targets ask for."""
        raise NotImplementedError

    def _learnt(self, targets: Any) -> Any:
        """Return the targets as they are learnt: smoothed, perhaps."""
        return targets

    def _class_weights(self, y: Any, labels: Labels | None, *, incremental: bool) -> Any:
        """Return a weight for each example by its class, or ``None``."""
        return None

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        validation_data: Any = None,
    ) -> Self:
        """Learn from X and y.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame, or array of any library, shape (m, n_features)
        y : array-like, shape (m,) or (m, n_outputs)
            A classifier's has one label an example: text, whole numbers, truth values or dates; or it is an indicator matrix of 0 and 1, a
            column for each label. A regressor's are numbers; from 0 up with ``loss="poisson"``.
        sample_weight : array-like, shape (m,), optional
            Not negative, and not all zero. In float32 what weighs less than 1e-38 of the heaviest weighs nothing.
        X_val, y_val, sample_weight_val : array-like, optional
            Looked at after every epoch: ``validation_loss_curve_`` and ``validation_scores_``. With ``early_stopping`` these are watched
            instead of a part of the training data. A ``Pipeline(..., transform_input=["X_val"])`` prepares X_val as it does X.
        validation_data : (X, y) or (X, y, sample_weight), optional
            The same as one value, which no pipeline prepares.

        Returns
        -------
        MLPClassifier or MLPRegressor
            Itself.

        Raises
        ------
        DataError, DtypeError, InvalidParameterError, RangeError
            Data or parameters that can't be learnt from or with; all are ``ValueError`` or ``TypeError`` too.
        BackendError
            A library or a device that isn't here; also a ``ValueError``.
        DivergenceError
            The loss stopped being finite; also a ``ValueError``. The last finite weights are kept. After any other error the estimator is
            what it was before.

        Warns
        -----
        ValidationWarning
            After the first epoch the loss of the validation data is more than a hundred times that of the training data.
        """
        with beside(X):
            self._fit(X, y, sample_weight, validation_data=validation_of(validation_data, X_val, y_val, sample_weight_val))
        return self

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, validation_data: Any = None, incremental: bool = False, classes: Any = None
    ) -> None:
        with unchanged_on_error(self):
            hidden = check_parameters(self, validation_data, incremental=incremental)
            first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
            if not first:
                check_same_place(self, X, "partial_fit" if incremental else "fit")
            X, y = read_examples(self, X, self._on_host(y), reset=first, numeric=not hasattr(self, "predict_proba"))
            place = place_of(X, self.dtype if first else place_of(self.coefs_[0], None).dtype)
            assert place.dtype is not None  # an X has one
            with translated():
                y = self._read_y(y)
                targets, labels = self._read_targets(y, place, classes=classes, incremental=incremental)
            check_range(X, place.dtype, "X")
            check_range(targets, place.dtype, "y")
            weights = read_weights(sample_weight, X.shape[0])
            by_class = self._class_weights(y, labels, incremental=incremental)
            if by_class is not None:
                weights = read_weights(by_class if weights is None else by_class * weights, X.shape[0])
            network = self._make_network((X.shape[1], *hidden, targets.shape[1]), labels)
            random, self.n_outputs_ = check_random_state(self.random_state), targets.shape[1]
            if first:
                self._start(Fitted(network, place, labels), random)
            else:
                _check_unchanged(self, network)
                known = vars(self).get("_fitted", Fitted(network))  # somebody may have set the weights alone
                self._fitted = replace(known, network=network, place=place, labels=labels, made=dict(known.made))
            solve = lbfgs.solve if self.solver == "lbfgs" else stochastic.solve
            examples = X, targets, y, weights
            solve(self, network, place, examples, random, self._read_validation(validation_data), incremental=incremental)

    def _make_network(self, sizes: tuple[int, ...], labels: Labels | None) -> Network:
        output, loss = self._head(labels)
        if self.output_activation is not None:
            output = self.output_activation
        one_for_all = isinstance(self.activation, str | Activation)
        hidden = _ours(self.activation) if one_for_all else [_ours(activation) for activation in self.activation]
        return Network(sizes, hidden=hidden, output=_ours(output), loss=loss)

    def _start(self, fitted: Fitted, random: np.random.RandomState) -> None:
        """Draw the initial parameters and forget what was learnt before."""
        network, place, k = fitted.network, fitted.place, self.n_networks
        logistic = [activation.name == "sigmoid" for activation in network.hidden] or [self.activation == "logistic"]
        factors = [2.0 if each else 6.0 for each in (*logistic, logistic[-1])][-len(network.shapes) :]
        members = [draw_parameters(random, network.sizes, factors) for _ in range(k)]
        drawn = (
            members[0]
            if k == 1
            else [tuple(np.stack(arrays) for arrays in zip(*layers, strict=True)) for layers in zip(*members, strict=True)]
        )
        self.coefs_ = [place.put(coefs, dtype=place.dtype) for coefs, _ in drawn]
        self.intercepts_ = [place.put(intercepts, dtype=place.dtype) for _, intercepts in drawn]
        self.n_layers_ = len(network.sizes)
        self.out_activation_ = "logistic" if network.output.name == "sigmoid" else network.output.name
        self.n_iter_ = self.t_ = 0
        self._fitted = fitted
        forget(self)

    def _hold(self, parameters: Parameters) -> None:
        """Make parameters the fitted attributes, in the place of the X that was fitted."""
        library, place, made = choose_backend(self.backend, self.coefs_[0]), self._fitted.place, self._fitted.made
        stays = library.namespace is place.library.namespace and (self.device is None or place.device is None)
        there = parameters if stays else tree_map(lambda leaf: place.put(library.to_numpy(leaf), dtype=place.dtype), parameters)
        self.coefs_ = [layer.W.mT for layer in there]
        self.intercepts_ = [layer.b[..., 0] for layer in there]
        made.pop("members", None)
        made["parameters"] = [*self.coefs_, *self.intercepts_, self.backend, self.device], parameters

    def _parameters(self) -> Parameters:
        """Return the fitted attributes as parameters of the backend."""
        parameters: Parameters
        made = self._fitted.made
        made_of, parameters = made.get("parameters", ((), ()))
        arrays = [*self.coefs_, *self.intercepts_, self.backend, self.device]
        if len(arrays) == len(made_of) and all(one is other for one, other in zip(arrays, made_of, strict=True)):
            return parameters
        library = choose_backend(self.backend, self.coefs_[0])
        same = library.namespace is namespace(self.coefs_[0])

        def placed(array: Any) -> Any:
            return array if same and self.device is None else library.asarray(array, device=self.device)

        parameters = tuple(
            Layer(W=placed(coefs.mT), b=placed(intercepts[..., None]))
            for coefs, intercepts in zip(self.coefs_, self.intercepts_, strict=True)
        )
        made["parameters"] = arrays, parameters
        return parameters

    def _read_validation(self, validation_data: Any) -> Any:
        """Return validation data as (X, targets, y, weights), or ``None``."""
        if validation_data is None:
            return None
        X, y, weights = validation_data
        check_same_place(self, X, "fit")
        X, y = read_examples(self, X, self._on_host(y), reset=False, numeric=not hasattr(self, "predict_proba"))
        with translated():
            y = self._read_y(y)
            targets = self._read_later_targets(y)
        check_range(X, self._fitted.place.dtype, "X of the validation data")
        check_range(targets, self._fitted.place.dtype, "y of the validation data")
        return X, targets, y, read_weights(weights, X.shape[0])

    def _features(self, X: Any, method: str) -> tuple[Any, bool]:
        """Return X and whether it is checked; of an ndarray like the one that ``fit`` saw NaN and infinity are left to be seen."""
        check_fitted(self, method)
        first = self.coefs_[0]
        if (
            type(X) is np.ndarray
            and type(first) is np.ndarray
            and X.dtype == first.dtype
            and X.shape[1:] == first.shape[-2:-1]
            and X.shape[0]
            and X.flags.c_contiguous
            and "feature_names_in_" not in vars(self)
        ):
            return X, False
        check_same_place(self, X, method)
        return read_features(self, X, reset=False), True

    def _predicted(self, X: Any, method: str) -> Any:
        """Return the last layer's A (n_L, m) for X, in the place of the fitted attributes; of a stack (k, n_L, m)."""
        return self._together([last.A for last in self._last_layers(X, method)])

    def _passed(self, X: Any, method: str) -> tuple[Any, Any]:
        """Return the last layer's Z (or ``None``) and A."""
        layers = list(self._last_layers(X, method))
        return None if layers[0].Z is None else self._together([last.Z for last in layers]), self._together([last.A for last in layers])

    def _last_layers(self, X: Any, method: str) -> Iterator[Passed]:
        """Yield what the last layer makes of X, a part of the examples at a time, on the backend."""
        X, checked = self._features(X, method)
        parameters, network, dtype = self._parameters(), self._fitted.network, self._fitted.place.dtype
        library, like = choose_backend(self.backend, self.coefs_[0]), parameters[0].W
        outside, by_columns = self._is_outside(library), by_columns_of(library, network)
        for part in dense_parts(X):
            if not checked and not _is_finite(part):
                read_features(self, X, reset=False)  # which says so, or finds that only a square is too large
                checked = True
            if outside or part.dtype != like.dtype:
                check_range(part, dtype, "X")
                on_host = by_columns is not None and type(part) is np.ndarray  # padded there, and moved as the program needs it
                put = get_backend("numpy").asarray if on_host else partial(library.asarray, device=self.device)
                part = put(part, dtype=dtype)  # noqa: PLW2901 - the same part, where it is needed
            with on_device_of(part):
                last = last_layer(network, parameters, part, by_columns)
            yield last

    def _is_outside(self, library: Backend) -> bool:
        """Whether the backend computes elsewhere than where the fitted attributes are."""
        return library.namespace is not namespace(self.coefs_[0]) or self.device is not None

    def _together(self, parts: list[Any]) -> Any:
        """Return the parts of the examples as one array, in the place of the fitted attributes."""
        with on_device_of(parts[0]):
            whole = parts[0] if len(parts) == 1 else namespace(parts[0]).concat(parts, axis=-1)
        library = choose_backend(self.backend, self.coefs_[0])
        return self._fitted.place.put(library.to_numpy(whole)) if self._is_outside(library) else whole

    @property
    def estimators_(self) -> list[Any]:
        """An ensemble's members as estimators of their own; made when they are asked for, as a fit or a part of one needs none."""
        if "coefs_" not in vars(self) or self.coefs_[0].ndim < 3:
            raise AttributeError(f"{type(self).__name__} has estimators_ once it is fitted with n_networks > 1")
        made = self._fitted.made
        if "members" not in made:
            made["members"] = [self._member(i, of) for i, of in enumerate(of_members(self))]
        members: list[Any] = made["members"]
        return members

    def _member(self, i: int, own: dict[str, Any]) -> Any:
        copy: Any = clone(self)
        member = copy.set_params(n_networks=1)
        shared = {name: value for name, value in vars(self).items() if name not in self.get_params(deep=False)}
        vars(member).update(shared)
        member._fitted = Fitted(self._fitted.network, self._fitted.place, self._fitted.labels)
        member.coefs_ = [coefs[i, ...] for coefs in self.coefs_]
        member.intercepts_ = [intercepts[i, ...] for intercepts in self.intercepts_]
        member.stop_ = self.stop_[i]
        vars(member).update(own)
        return member

    def __getstate__(self) -> Any:
        theirs: Any = super().__getstate__()
        state: dict[str, Any] = dict(theirs)
        if "_fitted" in state:
            left = self._fitted.left
            if left is not None:
                left = left._replace(state=tree_map(to_host, left.state))  # of the backend that made it
            # not every library's devices can be pickled; the fitted attributes know where they are
            state["_fitted"] = replace(self._fitted, left=left, place=None, made={})
        return state

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        if "_fitted" in state:
            self._fitted = replace(self._fitted, place=place_of(self.coefs_[0], None))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags


def is_stochastic(estimator: Any) -> bool:
    """Whether there is a ``partial_fit``; for scikit-learn's ``available_if``, which shows the error."""
    if estimator.solver == "lbfgs":
        raise AttributeError(f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not stochastic.")
    return True


def _is_finite(X: Any) -> bool:
    """Whether no number is NaN or infinite, nor so large that the sum of the squares is; it is one pass of BLAS."""
    numbers = X.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(numbers, numbers)))


def _ours(activation: Any) -> Any:
    return SIGMOID.get(activation, activation) if isinstance(activation, str) else activation


def _check_unchanged(estimator: Any, network: Network) -> None:
    """Refuse to go on with parameters of other shapes."""
    stacked = () if estimator.n_networks == 1 else (estimator.n_networks,)
    wanted = [(*stacked, n_in, n) for n, n_in in network.shapes]
    got = [tuple(coefs.shape) for coefs in estimator.coefs_]
    if wanted != got:
        raise DataError(
            f"what was fitted before has weights of the shapes {got}, and these data and hidden_layer_sizes ask for {wanted}: "
            "set warm_start=False, or keep the sizes"
        )
