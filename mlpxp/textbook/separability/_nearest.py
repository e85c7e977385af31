"""The points of the two classes' convex hulls that are nearest to each other.

Where the hulls have a distance, the hyperplane half-way between their nearest points is the one with the maximum margin. Where they
touch or overlap, the nearest points are one point, and the weights that make it of either class are a certificate. So one method
answers both questions. It is Wolfe's, for two polytopes: a basis of examples, in which the nearest points of the *affine* hulls have
positive weights; the example that lies farthest inside of the gap joins; those whose weights would fall below 0 leave. The distance
falls with each step, so no basis comes back, and the method ends.

References
----------
P. Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11 (1976), 128-149.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Basis", "Nearest", "settle"]

Basis: TypeAlias = tuple[int, ...]
"""Indices of at most n + 2 examples, of both classes, whose (x, 1) of the one and (x, 1) of the other are independent."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest points of the affine hulls of a basis's examples.

    Attributes
    ----------
    basis : tuple of int
    weights : sequence of number
        Of each example in the basis: those of a class sum to 1.
    w : sequence of number, shape (n,)
        The second class's point minus the first's.
    """

    basis: Basis
    weights: Sequence[Any]
    w: Sequence[Any]


def settle(basis: Basis, weights: Sequence[Any], solve: Callable[[Basis], Nearest | None]) -> Nearest | None:
    """Go from a pair of points of the two hulls straight towards the nearest points of the affine hulls, as far as that leads.

    Parameters
    ----------
    basis : tuple of int
    weights : sequence of number
        Those of the two points, from 0; those of a class sum to 1.
    solve : callable
        Finds the nearest points of the affine hulls; ``None`` where the examples are dependent (in floats they may seem so).

    Returns
    -------
    Nearest or None
        With positive weights, after the examples that stood in the way have left; ``None`` if no step was possible.
    """
    while (wanted := solve(basis)) is not None:
        pairs = list(zip(weights, wanted.weights, strict=True))
        if all(there > 0 for _, there in pairs):
            return wanted
        step = min(here / (here - there) if here > there else 0 for here, there in pairs if there <= 0)
        if step <= 0:
            return None
        blocking = [there <= 0 and here / (here - there) <= step for here, there in pairs]
        moved = [here + step * (there - here) for here, there in pairs]
        basis = tuple(index for index, leaves in zip(basis, blocking, strict=True) if not leaves)
        weights = [weight for weight, leaves in zip(moved, blocking, strict=True) if not leaves]
    return None
