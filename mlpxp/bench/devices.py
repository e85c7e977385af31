"""CPU against GPU, and library against library: a forward pass, a gradient, a step and an epoch, and the size from which on it pays."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.placing import Place
from mlpxp.bench._growth import Sizes, Times, growth
from mlpxp.bench._timing import Timing, time_in_turn
from mlpxp.bench.problems import Problem, classifier, formula_of_gradient, make_problem
from mlpxp.bench.tasks import Training, make_task
from mlpxp.errors import OutOfMemoryError
from mlpxp.report.results import Figure, Grid, Point, Section, Series

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell

__all__ = ["FULL", "QUICK", "Place", "Sizes", "crossover", "measure", "places", "run", "transfer_times"]

OPERATIONS = ("forward", "gradient", "step", "epoch")
TITLES = {"forward": "A forward pass with its cost", "gradient": "A gradient", "step": "A training step", "epoch": "An epoch"}
BATCHES = 8  # of an epoch
LONGEST = 2.0  # seconds of an epoch: a sweep ends where it is expected to take longer
REFERENCE = "numpy, cpu"
ASTRAY = 1e-3  # how far a cost may be from the reference's: a GPU may multiply with fewer digits
Cell: TypeAlias = str | float | int | None
CLAIM = (
    "A small network is faster where a call costs least, on the CPU; a large one where there is most arithmetic, on a GPU. Between them is "
    "the size that is named here. Data are float32 everywhere, and the costs are compared before anything is timed."
)
HOW = (
    "How it was measured: each size is warmed up, each run is waited for, and medians are given; one library after the other, so that none "
    "shares the cores with the threads of another. The data are where they are needed before a run begins; what it costs to bring them "
    "there, and what the first step costs, is in a table of its own: what it compiles, less what smaller sizes and the gradient before it "
    "have compiled already. JAX multiplies in TF32 on some GPUs unless jax_default_matmul_precision says otherwise."
)


FULL = Sizes(
    (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    (1, 4, 16, 64, 256, 1024, 4096, 16384),
    (1, 2, 4, 8, 16, 32, 64),
    width=256,
    batch=256,
)
QUICK = Sizes((2, 32, 256), (16, 256), (1, 8), width=64, batch=128)
AXES = {"width": OPERATIONS, "batch": OPERATIONS, "depth": ("step",)}  # what is timed along each


@dataclass
class Sweep:
    """What was measured along one axis at one place.

    Attributes
    ----------
    times : dict of str to dict of int to Timing
        By operation and size.
    notes : list of str
        What was not measured.
    """

    times: dict[str, dict[int, Timing]] = field(default_factory=lambda: {operation: {} for operation in OPERATIONS})
    notes: list[str] = field(default_factory=list)


def run(plan: Plan, tell: Tell, *, sizes: Sizes | None = None, among: Sequence[Place] | None = None) -> Section:
    """Time every library on every kind of device, and name the sizes from which on each is faster than NumPy.

    Parameters
    ----------
    plan : Plan
    tell : callable
    sizes : Sizes, optional
        In the place of :data:`FULL` or :data:`QUICK`.
    among : sequence of Place, optional
        In the place of all that the plan has.

    Returns
    -------
    Section
    """
    sizes = sizes or (QUICK if plan.quick else FULL)
    found = tuple(among or places(plan))
    figures, notes, rows = [], [HOW, *_about(found)], []
    moved: list[tuple[Cell, ...]] = []
    steps: dict[str, Times] = {}
    for number, axis in enumerate(AXES):
        sweeps: dict[str, Sweep] = {}
        for index, place in enumerate(found):
            share, part = (number + index / len(found)) / len(AXES), 1 / (len(AXES) * len(found))
            sweeps[place.name] = measure(plan, place, axis, sizes, partial(_tell_part, tell, share, part), len(found))
            notes += sweeps[place.name].notes
            if axis == "width":
                moved += [(place.name, *row) for row in _moved(place, sweeps[place.name], sizes)]
        steps[axis] = {name: sweep.times["step"] for name, sweep in sweeps.items()}
        if axis == "depth":
            continue
        figures += [_figure(operation, axis, sizes, sweeps) for operation in OPERATIONS]
        if REFERENCE in sweeps:
            rows += _crossovers(axis, sweeps)
    grids = [
        Grid(
            "moved",
            f"Bringing the batch there and back, the first step and every other one, batch {sizes.batch}",
            ("where", "width", "to the device, s", "back, s", "first step, s", "step, s"),
            tuple(moved),
            keys=2,
        )
    ]
    if rows:
        title = "Faster than NumPy on the CPU from this size on; none where it is not, up to the largest size that both were measured at"
        columns = "where", "what", "growing", "from", "compared up to", "times as fast there"
        grids.insert(0, Grid("crossover", title, columns, tuple(rows), keys=3))
    grown, ranked = growth(steps, sizes)
    found_out = (*grown, *figures), (*ranked, *grids)
    return Section("devices", "CPU or GPU, which library, and how cost grows", CLAIM, *found_out, tuple(dict.fromkeys(notes)))


def places(plan: Plan) -> tuple[Place, ...]:
    """Return each library of the plan on the device that was asked for, or on its CPU and on its first GPU."""
    found = []
    for backend in plan.backends:
        library = get_backend(backend)
        if plan.device is not None:
            found.append(Place(library, plan.device))
            continue
        names = [device.name for device in library.devices()]
        of_kinds = {name.partition(":")[0]: name for name in reversed(names)}  # the first of each kind
        found += [Place(library, name) for name in names if name in of_kinds.values()]
    return tuple(found)


def measure(plan: Plan, place: Place, axis: str, sizes: Sizes, tell: Callable[[str, float], object], n_places: int = 1) -> Sweep:
    """Time all operations along one axis; sizes that would take too long, or have no room, are noted and left out.

    Parameters
    ----------
    plan : Plan
    place : Place
    axis : {"width", "batch", "depth"}
    sizes : Sizes
    tell : callable
    n_places : int
        How many share the time.
    """
    sweep, library = Sweep(), place.library
    steps, timed = sizes.along(axis), AXES[axis]
    took, operations = 0.0, math.inf  # an epoch at the size before
    for index, size in enumerate(steps):
        shape, batch = sizes.at(axis, size)
        network = classifier(shape, "relu")
        growth = formula_of_gradient(network, batch) / operations
        if took * growth > LONGEST and not plan.allow_long:
            sweep.notes.append(
                f"{place.name}: not measured from {axis} {size:,} on: an epoch would take about {took * growth:.2g} s (--yes)."
            )
            break
        tell(f"{place.name}: {axis} {size:,}", index / len(steps))
        try:
            problem = make_problem(network, batch, backend=library.name, device=place.device)
            why_not = _objection(problem)
            if why_not is not None:
                sweep.notes.append(f"{place.name}: not measured at {axis} {size:,}: {why_not}.")
                continue
            training = Training(make_task(network.sizes, batch, BATCHES), library, place.device)
            seconds = plan.seconds / (2 * n_places * len(steps) * len(OPERATIONS))
            functions = _functions(problem, training)
            for operation in timed:
                times = time_in_turn({"": functions[operation]}, wait=library.synchronize, seconds=seconds, least=3, most=300)[""]
                sweep.times[operation][size] = times
        except OutOfMemoryError as error:
            sweep.notes.append(f"{place.name}: not measured from {axis} {size:,} on: {error}.")
            break
        took, operations = sweep.times[timed[-1]][size].median, formula_of_gradient(network, batch)
    return sweep


def crossover(times: Mapping[int, float], reference: Mapping[int, float]) -> int | None:
    """Return the smallest size from which on ``times`` is below ``reference``, there and at all larger ones that both have; or ``None``."""
    found = None
    for size in sorted(times.keys() & reference.keys(), reverse=True):
        if times[size] >= reference[size]:
            break
        found = size
    return found


def transfer_times(place: Place, values: Any) -> tuple[float, float]:
    """Return the medians of the seconds that an array takes to the device, and back."""
    arrived: list[Any] = [None]

    def there() -> None:
        arrived[0] = place.library.asarray(values, device=place.device)
        _wait(place.library, arrived[0])

    to_device = time_in_turn({"": there}, seconds=0.05, most=100)[""].median
    back = []
    for _ in range(7):
        there()  # a library may keep what it has read once
        began = time.perf_counter()
        place.library.to_numpy(arrived[0])
        back.append(time.perf_counter() - began)
    return to_device, sorted(back)[3]


def _wait(library: Backend, array: Any) -> None:
    """Wait until an array is there: a library without a queue to wait for (JAX) is asked for the array itself."""
    library.synchronize()
    ready = getattr(array, "block_until_ready", None)
    if ready is not None:
        ready()


def _functions(problem: Problem, training: Training) -> dict[str, Callable[[], object]]:
    return {
        "forward": problem.cost,
        "gradient": problem.gradient,
        "step": training.step,
        "epoch": partial(training.epoch, 1),
    }


def _objection(problem: Problem) -> str | None:
    """Say why the times of a problem would not be comparable."""
    same = make_problem(problem.network, problem.m)
    wanted, got = float(same.cost()[0]), float(problem.cost()[0])
    if str(problem.X.dtype).rpartition(".")[-1] != "float32":
        return f"its data are {problem.X.dtype}, not float32"
    return None if abs(got - wanted) <= ASTRAY * abs(wanted) else f"its cost is {got:.6g}, not {wanted:.6g}"


def _about(found: Sequence[Place]) -> list[str]:
    """What should be known about the places."""
    notes = []
    if not any(place.on_gpu for place in found):
        notes.append(f"No GPU here: it compares libraries on the CPU only ({', '.join(place.name for place in found)}).")
    if REFERENCE not in {place.name for place in found}:
        notes.append("NumPy on the CPU was not asked for: there is nothing to name a crossover against.")
    return notes


def _moved(place: Place, sweep: Sweep, sizes: Sizes) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for width, timing in sweep.times["step"].items():
        batch = np.zeros((sizes.batch, width), dtype=np.float32)
        rows.append((width, *transfer_times(place, batch), timing.warm_up, timing.median))
    return rows


def _crossovers(axis: str, sweeps: Mapping[str, Sweep]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for name, sweep in sweeps.items():
        for operation in OPERATIONS if name != REFERENCE else ():
            times, reference = (
                {size: timing.median for size, timing in one.times[operation].items()} for one in (sweep, sweeps[REFERENCE])
            )
            largest = max(times.keys() & reference.keys(), default=None)
            ratio = None if largest is None else reference[largest] / times[largest]
            rows.append((name, TITLES[operation].lower(), axis, crossover(times, reference), largest, ratio))
    return rows


def _figure(operation: str, axis: str, sizes: Sizes, sweeps: Mapping[str, Sweep]) -> Figure:
    fixed = f"batch {sizes.batch}" if axis == "width" else f"width {sizes.width}"
    return Figure(
        f"{operation}-{axis}",
        f"{TITLES[operation]} of n-n-n-10, {fixed}" + (f", {BATCHES} batches" if operation == "epoch" else ""),
        "width n" if axis == "width" else "examples in a batch",
        "seconds (float32)",
        tuple(
            Series(
                name, tuple(Point(size, timing.median, "measured", *timing.quartiles) for size, timing in sweep.times[operation].items())
            )
            for name, sweep in sweeps.items()
        ),
    )


def _tell_part(tell: Tell, first: float, part: float, text: str, share: float) -> None:
    tell(text, first + part * share)
