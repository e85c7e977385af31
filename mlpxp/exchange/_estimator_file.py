"""The file of a fitted estimator: predictions from it are equal to the bit, and ``partial_fit`` goes on as if nothing had happened.

Beside what every file has (:mod:`mlpxp.files.schema`), of which ``layers`` are the weights, there are the tensors

``optimizer.<field>``, ``optimizer.<field>.1.W``, ...
    The optimizer's state, if there is one.
``curves.<name>``
    ``loss_curve_``, ``learning_rate_curve_``, ``validation_loss_curve_`` and ``validation_scores_``, those that there are: float64
    (epochs, k) for k networks.

and the metadata

``estimator``
    JSON: an object with ``class`` (``MLPClassifier`` or ``MLPRegressor``); ``parameters`` (the constructor's, by name, as
    :mod:`mlpxp.exchange._values` writes them); ``fitted`` (``n_iter_``, ``t_``, ``loss_``, ``best_loss_``, ``best_validation_score_``,
    ``stop_``, ``feature_names_in_``); ``labels`` of a classifier (``kind``, ``sparse``, ``dtype``, ``values``); ``members`` of an ensemble;
    and ``left``, what training goes on from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.placing import Place
from mlpxp.errors import DataError, DtypeError, MissingLibraryError, RangeError
from mlpxp.exchange._networks import parts_of
from mlpxp.exchange._to_backend import to_backend
from mlpxp.exchange._values import decoded, decoded_labels, decoded_number, encoded, encoded_labels, encoded_number
from mlpxp.files.networks import check_names, described, network_in, read_layers, tensors_of
from mlpxp.files.schema import Contents, to_json
from mlpxp.files.trees import read_state, state_tensors
from mlpxp.runs.stopping import Stop

if TYPE_CHECKING:
    from mlpxp.core.network import Network
    from mlpxp.estimators.fitted import Left
    from mlpxp.files.schema import Reader

__all__ = ["estimator_contents", "read_estimator"]

_CLASSES = ("MLPClassifier", "MLPRegressor")
_NUMBERS = ("loss_", "best_loss_", "best_validation_score_")
_COUNTS = ("n_iter_", "t_")
_CURVES = ("loss_curve_", "learning_rate_curve_", "validation_loss_curve_", "validation_scores_")


def estimator_contents(estimator: Any) -> Contents:
    """What a file of this estimator holds.

    Raises
    ------
    NotFittedError
        It is not fitted.
    UnknownNameError
        A parameter, an activation or the loss is nobody's but the user's: a file holds only names.
    InvalidParameterError, RangeError
        A parameter has a value that it can't have, or not with what was fitted; the weights are not finite.
    """
    from mlpxp.estimators.errors import translated
    from mlpxp.estimators.fitted import of_members, state_of
    from mlpxp.estimators.their_privates import validate_parameters

    name = type(estimator).__name__
    if type(estimator).__module__.partition(".")[0] != "mlpxp":
        raise DtypeError(f"save takes an MLPClassifier or an MLPRegressor itself, got {name}: a file can't hold a class derived from one")
    network, parameters = parts_of(estimator, "save")
    given = {name: encoded(name, value) for name, value in estimator.get_params(deep=False).items()}
    with translated():
        validate_parameters(estimator)
    state = state_of(estimator, "save")
    labels, left = state.labels, state.left
    check_names(network)
    tensors = tensors_of(network, parameters)
    dtype, k = tensors["layers.1.W"].dtype.name, int(estimator.n_networks)
    if tuple(parameters[0].W.shape[:-2]) != (() if k == 1 else (k,)):
        raise RangeError(f"n_networks must be what was fitted to be saved, got {k} and weights of shape {tuple(parameters[0].W.shape)}")
    tensors |= {f"curves.{name}": _curve(curve, k) for name, curve in state.curves.items() if curve is not None}
    names = getattr(estimator, "feature_names_in_", None)
    of_fit = {"stop_": _stops(getattr(estimator, "stop_", None)), "feature_names_in_": None if names is None else list(map(str, names))}
    of_labels = {} if labels is None else {"kind": labels.kind, "sparse": labels.sparse} | encoded_labels(labels.classes)
    members = [_summary(member) | {"epochs": len(member.get("loss_curve_", ()))} for member in of_members(estimator)]
    facts = {
        "class": name,
        "parameters": given,
        "fitted": _summary(vars(estimator)) | of_fit,
        "labels": of_labels,
        "members": members,
    }
    if left is not None:
        tensors |= state_tensors(left.state)
        facts["left"] = {
            "optimizer": list(left.optimizer),
            "state": None if left.state is None else type(left.state).__name__,
            "watched": left.watched if isinstance(left.watched, str) else None,  # of a callable nothing is known any more
            "best": [encoded_number(value) for value in left.best],
            "stale": list(map(int, left.stale)),
            "rates": [encoded_number(value) for value in left.rates],
        }
    texts = {"network": to_json(described(network), "network"), "dtype": dtype, "estimator": to_json(facts, "the estimator's attributes")}
    return Contents(tensors, texts)


def read_estimator(reader: Reader, place: Place) -> Any:
    """Read an estimator from an opened file.

    Raises
    ------
    FileFormatError
        It contradicts itself.
    MissingLibraryError
        scikit-learn is not installed.
    """
    try:
        estimator = _read(reader, Place(get_backend("numpy"), None, place.dtype))
    except (RangeError, DataError) as error:
        raise reader.refuse(f"its parameters, labels or numbers make no sense: {str(error)[:300]}") from error
    except RecursionError as error:
        raise reader.refuse("its estimator is nested too deeply") from error
    stays = place.library.name == "numpy" and place.device is None
    return estimator if stays else to_backend(estimator, place.library, place.device)


def _read(reader: Reader, host: Place) -> Any:
    try:
        from mlpxp import estimators
        from mlpxp.estimators.errors import translated
        from mlpxp.estimators.fitted import Fitted, Labels, adopt
        from mlpxp.estimators.their_privates import validate_parameters
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"an estimator needs {error.name}, which is not installed: pip install 'mlpxp[sklearn]'") from error
    network, facts = network_in(reader), reader.json("estimator")
    name = reader.field(facts, "class", " or ".join(_CLASSES), lambda value: value in _CLASSES)
    parameters, fitted = (reader.field(facts, part, "a JSON object", _is_object) for part in ("parameters", "fitted"))
    known = getattr(estimators, name)().get_params()
    if unknown := sorted(set(parameters) - set(known)):
        raise reader.refuse(f"{name} has no parameter {unknown[0][:60]!r}")
    estimator = getattr(estimators, name)(**{each: decoded(value) for each, value in parameters.items()})
    is_classifier, labels = name == "MLPClassifier", None
    if is_classifier:
        of = reader.field(facts, "labels", "a JSON object", _is_object)
        kind = reader.field(of, "kind", "a kind of labels", lambda value: value in ("binary", "multiclass", "multilabel-indicator"))
        labels = Labels(decoded_labels(of), kind, reader.field(of, "sparse", "true or false", lambda value: isinstance(value, bool)))
    layers = read_layers(reader, network, host)
    coefs, intercepts = [layer.W.mT for layer in layers], [layer.b[..., 0] for layer in layers]
    features = reader.field(fitted, "feature_names_in_", "a name for each feature", lambda value: _is_names(value, network.sizes[0]))
    n_iter, t = (_count(reader, fitted, each) for each in _COUNTS)
    try:
        with translated():
            validate_parameters(estimator)
    except DtypeError as error:
        raise reader.refuse(f"a parameter has a type that it can't have: {str(error)[:300]}") from error
    k = int(estimator.n_networks)
    if coefs[0].shape[:-2] != (() if k == 1 else (k,)):
        raise reader.refuse(f"n_networks={k} doesn't go with weights of shape {coefs[0].shape}")
    curves = _curves(reader, k)
    of_members = reader.field(facts, "members", "one object for each member", lambda value: _is_members(value, k))
    members = [_member(reader, curves, i, member) for i, member in enumerate(of_members)]
    left = None
    if "left" in facts:
        left = _left(reader, network, k, reader.field(facts, "left", "a JSON object", _is_object), host)
    state = Fitted(network, labels=labels, curves=curves, left=left, members=members)
    adopt(estimator, state, coefs, intercepts, features=features, n_iter=n_iter, t=t)
    vars(estimator).update(_numbers(fitted))
    stop = reader.field(fitted, "stop_", "a reason to stop, or one for each member", lambda value: _is_stop(value, k))
    if stop is not None:
        estimator.stop_ = Stop(stop) if k == 1 else tuple(map(Stop, stop))
    elif k > 1:
        raise reader.refuse("an ensemble must say why each member stopped")
    return estimator


def _curves(reader: Reader, k: int) -> dict[str, Any]:
    """Return the curves of k networks; none of what had no epochs."""
    names = [name for name in _CURVES if f"curves.{name}" in reader.names]
    if not names:
        return {}
    curves = {name: reader.array(f"curves.{name}", ("float64",), (k,), ndim=2, finite=False) for name in names}
    if len({len(curve) for curve in curves.values()}) > 1 or "loss_curve_" not in names:
        raise reader.refuse("its curves must all be as long as its loss_curve_")
    return {name: [tuple(row) for row in curves[name].tolist()] if name in names else None for name in _CURVES}


def _member(reader: Reader, curves: dict[str, Any], i: int, member: dict[str, Any]) -> dict[str, Any]:
    epochs = reader.field(member, "epochs", "a whole number from 0", _is_count)
    own = {name: None if curve is None else [values[i] for values in curve[:epochs]] for name, curve in curves.items()}
    counts = {name: _count(reader, member, name) for name in _COUNTS if name in member}
    return own | counts | _numbers(member)


def _left(reader: Reader, network: Network, k: int, left: dict[str, Any], host: Place) -> Left:
    """Return what training goes on from."""
    from mlpxp.estimators.fitted import Left

    optimizer = reader.field(left, "optimizer", "a solver, and whether it has a velocity", _is_optimizer)
    watched = reader.field(left, "watched", "a name or null", lambda value: value is None or isinstance(value, str))
    best, stale, rates = (
        reader.field(left, name, f"a list of {k} or none", lambda value: isinstance(value, list) and len(value) in {0, k})
        for name in ("best", "stale", "rates")
    )
    best, rates = ([decoded_number(value) or 0.0 for value in values] for values in (best, rates))
    if not all(map(_is_count, stale)):
        raise reader.refuse("its stale must be whole numbers from 0")
    state = None
    if left.get("state") is not None:
        kind = reader.field(left, "state", f"that of {optimizer[0]}", lambda value: value == _state_name(optimizer))
        state = read_state(reader, network, host, name=kind, members=() if k == 1 else (k,))
        absent = {name for name, value in zip(state._fields, state, strict=True) if value is None}
        if absent != (set() if optimizer != ["sgd", False] else {"velocity"}):
            raise reader.refuse(f"the state of its optimizer lacks {', '.join(sorted(absent)) or 'nothing, but there is no velocity'}")
    return Left(tuple(optimizer), state, watched, best, stale, rates)


def _summary(attributes: Any) -> dict[str, Any]:
    counts = {name: int(attributes[name]) for name in _COUNTS if name in attributes}
    return counts | {name: encoded_number(attributes[name]) for name in _NUMBERS if name in attributes}


def _numbers(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: decoded_number(summary[name]) for name in _NUMBERS if name in summary}


def _count(reader: Reader, of: dict[str, Any], name: str) -> int:
    count: int = reader.field(of, name, "a whole number from 0", _is_count)
    return count


def _curve(curve: Any, k: int) -> Any:
    return np.asarray(curve, dtype=np.float64).reshape(len(curve), k)


def _stops(stop: Any) -> Any:
    return [str(one) for one in stop] if isinstance(stop, tuple) else stop and str(stop)


def _state_name(optimizer: list[Any]) -> str:
    return "MomentumState" if optimizer[0] == "sgd" else "AdamState"


def _is_optimizer(value: Any) -> bool:
    return (
        isinstance(value, list) and value in (["sgd", True], ["sgd", False], ["adam", False], ["adamw", False]) and type(value[1]) is bool
    )


def _is_stop(value: Any, k: int) -> bool:
    reasons = list(Stop)
    if value is None or k == 1:
        return value is None or value in reasons
    return isinstance(value, list) and len(value) == k and all(one in reasons for one in value)


def _is_members(value: Any, k: int) -> bool:
    return isinstance(value, list) and len(value) in ({k} if k > 1 else {0, 1}) and all(map(_is_object, value))


def _is_names(value: Any, n: int) -> bool:
    return value is None or (isinstance(value, list) and len(value) == n and all(isinstance(name, str) for name in value))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)
