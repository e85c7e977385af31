"""An estimator's constructor parameters and labels as what JSON can hold, and back. Nothing is looked up but names in tables."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import Backend, get_backend
from mlpxp.arrays.devices import Device
from mlpxp.core.activations import ACTIVATIONS, Activation
from mlpxp.core.losses import LOSSES, Loss
from mlpxp.core.optimizers import Constant, Cosine, StepDecay, WarmUp
from mlpxp.errors import BackendError, MlpxpError, RangeError, UnknownNameError

__all__ = ["decoded", "decoded_labels", "decoded_number", "encoded", "encoded_labels", "encoded_number"]

_SCHEDULES: dict[str, Any] = {schedule.__name__: schedule for schedule in (Constant, Cosine, StepDecay, WarmUp)}
_SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_NUMBERS: dict[str, type] = {  # that labels may be, as NumPy calls them and as JSON gives them back
    "bool": bool,
    **dict.fromkeys(("float16", "float32", "float64"), float),
    **dict.fromkeys((f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), int),
}
_WIDEST = 256  # characters that labels of text may have room for and not use
_RANDOM = ("MT19937", 624)


def encoded(name: str, value: Any) -> Any:
    """Return the parameter of this name as JSON can hold it.

    Raises
    ------
    UnknownNameError
        It is a function, an object, or an activation, a loss or a backend that is not one of mlpxp's own; the message names it.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, np.generic | np.ndarray):
        return encoded(name, value.item() if isinstance(value, np.generic) else value.tolist())
    if isinstance(value, list | tuple):
        items = [encoded(name, item) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[encoded(name, key), encoded(name, item)] for key, item in value.items()]}
    if isinstance(value, Activation) and ACTIVATIONS.get(value.name) == value:
        return {"activation": value.name}
    if isinstance(value, Loss) and LOSSES.get(value.name) == value:
        return {"loss": value.name}
    if _SCHEDULES.get(type(value).__name__) is type(value):
        of = {field.name: encoded(name, getattr(value, field.name)) for field in fields(value)}
        return {"schedule": type(value).__name__, "of": of}
    if isinstance(value, Device):
        return value.name
    if isinstance(value, Backend) and _is_registered(value):
        return value.name
    if isinstance(value, np.random.RandomState):
        return {"random_state": _state_of(name, value)}
    raise UnknownNameError(
        f"the parameter {name}={_in_short(value)} can't be saved: a file holds numbers, texts and the names of mlpxp's own activations, "
        f"losses, schedules and backends; set_params({name}=...) to one of these"
    )


