"""What comes in, as the numbers that were asked for, or one sentence."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import DataError, RangeError, ShapeError

__all__ = ["check_least", "check_positive", "matrix"]


def check_positive(name: str, value: object) -> float:
    """Return a number as a float; refuse anything but a finite one above 0.

    Raises
    ------
    RangeError
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not 0.0 < float(value) < math.inf:
        raise RangeError(f"{name} must be a number above 0, got {value!r}")
    return float(value)


def check_least(name: str, value: object, least: int) -> int:
    """Return a number as an int; refuse anything but a whole one from ``least``.

    Raises
    ------
    RangeError
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # anything else is what the except is for
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise RangeError(f"{name} must be a whole number from {least}, got {value!r}")
    return number


def matrix(name: str, values: Any) -> NDArray[Any]:
    """Return host values as float64 (n, m), one example a column.

    Raises
    ------
    DataError
        They are no numbers, or not finite.
    ShapeError
        They are no matrix with at least one row and one column.
    """
    try:
        array = np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must hold numbers on the host: {error}") from error
    if array.ndim != 2 or 0 in array.shape:
        raise ShapeError(f"{name} must have shape (n, m), one example a column, got {array.shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{name} must be finite, got NaN or infinity")
    return array
