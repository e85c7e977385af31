"""The training loop (G2): forward, backward, update, until there is a reason to stop.

One step (:class:`mlpxp.training.step.TrainingStep`) is the same function on every backend. A backend's ``fold`` runs many of them without a
word to the host; whatever needs the host (costs read, stopping, callbacks, checkpoints, Ctrl-C) happens between folds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from mlpxp.arrays.placing import on_device_of
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import device_of, dtype_name
from mlpxp.core.evaluation import read_rows
from mlpxp.core.network import Network, Parameters
from mlpxp.core.optimizers import is_pure, rate_at
from mlpxp.errors import DivergenceError, DtypeError, RangeError
from mlpxp.runs.history import Epoch, PerMember, Record, TrainingResult
from mlpxp.runs.snapshot import NO_PART, Standing
from mlpxp.runs.stopping import FOR_NOW, Stop
from mlpxp.training._inputs import NO_PENALTY, Feed, Penalty
from mlpxp.training.checks import finite_members
from mlpxp.training.step import TrainingStep, choose

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

    def keep(self, standing: Standing) -> None: ...


class Loop:
    """A run of training: what it changes, and what it needs to stop, to go back and to report.

    Parameters
    ----------
    network : Network
    library : Backend
    optimizer : Optimizer
    standing : Standing
        Where it begins.
    data : (X, Y, weights)
        One example a row; ``weights`` may be ``None``.
    batches : Batches
    penalty : Penalty
    dropout, clip_norm, finer
        As in :class:`TrainingStep`.
    evaluator : Evaluator or None
        Of the validation data.
    restores_best : bool
        Whether the best epoch's parameters are the result.
    keeper : Keeper or None
        Where checkpoints go.
    """

    def __init__(
        self,
        network: Network,
        library: Backend,
        optimizer: Any,
        standing: Standing,
        data: tuple[Any, Any, Any],
        *,
        batches: Batches,
        penalty: Penalty = NO_PENALTY,
        dropout: tuple[float, ...] = (),
        clip_norm: float | None = None,
        finer: bool = False,
        evaluator: Evaluator | None = None,
        restores_best: bool = False,
        keeper: Keeper | None = None,
    ) -> None:
        self.network, self.library, self.optimizer, self.data = network, library, optimizer, data
        self.batches, self.evaluator, self.restores_best, self.keeper = batches, evaluator, restores_best, keeper
        self.past, self.watch = standing.history, deepcopy(standing.watch)
        self.first, self.seconds, self.spent = standing.first, standing.seconds, standing.spent  # the state is not held, only followed
        self.state, self.best, self.safe, self.part = standing.state, standing.best, standing.safe, standing.part
        self.started, self.before = standing.started, standing.before
        self.stops: list[Stop | None] = list(standing.stops)
        self.rates: Any = None if standing.rate is None else standing.rate[None, ...]  # of the updates of the last fold
        self.records: list[Record] = []
        W = self.state[0][0].W
        self.device, self.is_stack = device_of(W), W.ndim > 2
        self.step = TrainingStep(network, _without_rate(optimizer), dropout, clip_norm, finer)
        self.feed = Feed(library, W, optimizer.learning_rate, batches, penalty, len(dropout))
        self.running: Any = None  # the mask on the device; None while all members run
        self.clock = time.perf_counter() - standing.seconds

    def run(self, epochs: int, *, max_seconds: float | None, callbacks: Sequence[Callback]) -> TrainingResult:
        """Train for ``epochs`` epochs from where the run began, or until there is a reason to stop before."""
        done, last = len(self.past.cost), self.first + epochs
        self.clock = time.perf_counter() - self.seconds
        deadline = math.inf if max_seconds is None else time.perf_counter() + max_seconds - self.spent
        with on_device_of(self.state[0][0].W):
            try:
                self._freeze()
                for number in range(done + 1, last + 1):
                    if all(self.stops):
                        break
                    if self._updates(number, deadline):
                        self._report(number, last, callbacks)
                        self._keep(number)
                if self.keeper is not None and (self.records or self.part.batches):
                    self.keeper.keep(self._standing())
                self._stop(Stop.MAXIMUM)
            except KeyboardInterrupt:
                self._stop(Stop.INTERRUPTED)
            return self._result()

    def _updates(self, number: int, deadline: float) -> bool:
        """Run the folds of an epoch and take note of its cost; return whether it was finished before the deadline."""
        before, started = (self.before, self.started) if self.part.batches else (self.started, self.state[0])
        unread: tuple[Fold, Any] | None = None  # the fold that runs, and its costs, still on the device
        for fold in self.batches.epoch(number, self.part.batches):
            if unread is not None:
                self._read(*unread)  # waits for the fold before, so that a stop request is soon heard
                self._keep()
            if time.perf_counter() > deadline:
                self._stop(Stop.TIME)
                return False
            self.before, self.started = before, started
            inputs = self.feed(number, fold)
            self.rates = inputs.learning_rate
            if isinstance(self.data[0], Rows):
                rows = None if fold.rows is None else fold.rows[0]
                inputs, data = inputs._replace(rows=None), read_rows(self.library, rows, *self.data)
            else:
                data = self.data
            self.state, costs = self.library.fold(self.step, self.state, inputs, *data, self.running)
            unread = fold, costs
        if unread is None:
            raise RangeError(f"{self.part.batches} batches of epoch {number} can't have been done, as the checkpoint says: it has no more")
        if self.state[0][0].W.dtype != started[0].W.dtype:
            raise DtypeError(
                f"a step must keep the dtype of the parameters, {dtype_name(started[0].W)}, got {dtype_name(self.state[0][0].W)}: an "
                "activation, a loss or an optimizer computes in another one, as with a constant of NumPy's, float64; make it a plain float"
            )
        self._read(*unread)  # waits for all the work of the epoch
        self.costs: list[float] = _as_list(self.part.cost / self.part.weight)
        self.part = NO_PART
        self._stop_diverged(number)
        if number % _LOOK_EVERY == 0:
            self._look(number)
        return True

    def _read(self, fold: Fold, costs: Any) -> None:
        self.part = self.part.after(self.library.to_numpy(costs).astype("float64"), fold.total, fold.places[-1] + 1)

    def _keep(self, epoch: int | None = None) -> None:
        if self.keeper is not None and self.keeper.due(epoch):
            self.keeper.keep(self._standing())

    def _report(self, number: int, last: int, callbacks: Sequence[Callback]) -> None:
        """After an epoch: evaluate, take note, stop what has converged, and tell the callbacks."""
        costs, scores = self.costs, None
        watched = costs
        if self.evaluator is not None:
            evaluation = self.evaluator(self.state[0])
            watched, scores = _as_list(evaluation.cost), _as_list(evaluation.score)
        running = [stop is None for stop in self.stops]
        improved = self.watch.see(number, watched, running)
        if self.restores_best:
            self.best = self._choose(improved, self.state[0], self.best)
        epoch = Epoch(
            number=number,
            last=last,
            cost=self._each(costs),
            validation_cost=None if scores is None else self._each(watched),
            validation_score=None if scores is None else self._each(scores),
            seconds=time.perf_counter() - self.clock,
            learning_rate=rate_at(self.optimizer.learning_rate, number - 1),
            parameters=self.state[0],
        )
        self.records.append((epoch.cost, epoch.validation_cost, epoch.validation_score, epoch.seconds, epoch.learning_rate))
        for member, exhausted in enumerate(self.watch.exhausted()):
            if exhausted and running[member]:
                self.stops[member] = Stop.CONVERGED if self.evaluator is None else Stop.EARLY
        for answer in [callback(epoch) for callback in callbacks]:  # every callback hears of every epoch
            if says_stop(answer):
                self._stop(Stop.CALLBACK)
            elif self.is_stack and isinstance(answer, list | tuple):
                self.stops = [stop or (Stop.CALLBACK if done else None) for stop, done in zip(self.stops, answer, strict=True)]
        self._freeze()

    def _stop_diverged(self, number: int) -> None:
        """Take members whose cost is no longer finite back to their last finite parameters; raise if no member is left."""
        diverged = [stop is None and not math.isfinite(cost) for stop, cost in zip(self.stops, self.costs, strict=True)]
        if any(diverged):
            self._take_back(diverged, number)

    def _take_back(self, diverged: list[bool], number: int) -> None:
        finite = self.safe
        for parameters in (self.before, self.started):
            finite = self._choose(self._finite(parameters), parameters, finite)
        anew = finite, self.optimizer.start(finite)  # what the optimizer remembers is no good any more
        self.state = self._choose(diverged, anew, self.state)
        self.stops = [Stop.DIVERGED if bad else stop for bad, stop in zip(diverged, self.stops, strict=True)]
        if all(stop is Stop.DIVERGED for stop in self.stops):
            rate = rate_at(self.optimizer.learning_rate, number - 1)
            raise DivergenceError(
                f"the cost stopped being finite in epoch {number}, with learning rate {rate}: "
                "try a smaller learning rate, or features on a common scale",
                parameters=self.state[0],
                history=self.past.extended(self.records),
            )

    def _look(self, number: int) -> None:
        """Look at the parameters themselves: behind a saturated unit they can be infinite and the cost finite."""
        finite = self._finite(self.state[0])
        if all(finite):
            self.safe = self.state[0]
        else:
            self._take_back([not good for good in finite], number)

    def _finite(self, parameters: Parameters) -> list[bool]:
        return _as_list(finite_members(self.library, parameters))

    def _stop(self, reason: Stop) -> None:
        self.stops = [stop or reason for stop in self.stops]

    def _freeze(self) -> None:
        if self.is_stack and any(self.stops):
            self.running = self._mask([stop is None for stop in self.stops])

    def _choose(self, these: list[bool], new: Any, old: Any) -> Any:
        """Return ``new`` for these members and ``old`` for the others."""
        if all(these):
            return new
        return choose(self._mask(these), new, old) if any(these) else old

    def _mask(self, these: list[bool]) -> Any:
        return self.library.asarray(these, device=self.device)[:, None, None]

    def _each(self, values: list[float]) -> PerMember:
        return tuple(values) if self.is_stack else values[0]

    def _standing(self) -> Standing:
        return Standing(
            state=self.state,
            best=self.best,
            started=self.started,
            before=self.before,
            safe=self.safe,
            history=self.past.extended(self.records),
            watch=deepcopy(self.watch),
            stops=tuple(None if stop in FOR_NOW else stop for stop in self.stops),
            first=self.first,
            seconds=time.perf_counter() - self.clock,
            rate=None if self.rates is None else self.rates[-1, ...],
            part=self.part,
        )

    def _result(self) -> TrainingResult:
        self._look(len(self.past.cost) + len(self.records))  # the very last update may have done it
        stops = tuple(stop or Stop.MAXIMUM for stop in self.stops)
        return TrainingResult(
            network=self.network,
            parameters=self.best if self.restores_best else self.state[0],
            history=self.past.extended(self.records),
            stop=stops if self.is_stack else stops[0],
            best_epoch=tuple(self.watch.best_epoch) if self.is_stack else self.watch.best_epoch[0],
            last_parameters=self.state[0],
            optimizer_state=self.state[1] if self.rates is None else self.state[1]._replace(learning_rate=self.rates[-1, ...]),
            seed=self.batches.seed,
            restored_best=self.restores_best,
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
