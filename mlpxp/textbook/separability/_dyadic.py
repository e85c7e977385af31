"""Floats as the exact numbers that they are: whole multiples of powers of two."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dot", "power", "whole", "whole_by_feature"]


def whole(X: NDArray[np.float64]) -> tuple[list[list[int]], int]:
    """Write a matrix as whole numbers times one power of two, as large as can be.

    Returns
    -------
    N : list of list of int, shape of X
    f : int
        X = N · 2^f, exactly.
    """
    mantissas, exponents = _parts(X)
    f = int(exponents[mantissas != 0].min()) if mantissas.any() else 0
    return _shifted(mantissas, exponents - f), f


def whole_by_feature(X: NDArray[np.float64]) -> list[list[int]]:
    """Write each column of a matrix as whole numbers, times a power of two of its own that is left out."""
    mantissas, exponents = _parts(X)
    least = np.where(mantissas != 0, exponents, np.iinfo(np.int64).max).min(axis=0)
    return _shifted(mantissas, exponents - least)


def power(exponent: int) -> Fraction:
    """2 to this exponent."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def dot(w: Sequence[int], x: NDArray[np.float64]) -> Fraction:
    """w · x exactly, for whole numbers w and one example."""
    ratios = [value.as_integer_ratio() for value in x.tolist()]
    denominator = max(one[1] for one in ratios)  # they are powers of two
    return Fraction(sum(one * (n * (denominator // d)) for one, (n, d) in zip(w, ratios, strict=True)), denominator)


def _parts(X: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Odd mantissas (or 0) and exponents."""
    fractions, exponents = np.frexp(X)
    mantissas = np.ldexp(fractions, 53).astype(np.int64)
    zeros = np.frexp((mantissas & -mantissas).astype(np.float64))[1].astype(np.int64) - 1  # at the end of each, in binary
    zeros = np.where(mantissas == 0, 0, zeros)
    return mantissas >> zeros, exponents.astype(np.int64) - 53 + zeros


def _shifted(mantissas: NDArray[np.int64], shifts: NDArray[np.int64]) -> list[list[int]]:
    rows: Any = zip(mantissas.tolist(), shifts.tolist(), strict=True)
    return [[n << by if n else 0 for n, by in zip(*row, strict=True)] for row in rows]
