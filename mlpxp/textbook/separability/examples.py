"""Examples of two classes, as floats whose exact values count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import is_array
from mlpxp.errors import DataError, ShapeError

__all__ = ["Constraint", "Examples", "read_examples"]


@dataclass(frozen=True, eq=False)
class Examples:
    """What :func:`separate` works on.

    Attributes
    ----------
    X : ndarray of float64, shape (m, n)
        One example a row; each value stands for exactly the rational number that it is.
    signs : ndarray of int8, shape (m,)
        s_i: +1 for the second class, -1 for the first.
    classes : (label, label)
        The two labels, sorted.
    """

    X: NDArray[np.float64]
    signs: NDArray[np.int8]
    classes: tuple[Any, Any]

    def of(self, sign: int) -> NDArray[np.intp]:
        """The indices of the examples of one class."""
        return np.flatnonzero(self.signs == sign)


@dataclass(frozen=True)
class Constraint:
    """What one example asks of a hyperplane: w · x + b > 0 of the second class, w · x + b < 0 of the first.

    Attributes
    ----------
    index : int
        The example's, from 0.
    x : tuple of float
    label : label
    sign : int
        s: +1 for the second class, -1 for the first.
    multiplicity : int
        Its entry in the certificate.
    """

    index: int
    x: tuple[float, ...]
    label: Any
    sign: int
    multiplicity: int


def read_examples(X: Any, y: Any) -> Examples:
    """Take examples and labels of any kind to the host.

    Raises
    ------
    ShapeError
        X is no matrix of at least one example and one feature, or y doesn't have one label for each.
    DataError
        X holds anything but finite numbers that a float64 holds exactly, or y has not exactly two classes.
    """
    values, labels = _host(X), _host(y)
    if values.ndim != 2 or 0 in values.shape:
        raise ShapeError(f"X must have shape (m, n_features), with at least one example and one feature, got {values.shape}")
    if labels.shape != values.shape[:1]:
        raise ShapeError(f"y must have shape ({len(values)},), one label for each example of X, got {labels.shape}")
    classes, signs = _classes(labels.tolist())
    return Examples(_exact_floats(values), signs, classes)


def _host(values: Any) -> NDArray[Any]:
    if is_array(values):
        return np.asarray(backend_of(values).to_numpy(values))
    try:
        return np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
    except ValueError as error:
        raise ShapeError(f"X and y must be arrays or equally long rows: {error}") from error


def _exact_floats(values: NDArray[Any]) -> NDArray[np.float64]:
    """The values as float64; refuse those that it would round."""
    try:
        floats = np.ascontiguousarray(values, dtype=np.float64) if _holds_numbers(values) else None
    except (TypeError, ValueError, OverflowError):
        floats = None
    if floats is None:
        raise DataError(f"X must hold real numbers that float64 can hold, got {values.dtype}")
    finite = np.isfinite(floats)
    if not finite.all():
        row, column = (int(index) for index in np.argwhere(~finite)[0])
        raise DataError(f"X must be finite, got {floats[row, column]} in feature {column} of example {row}")
    for row, column in np.argwhere(_may_be_rounded(values, floats)).tolist():
        value = values[row, column]
        if (int(value) if values.dtype.kind in "iu" else value) != floats[row, column].item():
            place = f"{value} in feature {column} of example {row}"
            raise DataError(f"X must hold numbers that float64 holds exactly, got {place}, which it would round")
    return floats


def _holds_numbers(values: NDArray[Any]) -> bool:
    """Whether they are real numbers; NumPy would make floats of texts and dates, too."""
    return values.dtype.kind in "biuf" or (values.dtype.kind == "O" and not any(isinstance(one, str | bytes) for one in values.flat))


def _may_be_rounded(values: NDArray[Any], floats: NDArray[np.float64]) -> NDArray[np.bool_]:
    if values.dtype.kind in "iu":
        return np.abs(floats) >= 2.0**53
    return np.full(values.shape, values.dtype.kind not in "fb" or values.dtype.itemsize > 8)


def _classes(labels: list[Any]) -> tuple[tuple[Any, Any], NDArray[np.int8]]:
    try:
        distinct = set(labels)
    except TypeError:
        raise DataError(f"y must hold labels such as 0 and 1, or texts, got {type(labels[0]).__name__}") from None
    if any(label is None or (isinstance(label, float) and math.isnan(label)) for label in distinct):
        raise DataError("y must hold a label for each example, got a missing one")
    try:
        classes = sorted(distinct)
    except TypeError:  # labels of two kinds
        classes = sorted(distinct, key=lambda label: (type(label).__name__, str(label)))
    if len(classes) != 2:
        shown = ", ".join(repr(label) for label in classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise DataError(f"y must hold two classes, one on each side of a hyperplane, got {len(classes)}: {shown}")
    second = classes[1]
    return (classes[0], second), np.asarray([1 if label == second else -1 for label in labels], dtype=np.int8)
