"""How the data edge words its errors: short lists, the nearest name, counts in the plural."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["counted", "did_you_mean", "listed", "reason", "shortened"]


def listed(values: Iterable[object], limit: int = 12) -> str:
    """The first ``limit`` of ``values`` as text, and how many more there are: ``'a', 'b', ... (998 more)``."""
    everything = list(values)
    shown = ", ".join(shortened(value) for value in everything[:limit])
    return shown if len(everything) <= limit else f"{shown}, ... ({len(everything) - limit:,} more)"


def shortened(value: object, limit: int = 40) -> str:
    """The ``repr`` of a value on one line, cut after ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 4]}...{text[-1]}"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """``; did you mean 'species'?`` for the nearest of the known names, or nothing."""
    by_lower = {one.lower(): one for one in known}
    nearest = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[nearest[0]]!r}?" if nearest else ""


def reason(error: BaseException, limit: int = 120) -> str:
    """What another library says went wrong: its first line, cut after ``limit`` characters."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def counted(number: int, noun: str) -> str:
    """``1 row``, ``1,797 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
