"""How the cost of an example grows: with the parameters, with the depth at as many of them, with the batch; and who is fastest where."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mlpxp.bench._slopes import with_slope
from mlpxp.bench.problems import classifier
from mlpxp.report.results import Figure, Grid, Point

if TYPE_CHECKING:
    from mlpxp.bench._timing import Timing

__all__ = ["Sizes", "Times", "fastest", "growth", "sizes_at_depth"]

Cell: TypeAlias = str | float | int | None
Times: TypeAlias = Mapping[str, Mapping[int, "Timing"]]  # of a training step, by place and size
PARAMETERS = 100_000  # of every depth
ARITHMETIC = 100_000  # from so many parameters on a step is mostly arithmetic
AXES = {"width": "parameters P", "depth": "hidden layers", "batch": "examples in a batch"}
NOTES = {
    "width": "Flat where a step is overhead of calls, and slope 1 where it is the arithmetic of mP (K1).",
    "depth": "The same arithmetic in more and narrower layers: what rises is the overhead of each layer.",
    "batch": "What a step costs beside its arithmetic is shared by the examples of a batch.",
}


@dataclass(frozen=True)
class Sizes:
    """What is swept: the widths n of n-n-n-10 at one batch, the batches at one width, the depths at as many parameters."""

    widths: tuple[int, ...]
    batches: tuple[int, ...]
    depths: tuple[int, ...]
    width: int
    batch: int

    def along(self, axis: str) -> tuple[int, ...]:
        """What is measured along an axis: ``width``, ``batch`` or ``depth``."""
        return {"width": self.widths, "batch": self.batches, "depth": self.depths}[axis]

    def at(self, axis: str, size: int) -> tuple[tuple[int, ...], int]:
        """The sizes of the network there, and the examples in a batch."""
        if axis == "depth":
            return sizes_at_depth(size), self.batch
        width, batch = (size, self.batch) if axis == "width" else (self.width, size)
        return (width, width, width, 10), batch


def sizes_at_depth(depth: int) -> tuple[int, ...]:
    """Return n-n-...-n-10 with ``depth`` hidden layers, and n such that its parameters are as near as can be to :data:`PARAMETERS`."""
    a, b, c = depth, depth + 10, 10 - PARAMETERS  # P = depth (n² + n) + 10 n + 10
    root = (math.sqrt(b * b - 4 * a * c) - b) / (2 * a)
    n = min(math.floor(root), math.ceil(root), key=lambda n: abs(a * n * n + b * n + c))
    return (n,) * (depth + 1) + (10,)


def growth(steps: Mapping[str, Times], sizes: Sizes) -> tuple[list[Figure], list[Grid]]:
    """Return a figure for each axis, the exact sizes of the depths, and from which size on who is the fastest.

    Parameters
    ----------
    steps : mapping of str to Times
        By axis: ``width``, ``batch``, ``depth``.
    sizes : Sizes
        Of the networks along each.
    """
    figures, best, deep = [], list[tuple[Cell, ...]](), list[tuple[Cell, ...]]()
    for axis in [one for one in AXES if one in steps]:
        seconds = {
            place: {_x(axis, size, sizes): timing.median / sizes.at(axis, size)[1] for size, timing in times.items()}
            for place, times in steps[axis].items()
        }
        figures.append(_figure(axis, steps[axis], sizes))
        best += [(AXES[axis], *row) for row in fastest(seconds)]
        if axis == "depth":
            deep += [
                (place, depth, sizes.at(axis, depth)[0][0], classifier(sizes.at(axis, depth)[0]).n_parameters, one)
                for place, times in seconds.items()
                for depth, one in times.items()
            ]
    columns = "growing", "from", "up to", "fastest", "s an example there", "times as fast as the next"
    grids = [Grid("fastest", "The fastest in a training step, from which size on", columns, tuple(best), keys=2)]
    if deep:
        title = f"A training step at about {PARAMETERS:,} parameters, batch {sizes.batch}"
        grids.append(Grid("depth", title, ("where", "hidden layers", "width", "P", "s an example"), tuple(deep), keys=2))
    return figures, grids


def fastest(seconds: Mapping[str, Mapping[int, float]]) -> list[tuple[int, int, str, float, float | None]]:
    """Return who is the fastest along an axis: from and up to which size, who, the time at the first, and how far ahead of the next there.

    Parameters
    ----------
    seconds : mapping of str to mapping of int to float
        By place and size. At a size that only one was measured at nobody is behind: ``None``.
    """
    found: list[tuple[int, int, str, float, float | None]] = []
    for size in sorted({size for times in seconds.values() for size in times}):
        ranked = sorted((times[size], place) for place, times in seconds.items() if size in times)
        least, place = ranked[0]
        if found and found[-1][2] == place:
            found[-1] = (found[-1][0], size, *found[-1][2:])
        else:
            found.append((size, size, place, least, ranked[1][0] / least if len(ranked) > 1 else None))
    return found


def _x(axis: str, size: int, sizes: Sizes) -> int:
    """Where a size is on its axis: a width at its number of parameters."""
    return classifier(sizes.at(axis, size)[0]).n_parameters if axis == "width" else size


def _figure(axis: str, times: Times, sizes: Sizes) -> Figure:
    series = []
    for place, timings in times.items():
        points = []
        for size, timing in timings.items():
            batch = sizes.at(axis, size)[1]
            points.append(Point(_x(axis, size, sizes), timing.median / batch, "measured", *(one / batch for one in timing.quartiles)))
        series.append(with_slope(place, points, first=ARITHMETIC if axis == "width" else math.inf))
    where = {
        "width": f"n-n-n-10, batch {sizes.batch}",
        "depth": f"{PARAMETERS:,} parameters, batch {sizes.batch}",
        "batch": f"width {sizes.width}",
    }
    return Figure(
        f"growth-{axis}",
        f"An example of a training step, {where[axis]}",
        AXES[axis],
        "seconds an example (float32)",
        tuple(series),
        NOTES[axis],
    )
