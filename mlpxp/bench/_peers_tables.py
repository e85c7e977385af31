"""The tables and figures of the benchmark against other libraries, from what it has timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mlpxp.bench.problems import formula_of_gradient
from mlpxp.report.results import Figure, Grid, Point, Series

if TYPE_CHECKING:
    from mlpxp.bench._timing import Timing
    from mlpxp.bench.tasks import Task

__all__ = ["Case", "Measured", "figures", "grids", "name_of"]

Row: TypeAlias = tuple[str | float | int | None, ...]


@dataclass
class Measured:
    """What took how long with one library, at one shape.

    Attributes
    ----------
    backend : str
    on_gpu : bool
    products : Timing or None
    steps, epochs : dict of str to Timing
        By name; the names of ours begin with ``mlpxp``.
    notes : list of str
        Who was not timed, and why.
    """

    backend: str
    on_gpu: bool = False
    products: Timing | None = None
    steps: dict[str, Timing] = field(default_factory=dict)
    epochs: dict[str, Timing] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def timed(self) -> tuple[tuple[str, dict[str, Timing]], ...]:
        return ("step", self.steps), ("epoch", self.epochs)


@dataclass(frozen=True)
class Case:
    """A task and what was measured at it.

    Attributes
    ----------
    task : Task
    batches : int
        Of an epoch.
    measured : list of Measured
        Of each library.
    """

    task: Task
    batches: int
    measured: list[Measured]

    @property
    def key(self) -> Row:
        return name_of(self.task), self.task.size, self.task.optimizer

    def floor(self, *, on_gpu: bool) -> float:
        """The products alone, in the fastest library on the same kind of device."""
        return min(one.products.median for one in self.measured if one.products is not None and one.on_gpu is on_gpu)


def name_of(task: Task) -> str:
    """Return the network's sizes: ``2-3-2``."""
    return "-".join(map(str, task.network.sizes))


def grids(cases: Sequence[Case]) -> tuple[Grid, ...]:
    """Return ours against the fastest rival, every step and epoch, the floor, and what Adam costs."""
    against: list[Row] = []
    floors: list[Row] = []
    rows: dict[str, list[Row]] = {"step": [], "epoch": []}
    for case in cases:
        for one in case.measured:
            place, key = "GPU" if one.on_gpu else "CPU", (*case.key, one.backend)
            if one.products is None:
                continue
            floors.append((*key, place, one.products.median))
            floor = case.floor(on_gpu=one.on_gpu)
            for what, times in one.timed:
                n = 1 if what == "step" else case.batches
                rows[what] += [(*key, name, place, n, timing.median, timing.median / (n * floor)) for name, timing in times.items()]
                we, rival = _fastest(times, ours=True), _fastest(times, ours=False)
                if we is not None and rival is not None:
                    against.append((*key, what, *we, *rival, we[1] / rival[1]))
    about = "network", "batch", "optimizer", "computed with"
    columns = *about, "who", "on", "steps", "s", "times the products alone"
    return (
        Grid(
            "against",
            "Ours and the fastest rival that computes with the same library",
            (*about, "what", "ours", "ours, s", "rival", "rival, s", "ours / rival"),
            tuple(against),
            keys=5,
        ),
        Grid("step", "A training step", columns, tuple(rows["step"]), keys=5),
        Grid("epoch", "An epoch", columns, tuple(rows["epoch"]), keys=5),
        Grid("products", "The matrix products of a step alone", (*about, "on", "s"), tuple(floors), keys=4),
        _price_of_adam(cases),
    )


def _price_of_adam(cases: Sequence[Case]) -> Grid:
    """An epoch of Adam over one of plain gradient descent, for everyone who was timed with both."""
    plain = {
        (name_of(case.task), one.backend, name): timing.median
        for case in cases
        if case.task.optimizer == "sgd"
        for one in case.measured
        for name, timing in one.epochs.items()
    }
    rows = []
    for case in cases:
        for one in case.measured if case.task.optimizer == "adam" else ():
            for name, timing in one.epochs.items():
                sgd = plain.get((name_of(case.task), one.backend, name))
                if sgd is not None:
                    rows.append((name_of(case.task), case.task.size, one.backend, name, sgd, timing.median, timing.median / sgd))
    columns = "network", "batch", "computed with", "who", "sgd, s", "adam, s", "adam / sgd"
    return Grid("adam", "What Adam costs: an epoch of it, and one of plain gradient descent", columns, tuple(rows), keys=4)


def _fastest(times: dict[str, Timing], *, ours: bool) -> tuple[str, float] | None:
    medians = [(name, timing.median) for name, timing in times.items() if name.startswith("mlpxp") is ours]
    return min(medians, key=lambda pair: pair[1], default=None)


def figures(cases: Sequence[Case]) -> tuple[Figure, ...]:
    """Return multiples of the products alone against their operations: ours, and the fastest rival of each library."""
    points: dict[str, dict[str, list[Point]]] = {"step": {}, "epoch": {}}
    for case in cases:
        if case.task.optimizer != "sgd":
            continue
        operations = formula_of_gradient(case.task.network, case.task.size)
        for one in case.measured:
            for what, times in one.timed:
                n = 1 if what == "step" else case.batches
                for ours in (True, False):
                    best = _fastest(times, ours=ours)
                    if best is not None:
                        floor = n * case.floor(on_gpu=one.on_gpu)
                        low, high = times[best[0]].quartiles
                        name = f"mlpxp on {one.backend}" if ours else best[0].partition(",")[0]
                        point = Point(operations, best[1] / floor, "measured", low / floor, high / floor)
                        points[what].setdefault(name, []).append(point)
    return tuple(
        Figure(
            what,
            f"{title}, as a multiple of its matrix products alone (sgd)",
            "floating-point operations in the products of a step",
            "times the products alone",
            tuple(Series(name, tuple(those)) for name, those in points[what].items()),
            "The larger the network, the less there is beside its products.",
        )
        for what, title in (("step", "A training step"), ("epoch", "A step in an epoch"))
    )
