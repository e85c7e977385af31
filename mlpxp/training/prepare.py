"""A run of training is prepared: data placed and checked, where it begins, how its epochs are cut. Then it is a loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpxp.arrays.backend import Backend, choose_backend, plain
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import Array, device_of, dtype_name, is_array, namespace, tree_map
from mlpxp.core.evaluation import Evaluator
from mlpxp.core.network import Network, Parameters, initialize
from mlpxp.core.shapes import check_examples, check_kinds, plain_layers
from mlpxp.errors import OutOfMemoryError, RangeError, ShapeError
from mlpxp.files.checkpoint_file import Kept
from mlpxp.runs.history import History, TrainingResult
from mlpxp.runs.snapshot import Snapshot
from mlpxp.runs.stopping import Patience, Watched
from mlpxp.training.batches import Batches
from mlpxp.training.checkpoints import Checkpoints, asked_of
from mlpxp.training.loop import Loop
from mlpxp.training.precision import asks_for_finer_costs, finest, warn_of_scale
from mlpxp.training.progress import bar

if TYPE_CHECKING:
    from mlpxp.core.optimizers import Optimizer
    from mlpxp.training.options import Plan

__all__ = ["Run", "longest_fold", "prepare"]


class Examples(NamedTuple):
    """Examples of one library, on one device: X (n_0, m) or Rows, Y (n_L, m), weights (m,) or None."""

    X: Any
    Y: Any
    weights: Any

    @property
    def m(self) -> int:
        return int(self.X.shape[-1])

    @property
    def like(self) -> Any:
        """An array that is where they are: rows of the host are none."""
        return self.Y if isinstance(self.X, Rows) else self.X


@dataclass(frozen=True)
class Run:
    """A run that is ready: call it."""

    loop: Loop
    plan: Plan

    def __call__(self) -> TrainingResult:
        """Run it to its end.

        Raises
        ------
        DivergenceError
        OutOfMemoryError
            The message suggests a batch size.
        """
        plan, loop = self.plan, self.loop
        try:
            with bar(shown=True) if plan.progress else nullcontext([]) as shown:
                return loop.run(plan.epochs, max_seconds=plan.max_seconds, callbacks=[*plan.callbacks, *shown])
        except OutOfMemoryError as error:
            remedy = _smaller(loop.network, loop.now.members, loop.batches.size or loop.batches.m, loop.data[1], error.free)
            raise OutOfMemoryError(f"{error}; {remedy}", error.asked, error.free) from error


def prepare(
    network: Network,
    X: Array | Rows,
    Y: Array,
    plan: Plan,
    *,
    weights: Array | None = None,
    validation: Sequence[Array] | None = None,
    start: Parameters | TrainingResult | None = None,
    backend: str | Backend = "auto",
    device: Any = None,
) -> Run:
    """Return a run of :func:`mlpxp.train`, whose arguments these are: all that can be wrong is found here.

    Raises
    ------
    ShapeError, DtypeError, BackendError, DataError, RangeError, OutputError, FileFormatError
        As :func:`mlpxp.train`.
    """
    library = choose_backend(backend, *(Y if isinstance(X, Rows) else X, Y))
    examples = _placed(library, backend, device, (X, Y, weights))
    held_out = None if validation is None else _placed(library, backend, device, (*validation, None)[:3], of="validation ")
    check_kinds(network, examples.X, examples.Y)
    earlier = start if isinstance(start, TrainingResult) else None
    seed = plan.seed if plan.seed is not None else 0 if earlier is None else earlier.seed
    parameters = _first_parameters(network, library, examples, start, seed)
    check_examples(network, library, parameters, examples, names=("X", "Y", "weights"))
    if held_out is not None:
        check_examples(network, library, parameters, held_out, names=("validation X", "validation Y", "validation weights"))
    if earlier is None and dtype_name(examples.Y) == "float32":
        warn_of_scale(library, examples.X)
    parameters = tree_map(library.asarray, parameters)  # rows contiguous
    snapshot = _beginning(network, library, plan, parameters, earlier, validates=held_out is not None)
    batches = _batches(network, library, plan, examples, members=snapshot.members, seed=seed)
    keeper = None
    if plan.checkpoint is not None:
        asked = asked_of(network, library, plan, snapshot, batches, examples, held_out)
        keeper = Checkpoints(plan.checkpoint, Kept(snapshot, network, asked, batches.longest, plan.keeps_best, seed))
        kept = keeper.begin(library)
        snapshot, batches = kept.snapshot, replace(batches, longest=kept.longest)
        batches.pass_over(snapshot.first + 1, len(snapshot.history.cost))
    loop = Loop(
        network,
        library,
        plan.optimizer,
        snapshot,
        _as_rows(library, examples, gathered=batches.size is not None),
        batches=replace(batches, longest=1) if isinstance(X, Rows) else batches,  # rows are read a batch at a time
        stopping=plan.stopping,
        penalty=plan.penalty,
        dropout=plan.dropout if any(plan.dropout) else (),
        transforms=plan.transforms,
        finer=_asks_for_finer_costs(network, library, plan, parameters, examples),
        evaluator=None if held_out is None else Evaluator.of(network, library, *held_out),
        keeps_best=plan.keeps_best,
        keeper=keeper,
    )
    return Run(loop, plan)


def _placed(library: Backend, backend: str | Backend, device: Any, examples: tuple[Any, ...], of: str = "") -> Examples:
    """Make host data arrays, and move what was asked to be moved: to a library that was named, to a device of their own library's."""

    def placed(name: str, values: Any) -> Any:
        if isinstance(values, Rows):
            return values
        if not is_array(values):
            return library.asarray(values, device=device)
        values = plain(of + name, values)
        is_here = namespace(values) is library.namespace
        if (device is None and is_here) or (backend == "auto" and not is_here):  # another library's arrays are refused further down
            return values
        if values.ndim < 2:
            return library.asarray(values, device=device)
        return library.asarray(values.mT, device=device).mT  # rows are contiguous, as batches are gathered: no second copy for that

    X, Y, weights = examples
    return Examples(placed("X", X), placed("Y", Y), None if weights is None else placed("weights", weights))


