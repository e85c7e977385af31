"""The nearest points in floats: a proposal, which nothing depends on but the time."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from mlpxp.textbook.separability._nearest import Basis, Nearest, settle
from mlpxp.textbook.separability.examples import Examples

__all__ = ["propose"]

_ROUNDING = 1e-13  # of the examples' size: below it a distance is noise
_AT_MOST = 100  # steps for each feature
_TOGETHER = 4  # examples for each feature that join the near ones at once


def propose(examples: Examples) -> Nearest:
    """Look for the nearest points of the classes' hulls, until floats lead no further.

    Of many examples few are near the gap: steps are taken among those that once lay inside of it, and all are looked at when no
    example of these does.
    """
    X, signs = _centred(examples.X), examples.signs.astype(np.float64)
    above, below = examples.of(1), examples.of(-1)
    values = X @ (X[above].mean(axis=0) - X[below].mean(axis=0))
    first = (int(above[values[above].argmin()]), int(below[values[below].argmax()]))
    nearest = Nearest(first, (1.0, 1.0), X[first[0]] - X[first[1]])
    near = np.asarray(first)
    while len(inside := _inside(X, signs, nearest)):
        near = np.union1d(near, inside[: _TOGETHER * (X.shape[1] + 1)])
        settled = _among(X, signs, near, nearest)
        if np.linalg.norm(settled.w) >= np.linalg.norm(nearest.w):
            break
        nearest = settled
    return nearest


def _among(X: NDArray[np.float64], signs: NDArray[np.float64], near: NDArray[np.intp], nearest: Nearest) -> Nearest:
    """Take steps among some of the examples."""
    for _ in range(_AT_MOST * (X.shape[1] + 1)):
        inside = _inside(X, signs, nearest, near)
        if not len(inside) or inside[0] in nearest.basis:
            break
        better = settle((*nearest.basis, int(inside[0])), (*nearest.weights, 0.0), partial(_affine, X, signs))
        if better is None or np.linalg.norm(better.w) >= np.linalg.norm(nearest.w):
            break
        nearest = better
    return nearest


def _inside(
    X: NDArray[np.float64], signs: NDArray[np.float64], nearest: Nearest, among: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """The examples between the nearest points, the farthest inside first; none if the distance is noise."""
    distance = np.linalg.norm(nearest.w)
    if distance <= _ROUNDING:
        return np.empty(0, dtype=np.intp)
    among = np.arange(len(X)) if among is None else among
    basis = list(nearest.basis)
    heights = {sign: (X[basis] @ nearest.w)[signs[basis] == sign].mean() for sign in (1, -1)}
    depths = np.where(signs[among] > 0, heights[1], -heights[-1]) - signs[among] * (X[among] @ nearest.w)
    chosen = np.flatnonzero(depths > _ROUNDING * distance)
    return among[chosen[np.argsort(-depths[chosen], kind="stable")]]


def _centred(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring the examples' middle to 0 and the largest number near 1; both but for rounding."""
    X = np.ldexp(X, -int(np.frexp(np.abs(X).max())[1]))
    X = X - X.mean(axis=0)
    return np.ldexp(X, -int(np.frexp(np.abs(X).max())[1]))


def _affine(X: NDArray[np.float64], signs: NDArray[np.float64], basis: Basis) -> Nearest | None:
    """The nearest points of the affine hulls: a least-squares problem in the differences from one example of each class."""
    points, of = X[list(basis)], signs[list(basis)]
    first = {sign: int(np.flatnonzero(of == sign)[0]) for sign in (1, -1)}
    others = [index for index in range(len(basis)) if index not in first.values()]
    if len(others) > X.shape[1]:
        return None
    gap = points[first[1]] - points[first[-1]]
    differences = (of[others, None] * (points[others] - points[[first[int(sign)] for sign in of[others]]])).T
    found, _, rank, _ = np.linalg.lstsq(differences, -gap)
    if rank < len(others):
        return None
    weights = np.zeros(len(basis))
    weights[others] = found
    for sign in (1, -1):
        weights[first[sign]] = 1.0 - weights[of == sign].sum()
    return Nearest(basis, tuple(weights.tolist()), gap + differences @ found)
