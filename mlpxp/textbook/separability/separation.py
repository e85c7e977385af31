"""Whether a hyperplane separates two classes, with the proof: the hyperplane, or a certificate that there is none (P1, P2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mlpxp.textbook.separability._deciding import decide
from mlpxp.textbook.separability._dyadic import dot
from mlpxp.textbook.separability._explaining import hyperplane_in_words, impossibility_in_words
from mlpxp.textbook.separability._hyperplane import hyperplane
from mlpxp.textbook.separability._projection import Projection
from mlpxp.textbook.separability._proposing import propose
from mlpxp.textbook.separability.examples import Constraint, Examples, read_examples

__all__ = ["Constraint", "Separation", "separate"]

_EXACT = 128  # examples in a basis, up to which the nearest points are solved exactly to round the hyperplane from them


@dataclass(frozen=True, repr=False)
class Separation:
    """The answer of :func:`separate`.

    Attributes
    ----------
    separable : bool
    w : tuple of float or of Fraction, length n, or None
        The normal of the hyperplane w · x + b = 0. Floats, or Fractions where the rounded hyperplane wouldn't separate.
    b : float, Fraction or None
    margin : float or None
        The distance of the nearest example from this very hyperplane (w and b as they are), min_i s_i (w · x_i + b) / ‖w‖, computed
        exactly and rounded down to a float.
    certificate : tuple of int, length m, or None
        One whole number from 0 for each example, in the order of the examples, coprime and not all 0, with Σ_i certificate[i] · s_i ·
        (x_i, 1) = 0 exactly. At most n + 2 of them are not 0.
    classes : (label, label)
        The first class, on the side w · x + b < 0, and the second: they are sorted.
    constraints : tuple of Constraint
        Those of the examples that the certificate counts; none if the classes are separable.
    """

    separable: bool
    w: tuple[float, ...] | tuple[Fraction, ...] | None
    b: float | Fraction | None
    margin: float | None
    certificate: tuple[int, ...] | None
    classes: tuple[Any, Any]
    constraints: tuple[Constraint, ...] = ()

    def __repr__(self) -> str:
        if self.certificate is None:
            return f"Separation(separable=True, w={self.w}, b={self.b}, margin={self.margin}, classes={self.classes})"
        found = f"certificate of {len(self.constraints)} of {len(self.certificate)} examples"  # whose numbers may be very long
        return f"Separation(separable=False, {found}, classes={self.classes})"

    def __str__(self) -> str:
        return self.explain()

    def explain(self, *, most: int = 12) -> str:
        """Put the answer and its proof in words that can be checked by hand (P2).

        Parameters
        ----------
        most : int, default 12
            Examples that are shown; the rest are counted.
        """
        if self.certificate is not None:
            return impossibility_in_words(self.constraints, self.classes, most)
        assert self.w is not None  # one of the two is there
        assert self.b is not None
        assert self.margin is not None
        return hyperplane_in_words(self.w, self.b, self.margin, self.classes)

    def verify(self, X: Any, y: Any) -> bool:
        """Check the answer in exact arithmetic against examples and labels, by itself.

        Parameters
        ----------
        X : array, shape (m, n)
        y : array, shape (m,)

        Returns
        -------
        bool
            Whether every example lies strictly on its class's side, or the certificate adds up to 0.

        Raises
        ------
        ShapeError, DataError
            As :func:`separate`.
        """
        examples = read_examples(X, y)
        if examples.classes != self.classes:
            return False
        if self.certificate is not None:
            return _is_certificate(examples, self.certificate)
        assert self.w is not None  # one of the two is there
        assert self.b is not None
        if len(self.w) != examples.X.shape[1]:
            return False
        above, below = Projection(examples).innermost([Fraction(one) for one in self.w])
        return below.value < -Fraction(self.b) < above.value


def separate(X: Any, y: Any) -> Separation:
    """Find the hyperplane with the maximum margin between two classes, or a certificate that there is none.

    A perceptron is the half-space test w · x + b > 0 (P1). It can tell the classes apart if and only if no non-negative combination of
    their constraints s_i (w · x_i + b) > 0 adds up to 0 > 0 (Gordan's theorem, of Farkas's kind). The answer is exact: floats only
    propose it, and whole numbers of any length decide.

    Parameters
    ----------
    X : array or data frame, shape (m, n)
        One example a row, of any library; each number stands for exactly the rational that it is.
    y : array, shape (m,)
        Labels of any kind, two different ones. Sorted, the second is the class with w · x + b > 0 and s = +1.

    Returns
    -------
    Separation
        Its hyperplane has the largest margin that there is, but for rounding; it is scaled so that w · x + b is ±1 at the nearest
        examples, unless that is out of the range of floats.

    Raises
    ------
    ShapeError
        X is no matrix of at least one example and one feature, or y has another length.
    DataError
        One class or more than two, a number that is not finite, or that float64 would round.

    Examples
    --------
    >>> from mlpxp import separate
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> separate(X, [0, 1, 1, 0]).certificate  # XOR
    (1, 1, 1, 1)
    >>> found = separate(X, [0, 0, 0, 1])  # AND
    >>> found.w, found.b, found.margin
    ((2.0, 2.0), -3.0, 0.35355339059327373)
    """
    examples = read_examples(X, y)
    projection, proposed = Projection(examples), propose(examples)
    if len(proposed.basis) > _EXACT:
        found = hyperplane(projection, [Fraction(one) for one in proposed.w])
        if found is not None:
            return _separable(found, examples)
    nearest = decide(projection, proposed)
    if not any(nearest.w):
        return _inseparable(examples, dict(zip(nearest.basis, nearest.weights, strict=True)))
    found = hyperplane(projection, nearest.w)
    assert found is not None  # hulls that are apart have a hyperplane between them
    return _separable(found, examples)


def _separable(found: Any, examples: Examples) -> Separation:
    w, b = found.numbers
    return Separation(True, w, b, found.margin, None, examples.classes)


def _inseparable(examples: Examples, weights: dict[int, Fraction]) -> Separation:
    denominator = math.lcm(*(weight.denominator for weight in weights.values()))
    whole = {index: int(weight * denominator) for index, weight in weights.items()}
    common = math.gcd(*whole.values())
    certificate = [0] * len(examples.X)
    for index, number in whole.items():
        certificate[index] = number // common
    constraints = tuple(
        Constraint(index, tuple(examples.X[index].tolist()), examples.classes[int(sign > 0)], int(sign), certificate[index])
        for index, sign in enumerate(examples.signs.tolist())
        if certificate[index]
    )
    return Separation(False, None, None, None, tuple(certificate), examples.classes, constraints)


def _is_certificate(examples: Examples, certificate: tuple[int, ...]) -> bool:
    if len(certificate) != len(examples.X) or min(certificate) < 0 or not any(certificate):
        return False
    counted = [index for index, number in enumerate(certificate) if number]
    multiplied = [number * int(examples.signs[index]) for index, number in enumerate(certificate) if number]
    return sum(multiplied) == 0 and not any(dot(multiplied, feature) for feature in examples.X[counted].T)
