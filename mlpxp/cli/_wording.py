"""Numbers and labels as text for people, and as values for JSON."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["as_json_text", "counted", "finite", "number", "one_line", "print_json", "printable", "seconds", "share"]


def one_line(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    return printable(" ".join(text.split()))


def printable(value: object) -> str:
    """A value as text in which control characters are shown, not sent to the terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in str(value))


def finite(value: Any) -> Any:
    """The value as JSON can hold it: NumPy's numbers as Python's, null for NaN and infinity."""
    if isinstance(value, dict):
        return {str(name): finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def as_json_text(value: Any) -> str:
    """The value as JSON, on one line."""
    return json.dumps(finite(value), allow_nan=False)


def print_json(value: Any) -> None:
    """Print the value as JSON, and nothing else."""
    print(as_json_text(value))


def number(value: Any) -> str:
    """Four significant digits; a dash where there is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def share(value: Any, metric: str) -> str:
    """A score: an accuracy in per cent, R² as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    return f"{100 * value:.2f} %" if metric == "accuracy" else f"{value:.4f}"


def seconds(value: Any) -> str:
    """``8 ms``, ``0.83 s``, ``12 s``, ``3 min 5 s``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return "-"
    if value < 0.1:
        return f"{1000 * value:.0f} ms"
    if value < 10:
        return f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return " ".join(f"{amount} {unit}" for amount, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if amount) or "0 s"


def counted(amount: int, noun: str) -> str:
    """``1 row``, ``1,797 rows``."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"
