"""The training loop (G2): forward, backward, update, until there is a reason to stop.

One step (:class:`mlpxp.training.step.TrainingStep`) is the same function on every backend. A backend's ``fold`` runs many of them without a
word to the host; whatever needs the host (costs read, stopping, callbacks, checkpoints, Ctrl-C) happens between folds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from mlpxp.arrays.placing import on_device_of
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import device_of, dtype_name
from mlpxp.core.evaluation import read_rows
from mlpxp.core.network import Network, Parameters
from mlpxp.core.optimizers import is_pure, rate_at
from mlpxp.core.shapes import finite_members
from mlpxp.core.transforms import NO_PENALTY, Penalty, Transform
from mlpxp.errors import DivergenceError, DtypeError, RangeError
from mlpxp.runs.history import Epoch, PerMember, Record, TrainingResult
from mlpxp.runs.snapshot import NO_PART, Part, Snapshot
from mlpxp.runs.stopping import FOR_NOW, NEVER, Stop, StoppingRule
from mlpxp.training.step import Feed, TrainingStep, choose

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.evaluation import Evaluator
    from mlpxp.training.batches import Batches, Fold

__all__ = ["Callback", "Keeper", "Loop", "says_stop"]

Callback: TypeAlias = Callable[[Epoch], object]
_LOOK_EVERY = 64  # epochs; a look costs a pass over the parameters


class Keeper(Protocol):
    """What takes note of where a run stands, so that it can go on from there: see :mod:`mlpxp.training.checkpoints`."""

    def due(self, epoch: int | None = None) -> bool:
        """Return whether it is time, within an epoch or after epoch ``epoch``."""
        ...

    def keep(self, snapshot: Snapshot) -> None: ...


class Loop:
    """A run of training: where it stands, and what it needs to go on, to stop, to go back and to report.

    Parameters
    ----------
    network : Network
    library : Backend
    optimizer : Optimizer
    snapshot : Snapshot
        Where it begins.
    data : (X, Y, weights)
        One example a row; ``weights`` may be ``None``.
    batches : Batches
    stopping : StoppingRule
    penalty : Penalty
    dropout, transforms, finer
        As in :class:`TrainingStep`.
    evaluator : Evaluator or None
        Of the validation data.
    keeps_best : bool
        Whether the best epoch's parameters are the result.
    keeper : Keeper or None
        Where checkpoints go.
    """

    def __init__(
        self,
        network: Network,
        library: Backend,
        optimizer: Any,
        snapshot: Snapshot,
        data: tuple[Any, Any, Any],
        *,
        batches: Batches,
        stopping: StoppingRule = NEVER,
        penalty: Penalty = NO_PENALTY,
        dropout: tuple[float, ...] = (),
        transforms: tuple[Transform, ...] = (),
        finer: bool = False,
        evaluator: Evaluator | None = None,
        keeps_best: bool = False,
        keeper: Keeper | None = None,
    ) -> None:
        self.network, self.library, self.optimizer, self.data = network, library, optimizer, data
        self.batches, self.stopping, self.evaluator, self.keeps_best, self.keeper = batches, stopping, evaluator, keeps_best, keeper
        self.now = snapshot  # but for the epochs since, which are:
        self.records: list[Record] = []
        self.is_stack, self.device = snapshot.state[0][0].W.ndim > 2, device_of(snapshot.state[0][0].W)
        self.step = TrainingStep(network, _without_rate(optimizer), dropout, transforms, finer)
        self.feed = Feed(library, snapshot.state[0][0].W, optimizer.learning_rate, batches, penalty, len(dropout))
        self.running: Any = None  # the mask on the device; None while all members run
        self.clock = time.perf_counter() - snapshot.seconds

    def run(self, epochs: int, *, max_seconds: float | None, callbacks: Sequence[Callback]) -> TrainingResult:
        """Train for ``epochs`` epochs from where the run began, or until there is a reason to stop before."""
        done, last = len(self.now.history.cost), self.now.first + epochs
        self.clock = time.perf_counter() - self.now.seconds
        deadline = math.inf if max_seconds is None else time.perf_counter() + max_seconds - self.now.spent
        with on_device_of(self.now.state[0][0].W):
            try:
                self._freeze()
                for number in range(done + 1, last + 1):
                    if all(self.now.stops):
                        break
                    if self._updates(number, deadline):
                        self._report(number, last, callbacks)
                        self._keep(number)
                if self.keeper is not None and (self.records or self.now.part.batches):
                    self.keeper.keep(self.snapshot())
                self.now = self.now.stopped(Stop.MAXIMUM)
            except KeyboardInterrupt:
                self.now = self.now.stopped(Stop.INTERRUPTED)
            return self._result()

    def snapshot(self) -> Snapshot:
        """Return where the run stands, as another one can go on from it."""
        now = self.now
        stops = tuple(None if stop in FOR_NOW else stop for stop in now.stops)
        return now._replace(history=now.history.extended(self.records), stops=stops, seconds=time.perf_counter() - self.clock)

    def _updates(self, number: int, deadline: float) -> bool:
        """Run the folds of an epoch and take note of its cost; return whether it was finished before the deadline."""
        now = self.now
        before, started = (now.before, now.started) if now.part.batches else (now.started, now.state[0])
        del now  # its state may go as soon as there is another
        unread: tuple[Fold, Any] | None = None  # the fold that runs, and its costs, still on the device
        for fold in self.batches.epoch(number, self.now.part.batches):
            if unread is not None:
                self.now = self.now._replace(part=self._read(*unread))  # waits for the fold before: a stop request is soon heard
                self._keep()
            if time.perf_counter() > deadline:
                self.now = self.now.stopped(Stop.TIME)
                return False
            self.now = self.now._replace(before=before, started=started)  # what came before them may go
            inputs = self.feed(number, fold)
            rates = inputs.learning_rate
            if isinstance(self.data[0], Rows):
                rows = None if fold.rows is None else fold.rows[0]
                inputs, data = inputs._replace(rows=None), read_rows(self.library, rows, *self.data)
            else:
                data = self.data
            state, costs = self.library.fold(self.step, self.now.state, inputs, *data, self.running)
            self.now = self.now._replace(state=state, rates=rates)
            unread = fold, costs
        if unread is None:
            done = self.now.part.batches
            raise RangeError(f"{done} batches of epoch {number} can't have been done, as the checkpoint says: it has no more")
        got = self.now.state[0][0].W.dtype
        if got != started[0].W.dtype:
            raise DtypeError(
                f"a step must keep the dtype of the parameters, {dtype_name(started[0].W)}, got {dtype_name(self.now.state[0][0].W)}: an "
                "activation, a loss or an optimizer computes in another one, as with a constant of NumPy's, float64; make it a plain float"
            )
        whole = self._read(*unread)  # waits for all the work of the epoch
        self.costs: list[float] = _as_list(whole.cost / whole.weight)
        if self.now.part.batches:
            self.now = self.now._replace(part=NO_PART)
        if not all(map(math.isfinite, self.costs)):
            diverged = [goes_on and not math.isfinite(cost) for goes_on, cost in zip(self.now.running, self.costs, strict=True)]
            if any(diverged):
                self._take_back(diverged, number)
        if number % _LOOK_EVERY == 0:
            self._look(number)
        return True

    def _read(self, fold: Fold, costs: Any) -> Part:
        """Return the part of the epoch that is done with this fold."""
        return self.now.part.after(self.library.to_numpy(costs).astype("float64"), fold.total, fold.places[-1] + 1)

    def _keep(self, epoch: int | None = None) -> None:
        if self.keeper is not None and self.keeper.due(epoch):
            self.keeper.keep(self.snapshot())

    def _report(self, number: int, last: int, callbacks: Sequence[Callback]) -> None:
        """After an epoch: evaluate, take note, judge, and tell the callbacks."""
        parameters, evaluation = self.now.state[0], None if self.evaluator is None else self.evaluator(self.now.state[0])
        epoch = Epoch(
            number=number,
            last=last,
            cost=self._each(self.costs),
            validation_cost=None if evaluation is None else self._each(_as_list(evaluation.cost)),
            validation_score=None if evaluation is None else self._each(_as_list(evaluation.score)),
            seconds=time.perf_counter() - self.clock,
            learning_rate=rate_at(self.optimizer.learning_rate, number - 1),
            parameters=parameters,
        )
        self.records.append((epoch.cost, epoch.validation_cost, epoch.validation_score, epoch.seconds, epoch.learning_rate))
        running = self.now.running
        watched, improved, exhausted = self.stopping.judge(epoch, self.now.watched, running)
        best = self._choose(improved, parameters, self.now.best) if self.keeps_best else self.now.best
        self.now = self.now._replace(watched=watched, best=best)
        if any(exhausted):
            self.now = self.now.stopped(self.stopping.reason, [done and goes_on for done, goes_on in zip(exhausted, running, strict=True)])
        for answer in [callback(epoch) for callback in callbacks]:  # every callback hears of every epoch
            if says_stop(answer):
                self.now = self.now.stopped(Stop.CALLBACK)
            elif self.is_stack and isinstance(answer, list | tuple):
                self.now = self.now.stopped(Stop.CALLBACK, answer)
        self._freeze()

    def _take_back(self, diverged: list[bool], number: int) -> None:
        """Take members that are no longer finite back to their last finite parameters; raise if no member is left."""
        finite = self.now.safe
        for parameters in (self.now.before, self.now.started):
            finite = self._choose(self._finite(parameters), parameters, finite)
        anew = finite, self.optimizer.start(finite)  # what the optimizer remembers is no good any more
        stops = tuple(Stop.DIVERGED if bad else stop for bad, stop in zip(diverged, self.now.stops, strict=True))
        self.now = self.now._replace(state=self._choose(diverged, anew, self.now.state), stops=stops)
        if all(stop is Stop.DIVERGED for stop in stops):
            rate = rate_at(self.optimizer.learning_rate, number - 1)
            had_best = [epoch > 0 for epoch in self.now.watched.best_epoch]
            raise DivergenceError(
                f"the cost stopped being finite in epoch {number}, with learning rate {rate}: "
                "try a smaller learning rate, or features on a common scale",
                parameters=self.now.state[0],
                history=self.now.history.extended(self.records),
                best=self._choose(had_best, self.now.best, self.now.state[0]) if self.keeps_best and any(had_best) else None,
            )

    def _look(self, number: int) -> None:
        """Look at the parameters themselves: behind a saturated unit they can be infinite and the cost finite."""
        finite = self._finite(self.now.state[0])
        if all(finite):
            self.now = self.now._replace(safe=self.now.state[0])
        else:
            self._take_back([not good for good in finite], number)

    def _finite(self, parameters: Parameters) -> list[bool]:
        return _as_list(finite_members(self.library, parameters))

    def _freeze(self) -> None:
        if self.is_stack and any(self.now.stops):
            self.running = self._mask(self.now.running)

    def _choose(self, these: Sequence[bool], new: Any, old: Any) -> Any:
        """Return ``new`` for these members and ``old`` for the others."""
        if all(these):
            return new
        return choose(self._mask(these), new, old) if any(these) else old

    def _mask(self, these: Sequence[bool]) -> Any:
        return self.library.asarray(list(these), device=self.device)[:, None, None]

    def _each(self, values: list[float]) -> PerMember:
        return tuple(values) if self.is_stack else values[0]

    def _result(self) -> TrainingResult:
        self._look(len(self.now.history.cost) + len(self.records))  # the very last update may have done it
        now = self.now
        stops = tuple(stop or Stop.MAXIMUM for stop in now.stops)
        return TrainingResult(
            network=self.network,
            parameters=now.best if self.keeps_best else now.state[0],
            history=now.history.extended(self.records),
            stop=stops if self.is_stack else stops[0],
            best_epoch=now.watched.best_epoch if self.is_stack else now.watched.best_epoch[0],
            last_parameters=now.state[0],
            optimizer_state=now.state[1] if now.rates is None else now.state[1]._replace(learning_rate=now.rate),
            seed=self.batches.seed,
            restored_best=self.keeps_best,
        )


def says_stop(answer: object) -> bool:
    """Return whether a callback's answer is ``True``, also as an array library's own: ``numpy.all(...)`` is no ``bool``."""
    return answer is True or (getattr(answer, "shape", None) == () and str(getattr(answer, "dtype", "")).endswith("bool") and bool(answer))


def _without_rate(optimizer: Any) -> Any:
    """Return the optimizer as a compiler should see it: η comes with each step, and a changed one recompiles nothing."""
    if not is_pure(optimizer):  # a copy doesn't hear of a change
        return optimizer
    return replace(optimizer, learning_rate=1.0) if is_dataclass(optimizer) and not isinstance(optimizer, type) else optimizer


def _as_list(values: Any) -> list[Any]:
    values = values.tolist() if hasattr(values, "tolist") else values
    return values if isinstance(values, list) else [values]
