"""Rosenblatt's rule: a single perceptron learns, or goes round in a circle."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from mlpxp.arrays.scalars import whole_number
from mlpxp.textbook.separability._dyadic import power, whole
from mlpxp.textbook.separability._projection import Projection
from mlpxp.textbook.separability.examples import Examples, read_examples
from mlpxp.textbook.separability.separation import separate

__all__ = ["PerceptronRun", "perceptron"]

Line: TypeAlias = tuple[tuple[float, ...], float]
State: TypeAlias = tuple[int, ...]

_KEPT = 1000  # changes


@dataclass(frozen=True)
class PerceptronRun:
    """What Rosenblatt's rule did.

    Attributes
    ----------
    stop : {"converged", "cycled", "epochs"}
        Why it ended: an epoch without a mistake; w and b that it had before, at the end of an earlier epoch, so that it would repeat
        itself for ever; or the last of the epochs that were allowed.
    w : tuple of float, length n
    b : float
        Where it ended; rounded from the exact numbers.
    mistakes : tuple of int
        Of each epoch.
    path : tuple of (w, b)
        At the start, where all are 0, and after each mistake, up to the thousandth.
    cycle : (int, int) or None
        Where it cycled: the epochs at whose ends it stood at the same place; 0 is the start.
    certificate : tuple of int, length m, or None
        Where it cycled: how often each example was mistaken on the way round. All that was added on that way adds up to nothing, so that
        this is a certificate as that of :func:`separate`: going round in a circle proves that there is no hyperplane.
    bound : int or None
        Where the classes are separable: no more mistakes than this are made in all, (R/γ)² rounded down, with R the largest ‖(x, 1)‖ and
        γ the least s (w · x + b) / ‖(w, b)‖ of the hyperplane of :func:`separate` (Novikoff's theorem, which any hyperplane that separates
        will do for). ``None`` where they are not.
    classes : (label, label)
        The first class, w · x + b < 0, and the second.
    """

    stop: Literal["converged", "cycled", "epochs"]
    w: tuple[float, ...]
    b: float
    mistakes: tuple[int, ...]
    path: tuple[Line, ...]
    cycle: tuple[int, int] | None
    certificate: tuple[int, ...] | None
    bound: int | None
    classes: tuple[Any, Any]

    def __str__(self) -> str:
        epochs, mistakes = len(self.mistakes), sum(self.mistakes)
        made = f"{mistakes:,} mistake{'' if mistakes == 1 else 's'} in {epochs:,} epoch{'' if epochs == 1 else 's'}"
        if self.cycle is not None:
            start, end = self.cycle
            where = "where it started" if start == 0 else f"where it stood after epoch {start:,}"
            return f"cycled: after epoch {end:,} it stands {where}, and repeats itself for ever ({made})"
        bound = "" if self.bound is None else f", of at most {self.bound:,} that there can be"
        return f"{'converged' if self.stop == 'converged' else 'not converged yet'}: {made}{bound}"


def perceptron(X: Any, y: Any, *, epochs: int = 1000) -> PerceptronRun:
    """Train a perceptron by Rosenblatt's rule, in exact arithmetic: w ← w + s x and b ← b + s for each example with s (w · x + b) ≤ 0.

    w and b start at 0, and the examples are shown in their order. If the classes are separable the rule converges (Novikoff); if not, w
    and b stay bounded (Minsky and Papert, Block and Levin), so that they come back to where they were: it cycles. XOR shows it.

    Parameters
    ----------
    X : array or data frame, shape (m, n)
        One example a row.
    y : array, shape (m,)
        Labels of two classes; sorted, s is +1 for the second.
    epochs : int, default 1000
        At most. An epoch takes about a microsecond for each example and feature.

    Returns
    -------
    PerceptronRun

    Raises
    ------
    ShapeError, DataError
        As :func:`separate`.
    RangeError
        ``epochs`` is no whole number from 1.

    References
    ----------
    A. B. J. Novikoff, "On convergence proofs on perceptrons" (1962). H. D. Block and S. A. Levin, "On the boundedness of an iterative
    procedure for solving a system of linear inequalities" (1970).

    Examples
    --------
    >>> from mlpxp import perceptron
    >>> run = perceptron([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])  # XOR
    >>> run.stop, run.cycle, run.certificate
    ('cycled', (0, 1), (1, 1, 1, 1))
    """
    epochs = whole_number("epochs", epochs)
    examples = read_examples(X, y)
    points, exponent = whole(examples.X)
    if exponent > 0:
        points, exponent = [[x << exponent for x in point] for point in points], 0
    one = 1 << -2 * exponent  # the unit of b, where the unit of w is 2^exponent
    shown = list(zip(points, examples.signs.tolist(), strict=True))
    state: State = (0,) * (examples.X.shape[1] + 1)
    ends, changes = {state: 0}, [state]
    mistakes: list[int] = []
    stop: Literal["converged", "cycled", "epochs"] = "epochs"
    cycle = certificate = None
    while len(mistakes) < epochs:
        made = [change for _, change in _mistakes(state, shown, one)]
        mistakes.append(len(made))
        changes += made[: max(0, 1 + _KEPT - len(changes))]
        if not made:
            stop = "converged"
            break
        state = made[-1]
        if state in ends:
            stop, cycle = "cycled", (ends[state], len(mistakes))
            certificate = _mistaken(state, shown, one, rounds=len(mistakes) - ends[state])
            break
        ends[state] = len(mistakes)
    path = tuple(_line(change, exponent) for change in changes)
    bound = None if cycle is not None else _bound(examples, points, exponent)
    return PerceptronRun(stop, *_line(state, exponent), tuple(mistakes), path, cycle, certificate, bound, examples.classes)


def _mistakes(state: State, shown: list[tuple[list[int], int]], one: int) -> Iterator[tuple[int, State]]:
    """Show every example once; yield those that are mistaken, and where w and b stand after each."""
    *w, b = state
    for index, (x, sign) in enumerate(shown):
        if sign * (sum(map(operator.mul, w, x)) + b) <= 0:
            w = [weight + sign * feature for weight, feature in zip(w, x, strict=True)]
            b += sign * one
            yield index, (*w, b)


def _mistaken(state: State, shown: list[tuple[list[int], int]], one: int, rounds: int) -> tuple[int, ...]:
    """How often each example is mistaken in so many epochs."""
    counts = [0] * len(shown)
    for _ in range(rounds):
        made = list(_mistakes(state, shown, one))
        for index, _ in made:
            counts[index] += 1
        state = made[-1][1]
    return tuple(counts)


def _line(state: State, exponent: int) -> Line:
    *w, b = state
    return tuple(_float(weight, exponent) for weight in w), _float(b, 2 * exponent)


def _bound(examples: Examples, points: list[list[int]], exponent: int) -> int | None:
    found = separate(examples.X, examples.signs)
    if found.w is None or found.b is None:
        return None
    w, b = [Fraction(one) for one in found.w], Fraction(found.b)
    above, below = Projection(examples).innermost(w)
    nearest = min(above.value + b, -(below.value + b))
    largest = max(sum(x * x for x in point) for point in points) * power(2 * exponent) + 1
    return int(largest * (sum(one**2 for one in w) + b**2) / nearest**2)


def _float(number: int, exponent: int) -> float:
    try:
        return float(number * power(exponent))
    except OverflowError:
        return math.inf if number > 0 else -math.inf
