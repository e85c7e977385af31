"""One network on everything that is here: backend, dtype and batch size by the time of an example, for who wants to choose them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.standard import device_of, tree_map
from mlpxp.bench._timing import Timing, time_in_turn
from mlpxp.bench.agreement import APART, Reached, flat, objection
from mlpxp.bench.tasks import Training, make_task
from mlpxp.core.functional import predict
from mlpxp.report.results import Figure, Grid, Point, Section, Series
from mlpxp.report.wording import decimal

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.bench.tasks import Task

__all__ = ["FULL", "QUICK", "Way", "batches_of_an_epoch", "enough", "measure", "paid_after", "run"]

FULL, QUICK = (1, 16, 64, 256, 1024), (1, 16, 256)
EXAMPLES, EXAMPLES_QUICK = 4096, 512  # of an epoch
LEAST = 4  # batches of an epoch
LONGEST = 0.2  # seconds of an epoch on NumPy
PATIENCE = 10.0  # seconds: where the first epochs took longer, one round has to do
MOST_BYTES = 2**28  # of an epoch's examples
GAIN = 0.1  # less than this is not worth a larger batch
DTYPES = ("float32", "float64")
MICRO = 1e6
Cell: TypeAlias = str | float | int | None
HOW = (
    "How it was measured: an epoch of train's own loop (batches drawn and moved, updates, the cost read), plain gradient descent, divided "
    "by its examples, and mlpxp.predict on a batch with its outputs brought to the host. Medians; what computes with one library takes "
    "turns. That all reach the parameters, the cost and the outputs of NumPy is checked before anything is timed."
)
UPDATES = "A larger batch makes fewer updates of the same examples: what that does to what is learnt is not measured here."
START = (
    "The start is the first epoch less a later one: it compiles or records, once for each network, batch size and number of "
    "batches. It has paid when what is saved since makes up for it, against whoever of the same dtype starts soonest."
)
AUTO = 'backend="auto" computes where the arrays are, and with NumPy where they are lists: it never chooses by speed.'


@dataclass(frozen=True)
class Way:
    """One way to compute, and how long it takes.

    Attributes
    ----------
    who : str
        The backend, and whether it compiles by option.
    dtype : str
    batch : int
    examples : int
        Of the epoch that was timed.
    first : float
        Seconds of the very first epoch.
    epoch, prediction : Timing
        Of an epoch, and of one batch.
    """

    who: str
    dtype: str
    batch: int
    examples: int
    first: float
    epoch: Timing
    prediction: Timing

    @property
    def training(self) -> float:
        """Microseconds an example."""
        return MICRO * self.epoch.median / self.examples

    @property
    def predicting(self) -> float:
        """Microseconds an example."""
        return MICRO * self.prediction.median / self.batch

    @property
    def start(self) -> float:
        """Seconds that the first epoch takes longer."""
        return max(0.0, self.first - self.epoch.median)


def run(plan: Plan, tell: Tell) -> Section:
    """Time an example of the plan's network on every backend, in each dtype and batch size, and name the fastest.

    Returns
    -------
    Section
        ``choice``.
    """
    sizes = QUICK if plan.quick else FULL
    found: list[Way] = []
    notes: list[str] = []
    for index, size in enumerate(sizes):
        count, seconds = batches_of_an_epoch(plan, size)
        if found and LEAST * seconds > 2 * LONGEST and not plan.allow_long:
            notes.append(f"Not measured from batch {size:,} on: {LEAST} batches would take about {LEAST * seconds:.2g} s (--yes).")
            break
        for number, backend in enumerate(plan.backends):
            tell(f"batch {size:,} with {backend}", (index + number / len(plan.backends)) / len(sizes))
            share = plan.seconds / (3 * len(sizes) * len(plan.backends))
            found += measure(plan, size, count, backend, notes, seconds=share)
    name = "-".join(map(str, plan.sizes))
    title = f"Which backend, dtype and batch for {name}"
    if not found:
        return Section("choice", title, "Nothing could be measured.", notes=tuple(notes))
    figures, grids = (_figure(name, found),), (_best(found), _start(found), _all(found))
    return Section("choice", title, _sentence(name, found), figures, grids, (_auto(found), UPDATES, START, HOW, *dict.fromkeys(notes)))


def batches_of_an_epoch(plan: Plan, size: int) -> tuple[int, float]:
    """Return how many batches of this size make an epoch that is worth timing, and about what one takes NumPy."""
    training = Training(make_task(plan.sizes, size, 1), get_backend("numpy"))
    seconds = time_in_turn({"": training.step}, seconds=0.01, least=3, most=9)[""].seconds[0]
    most = min((EXAMPLES_QUICK if plan.quick else EXAMPLES) // size, MOST_BYTES // (8 * size * plan.sizes[0]), int(LONGEST / seconds))
    return max(LEAST, most), seconds


def measure(plan: Plan, size: int, count: int, backend: str, notes: list[str], *, seconds: float) -> list[Way]:
    """Time the ways to compute with one library at one batch size in turn; what can't be used or computes something else is noted.

    Parameters
    ----------
    plan : Plan
    size, count : int
        Examples in a batch, and batches in an epoch.
    backend : str
    notes : list of str
        Gets a line for what was not timed.
    seconds : float
        About how long the epochs may take, and the predictions.
    """
    epochs, predictions, firsts = {}, {}, {}
    wait: Any = None
    for dtype in DTYPES:
        task = make_task(plan.sizes, size, count, dtype=dtype)
        reference = Training(task, get_backend("numpy"))
        cost = reference.epoch(1)
        wanted = Reached(None, flat(reference.parameters()), cost)
        for who, library in _libraries(plan, backend):
            try:
                training = Training(task, library, plan.device)
                began = time.perf_counter()
                cost = training.epoch(1)
                first = time.perf_counter() - began
                prediction = _prediction(task, library, plan.device)
                why_not = objection(Reached(None, flat(training.parameters()), cost), wanted, task) or _astray(prediction(), task)
            except Exception as error:  # no float64, no compiler, no room: the others are measured
                notes.append(f"{who}, {dtype}: not measured: {' '.join(str(error).split())[:200]}.")
                continue
            if why_not is not None:
                notes.append(f"{who}, {dtype}, batch {size:,}: not timed: {why_not}.")
                continue
            on_gpu = "cpu" not in str(device_of(library.asarray([0.0], dtype="float32", device=plan.device))).lower()
            wait = library.synchronize if on_gpu else _nothing  # on the host, everything has its numbers when it returns
            firsts[who, dtype] = first
            epochs[f"{who}, {dtype}"] = partial(training.epoch, 2)
            predictions[f"{who}, {dtype}"] = prediction
    if not epochs:
        return []
    trained = time_in_turn(epochs, wait=wait, seconds=seconds, least=3 if sum(firsts.values()) < PATIENCE else 1)
    predicted = time_in_turn(predictions, wait=wait, seconds=seconds / 2)
    return [
        Way(who, dtype, size, size * count, first, trained[f"{who}, {dtype}"], predicted[f"{who}, {dtype}"])
        for (who, dtype), first in firsts.items()
    ]


def enough(times: dict[int, float]) -> int:
    """Return the smallest batch from which on no larger one gains :data:`GAIN` or more; ``times`` is by batch."""
    return next(size for size in sorted(times) if all(other > (1 - GAIN) * times[size] for larger, other in times.items() if larger > size))


def paid_after(way: Way, soonest: Way) -> float | None:
    """Return the examples of training after which a later start has paid; ``None`` where it never does, or needs not."""
    ahead = (soonest.training - way.training) / MICRO
    later = way.start - soonest.start
    return later / ahead if ahead > 0 and later > 0 else None


def _nothing() -> None:
    """Wait for nothing."""


def _libraries(plan: Plan, backend: str) -> Iterator[tuple[str, Backend]]:
    yield backend, get_backend(backend)
    if backend == "torch" and not plan.quick:
        yield "torch, compiled", get_backend("torch", compile=True)


def _prediction(task: Task, library: Backend, device: str | None) -> Any:
    """Return a function that predicts the first batch and has the outputs on the host."""
    X = library.asarray(task.X[: task.size], device=device).mT
    parameters = tree_map(partial(library.asarray, device=device_of(X)), task.start)
    return lambda: library.to_numpy(predict(task.network, parameters, X))


def _astray(got: Any, task: Task) -> str | None:
    wanted = predict(task.network, task.start, task.X[: task.size].T)
    apart = float(np.abs(got - wanted).max())
    return None if apart <= APART[task.dtype] else f"its outputs differ by {apart:.1e}"


def _fastest(found: Sequence[Way]) -> Way:
    return min(found, key=lambda way: way.training)


def _lines(found: Sequence[Way]) -> list[list[Way]]:
    """What has the same backend and dtype together, by the fastest of each."""
    lines: dict[tuple[str, str], list[Way]] = {}
    for way in found:
        lines.setdefault((way.who, way.dtype), []).append(way)
    return sorted(lines.values(), key=lambda line: _fastest(line).training)


def _sentence(name: str, found: Sequence[Way]) -> str:
    best, predicts = _fastest(found), min(found, key=lambda way: way.predicting)
    (line, *_), named = _lines(found), "{0.who} in {0.dtype} with batches of {0.batch:,}".format
    batch = enough({way.batch: way.training for way in line})
    if len(line) == 1:
        more = "no other batch was measured"
    elif batch == max(way.batch for way in line):
        more = f"a larger batch gains {GAIN:.0%} or more up to the largest measured"
    else:
        more = f"from batches of {batch:,} on a larger one gains less than {GAIN:.0%}"
    return (
        f"{name} trains fastest here on {named(best)}: {decimal(best.training, 3)} microseconds an example; {more}. "
        f"It predicts fastest on {named(predicts)}: {decimal(predicts.predicting, 3)} microseconds an example."
    )


def _auto(found: Sequence[Way]) -> str:
    best, ours = _fastest(found), [way for way in found if way.who == "numpy"]
    if not ours:
        return AUTO
    ratio = _fastest(ours).training / best.training
    how = f"at its best it takes {decimal(ratio, 3)} times the fastest's time: name the backend" if ratio > 1 else "it is the fastest"
    return f"{AUTO} NumPy here: {how}."


def _best(found: Sequence[Way]) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for line in _lines(found):
        best, predicts = _fastest(line), min(line, key=lambda way: way.predicting)
        batch = enough({way.batch: way.training for way in line})
        ratio = best.training / _fastest(found).training
        rows.append((best.who, best.dtype, best.training, ratio, best.batch, batch, predicts.predicting, predicts.batch))
    columns = (
        "computed with",
        "dtype",
        "training, microseconds an example",
        "times the fastest",
        "with batch",
        "batch that is enough",
        "predicting, microseconds an example",
        "with batch of",
    )
    return Grid("best", "The best of each, the fastest in training first", columns, tuple(rows), keys=2)


def _start(found: Sequence[Way]) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for line in _lines(found):
        best = _fastest(line)
        soonest = min((_fastest(one) for one in _lines(found) if one[0].dtype == best.dtype), key=lambda way: way.start)
        after = paid_after(best, soonest)
        rows.append((best.who, best.dtype, best.batch, best.start, None if best is soonest else soonest.who, after and round(after)))
    columns = "computed with", "dtype", "batch", "start, s", "against", "has paid after examples"
    return Grid("start", "What compiling or recording costs before the first step", columns, tuple(rows), keys=2)


def _all(found: Sequence[Way]) -> Grid:
    rows = [
        (way.who, way.dtype, way.batch, way.training, way.training / _fastest(found).training, way.predicting, way.examples)
        for way in sorted(found, key=lambda way: way.training)
    ]
    columns = (
        "computed with",
        "dtype",
        "batch",
        "training, microseconds an example",
        "times the fastest",
        "predicting, microseconds an example",
        "examples of an epoch",
    )
    return Grid("all", "All that was measured, the fastest in training first", columns, tuple(rows), keys=3)


def _figure(name: str, found: Sequence[Way]) -> Figure:
    series = []
    for line in _lines(found):
        points = [
            Point(way.batch, way.training, "measured", *(MICRO * seconds / way.examples for seconds in way.epoch.quartiles)) for way in line
        ]
        series.append(Series(f"{line[0].who}, {line[0].dtype}", tuple(points)))
    return Figure(
        "training",
        f"An example of {name} in training",
        "examples in a batch",
        "microseconds an example",
        tuple(series),
        "Where a line is flat a larger batch gains nothing.",
    )
