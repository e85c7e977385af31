"""scikit-learn's fitted ``MLPClassifier`` and ``MLPRegressor`` as ours, and the other way, with what their training goes on from."""

from __future__ import annotations

import copy
import math
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import array_like, tree_map
from mlpxp.core.activations import ACTIVATIONS
from mlpxp.core.losses import LOSSES
from mlpxp.core.network import Layer, Network
from mlpxp.core.optimizers import AdamState, MomentumState
from mlpxp.errors import DataError, DtypeError, MissingLibraryError, MlpxpError, UnknownNameError

if TYPE_CHECKING:
    from mlpxp.estimators.fitted import Fitted, Left

__all__ = ["from_sklearn", "to_sklearn"]

_OURS: dict[str, str] = {"logistic": "sigmoid"}  # by their name
_THEIRS = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}  # the hidden activations that they have
_HEADS = {  # the outputs that they have, with their losses
    "MLPClassifier": {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"},
    "MLPRegressor": {"identity": "mse", "exp": "poisson"},
}
_PLACES = {"backend", "device", "dtype"}  # theirs has no choice of where and in what it computes


def from_sklearn(estimator: Any) -> Any:
    """Return our estimator for a fitted one of scikit-learn's: equal predictions, and training goes on where theirs would have.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With its parameters, weights (copied: theirs are updated in place), classes, feature names, curves and optimizer's state, so that
        ``partial_fit`` and ``warm_start`` go on. Of one class ``predict_proba`` has one column here and two there.
        ``learning_rate_curve_``, which theirs hasn't, is NaN; ``stop_`` is not known, and not there.

    Raises
    ------
    MissingLibraryError
        scikit-learn is not installed.
    UnknownNameError
        It is no MLPClassifier or MLPRegressor of theirs, or of a class derived from one, which may predict differently.
    NotFittedError
        It is not fitted.
    DataError, DtypeError
        Its attributes don't fit together; its weights are not finite, or not all float32 or all float64.
    """
    theirs, ours = _libraries()
    from mlpxp.estimators.errors import check_fitted
    from mlpxp.estimators.fitted import Fitted, adopt

    kind = _kind_of(estimator, theirs, "scikit-learn's")
    check_fitted(estimator, "from_sklearn")
    new = getattr(ours, kind)(**copy.deepcopy(estimator.get_params()))
    coefs = [np.array(each.T, order="C").T for each in estimator.coefs_]  # W as training leaves it, rows contiguous
    intercepts = [np.array(each) for each in estimator.intercepts_]
    if not all(np.isfinite(each).all() for each in (*coefs, *intercepts)):
        raise DataError(f"the weights of {kind} must be finite, got NaN or infinity")
    if (dtypes := {each.dtype.name for each in (*coefs, *intercepts)}) not in ({"float32"}, {"float64"}):
        raise DtypeError(f"the weights of {kind} must be all float32 or all float64, got {', '.join(sorted(dtypes))}")
    output, hidden = _ours(estimator.out_activation_), _ours(estimator.activation)
    if output not in _HEADS[kind]:
        new.output_activation = output  # somebody has set it
    loss = _HEADS[kind].get(output, "poisson" if getattr(estimator, "loss", "") == "poisson" else "mse")
    try:
        network = Network([coefs[0].shape[0], *(each.shape[1] for each in coefs)], hidden=hidden, output=output, loss=loss)
        features, n_iter, t = getattr(estimator, "feature_names_in_", None), int(estimator.n_iter_), int(estimator.t_)
        state = Fitted(network, labels=_labels(estimator), curves=_curves_of(estimator), left=_left_of(estimator, new, coefs[0]))
        adopt(new, state, coefs, intercepts, features=features, n_iter=n_iter, t=t)
    except MlpxpError as error:
        raise DataError(f"the attributes of this {kind} don't make a network that there is here: {error}") from error
    new.loss_ = float(estimator.loss_)
    if new.solver != "lbfgs":
        new.best_loss_, new.best_validation_score_ = estimator.best_loss_, estimator.best_validation_score_
    return new


def to_sklearn(estimator: Any) -> Any:
    """Return scikit-learn's estimator for a fitted one of ours: equal predictions, and training goes on where ours would have.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted, on any library; one network, with what scikit-learn's has: one of its four activations for all hidden layers, its outputs
        and losses, its solvers, and everything else at its default but ``backend``, ``device`` and ``dtype``.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or MLPRegressor
        On NumPy, the weights copied.

    Raises
    ------
    MissingLibraryError
        scikit-learn is not installed.
    UnknownNameError
        It is no estimator of ours, or it has something, which is named, that theirs can't hold.
    NotFittedError
        It is not fitted.
    """
    theirs, ours = _libraries()
    from mlpxp.estimators.fitted import binarizer_of, state_of
    from mlpxp.estimators.their_privates import put_inside

    kind = _kind_of(estimator, ours, "mlpxp's")
    state = state_of(estimator, "to_sklearn")
    network = state.network
    parameters = _held_parameters(estimator, network, getattr(theirs, kind))
    if (network.output, network.loss) not in [(ACTIVATIONS[name], LOSSES[loss]) for name, loss in _HEADS[kind].items()]:
        raise UnknownNameError(f"scikit-learn's {kind} has no output {network.output.name!r} with the loss {network.loss.name!r}")
    new = getattr(theirs, kind)(**parameters)
    new.coefs_, new.intercepts_ = ([_on_host(each) for each in arrays] for arrays in (estimator.coefs_, estimator.intercepts_))
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_iter_", "t_", "loss_", "n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(new, name, getattr(estimator, name))
    if state.labels is not None:
        binarizer = copy.deepcopy(binarizer_of(state.labels))
        put_inside(new, binarizer=binarizer)
        new.classes_ = binarizer.classes_
    if new.solver != "lbfgs":
        _hand_history(estimator, state, new)
    return new


def _libraries() -> tuple[Any, Any]:
    """Return where their estimators are, and ours."""
    try:
        import sklearn.neural_network as theirs

        from mlpxp import estimators as ours
    except ModuleNotFoundError as error:
        raise MissingLibraryError(
            f"scikit-learn's estimators need {error.name}, which is not installed: pip install 'mlpxp[sklearn]'"
        ) from error
    return theirs, ours


def _kind_of(estimator: Any, module: Any, whose: str) -> str:
    kind = type(estimator)
    if kind in {module.MLPClassifier, module.MLPRegressor}:
        return str(kind.__name__)
    remedy = ""
    if hasattr(estimator, "steps"):
        remedy = ": take its last step, pipeline[-1], and keep the ones before it for the data"
    elif hasattr(estimator, "best_estimator_"):
        remedy = ": take its best_estimator_"
    raise UnknownNameError(
        f"wanted {whose} MLPClassifier or MLPRegressor itself, got {kind.__module__.partition('.')[0]}'s {kind.__name__}{remedy}"
    )


def _ours(name: Any) -> Any:
    """Return our name for an activation of theirs."""
    return _OURS.get(name, name)


def _labels(estimator: Any) -> Any:
    """Return the labels of their classifier: its binarizer is private, but its outputs tell its kind too."""
    if not hasattr(estimator, "classes_"):
        return None
    from mlpxp.estimators.fitted import Labels
    from mlpxp.estimators.their_privates import inside

    binarizer = inside(estimator, "binarizer")
    one = "binary" if estimator.n_outputs_ == 1 else "multilabel-indicator"
    kind = getattr(binarizer, "y_type_", "multiclass" if estimator.out_activation_ == "softmax" else one)
    return Labels(np.array(estimator.classes_), kind, bool(getattr(binarizer, "sparse_input_", False)))


def _curves_of(estimator: Any) -> dict[str, Any]:
    """Return the curves of a solver by epochs; what theirs hasn't is NaN."""
    if estimator.solver == "lbfgs":
        return {}
    losses, scores = (
        None if each is None else [(float(one),) for one in each] for each in (estimator.loss_curve_, estimator.validation_scores_)
    )
    unknown = [(math.nan,)] * len(estimator.loss_curve_)
    return {
        "loss_curve_": losses,
        "learning_rate_curve_": unknown,
        "validation_loss_curve_": None if scores is None else list(unknown),
        "validation_scores_": scores,
    }


def _left_of(estimator: Any, new: Any, like: Any) -> Left | None:
    """Return what a solver by epochs goes on from, as ours has it."""
    from mlpxp.estimators.fitted import Left, optimizer_of, watched_by
    from mlpxp.estimators.their_privates import inside

    if estimator.solver == "lbfgs":
        return None
    best = estimator.best_validation_score_ if new.early_stopping else -estimator.best_loss_
    # their loss of several numbers is the mean, ours the sum
    comparable = new.early_stopping or estimator.n_outputs_ == 1 or hasattr(estimator, "classes_")
    optimizer = inside(estimator, "optimizer")
    adaptive = new.solver == "sgd" and new.learning_rate == "adaptive" and hasattr(optimizer, "velocities")
    return Left(
        optimizer=optimizer_of(new),
        state=_state_of(optimizer, new, like),
        watched=watched_by(new) if comparable else None,
        best=[float(best)] if comparable else (),
        stale=[int(inside(estimator, "stale", 0))] if comparable else (),
        rates=[float(optimizer.learning_rate)] if adaptive else (),
    )


def _state_of(optimizer: Any, new: Any, like: Any) -> Any:
    """Return their optimizer's state as ours; ``None``, to begin anew, if it isn't that of the solver."""

    def layers(arrays: Any, factor: float = 1.0) -> Any:
        W, b = arrays[: len(arrays) // 2], arrays[len(arrays) // 2 :]  # all weights, then all intercepts
        return tuple(Layer(W=np.ascontiguousarray(factor * one.T), b=factor * other[:, None]) for one, other in zip(W, b, strict=True))

    rate = array_like(float(new.learning_rate_init), like)
    if new.solver == "adam" and hasattr(optimizer, "ms"):
        sums = layers(optimizer.ms, 1.0 / (1.0 - optimizer.beta_1))
        return AdamState(rate, array_like(float(optimizer.t), like), sums, layers(optimizer.vs, 1.0 / (1.0 - optimizer.beta_2)))
    if new.solver == "sgd" and hasattr(optimizer, "velocities"):
        return MomentumState(rate, layers(optimizer.velocities) if new.momentum > 0.0 else None)
    return None


def _held_parameters(estimator: Any, network: Network, theirs: Any) -> dict[str, Any]:
    """Return the constructor's parameters for theirs, if theirs can hold all of them."""
    from mlpxp.estimators.their_privates import validate_parameters

    known, defaults = set(signature(theirs).parameters), signature(type(estimator)).parameters
    given = copy.deepcopy(estimator.get_params())
    if given["n_networks"] > 1:
        raise UnknownNameError(f"to_sklearn takes one network, got n_networks={given['n_networks']}: take one of estimators_")
    for name, value in given.items():
        usual = defaults[name].default
        if name not in known | _PLACES and not (np.all(value == usual) or (name == "weight_decay" and value == 0)):
            raise UnknownNameError(f"scikit-learn has no {name}, got {value!r}: set_params({name}={usual!r}) first, if it may go")
    hidden = {activation: _THEIRS.get(activation.name) for activation in network.hidden}
    if len(hidden) > 1 or any(name is None or ACTIVATIONS[activation.name] != activation for activation, name in hidden.items()):
        got = [activation.name for activation in hidden]
        raise UnknownNameError(
            f"scikit-learn has one activation for all hidden layers, {', '.join(_THEIRS.values())}, got {', '.join(got)}"
        )
    given["activation"] = next(iter(hidden.values()), "relu")
    parameters = {name: given[name] for name in given if name in known}
    try:
        validate_parameters(theirs(**parameters))
    except ValueError as error:  # adamw, a schedule, a loss
        raise UnknownNameError(f"scikit-learn can't hold this: {error}") from error
    return parameters


def _hand_history(estimator: Any, state: Fitted, new: Any) -> None:
    """Hand over curves and optimizer of a solver by epochs, with what theirs needs to go on."""
    from mlpxp.estimators.fitted import Left, optimizer_of, watched_by
    from mlpxp.estimators.their_privates import put_inside

    left, early = state.left or Left(), new.early_stopping
    new.loss_curve_ = list(getattr(estimator, "loss_curve_", ()))
    new.validation_scores_ = list(getattr(estimator, "validation_scores_", None) or ()) if early else None
    new.best_loss_ = None if early else getattr(estimator, "best_loss_", None) or math.inf
    new.best_validation_score_ = (getattr(estimator, "best_validation_score_", None) or -math.inf) if early else None
    put_inside(
        new,
        stale=left.stale[0] if left.stale and left.watched == watched_by(estimator) else 0,
        best_coefs=[each.copy() for each in new.coefs_],
        best_intercepts=[each.copy() for each in new.intercepts_],
    )
    if left.state is not None and left.optimizer == optimizer_of(estimator):
        put_inside(new, optimizer=_optimizer_of(new, tree_map(_on_host, left.state), left.rates))


def _optimizer_of(new: Any, state: Any, rates: Any) -> Any:
    """Return their optimizer with our state, on the host, and our adaptive rates."""
    from mlpxp.estimators.their_privates import optimizers

    def lists(layers: Any, factor: float = 1.0) -> list[Any]:
        return [factor * layer.W.T for layer in layers] + [factor * layer.b[:, 0] for layer in layers]

    weights, rate, policy = new.coefs_ + new.intercepts_, new.learning_rate_init, new.learning_rate
    if new.solver == "adam":
        adam = optimizers().AdamOptimizer(weights, rate, new.beta_1, new.beta_2, new.epsilon)
        adam.t, adam.ms, adam.vs = int(state.t), lists(state.gradients, 1.0 - new.beta_1), lists(state.squares, 1.0 - new.beta_2)
        return adam
    sgd = optimizers().SGDOptimizer(weights, rate, policy, new.momentum, new.nesterovs_momentum, new.power_t)
    if state.velocity is not None:
        sgd.velocities = lists(state.velocity)
    if policy == "adaptive" and rates:
        sgd.learning_rate = rates[0]
    sgd.iteration_ends(new.t_)  # where invscaling has got to
    return sgd


def _on_host(array: Any) -> Any:
    return np.array(backend_of(array).to_numpy(array), order="C")
