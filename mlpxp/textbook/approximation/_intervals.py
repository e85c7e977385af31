"""Interval arithmetic: what values a formula takes over a whole cell, proved (Moore 1966).

Every operation returns an interval that holds all results that numbers of its operands' intervals can have, widened by a few units in the
last place for rounding: two for what IEEE 754 rounds correctly, eight for what a mathematical library computes. Where there is no finite
bound (a pole, a logarithm of 0, a root of negative numbers alone) an end is infinite or NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpxp.textbook.approximation._expression import Node

__all__ = ["Box", "Interval", "cells_of", "enclose", "per_side", "prove_finite"]

Box = tuple[tuple[float, float], ...]
_LARGEST = np.finfo(np.float64).max
_MOST_CELLS = 2**14
_HALVINGS = 44  # of each side: to about 1e-13 of it
_FAR = 1e6  # beyond it a rounding error is too large a part of a sine's period


class Interval(NamedTuple):
    """The numbers from ``low`` to ``high``, an array of them each."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def enclose(tree: Node, cells: Interval, *, strict: bool = False) -> Interval:
    """Return intervals that hold all values of a formula over each cell.

    Parameters
    ----------
    tree : Node
    cells : Interval
        The cells' ends, shape (n, m): n variables, m cells.
    strict : bool, default False
        Whether a root has no bound as soon as there may be numbers below -1e-6 under it, and not only where there are no others.

    Returns
    -------
    Interval
        Of shape (m,).
    """

    def leaf(node: Node) -> Interval:
        if node.op == "x":
            return Interval(cells.low[int(node.value)], cells.high[int(node.value)])
        value = np.full(cells.low.shape[-1], node.value)
        return Interval(value, value)

    with np.errstate(all="ignore"):
        enclosed: Interval = tree.apply(leaf, _STRICT if strict else _MEANINGS)
    return enclosed


def cells_of(box: Box, per_side: int) -> Interval:
    """Cut a box into per_sideⁿ equal cells; their ends have shape (n, per_sideⁿ)."""
    sides = [np.linspace(low, high, per_side + 1) for low, high in box]
    low, high = (
        np.stack([part.ravel() for part in np.meshgrid(*ends, indexing="ij")]) for ends in ([s[:-1] for s in sides], [s[1:] for s in sides])
    )
    return Interval(low, high)


def prove_finite(tree: Node, box: Box) -> tuple[float, ...] | None:
    """Prove that a formula is finite and its values bounded all over a box, or return a point near which no proof was found.

    Cells without a finite bound are halved, along each side in turn, until there are none; what remains after 44 halvings of each side, or
    as more than 8,192 cells, is not proved. No pole is ever missed, and of places without a value only roots of numbers from -1e-6 to 0,
    which the enclosure of a 0 may hold. A formula that comes within about 1e-13 of a pole may be refused.
    """
    cells = cells_of(box, per_side(len(box), 4096))
    for halving in range(_HALVINGS * len(box)):
        bounds = enclose(tree, cells, strict=True)
        open_ = ~(np.isfinite(bounds.low) & np.isfinite(bounds.high))
        if not open_.any():
            return None
        cells = Interval(cells.low[:, open_], cells.high[:, open_])
        if cells.low.shape[-1] > _MOST_CELLS // 2:
            break
        side, middle = halving % len(box), (cells.low + cells.high) / 2
        low, high = cells.low.copy(), cells.high.copy()
        low[side], high[side] = middle[side], middle[side]
        cells = Interval(np.concatenate([cells.low, low], axis=1), np.concatenate([high, cells.high], axis=1))
    return tuple(((cells.low + cells.high)[:, 0] / 2).tolist())


def per_side(dimension: int, cells: int) -> int:
    """How many equal parts of each side make at most so many cells."""
    return max(1, int(cells ** (1 / dimension) + 1e-9))


def _outward(low: Any, high: Any, ulps: int = 2) -> Interval:
    """Widen by some units in the last place; NaN, which an indeterminate form leaves, is no bound at all."""
    low = np.minimum(np.where(np.isnan(low), -np.inf, low), _LARGEST)  # what overflowed is infinite, and at least the largest number
    high = np.maximum(np.where(np.isnan(high), np.inf, high), -_LARGEST)
    return Interval(
        np.where(np.isfinite(low), low - ulps * np.spacing(np.abs(low)), low),
        np.where(np.isfinite(high), high + ulps * np.spacing(np.abs(high)), high),
    )


def _hull(*values: Any, ulps: int = 2) -> Interval:
    return _outward(np.minimum.reduce(values), np.maximum.reduce(values), ulps)


def _add(u: Interval, v: Interval) -> Interval:
    return _outward(u.low + v.low, u.high + v.high)


def _neg(u: Interval) -> Interval:
    return Interval(-u.high, -u.low)


def _mul(u: Interval, v: Interval) -> Interval:
    return _hull(u.low * v.low, u.low * v.high, u.high * v.low, u.high * v.high)


