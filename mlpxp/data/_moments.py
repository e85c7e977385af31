"""Mean and standard deviation of large blocks and of extreme values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_float", "moments", "row_chunks"]

CHUNK = 1 << 16  # values that are worked on at once: 512 KiB as float64, which stay in the cache


def moments(values: NDArray[Any], *, pooled: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation over the rows, or over everything; NaN is left out.

    The values are worked on relative to a power of two near the largest: no square overflows and no digit is lost.

    Parameters
    ----------
    values : ndarray, shape (m, n)
        Any real dtype; each column has a value that is not NaN.
    pooled : bool
        One mean and deviation for all columns.

    Returns
    -------
    mean, scale : ndarray of float64, shape (n,), or (1,) if pooled
        The scale is the standard deviation, and 1 where the values are constant.
    """
    axis = None if pooled else 0
    low = np.atleast_1d(np.asarray(np.fmin.reduce(values, axis=axis), dtype=np.float64))
    high = np.atleast_1d(np.asarray(np.fmax.reduce(values, axis=axis), dtype=np.float64))
    largest = np.maximum(np.abs(low), np.abs(high))
    unit = np.where(largest > 0, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1.0)
    count, total, squares = np.zeros_like(unit), np.zeros_like(unit), np.zeros_like(unit)
    for rows in row_chunks(*values.shape):
        block = as_float(values[rows]) / unit
        present = ~np.isnan(block)
        count += np.sum(present, axis=axis)
        total += np.sum(block, axis=axis, where=present)
    mean = total / count
    for rows in row_chunks(*values.shape):
        block = as_float(values[rows]) / unit - mean
        squares += np.sum(block * block, axis=axis, where=~np.isnan(block))
    scale = unit * np.sqrt(squares / count)
    constant = (low == high) | ~(scale > 10 * np.finfo(np.float64).eps * largest)  # the rounding of a constant is no spread
    return np.where(low == high, low, unit * mean), np.where(constant, 1.0, scale)


def row_chunks(m: int, n: int) -> Iterator[slice]:
    """Slices of the m rows of n values, each of about ``CHUNK`` values."""
    step = max(1, CHUNK // max(1, n))
    return (slice(start, start + step) for start in range(0, m, step))


def as_float(values: NDArray[Any]) -> NDArray[np.float64]:
    """The values as float64, without a copy where they are already."""
    return values.astype(np.float64, copy=False)
