"""Numbers and texts of a record as a page shows them."""

from __future__ import annotations

import math
from typing import Any

from mlpxp.report.results import Series

__all__ = ["cell", "clean", "decimal", "is_number", "power_of_ten", "slope_text"]

MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def clean(text: object) -> str:
    """A text on one line without anything that is not a letter: control characters, halves of surrogate pairs."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(str(text).split()))


def is_number(value: object) -> bool:
    """Whether it is one, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def decimal(value: float, digits: int = 4) -> str:
    """A number of a few digits as people write it: ``16,384``, ``0.012``, ``1.5·10⁻⁷``."""
    if value == math.floor(value) and abs(value) < 1e6:
        return f"{int(value):,}".replace("-", MINUS)
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(rounded)))
    if not -4 <= exponent < 6:
        return power_of_ten(value, digits)
    text = f"{rounded:,.{max(0, digits - 1 - exponent)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def power_of_ten(value: float, digits: int = 4) -> str:
    """A number as ``1.5·10⁻⁷``, one between 1 and 10 as it is."""
    factor, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    factor = factor.rstrip("0").rstrip(".")
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    text = factor if int(exponent) == 0 else f"{factor}·{power}".removeprefix("1·")
    return text.replace("-", MINUS)


def cell(value: Any) -> str:
    """A cell of a table: whole numbers with all their digits, others with four, a dash where there is nothing."""
    if isinstance(value, bool) or value is None:
        return "–" if value is None else "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", MINUS)
    if isinstance(value, float):
        return decimal(value) if math.isfinite(value) else "–"
    return clean(value)


def slope_text(series: Series) -> str:
    """``: slope 1.02 (0.99 to 1.05)``, or nothing."""
    if series.slope is None or not math.isfinite(series.slope):
        return ""
    slope, low, high = series.slope, series.slope_low, series.slope_high
    between = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    return f": slope {slope:.2f}{between}".replace("-", MINUS)
