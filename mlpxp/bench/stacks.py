"""Many small networks as one stack: the time of one network's update against how many are trained at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.standard import device_of, tree_map
from mlpxp.bench._timing import Timing, time_in_turn
from mlpxp.bench.agreement import Reached, flat, objection
from mlpxp.bench.problems import classifier
from mlpxp.bench.rivals import products
from mlpxp.bench.tasks import Training, make_task
from mlpxp.core.network import initialize
from mlpxp.report.results import Figure, Grid, Point, Section, Series
from mlpxp.report.wording import decimal

if TYPE_CHECKING:
    from mlpxp.bench.plan import Plan
    from mlpxp.bench.suite import Tell
    from mlpxp.bench.tasks import Task
    from mlpxp.core.network import Parameters

__all__ = ["FULL", "QUICK", "Stacked", "measure", "objection_to_stack", "run", "task_of"]

SIZES, BATCH, BATCHES = (2, 16, 2), 32, 32
FULL, QUICK = (1, 10, 100, 1000, 10000), (1, 100, 1000)
NAMED = 1000  # the ratio that is said
IN_A_ROW = 20  # networks that are trained one by one in a turn: the first ones after a large stack find nothing of theirs in the caches
MICRO = 1e6
Row: TypeAlias = tuple[str, int, float, float, float, float | None, float | None]  # of the table
CLAIM = (
    "A step of a tiny network is overhead of calls. As a stack, k networks share it: the same lines of code on arrays with one more axis. "
    f"{'-'.join(map(str, SIZES))}, batch {BATCH}, float32, plain gradient descent; the members see the same batches and start from "
    "weights of their own."
)
HOW = (
    f"How it was measured: an epoch of {BATCHES} batches through train's own loop, divided by its batches and by k. Networks one by one, "
    "the stack and the batched products alone (numpy.matmul of the stacked operands of a step: the limit of what a stack can gain with "
    "NumPy) take turns; medians. That members of the stack end with the parameters of networks trained alone is checked first."
)


@dataclass
class Stacked:
    """What took how long with one library.

    Attributes
    ----------
    backend : str
    alone, epochs, products : dict of int to Timing
        By k: an epoch of networks one by one, :data:`IN_A_ROW` at most, one of the stack, and the products of a step on NumPy.
    notes : list of str
        What was not timed, and why.
    """

    backend: str
    alone: dict[int, Timing] = field(default_factory=dict)
    epochs: dict[int, Timing] = field(default_factory=dict)
    products: dict[int, Timing] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def run(plan: Plan, tell: Tell, *, sizes: Sequence[int] | None = None) -> Section:
    """Check that a stack's members learn what they learn alone, and time them.

    Parameters
    ----------
    plan : Plan
    tell : callable
    sizes : sequence of int, optional
        How many networks, in the place of :data:`FULL` or :data:`QUICK`.

    Returns
    -------
    Section
    """
    sizes = sizes or (QUICK if plan.quick else FULL)
    members = initialize(classifier(SIZES, "tanh"), seed=range(max(sizes)))
    found = []
    for index, backend in enumerate(plan.backends):
        part = partial(_tell_part, tell, index / len(plan.backends), 1 / len(plan.backends))
        found.append(measure(plan, backend, members, sizes, part))
    notes = dict.fromkeys(note for one in found for note in one.notes)
    return Section("stacks", "Many networks as one", CLAIM, (_figure(found),), (_grid(found),), (*_ratios(found), HOW, *notes))


def task_of(members: Parameters, k: int | None = None) -> Task:
    """Return the training of the first k of these networks as a stack; ``None`` is the first one by itself."""
    start: Parameters = tree_map(lambda leaf: leaf[0, ...] if k is None else leaf[:k, ...], members)
    return make_task(SIZES, BATCH, BATCHES, "tanh", start=start)


def measure(plan: Plan, backend: str, members: Parameters, sizes: Sequence[int], tell: Tell) -> Stacked:
    """Time stacks of each size with one library, networks one by one in turn with them; who errs or has no room is noted.

    Parameters
    ----------
    plan : Plan
    backend : str
    members : tuple of Layer
        A stack of as many networks as are wanted.
    sizes : sequence of int
    tell : callable
    """
    result, library = Stacked(backend), get_backend(backend)
    on_gpu = "cpu" not in str(device_of(library.asarray([0.0], dtype="float32", device=plan.device))).lower()
    wait = library.synchronize if on_gpu else _nothing
    alone = Training(task_of(members), library, plan.device)
    for index, k in enumerate(sizes):
        tell(f"{k:,} with {backend}", index / len(sizes))
        task = task_of(members, k)
        try:
            stack = Training(task, library, plan.device)
            why_not = objection_to_stack(stack, members, k)
        except Exception as error:  # no room for so many, a compiler that fails: the smaller ones were measured
            result.notes.append(f"{backend}: not measured from k = {k:,} on: {' '.join(str(error).split())[:200]}.")
            break
        if why_not is not None:
            result.notes.append(f"{backend}: not timed at k = {k:,}: {why_not}.")
            continue
        turns: dict[str, Any] = {"alone": partial(_one_by_one, alone, k), "stack": partial(stack.epoch, 2)}
        seconds = plan.seconds / (2 * len(sizes) * len(plan.backends))
        if library.name == "numpy":
            turns["products"] = products(task, library)
        times = time_in_turn(turns, wait=wait, seconds=seconds, least=3, most=300)
        result.alone[k], result.epochs[k] = times["alone"], times["stack"]
        if "products" in times:
            result.products[k] = times["products"]
    return result


def objection_to_stack(stack: Training, members: Parameters, k: int) -> str | None:
    """Train a stack of k members for an epoch; say which of the first, the middle and the last did not learn what it learns alone."""
    stack.epoch(1)
    costs, leaves = stack.costs, stack.parameters()
    for member in sorted({0, k // 2, k - 1}):
        task = task_of(tree_map(lambda leaf, i=member: leaf[i:, ...], members))
        alone = Training(task, get_backend("numpy"))
        cost = alone.epoch(1)
        got = Reached(None, flat([leaf[member, ...] for leaf in leaves]), costs[member])
        why_not = objection(got, Reached(None, flat(alone.parameters()), cost), task)
        if why_not is not None:
            return f"member {member:,} did not learn what it learns alone: {why_not}"
    return None


def _nothing() -> None:
    """Wait for nothing."""


def _one_by_one(alone: Training, k: int) -> None:
    """An epoch of as many networks as are trained in a row."""
    for _ in range(min(k, IN_A_ROW)):
        alone.epoch(2)


def _each(timing: Timing, k: int = 1, steps: int = BATCHES) -> float:
    """Microseconds of one network's step."""
    return MICRO * timing.median / (k * steps)


