"""A hyperplane of a given direction: where it lies best, whether it separates, how far away the nearest example is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mlpxp.textbook.separability._dyadic import power
from mlpxp.textbook.separability._projection import Projection

__all__ = ["Hyperplane", "hyperplane"]

_UPPER = 1000  # 2^1000 is near the end of floats, with room for a sum


@dataclass(frozen=True)
class Hyperplane:
    """The hyperplane w · x + b = 0, known to separate, and its exact distance from the nearest example, squared."""

    w: tuple[Fraction, ...]
    b: Fraction
    squared_margin: Fraction

    @property
    def numbers(self) -> tuple[tuple[float, ...], float] | tuple[tuple[Fraction, ...], Fraction]:
        """w and b, as floats where all of them are."""
        try:
            floats = tuple(float(one) for one in (*self.w, self.b))
        except OverflowError:
            return self.w, self.b
        return (floats[:-1], floats[-1]) if floats == (*self.w, self.b) else (self.w, self.b)

    @property
    def margin(self) -> float:
        """The distance from the nearest example, rounded down."""
        numerator, denominator = self.squared_margin.as_integer_ratio()
        shift = (denominator.bit_length() - numerator.bit_length() + 130) // 2 * 2  # leaves at least 64 binary digits of the root
        root = math.isqrt((numerator << shift if shift >= 0 else numerator >> -shift) // denominator)
        exact = root * power(-shift // 2)
        try:
            nearest = float(exact)
        except OverflowError:
            return math.nextafter(math.inf, 0.0)
        return nearest if Fraction(nearest) <= exact else math.nextafter(nearest, 0.0)


def hyperplane(projection: Projection, direction: Sequence[Fraction]) -> Hyperplane | None:
    """Put a hyperplane half-way between the classes; ``None`` if none of this direction separates them.

    It is scaled so that w · x + b is 1 and -1 at the nearest examples, and in floats where these separate the classes too.
    """
    found = projection.between(direction) if any(direction) else None
    if found is None:
        return None
    least, greatest = found[0].value, found[1].value
    factor = 2 / (least - greatest)
    w, b = [factor * one for one in direction], -factor * (least + greatest) / 2
    return _in_floats(projection, w, b) or _known(w, b, Fraction(1))


def _in_floats(projection: Projection, w: Sequence[Fraction], b: Fraction) -> Hyperplane | None:
    """The hyperplane rounded; where that is beyond floats or separates no more, scaled to their middle, and to their upper end."""
    largest = max(abs(one) for one in (*w, b))
    middle = largest.denominator.bit_length() - largest.numerator.bit_length()
    return next(filter(None, (_rounded(projection, w, b, power(shift)) for shift in (0, middle, middle + _UPPER))), None)


def _rounded(projection: Projection, w: Sequence[Fraction], b: Fraction, factor: Fraction) -> Hyperplane | None:
    if factor * max(abs(one) for one in (*w, b)) >= power(_UPPER + 20):
        return None
    w = [Fraction(float(factor * one)) for one in w]
    found = projection.between(w) if any(w) else None
    if found is None:
        return None
    least, greatest = found[0].value, found[1].value
    b = Fraction(float(-(least + greatest) / 2))  # the best for the rounded w; about as large as it was
    nearest = min(least + b, -(greatest + b))
    return _known(w, b, nearest) if nearest > 0 else None


def _known(w: Sequence[Fraction], b: Fraction, nearest: Fraction) -> Hyperplane:
    return Hyperplane(tuple(w), b, nearest**2 / sum(one**2 for one in w))
