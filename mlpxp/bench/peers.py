"""A training step and an epoch against the same training by scikit-learn, PyTorch and JAX, as multiples of the matrix products alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from mlpxp.arrays import device_of
from mlpxp.backend import Backend, get_backend
from mlpxp.bench import choice
from mlpxp.bench.agreement import Reached, objection, reach
from mlpxp.bench.problems import formula_of_gradient
from mlpxp.bench.results import Figure, Grid, Point, Section, Series
from mlpxp.bench.rivals import Rival, ours, products, rivals
from mlpxp.bench.tasks import Task, make_task
from mlpxp.bench.timing import Timing, time_in_turn
from mlpxp.errors import BackendError

if TYPE_CHECKING:
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell

__all__ = ["FULL", "QUICK", "measure", "run"]

Shape: TypeAlias = tuple[tuple[int, ...], int, int, str]  # sizes, batch, batches an epoch, hidden
Row: TypeAlias = tuple[str | float | int | None, ...]
FULL: tuple[Shape, ...] = (
    ((2, 3, 2), 4, 1000, "tanh"),
    ((64, 100, 10), 200, 100, "relu"),
    ((784, 256, 128, 10), 256, 50, "relu"),
    ((1024, 2048, 2048, 1000), 1024, 3, "relu"),
)
QUICK: tuple[Shape, ...] = (((2, 3, 2), 4, 50, "tanh"), ((64, 100, 10), 200, 10, "relu"))
RIVALS = {"numpy": "sklearn", "torch": "torch", "jax": "jax"}  # who computes with the same library as a backend
CLAIM = (
    "Everybody starts from the same weights and sees the same batches: softmax, cross-entropy, plain gradient descent, float32. That all "
    "reach the same parameters and the same cost is checked before anything is timed. The floor is the time of a step's matrix products "
    "alone, in the library that is fastest at them on the same kind of device."
)
HOW = (
    "How it was measured: ours and the rivals that compute with one library take turns, each is waited for, and medians are given. A rival "
    "is written in several ways, and the fastest counts. A step has its batch ready; an epoch is what a user waits for: the batches drawn "
    "on the host and moved, the updates, the cost read. A step of scikit-learn is a call of partial_fit, which looks at the data first."
)
TINY = (
    "Where a multiple is far above 1 the network is too small for its products to matter: what is timed is the overhead of calls. A "
    "compiled epoch (JAX) makes no calls between its steps; it can be below the floor there, which is measured call by call."
)


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


def run(plan: Plan, tell: Tell) -> Section:
    """Check that everybody computes the same, and time a step and an epoch of each; with sizes in the plan, ours alone for that network.

    Returns
    -------
    Section
    """
    if plan.sizes:
        return choice.run(plan, tell)
    shapes = QUICK if plan.quick else FULL
    backends = tuple(dict.fromkeys((*plan.backends, *RIVALS)))
    found: list[tuple[Shape, list[Measured]]] = []
    for index, shape in enumerate(shapes):
        task = make_task(*shape)
        wanted = reach(ours(task, get_backend("numpy")), task)
        measured = []
        for number, backend in enumerate(backends):
            tell(f"{_name(shape)} with {backend}", (index + number / len(backends)) / len(shapes))
            seconds = plan.seconds / (4 * len(shapes) * len(backends))
            measured.append(measure(plan, task, backend, wanted, seconds=seconds))
        found.append((shape, measured))
    notes = dict.fromkeys(note for _, measured in found for one in measured for note in one.notes)
    return Section("peers", "Training against other libraries", CLAIM, _figures(found), _grids(found), (HOW, TINY, *notes))


def measure(plan: Plan, task: Task, backend: str, wanted: Reached, *, seconds: float) -> Measured:
    """Time ours and the rivals of one library in turn; who is not there, fails or computes something else is noted and left out.

    Parameters
    ----------
    plan : Plan
    task : Task
    backend : str
    wanted : Reached
        What everybody has to reach.
    seconds : float
        About how long the steps may take, and the epochs.
    """
    result = Measured(backend)
    try:
        library = get_backend(backend)
        somewhere = library.asarray([0.0], dtype="float32", device=plan.device)
    except BackendError as error:
        result.notes.append(f"{backend}: not measured: {error}.")
        return result
    result.on_gpu = "cpu" not in str(device_of(somewhere)).lower()
    entrants: dict[str, Rival] = {}
    for make in _makers(plan, task, library, result.notes):
        try:
            one = make()
            why_not = objection(reach(one, task), wanted, task)
        except Exception as error:  # a compiler that is missing, a GPU that is full: the others are measured
            reason = " ".join(str(error).split())[:200]
            result.notes.append(f"{backend}: one way was not timed at {_name_of(task)}: {type(error).__name__}: {reason}.")
            continue
        if why_not is None:
            entrants[one.name] = one
        else:
            result.notes.append(f"{one.name} with {backend} was not timed at {_name_of(task)}: {why_not}.")
    floor = {"": products(task, library, plan.device)}
    wait = library.synchronize if result.on_gpu else _nothing  # on the host, everybody returns when they have their numbers
    times = time_in_turn(floor | {name: one.step for name, one in entrants.items()}, wait=wait, seconds=seconds)
    result.products, result.steps = times.pop(""), times
    turns = {name: partial(one.epoch, 2) for name, one in entrants.items()}
    result.epochs = time_in_turn(turns, wait=wait, seconds=seconds, least=3) if turns else {}
    return result


def _nothing() -> None:
    """Wait for nothing."""


def _makers(plan: Plan, task: Task, library: Backend, notes: list[str]) -> Iterator[Callable[[], Rival]]:
    """What makes ours and the rivals, those that are to be compared and whose library is here."""
    backend, device = library.name, plan.device
    if backend in plan.backends:
        yield partial(ours, task, library, device)
        if backend == "torch" and not plan.quick:
            yield partial(ours, task, get_backend("torch", compile=True), device, name="mlpxp, compiled")
    if backend in RIVALS:
        try:
            yield from rivals(RIVALS[backend], task, library, device, all_of_them=not plan.quick)
        except ModuleNotFoundError as error:
            missing = (error.name or RIVALS[backend]).partition(".")[0]
            notes.append(f"{missing} is not installed: it was not measured against.")


def _name(shape: Shape) -> str:
    return "-".join(map(str, shape[0]))


def _name_of(task: Task) -> str:
    return "-".join(map(str, task.network.sizes))


def _floor(measured: Sequence[Measured], *, on_gpu: bool) -> float:
    """The products alone, in the fastest library on the same kind of device."""
    return min(one.products.median for one in measured if one.products is not None and one.on_gpu is on_gpu)


def _grids(found: Sequence[tuple[Shape, list[Measured]]]) -> tuple[Grid, ...]:
    against: list[Row] = []
    floors: list[Row] = []
    rows: dict[str, list[Row]] = {"step": [], "epoch": []}
    for shape, measured in found:
        _, size, batches, _ = shape
        for one in measured:
            place, key = "GPU" if one.on_gpu else "CPU", (_name(shape), size, one.backend)
            if one.products is None:
                continue
            floors.append((*key, place, one.products.median))
            floor = _floor(measured, on_gpu=one.on_gpu)
            for what, times, n in (("step", one.steps, 1), ("epoch", one.epochs, batches)):
                rows[what] += [(*key, name, place, n, timing.median, timing.median / (n * floor)) for name, timing in times.items()]
                we, rival = _fastest(times, ours_=True), _fastest(times, ours_=False)
                if we is not None and rival is not None:
                    against.append((*key, what, *we, *rival, we[1] / rival[1]))
    columns = "network", "batch", "computed with", "who", "on", "steps", "s", "times the products alone"
    return (
        Grid(
            "against",
            "Ours and the fastest rival that computes with the same library",
            ("network", "batch", "computed with", "what", "ours", "ours, s", "rival", "rival, s", "ours / rival"),
            tuple(against),
            keys=4,
        ),
        Grid("step", "A training step", columns, tuple(rows["step"]), keys=4),
        Grid("epoch", "An epoch", columns, tuple(rows["epoch"]), keys=4),
        Grid("products", "The matrix products of a step alone", ("network", "batch", "computed with", "on", "s"), tuple(floors), keys=3),
    )


def _fastest(times: dict[str, Timing], *, ours_: bool) -> tuple[str, float] | None:
    medians = [(name, timing.median) for name, timing in times.items() if name.startswith("mlpxp") is ours_]
    return min(medians, key=lambda pair: pair[1], default=None)


def _figures(found: Sequence[tuple[Shape, list[Measured]]]) -> tuple[Figure, ...]:
    """Multiples of the products alone against their operations, a step's and an epoch's: ours, and the fastest rival of each library."""
    figures = []
    for what, title in (("step", "A training step"), ("epoch", "A step in an epoch")):
        points: dict[str, list[Point]] = {}
        for shape, measured in found:
            sizes, size, batches, hidden = shape
            operations = formula_of_gradient(make_task(sizes, 1, 1, hidden).network, size)
            for one in measured:
                times, n = (one.steps, 1) if what == "step" else (one.epochs, batches)
                for ours_ in (True, False):
                    best = _fastest(times, ours_=ours_)
                    if best is not None:
                        floor = n * _floor(measured, on_gpu=one.on_gpu)
                        low, high = times[best[0]].quartiles
                        name = f"mlpxp on {one.backend}" if ours_ else best[0].partition(",")[0]
                        point = Point(operations, best[1] / floor, "measured", low / floor, high / floor)
                        points.setdefault(name, []).append(point)
        figures.append(
            Figure(
                what,
                f"{title}, as a multiple of its matrix products alone",
                "floating-point operations in the products of a step",
                "times the products alone",
                tuple(Series(name, tuple(those)) for name, those in points.items()),
                "The larger the network, the less there is beside its products.",
            )
        )
    return tuple(figures)