def _rows(found: Sequence[Stacked]) -> list[Row]:
    rows: list[Row] = []
    for one in found:
        for k, timing in one.epochs.items():
            ours, alone = _each(timing, k), _each(one.alone[k], min(k, IN_A_ROW))
            floor = _each(one.products[k], k, 1) if k in one.products else None
            rows.append((one.backend, k, ours, alone, alone / ours, floor, floor and ours / floor))
    return rows


def _grid(found: Sequence[Stacked]) -> Grid:
    columns = (
        "computed with",
        "k",
        "as a stack, microseconds a network and step",
        "one by one",
        "one by one / as a stack",
        "products alone",
        "times the products alone",
    )
    return Grid("stacks", "One network's step among k", columns, tuple(_rows(found)), keys=2)


def _ratios(found: Sequence[Stacked]) -> list[str]:
    """What a reader should remember."""
    said = []
    for backend, k, ours, alone, ratio, floor, _ in _rows(found):
        if k != NAMED:
            continue
        text = f"{backend}: {k:,} networks as one stack take {decimal(ours, 3)} microseconds each a step"
        text += f", one by one {decimal(alone, 3)}: {decimal(ratio, 3)} times as long"
        if floor is not None:
            text += (
                f". Its products alone take {decimal(floor, 3)}: no more than {decimal(alone / floor, 3)} times is there to gain with them"
            )
        said.append(f"{text}.")
    return said


def _figure(found: Sequence[Stacked]) -> Figure:
    series = []
    for one in found:
        stacked, alone, limit = (
            tuple(
                Point(k, _each(timing, n, steps), "measured", *(MICRO * seconds / (n * steps) for seconds in timing.quartiles))
                for k, timing in times.items()
                for n in (min(k, IN_A_ROW) if times is one.alone else k,)
            )
            for times, steps in ((one.epochs, BATCHES), (one.alone, BATCHES), (one.products, 1))
        )
        series += [Series(f"{one.backend}, as a stack", stacked), Series(f"{one.backend}, one by one", alone)]
        series += [Series("numpy.matmul, the products alone", limit)] if limit else []
    return Figure(
        "stacks",
        f"A step of one of k networks {'-'.join(map(str, SIZES))}, batch {BATCH}",
        "networks k",
        "microseconds a network and step",
        tuple(series),
        "Where a line falls as 1/k the step is overhead that the members share; where it is flat it is arithmetic.",
    )


def _tell_part(tell: Tell, first: float, part: float, text: str, share: float) -> None:
    tell(text, first + part * share)
