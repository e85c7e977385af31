"""The answer of :func:`separate` in words that can be checked by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlpxp.textbook.separability.examples import Constraint

__all__ = ["hyperplane_in_words", "impossibility_in_words"]

_LONGEST = 16  # digits of a whole number that is written out
_TERMS = 6  # of a sum that are written out
_EXACTLY = 3  # features up to which every number is written exactly


def hyperplane_in_words(w: Sequence[float | Fraction], b: float | Fraction, margin: float, classes: tuple[Any, Any]) -> str:
    """Put a hyperplane, and on which side of it each class lies, in words."""
    first, second = classes
    form = _form([Fraction(one) for one in w], Fraction(b))
    return "\n".join(
        [
            f"{_hyperplane(len(w))} separates {first!r} from {second!r}:",
            f"  {form} > 0 for each example of {second!r}, and < 0 for each of {first!r};",
            f"  its distance from the nearest one, the margin, is {margin:.6g}.",
        ]
    )


def impossibility_in_words(constraints: Sequence[Constraint], classes: tuple[Any, Any], most: int) -> str:
    """P2 for any data: of each class the constraints add up to the same expression, once above 0 and once below.

    So many of the examples are shown at most.
    """
    first, second = classes
    n = len(constraints[0].x)
    rounding = "" if n <= _EXACTLY else " (to six digits)"
    kind = _hyperplane(n).removeprefix("A ")
    lines = [f"No {kind} separates {first!r} from {second!r}. A perceptron w · x + b > 0 would need{rounding}"]
    asked = [
        (
            f"example {one.index + 1}:",
            f"({', '.join(_number(Fraction(x)) for x in one.x)}) -> {one.label!r}" if n <= _EXACTLY else f"{one.label!r}",
            f"asks {_form([Fraction(x) for x in one.x], Fraction(1), unknown=True)} {'>' if one.sign > 0 else '<'} 0",
            f"times {_number(Fraction(one.multiplicity))}",
        )
        for one in constraints[:most]
    ]
    widths = [max(len(row[column]) for row in asked) for column in range(4)]
    lines += ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in asked]
    if len(constraints) > most:
        more = len(constraints) - most
        lines.append(f"  and {more} more example{'s' if more > 1 else ''}, {'each ' if more > 1 else ''}times a number of its own")
    total, times = _total(constraints)
    form = _form(total, times, unknown=True)
    for label, relation in ((second, ">"), (first, "<")):
        lines.append(f"Those of {label!r} add up to  {form} {relation} 0")
    lines.append("Both can't hold.")
    return "\n".join(lines)


def _total(constraints: Iterable[Constraint]) -> tuple[list[Fraction], Fraction]:
    """The coefficients of w and of b in the sum of either class's constraints, with their multiplicities; they are equal."""
    of_one = [one for one in constraints if one.sign > 0]
    rows = [[one.multiplicity * Fraction(x) for x in one.x] for one in of_one]
    return [sum(column, Fraction(0)) for column in zip(*rows, strict=True)], Fraction(sum(one.multiplicity for one in of_one))


def _form(w: Sequence[Fraction], b: Fraction, *, unknown: bool = False) -> str:
    """``2 x1 - 3 x2 + 1``; with unknown w and b, of which these are the coefficients: ``2 w1 - 3 w2 + b``."""
    letter = "w" if unknown else "x"
    terms = [(factor, f"{letter}{index}") for index, factor in enumerate(w, start=1) if factor]
    hidden, terms = len(terms) > _TERMS, terms[:_TERMS]
    last = [(b, "b" if unknown else "")] if b else []
    texts = [_signed(factor, name, digits=None if len(w) <= _EXACTLY else 6) for factor, name in terms + last]
    if hidden:
        texts.insert(_TERMS, "+ ...")
    text = " ".join(texts).removeprefix("+ ")
    return f"-{text[2:]}" if text.startswith("- ") else text


def _signed(factor: Fraction, name: str, digits: int | None) -> str:
    """``+ 2 x1``, ``- x2``, ``+ 3``."""
    size = [] if name and abs(factor) == 1 else [_number(abs(factor), digits)]
    return " ".join(["-" if factor < 0 else "+", *size, *filter(None, [name])])


def _number(number: Fraction, digits: int | None = None) -> str:
    """A number as it is, unless that would be too long or so many digits are enough."""
    if number.denominator == 1 and abs(number) < 10**_LONGEST:
        return str(number.numerator)
    if digits is None:
        try:
            if float(number) == number:
                return repr(float(number))
        except OverflowError:
            pass
    mark = "≈" if digits is None else ""
    with localcontext(prec=digits or 6, Emax=MAX_EMAX, Emin=MIN_EMIN):  # a float's range is too small, and str of an int has a limit
        return f"{mark}{Decimal(number.numerator) / Decimal(number.denominator):g}"


def _hyperplane(n: int) -> str:
    return {1: "A point", 2: "A line", 3: "A plane"}.get(n, "A hyperplane")