def _first_parameters(
    network: Network, library: Backend, examples: Examples, start: Parameters | TrainingResult | None, seed: int
) -> Parameters:
    if isinstance(start, TrainingResult):
        return start.last_parameters
    if start is not None:
        return plain_layers(start)
    like = examples.like
    return initialize(network, seed=seed, backend=library, dtype=dtype_name(like), device=device_of(like))


def _beginning(
    network: Network, library: Backend, plan: Plan, parameters: Parameters, earlier: TrainingResult | None, *, validates: bool
) -> Snapshot:
    """Return where the run begins: anew, or where an earlier one has ended."""
    members = _members(parameters)
    if earlier is None:
        return Snapshot.at_start((parameters, plan.optimizer.start(parameters)), History(), Watched.nothing(members))
    state = tree_map(library.asarray, _state_of(earlier, network, plan.optimizer))
    past = earlier.history.validation_cost if validates else earlier.history.cost
    if plan.keeps_best and not earlier.restored_best:
        past = past[-1:]  # of the epochs before, only the last one's parameters are still there
    watched = Watched.nothing(members)
    if isinstance(plan.stopping, Patience):
        watched = plan.stopping.over(members, past, before=len(earlier.history.cost) - len(past))
    return Snapshot.at_start((parameters, state), earlier.history, watched, best=earlier.parameters)


def _batches(network: Network, library: Backend, plan: Plan, examples: Examples, *, members: int, seed: int) -> Batches:
    m, size = examples.m, plan.batch_size
    size = None if size is None or size >= m else size
    return Batches(
        m=m,
        size=size,
        seed=seed,
        longest=longest_fold(network, examples=members * (size or m)),
        order=plan.order,
        weights=None if examples.weights is None else library.to_numpy(examples.weights).astype("float64"),
    )


def _asks_for_finer_costs(network: Network, library: Backend, plan: Plan, parameters: Parameters, examples: Examples) -> bool:
    judged_by = finest(plan.stopping.resolution, *plan.callbacks) if dtype_name(examples.Y) == "float32" else None
    if judged_by is None:
        return False
    penalty = plan.penalty.strength / (examples.m if plan.penalty.on == "sum" else 1)
    return asks_for_finer_costs(network, library, parameters, (examples.X, examples.Y), tolerance=judged_by, penalty=penalty)


def _as_rows(library: Backend, examples: Examples, *, gathered: bool) -> tuple[Any, Any, Any]:
    """Return X and Y one example a row, in one layout whatever theirs was, as rounding depends on it: by example where gathered."""

    def row(array: Any) -> Any:
        return library.asarray(array.mT) if gathered else library.asarray(array).mT

    X, Y, weights = examples
    return X if isinstance(X, Rows) else row(X), row(Y), weights


def _smaller(network: Network, members: int, batch: int, Y: Array, free: int | None) -> str:
    """Say which batch would fit: K3, the activations and the errors of the batch, and as much again for what is on its way."""
    an_example = 4 * sum(network.sizes) * members * (8 if dtype_name(Y) == "float64" else 4)
    fits = max(1, min(batch // 2, batch if free is None else free // an_example))
    if batch == 1:
        return "the batch is one example already: try a smaller network"
    return f"try batch_size={2 ** (fits.bit_length() - 1)}"


def _members(parameters: Parameters) -> int:
    stacked = tuple(parameters[0].W.shape[:-2])
    if len(stacked) > 1:
        raise ShapeError(f"a stack to train must have one leading axis, got {stacked}")
    return math.prod(stacked)


def longest_fold(network: Network, examples: int) -> int:
    """Return how many batches make about half a second of work on one core, so that a stop request is soon heard."""
    seconds_a_batch = 5e-5 + 6 * network.n_parameters * examples / 2e10  # K2: 6 operations a parameter and example
    return max(1, int(0.5 / seconds_a_batch))


def _state_of(earlier: TrainingResult, network: Network, optimizer: Optimizer) -> Any:
    """Return the optimizer's state that an earlier result ended with, if this run can go on from it."""
    if earlier.network != network:
        raise RangeError(
            f"start must be a result of the same network, {network}, got one of {earlier.network}: pass its parameters instead"
        )
    wanted, got = optimizer.start(earlier.last_parameters), earlier.optimizer_state
    if type(wanted) is not type(got) or [leaf is None for leaf in wanted] != [leaf is None for leaf in got]:
        raise RangeError(
            f"start was trained by another optimizer than {type(optimizer).__name__} with these options, and its state does not fit: "
            "pass its parameters to begin anew from them"
        )
    return got