def decoded(value: Any) -> Any:
    """Return what was encoded.

    Raises
    ------
    RangeError
        It was not.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [decoded(item) for item in value]
    match value:
        case {"float": str(text), **rest} if text in _SPECIAL and not rest:
            return _SPECIAL[text]
        case {"tuple": list(items), **rest} if not rest:
            return tuple(decoded(item) for item in items)
        case {"dict": list(items), **rest} if not rest and all(isinstance(item, list) and len(item) == 2 for item in items):
            return {_hashable(decoded(key)): decoded(item) for key, item in items}
        case {"activation": str(name), **rest} if name in ACTIVATIONS and not rest:
            return ACTIVATIONS[name]
        case {"loss": str(name), **rest} if name in LOSSES and not rest:
            return LOSSES[name]
        case {"schedule": str(name), "of": dict(of), **rest} if name in _SCHEDULES and not rest:
            return _schedule(_SCHEDULES[name], of)
        case {"random_state": dict(state), **rest} if not rest:
            return _random_state(state)
    raise RangeError(f"{_in_short(value)} is no parameter that a file can hold")


def encoded_number(value: float | None) -> Any:
    """Return a number that may be infinite or NaN, or ``None``, as JSON can hold it."""
    return encoded("", value if value is None else float(value))


def decoded_number(value: Any) -> float | None:
    """Return such a number.

    Raises
    ------
    RangeError
    """
    number = decoded(value)
    if number is None or type(number) is float:
        return number
    raise RangeError(f"{_in_short(value)} is no number")


def encoded_labels(classes: NDArray[Any]) -> dict[str, Any]:
    """Return labels with their dtype: ``{"dtype": "int64", "values": [0, 1]}``.

    Raises
    ------
    RangeError
        They are neither numbers nor texts.
    """
    values = classes.tolist()
    if classes.dtype.name in _NUMBERS:
        return {"dtype": classes.dtype.name, "values": values}
    if classes.dtype.kind == "U":
        width, longest = classes.dtype.itemsize // 4, max(map(len, values), default=0)
        return {"dtype": f"str{longest if width > max(_WIDEST, longest) else width}", "values": values}
    if classes.dtype == object and all(type(value) is str for value in values):
        return {"dtype": "object", "values": values}
    raise RangeError(f"classes must be numbers of at most 64 bits or texts to be saved, got {classes.dtype}")


def decoded_labels(labels: dict[str, Any]) -> NDArray[Any]:
    """Return such labels.

    Raises
    ------
    RangeError
    """
    dtype: Any = labels.get("dtype")
    values = labels.get("values")
    wanted = _NUMBERS | {"object": str}
    text = isinstance(dtype, str) and dtype.startswith("str") and dtype[3:].isascii() and dtype[3:].isdigit() and len(dtype) < 12
    kind = str if text else wanted.get(dtype) if isinstance(dtype, str) else None
    if kind is None or not isinstance(values, list) or not all(type(value) is kind for value in values):
        raise RangeError(f"the classes must be a list of labels of one dtype, got {_in_short(labels)}")
    if text:
        longest = max(map(len, values), default=0)
        if not max(longest, 1) <= int(dtype[3:]) <= max(_WIDEST, longest):
            raise RangeError(f"classes of up to {longest} characters can't have the dtype {dtype}")
        return np.asarray(values, dtype=f"U{int(dtype[3:])}")
    try:
        with np.errstate(over="raise"):
            return np.asarray(values, dtype=dtype)
    except ArithmeticError as error:
        raise RangeError(f"the classes don't go into {dtype}: {error}") from error


def _schedule(schedule: Any, of: dict[str, Any]) -> Any:
    if set(of) != {field.name for field in fields(schedule)}:
        raise RangeError(f"{schedule.__name__} has other fields than {_in_short(sorted(of))}")
    try:
        return schedule(**{name: decoded(value) for name, value in of.items()})
    except MlpxpError as error:
        raise RangeError(f"{schedule.__name__} makes no sense: {error}") from error


def _state_of(name: str, random: np.random.RandomState) -> dict[str, Any]:
    state: Any = random.get_state(legacy=False)
    if state["bit_generator"] != _RANDOM[0]:
        raise UnknownNameError(f"the parameter {name} can't be saved: a file holds a RandomState of MT19937, got {state['bit_generator']}")
    return {
        "key": state["state"]["key"].tolist(),
        "pos": int(state["state"]["pos"]),
        "has_gauss": int(state["has_gauss"]),
        "gauss": float(state["gauss"]),
    }


def _random_state(state: dict[str, Any]) -> np.random.RandomState:
    values: list[Any] = [state.get(name) for name in ("key", "pos", "has_gauss", "gauss")]
    key, pos, has_gauss, gauss = values
    good = isinstance(key, list) and len(key) == _RANDOM[1] and all(type(word) is int and 0 <= word < 2**32 for word in key)
    if not good or type(pos) is not int or not 0 <= pos <= _RANDOM[1] or has_gauss not in (0, 1) or type(gauss) is not float:
        raise RangeError("a random state must be 624 words, a place among them and one number kept")
    random = np.random.RandomState()
    random.set_state((_RANDOM[0], np.asarray(key, dtype=np.uint32), pos, int(has_gauss), gauss))
    return random


def _is_registered(backend: Backend) -> bool:
    try:
        return get_backend(backend.name) == backend
    except (BackendError, UnknownNameError):
        return False


def _hashable(key: Any) -> Any:
    if isinstance(key, list | dict):
        raise RangeError(f"{_in_short(key)} can't be a key")
    return key


def _in_short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
