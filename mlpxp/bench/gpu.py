"""Training on a GPU beside its matrix products on the same card: times, launches and memory, in float32 and in TF32."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from mlpxp.arrays.backend import get_backend
from mlpxp.bench._timing import Timing, time_in_turn
from mlpxp.bench.agreement import Reached, flat, objection
from mlpxp.bench.devices import places
from mlpxp.bench.memory import formula
from mlpxp.bench.problems import formula_of_gradient
from mlpxp.bench.rivals import products
from mlpxp.bench.tasks import Task, Training, make_task
from mlpxp.report.results import Grid, Section

if TYPE_CHECKING:
    from mlpxp.arrays.placing import Place
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell

__all__ = ["FULL", "QUICK", "Measured", "Shape", "measure", "run"]

Shape: TypeAlias = tuple[tuple[int, ...], int]
FULL: tuple[Shape, ...] = (((64, 100, 10), 200), ((784, 256, 128, 10), 4096), ((4096, 4096, 4096, 1000), 8192))
QUICK = FULL[:2]
BATCHES = {True: 2, False: 20}  # of an epoch, where a batch is large and elsewhere
LARGE = 10**11  # operations of a step: from here on NumPy would take seconds, and everybody is held against whoever comes first
TITLE = "Training on a GPU, beside its matrix products"
CLAIM = (
    "A step of training can't be faster than its matrix products on the same card in the same precision. What it takes beyond them are "
    "launches, which a small network feels, and passes over memory. float32 is float32: TF32, which rounds the factors to 10 bits, is "
    "measured beside it and named."
)
HOW = (
    "How it was measured: an epoch of train's own loop, plain gradient descent, and the products of a step alone, in turn, each waited "
    "for; medians. In float32 everybody first reaches the same parameters: NumPy's, where NumPy gets there in a second. Launches are "
    "kernels that PyTorch's profiler saw in an epoch, divided by its steps. Memory is what a library's own pool took during an epoch, "
    "beyond parameters and data; K3 is what activations and errors of a batch take."
)
NO_GPU = "No GPU here that these backends can use: nothing was measured."


@dataclass(frozen=True)
class Measured:
    """What was found out about one library, precision and network.

    Attributes
    ----------
    step, products : Timing
        An epoch of training, and the products of one step.
    batches : int
        Steps of the epoch.
    launches : float or None
        Kernels of a step.
    memory : int or None
        Bytes.
    """

    step: Timing
    products: Timing
    batches: int
    launches: float | None = None
    memory: int | None = None


def run(plan: Plan, tell: Tell, *, shapes: Sequence[Shape] | None = None, everywhere: bool = False) -> Section:
    """Time training and its products on each library's GPU.

    Parameters
    ----------
    plan : Plan
    tell : callable
    shapes : sequence of Shape, optional
        In the place of :data:`FULL` or :data:`QUICK`.
    everywhere : bool, default False
        On what is no GPU too: to see that it works.

    Returns
    -------
    Section
    """
    shapes = shapes or (QUICK if plan.quick else FULL)
    found = [place for place in places(plan) if place.on_gpu or everywhere]
    rows, notes = [], [HOW] if found else [NO_GPU]
    pairs = list(product(shapes, found))
    wanted: dict[Shape, Reached] = {}
    for index, (shape, place) in enumerate(pairs):
        sizes, size = shape
        name = "-".join(map(str, sizes))
        tell(f"{name} with {place.name}", index / len(pairs))
        task = _task(shape)
        operations = formula_of_gradient(task.network, size)
        for precision, library, context in _ways(place):
            try:
                with context():
                    reached = wanted if precision == "float32" else None
                    one = measure(task, shape, library, place, reached, seconds=plan.seconds / (2 * len(pairs)))
            except Exception as error:  # no room, a compiler that fails: the others are measured
                notes.append(f"{place.name}, {precision}: not measured at {name}: {' '.join(str(error).split())[:200]}.")
                continue
            if isinstance(one, str):
                notes.append(f"{place.name}, {precision}: not timed at {name}: {one}.")
                continue
            step, alone = one.step.median / one.batches, one.products.median
            held = None if one.memory is None else one.memory / formula(task.network, size)
            rates = operations / alone / 1e12, operations / step / 1e12
            rows.append((place.name, precision, name, size, step, alone, step / alone, *rates, one.launches, one.memory, held))
    columns = (
        *("where", "products in", "network", "batch", "step, s", "products, s", "step / products"),
        *("products, TFLOP/s", "step, TFLOP/s", "launches a step", "memory, bytes", "memory / K3"),
    )
    return Section("gpu", TITLE, CLAIM, (), (Grid("gpu", "A step of an epoch", columns, tuple(rows), keys=4),), tuple(dict.fromkeys(notes)))


def measure(task: Task, shape: Shape, library: Any, place: Place, wanted: dict[Shape, Reached] | None, *, seconds: float) -> Measured | str:
    """Time an epoch and the products of a step at one place; where it does not reach what is wanted, say so instead.

    Parameters
    ----------
    task : Task
    shape : Shape
    library : Backend
        As it is asked to multiply.
    place : Place
    wanted : dict of Shape to Reached or None
        What everybody has to reach, by shape: filled by who comes first. ``None``: it multiplies with fewer digits, and need not.
    seconds : float
        About how long it may take.
    """
    training = Training(task, library, place.device)
    cost = training.epoch(1)
    if wanted is not None:
        got = Reached(None, flat(training.parameters()), cost)
        if shape not in wanted:
            wanted[shape] = got if formula_of_gradient(task.network, task.size) >= LARGE else _on_numpy(task)
        if (why_not := objection(got, wanted[shape], task)) is not None:
            return why_not
    epoch, batches = partial(training.epoch, 2), len(task.X) // task.size
    memory = _ask(library.name, "peak", lambda peak: peak(epoch))
    kernels = _ask("torch", "launches", lambda launches: launches(epoch, library.synchronize))
    functions: dict[str, Callable[[], Any]] = {"step": epoch, "products": products(task, library, place.device)}
    times = time_in_turn(functions, wait=library.synchronize, seconds=seconds, least=3, most=200)
    return Measured(times["step"], times["products"], batches, None if kernels is None else kernels / batches, memory)


def _task(shape: Shape) -> Task:
    sizes, size = shape
    return make_task(sizes, size, BATCHES[size * sum(sizes) > 10**7], "relu")


def _on_numpy(task: Task) -> Reached:
    training = Training(task, get_backend("numpy"))
    cost = training.epoch(1)
    return Reached(None, flat(training.parameters()), cost)


def _ways(place: Place) -> Iterator[tuple[str, Any, Callable[[], AbstractContextManager[Any]]]]:
    """Yield how a place can multiply: the precision, the library that is asked for it, and the context that it takes."""
    yield "float32", place.library, nullcontext
    tf32 = _ask(place.library.name, "tf32", lambda context: context)
    if tf32 is not None and place.on_gpu:
        library = get_backend("cupy", precision="tf32") if place.library.name == "cupy" else place.library
        yield "TF32", library, tf32


def _ask(name: str, what: str, then: Callable[[Any], Any]) -> Any:
    """Ask a library's own module about its GPU; ``None`` where there is none, or it isn't installed."""
    try:
        module = _module(name)
    except ModuleNotFoundError:
        return None
    return then(getattr(module, what)) if hasattr(module, what) else None


def _module(name: str) -> Any:
    module: Any = None
    if name == "cupy":
        from mlpxp.bench import _gpu_in_cupy

        module = _gpu_in_cupy
    elif name == "torch":
        from mlpxp.bench import _gpu_in_torch

        module = _gpu_in_torch
    elif name == "jax":
        from mlpxp.bench import _gpu_in_jax

        module = _gpu_in_jax
    return module
