"""The nearest points in floats: a proposal, which nothing depends on but the time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpxp.separability.examples import Examples
from mlpxp.separability.nearest import Basis, Nearest, settle

__all__ = ["propose"]

_ROUNDING = 1e-13  # of the examples' size: below it a distance is noise
_AT_MOST = 100  # steps for each feature


def propose(examples: Examples) -> Nearest:
    """Look for the nearest points of the classes' hulls, until floats lead no further."""
    X, signs = _centred(examples.X), examples.signs.astype(np.float64)
    above, below = examples.of(1), examples.of(-1)

    def solve(basis: Basis) -> Nearest | None:
        return _affine(X, signs, basis)

    direction = X[above].mean(axis=0) - X[below].mean(axis=0)
    values = X @ direction
    first = (int(above[values[above].argmin()]), int(below[values[below].argmax()]))
    nearest = Nearest(first, (1.0, 1.0), X[first[0]] - X[first[1]])
    distance = np.linalg.norm(nearest.w)
    for _ in range(_AT_MOST * (X.shape[1] + 1)):
        if distance <= _ROUNDING:
            break
        values = signs * (X @ (nearest.w / distance))
        chosen = np.asarray(nearest.basis)
        levels = {sign: values[chosen[signs[chosen] == sign]].min() for sign in (1, -1)}
        excess = np.where(signs > 0, levels[1], levels[-1]) - values
        entering = int(excess.argmax())
        if excess[entering] <= _ROUNDING or entering in nearest.basis:
            break
        better = settle((*nearest.basis, entering), (*nearest.weights, 0.0), solve)
        if better is None or np.linalg.norm(better.w) >= distance:
            break
        nearest, distance = better, np.linalg.norm(better.w)
    return nearest


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
