"""How far the two classes reach along a direction: a float filter with an error bound, exact numbers for what is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mlpxp.textbook.separability._dyadic import dot, power
from mlpxp.textbook.separability.examples import Examples

__all__ = ["Projected", "Projection"]

_UNIT = 2.0**-53
_TINY = 2.0**-1070  # more than what underflow takes from a product or a factor


@dataclass(frozen=True)
class Projected:
    """The example that reaches farthest towards the other class: its index and its exact w · x."""

    index: int
    value: Fraction


class Projection:
    """Exact comparisons of w · x over many examples.

    The products of the examples with w are computed in floats, with a bound on the error of each: that of a sum of n products is at
    most n u Σ |x_j w_j| / (1 - n u), where u = 2^-53, in whatever order they are summed (Higham, *Accuracy and Stability of Numerical
    Algorithms*, 2nd ed., §3.1). Only examples that the bound leaves in doubt are multiplied exactly.

    Parameters
    ----------
    examples : Examples
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        largest = np.abs(examples.X).max(axis=0)
        self.exponents = np.frexp(largest)[1].astype(np.int64)
        self.scaled = np.ldexp(examples.X, -self.exponents)  # each feature within [-1, 1]; exact, but for what underflows
        self.sizes = np.abs(self.scaled)
        self.members = {sign: examples.of(sign) for sign in (1, -1)}

    def innermost(self, w: Sequence[Fraction]) -> tuple[Projected, Projected]:
        """Find the second class's example with the least w · x, and the first class's with the greatest, exactly."""
        values, errors = self._floats(w)
        return self._least(w, values, errors, 1), self._least(w, -values, errors, -1)

    def between(self, w: Sequence[Fraction]) -> tuple[Projected, Projected] | None:
        """The same, where w separates the classes: the least of the second is above the greatest of the first; else ``None``."""
        values, errors = self._floats(w)
        above, below = self.members[1], self.members[-1]
        if (values[above] + errors[above]).min() <= (values[below] - errors[below]).max():
            return None
        least, greatest = self._least(w, values, errors, 1), self._least(w, -values, errors, -1)
        return (least, greatest) if least.value > greatest.value else None

    def exactly(self, w: Sequence[Fraction], index: int) -> Fraction:
        """w · x of one example."""
        denominator = math.lcm(*(one.denominator for one in w))
        return dot([int(one * denominator) for one in w], self.examples.X[index]) / denominator

    def _floats(self, w: Sequence[Fraction]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """w · x of every example but for a positive factor, and how far off each may be."""
        scaled = [one * power(exponent) for one, exponent in zip(w, self.exponents.tolist(), strict=True)]
        largest = max(abs(one) for one in scaled)
        factor = power(largest.denominator.bit_length() - largest.numerator.bit_length())  # brings the largest near 1
        direction = np.array([float(one * factor) for one in scaled])
        n = len(direction)
        errors = (self.sizes @ np.abs(direction)) * ((n + 4) * _UNIT * 1.001) + 4 * n * _TINY  # two of the 4 are for scaled and direction
        return self.scaled @ direction, errors

    def _least(self, w: Sequence[Fraction], values: NDArray[np.float64], errors: NDArray[np.float64], sign: int) -> Projected:
        """The example of a class whose sign · (w · x) is least."""
        X, members = self.examples.X, self.members[sign]
        low, high = (values - errors)[members], (values + errors)[members]
        doubtful = members[low <= high.min()]
        denominator = math.lcm(*(one.denominator for one in w))
        whole = [sign * int(one * denominator) for one in w]
        exact: dict[bytes, Projected] = {}
        for index in doubtful.tolist():
            row = X[index]
            if (key := row.tobytes()) not in exact:
                exact[key] = Projected(index, dot(whole, row))
        found = min(exact.values(), key=lambda one: one.value)
        return Projected(found.index, sign * found.value / denominator)
