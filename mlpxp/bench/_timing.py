"""How time is measured: rivals in turn on the same machine, after a warm-up, each run waited for, medians reported."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["AGAIN", "Timing", "repeated", "time_in_turn"]

AGAIN = 100  # times in a row, of what takes microseconds


@dataclass(frozen=True)
class Timing:
    """The runs of one function.

    Attributes
    ----------
    seconds : tuple of float
        Of each run, the shortest first.
    warm_up : float
        Seconds of the very first run: imports, compilation, first allocations.
    """

    seconds: tuple[float, ...]
    warm_up: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The lower and the upper one; the extremes where there are fewer than four runs."""
        if len(self.seconds) < 4:
            return min(self.seconds), max(self.seconds)
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return low, high


def time_in_turn(
    functions: Mapping[str, Callable[[], Any]],
    *,
    wait: Callable[[], None] = lambda: None,
    seconds: float = 1.0,
    least: int = 5,
    most: int = 1000,
) -> dict[str, Timing]:
    """Time functions in turn, so that what else happens on the machine happens to all of them.

    Parameters
    ----------
    functions : mapping of str to callable
        A function is done when it has returned and ``wait`` has returned.
    wait : callable
        Waits for queued work: a backend's ``synchronize``.
    seconds : float
        About how long all runs together may take.
    least, most : int
        Bounds of the runs of each.

    Returns
    -------
    dict of str to Timing
    """
    warm_up = {name: _run(function, wait) for name, function in functions.items()}
    round_trip = sum(_run(function, wait) for function in functions.values())
    rounds = max(least, min(most, int(seconds / max(round_trip, 1e-9))))
    runs: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            runs[name].append(_run(function, wait))
    return {name: Timing(tuple(sorted(times)), warm_up[name]) for name, times in runs.items()}


def repeated(function: Callable[[], Any], times: int) -> Callable[[], None]:
    """Return a function that calls another as a server does that answers one request after the other: nothing else comes between."""

    def repeat() -> None:
        for _ in range(times):
            function()

    return repeat


def _run(function: Callable[[], Any], wait: Callable[[], None]) -> float:
    wait()
    began = time.perf_counter()
    function()
    wait()
    return time.perf_counter() - began
