"""Numbers that a caller gives: plain Python ones from here on, whatever library they are of, or one sentence.

A number of NumPy's or of another library is no harmless stand-in for a plain one: ``np.float64(0.9) * v`` is float64 where ``v`` is
float32, ``np.int8(100) + 100`` is negative, and none of them has the text of the plain one in a checkpoint.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from mlpxp.errors import RangeError

__all__ = ["BELOW_1", "FROM_0", "POSITIVE", "UP_TO_1", "Range", "flag", "number_or_none", "real_number", "told", "whole_number"]


class Range(NamedTuple):
    """What a number must be, in words and as a test of a float, NaN included."""

    words: str
    holds: Callable[[float], bool]


POSITIVE = Range("a positive number", lambda value: 0.0 < value < math.inf)
FROM_0 = Range("a number from 0", lambda value: 0.0 <= value < math.inf)
BELOW_1 = Range("in [0, 1)", lambda value: 0.0 <= value < 1.0)
UP_TO_1 = Range("in [0, 1]", lambda value: 0.0 <= value <= 1.0)


def real_number(name: str, value: Any, wanted: Range) -> float:
    """Return a real number as a float: Python's, NumPy's or any library's own scalar, or an array of no axes.

    Raises
    ------
    RangeError
        It is outside the range, or no real number: text, ``None``, a truth value, several numbers, one beyond float64.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp.arrays.scalars import UP_TO_1, real_number
    >>> real_number("momentum", np.float64(0.9), UP_TO_1)
    0.9
    """
    plain = number_or_none(value)
    if plain is None or not wanted.holds(plain):
        raise RangeError(f"{name} must be {wanted.words}, got {told(value)}")
    return plain


def number_or_none(value: Any) -> float | None:
    """Return a real number of any library as a float, NaN and infinity too; ``None`` if it is anything else."""
    if type(value) is float:
        return value
    is_numeric = hasattr(value, "__float__") or hasattr(value, "__index__")  # text is not, although float() reads it
    if not is_numeric or isinstance(value, bool) or not _is_one_number(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # a library's own way to say that it has no value, or none so large
        return None


def whole_number(name: str, value: Any, *, least: int = 1) -> int:
    """Return a whole number as an int: Python's, or any library's own of an integer dtype.

    Raises
    ------
    RangeError
        It is less than ``least``, or no whole number; 3.0 is none.
    """
    try:
        plain = operator.index(value) if _is_one_number(value) and not isinstance(value, bool) else least - 1
    except (TypeError, ValueError, RuntimeError):
        plain = least - 1
    if plain < least:
        raise RangeError(f"{name} must be a whole number from {least}, got {told(value)}")
    return plain


def flag(name: str, value: Any) -> bool:
    """Return a truth value as a bool: Python's, or any library's own.

    Raises
    ------
    RangeError
        It is anything else: 0 and 1 are numbers.
    """
    if isinstance(value, bool):
        return value
    if getattr(value, "shape", None) != () or not _dtype_name(value).startswith("bool"):
        raise RangeError(f"{name} must be True or False, got {told(value)}")
    return bool(value)


def _is_one_number(value: Any) -> bool:
    """Return whether an array has no axes and a real dtype, or a value is no array at all."""
    return getattr(value, "shape", ()) == () and _dtype_name(value).startswith(("float", "int", "uint", "bfloat"))


def told(value: object) -> str:
    """Return a value for a message: its repr, on one line and not too long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a whole number of more digits than Python writes
        text = "a number of too many digits"
    return text if len(text) <= 100 else f"{text[:97]}..."


def _dtype_name(value: Any) -> str:
    dtype = getattr(value, "dtype", "float")
    return str(getattr(dtype, "name", dtype)).rpartition(".")[-1]