def _div(u: Interval, v: Interval) -> Interval:
    zero = (v.low <= 0.0) & (v.high >= 0.0)
    low, high = _hull(u.low / v.low, u.low / v.high, u.high / v.low, u.high / v.high)
    return Interval(np.where(zero, -np.inf, low), np.where(zero, np.inf, high))


def _power(u: Interval, v: Interval, least: float = -np.inf) -> Interval:
    """u to a constant: a whole one by the sign of u, another one only where u isn't negative."""
    p = float(v.low.flat[0])
    if p < 0.0:
        return _div(Interval(np.ones_like(u.low), np.ones_like(u.low)), _power(u, _neg(v), least))
    if p == 0.0:
        return Interval(np.ones_like(u.low), np.ones_like(u.low))
    if p % 2.0 == 0.0:
        ends = _abs(u)
        return _outward(np.maximum(ends.low**p, 0.0), ends.high**p, 8)
    if p % 1.0 == 0.0:
        return _outward(u.low**p, u.high**p, 8)
    return _of_positive(lambda one: one**p, u, least)


def _of_positive(function: Callable[[Any], Any], u: Interval, least: float = -np.inf) -> Interval:
    """An increasing function of numbers from 0; unbounded where there are none such, or where there may be some below ``least``."""
    low, high = _outward(function(np.maximum(u.low, 0.0)), function(u.high), 8)
    outside = ~(u.high >= 0.0) | (u.low < least)
    return Interval(np.where(outside, -np.inf, low), np.where(outside, np.inf, high))


def _increasing(function: Callable[[Any], Any]) -> Callable[[Interval], Interval]:
    return lambda u: _outward(function(u.low), function(u.high), 8)


def _abs(u: Interval) -> Interval:
    low, high = np.minimum(abs(u.low), abs(u.high)), np.maximum(abs(u.low), abs(u.high))
    return Interval(np.where((u.low <= 0.0) & (u.high >= 0.0), 0.0, low), high)


def _cosh(u: Interval) -> Interval:
    ends = _abs(u)
    return _outward(np.cosh(ends.low), np.cosh(ends.high), 8)


def _reaches(u: Interval, where: float, period: float) -> Any:
    """Whether an interval holds where + k period for some whole k; yes, where it is too close to say."""
    slack = 1e-9
    return np.floor((u.high - where) / period + slack) >= np.ceil((u.low - where) / period - slack)


def _sin(u: Interval) -> Interval:
    low, high = _hull(np.sin(u.low), np.sin(u.high), ulps=8)
    far = ~(np.maximum(abs(u.low), abs(u.high)) < _FAR)
    return Interval(
        np.where(far | _reaches(u, -np.pi / 2, 2 * np.pi), -1.0, np.maximum(low, -1.0)),
        np.where(far | _reaches(u, np.pi / 2, 2 * np.pi), 1.0, np.minimum(high, 1.0)),
    )


def _cos(u: Interval) -> Interval:
    low, high = _hull(np.cos(u.low), np.cos(u.high), ulps=8)
    far = ~(np.maximum(abs(u.low), abs(u.high)) < _FAR)
    return Interval(
        np.where(far | _reaches(u, np.pi, 2 * np.pi), -1.0, np.maximum(low, -1.0)),
        np.where(far | _reaches(u, 0.0, 2 * np.pi), 1.0, np.minimum(high, 1.0)),
    )


def _tan(u: Interval) -> Interval:
    low, high = _hull(np.tan(u.low), np.tan(u.high), ulps=8)
    pole = _reaches(u, np.pi / 2, np.pi) | ~(np.maximum(abs(u.low), abs(u.high)) < _FAR)
    return Interval(np.where(pole, -np.inf, low), np.where(pole, np.inf, high))


def _log(u: Interval) -> Interval:
    low, high = _outward(np.log(np.maximum(u.low, 0.0)), np.log(u.high), 8)
    outside = ~(u.low > 0.0)
    return Interval(np.where(outside, -np.inf, low), high)


_MEANINGS: dict[str, Callable[..., Interval]] = {
    "+": _add,
    "-": lambda u, v: _add(u, _neg(v)),
    "*": _mul,
    "/": _div,
    "**": _power,
    "neg": _neg,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "exp": _increasing(np.exp),
    "log": _log,
    "sqrt": lambda u: _of_positive(np.sqrt, u),
    "abs": _abs,
    "sign": lambda u: Interval(np.sign(u.low), np.sign(u.high)),
    "sinh": _increasing(np.sinh),
    "cosh": _cosh,
    "tanh": _increasing(np.tanh),
    "arctan": _increasing(np.arctan),
    "min": lambda u, v: Interval(np.minimum(u.low, v.low), np.minimum(u.high, v.high)),
    "max": lambda u, v: Interval(np.maximum(u.low, v.low), np.maximum(u.high, v.high)),
}
_STRICT = _MEANINGS | {"sqrt": lambda u: _of_positive(np.sqrt, u, -1e-6), "**": lambda u, v: _power(u, v, -1e-6)}
