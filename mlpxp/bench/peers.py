"""A training step and an epoch against the same training by scikit-learn, PyTorch and JAX, as multiples of the matrix products alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from mlpxp.arrays.backend import Backend, get_backend
from mlpxp.arrays.standard import device_of
from mlpxp.bench import choice
from mlpxp.bench._peers_tables import Case, Measured, figures, grids, name_of
from mlpxp.bench._timing import time_in_turn
from mlpxp.bench.agreement import Reached, objection, reach
from mlpxp.bench.rivals import Rival, ours, products, rivals
from mlpxp.bench.tasks import OPTIMIZERS, Task, make_task
from mlpxp.errors import BackendError
from mlpxp.report.results import Section

if TYPE_CHECKING:
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell

__all__ = ["FULL", "QUICK", "Shape", "measure", "run"]

Shape: TypeAlias = tuple[tuple[int, ...], int, int, str]  # sizes, batch, batches an epoch, hidden
FULL: tuple[Shape, ...] = (
    ((2, 3, 2), 4, 1000, "tanh"),
    ((64, 100, 10), 200, 100, "relu"),
    ((784, 256, 128, 10), 256, 50, "relu"),
    ((1024, 2048, 2048, 1000), 1024, 3, "relu"),
)
QUICK: tuple[Shape, ...] = (((2, 3, 2), 4, 50, "tanh"), ((64, 100, 10), 200, 10, "relu"))
RIVALS = {"numpy": "sklearn", "torch": "torch", "jax": "jax"}  # who computes with the same library as a backend
CLAIM = (
    "Everybody starts from the same weights and sees the same batches: softmax, cross-entropy, float32, plain gradient descent (sgd) and "
    "Adam. That all reach the same parameters and the same cost is checked before anything is timed. The floor is the time of a step's "
    "matrix products alone, in the library that is fastest at them on the same kind of device."
)
HOW = (
    "How it was measured: ours and the rivals that compute with one library take turns, each is waited for, and medians are given. A rival "
    "is written in several ways, and the fastest counts. A step has its batch ready; an epoch is what a user waits for: the batches drawn "
    "on the host and moved, the updates, the cost read. A step of scikit-learn is a call of partial_fit, which looks at the data first. "
    "What PyTorch compiles is forward pass and loss, as its users do; its optimizer is its own fused one. Ours compiles the whole step."
)
TINY = (
    "Where a multiple is far above 1 the network is too small for its products to matter: what is timed is the overhead of calls. A "
    "compiled epoch (JAX) makes no calls between its steps; it can be below the floor there, which is measured call by call."
)


def run(plan: Plan, tell: Tell, *, shapes: Sequence[Shape] | None = None, optimizers: Sequence[str] = tuple(OPTIMIZERS)) -> Section:
    """Check that everybody computes the same, and time a step and an epoch of each; with sizes in the plan, ours alone for that network.

    Parameters
    ----------
    plan : Plan
    tell : callable
    shapes : sequence of Shape, optional
        In the place of :data:`FULL` or :data:`QUICK`.
    optimizers : sequence of str, default all
        Of :data:`OPTIMIZERS`.

    Returns
    -------
    Section
    """
    if plan.sizes:
        return choice.run(plan, tell)
    shapes = shapes or (QUICK if plan.quick else FULL)
    backends = tuple(dict.fromkeys((*plan.backends, *RIVALS)))
    pairs = list(product(shapes, optimizers))
    cases: list[Case] = []
    for index, (shape, optimizer) in enumerate(pairs):
        task = make_task(*shape, optimizer=optimizer)
        wanted = reach(ours(task, get_backend("numpy")), task)
        case = Case(task, len(task.X) // task.size, [])
        for number, backend in enumerate(backends):
            tell(f"{name_of(task)}, {optimizer}, with {backend}", (index + number / len(backends)) / len(pairs))
            case.measured.append(measure(plan, task, backend, wanted, seconds=plan.seconds / (4 * len(pairs) * len(backends))))
        cases.append(case)
    notes = dict.fromkeys(note for case in cases for one in case.measured for note in one.notes)
    return Section("peers", "Training against other libraries", CLAIM, figures(cases), grids(cases), (HOW, TINY, *notes))


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
            result.notes.append(f"{backend}: one way was not timed at {name_of(task)}: {type(error).__name__}: {reason}.")
            continue
        if why_not is None:
            entrants[one.name] = one
        else:
            result.notes.append(f"{one.name} with {backend} was not timed at {name_of(task)}: {why_not}.")
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
