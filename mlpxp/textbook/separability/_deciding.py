"""The nearest points in exact arithmetic: what was proposed is solved exactly, and exact steps go on from there."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

from mlpxp.textbook.separability._dyadic import power, whole, whole_by_feature
from mlpxp.textbook.separability._linear import solve
from mlpxp.textbook.separability._nearest import Basis, Nearest, settle
from mlpxp.textbook.separability._projection import Projection
from mlpxp.textbook.separability.examples import Examples

__all__ = ["decide"]


def decide(projection: Projection, proposed: Nearest) -> Nearest:
    """Find the nearest points of the classes' hulls, exactly.

    Parameters
    ----------
    projection : Projection
        Of the examples.
    proposed : Nearest
        Whatever floats have found: usually the answer but for rounding.

    Returns
    -------
    Nearest
        With Fractions. Where w is 0 the hulls have the point in common.
    """
    examples = projection.examples
    affine = partial(_affine, examples)
    nearest = settle(proposed.basis, _shares(examples, proposed), affine)
    if nearest is None:  # the proposed examples are dependent
        nearest = affine((int(examples.of(1)[0]), int(examples.of(-1)[0])))
    while nearest is not None and any(nearest.w):
        above, below = projection.innermost(nearest.w)
        outer = {int(examples.signs[index]): projection.exactly(nearest.w, index) for index in nearest.basis}  # equal within a class
        excess, entering = max((outer[1] - above.value, above.index), (below.value - outer[-1], below.index))
        if excess <= 0:
            break
        nearest = settle((*nearest.basis, entering), (*nearest.weights, Fraction(0)), affine)
    assert nearest is not None  # an example inside of the gap is independent of the basis, so that a step is always possible
    return nearest


def _shares(examples: Examples, proposed: Nearest) -> list[Fraction]:
    """The proposed weights as positive fractions that sum to 1 in each class."""
    weights = [Fraction(weight) for weight in proposed.weights]
    signs = [int(examples.signs[index]) for index in proposed.basis]
    totals = {sign: sum(weight for weight, one in zip(weights, signs, strict=True) if one == sign) for sign in (1, -1)}
    return [weight / totals[sign] for weight, sign in zip(weights, signs, strict=True)]


def _affine(examples: Examples, basis: Basis) -> Nearest | None:
    """The nearest points of the affine hulls, exactly; ``None`` where the examples are dependent."""
    n = examples.X.shape[1]
    signs = [int(examples.signs[index]) for index in basis]
    if len(basis) > n + 1:
        weights = _common_point(examples, basis, signs)
        return None if weights is None else Nearest(basis, weights, [Fraction(0)] * n)
    points, exponent = whole(examples.X[list(basis)])
    first = {sign: signs.index(sign) for sign in (1, -1)}
    others = [index for index in range(len(basis)) if index not in first.values()]
    gap = [p - q for p, q in zip(points[first[1]], points[first[-1]], strict=True)]
    differences = [[signs[index] * (x - x0) for x, x0 in zip(points[index], points[first[signs[index]]], strict=True)] for index in others]
    products = [[_dot(one, other) for other in differences] for one in differences]
    found = solve(products, [-_dot(one, gap) for one in differences]) if others else []
    if found is None:
        return None
    denominator = math.lcm(*(one.denominator for one in found))
    numerators = [one.numerator * (denominator // one.denominator) for one in found]
    moved = [denominator * at_first + _dot(numerators, column) for at_first, *column in zip(gap, *differences, strict=True)]
    weights = [Fraction(0)] * len(basis)
    for index, weight in zip(others, found, strict=True):
        weights[index] = weight
    for sign, index in first.items():
        weights[index] = 1 - Fraction(sum(n for n, one in zip(numerators, others, strict=True) if signs[one] == sign), denominator)
    return Nearest(basis, weights, [Fraction(one, denominator) * power(exponent) for one in moved])


def _common_point(examples: Examples, basis: Basis, signs: list[int]) -> list[Fraction] | None:
    """Solve Σ λ_i s_i (x_i, 1) = 0 where each class's λ sum to 1: n + 2 examples have one solution, or are dependent."""
    points = whole_by_feature(examples.X[list(basis)])
    columns = [[*(sign * x for x in point), sign, 1] for point, sign in zip(points, signs, strict=True)]
    return solve(list(zip(*columns, strict=True)), [0] * (len(columns[0]) - 1) + [2])


def _dot(a: list[int], b: list[int]) -> int:
    return sum(one * other for one, other in zip(a, b, strict=True))
