"""The training loop (G2): forward, backward, update, until there is a reason to stop.

One step (:class:`mlpxp.step.TrainingStep`) is the same function on every backend. A backend's ``fold`` runs many of them without a
word to the host; whatever needs the host (costs read, stopping, callbacks, Ctrl-C) happens between folds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from mlpxp.arrays import device_of, maker_like, namespace, tree_leaves
from mlpxp.draws import dropout_keys
from mlpxp.errors import DivergenceError
from mlpxp.evaluation import read_rows
from mlpxp.history import Epoch, History, PerMember, Record, TrainingResult
from mlpxp.network import Network, Parameters
from mlpxp.optimizers import rate_at
from mlpxp.step import Inputs, TrainingStep, choose
from mlpxp.stopping import Stop, Watch
from mlpxp.streaming import Rows

if TYPE_CHECKING:
    from mlpxp.backend import Backend
    from mlpxp.batches import Batches, Fold
    from mlpxp.evaluation import Evaluator
    from mlpxp.optimizers import LearningRate

__all__ = ["Callback", "Loop", "Penalty", "says_stop"]

Callback: TypeAlias = Callable[[Epoch], object]
_LOOK_EVERY = 64  # epochs; a look costs a pass over the parameters
State: TypeAlias = tuple[Parameters, Any]  # the parameters and the optimizer's state


@dataclass(frozen=True)
class Penalty:
    """The L2 penalty: ½λ Σ_l ‖W_l‖² on the mean of the losses, or on their sum, of which a batch's mean gets its share."""

    strength: float = 0.0
    on: str = "mean"


class Loop:
    """A run of training: what it changes, and what it needs to stop, to go back and to report.

    Parameters
    ----------
    network : Network
    library : Backend
    optimizer : Optimizer
    state : (parameters, optimizer state)
        Where it begins.
    data : (X, Y, weights)
        One example a row; ``weights`` may be ``None``.
    batches : Batches
    penalty : Penalty
    dropout, clip_norm
        As in :class:`TrainingStep`.
    watch : Watch
    evaluator : Evaluator or None
        Of the validation data.
    restores_best : bool
        Whether the best epoch's parameters are the result.
    history : History
        Of the epochs done so far.
    best : tuple of Layer
        The best parameters so far.
    """

    def __init__(
        self,
        network: Network,
        library: Backend,
        optimizer: Any,
        state: State,
        data: tuple[Any, Any, Any],
        *,
        batches: Batches,
        penalty: Penalty = Penalty(),
        dropout: tuple[float, ...] = (),
        clip_norm: float | None = None,
        watch: Watch,
        evaluator: Evaluator | None,
        restores_best: bool,
        history: History,
        best: Parameters,
    ) -> None:
        self.network, self.library, self.optimizer, self.data = network, library, optimizer, data
        self.batches, self.watch, self.evaluator, self.past = batches, watch, evaluator, history
        self.state = state
        self.started = self.before = state[0]  # the parameters at the start of this epoch, and of the one before
        self.safe = state[0]  # the last ones that were looked at and found finite
        self.best, self.restores_best = best, restores_best
        W = state[0][0].W
        self.device, self.is_stack = device_of(W), W.ndim > 2
        self.step = TrainingStep(network, _without_rate(optimizer), dropout, clip_norm)
        self.array = maker_like(W)
        self.penalty = penalty
        self.constants: dict[Any, Any] = {}  # rates and penalties that stay are moved once
        self.records: list[Record] = []
        self.stops: list[Stop | None] = [None] * watch.members
        self.rates: Any = None  # of the updates of the last fold
        self.running: Any = None  # the mask on the device; None while all members run
        self.elapsed = history.seconds[-1] if history.seconds else 0.0

    def run(self, epochs: int, *, max_seconds: float | None, callbacks: Sequence[Callback]) -> TrainingResult:
        """Train for ``epochs`` epochs, or until there is a reason to stop before."""
        done = len(self.past.cost)
        self.clock = time.perf_counter() - self.elapsed
        deadline = math.inf if max_seconds is None else time.perf_counter() + max_seconds
        try:
            for number in range(done + 1, done + epochs + 1):
                if self._updates(number, deadline):
                    self._report(number, done + epochs, callbacks)
                if all(self.stops):
                    break
            self._stop(Stop.MAXIMUM)
        except KeyboardInterrupt:
            self._stop(Stop.INTERRUPTED)
        return self._result()

    def _updates(self, number: int, deadline: float) -> bool:
        """Run the folds of an epoch and take note of its cost; return whether it was finished before the deadline."""
        self.before, self.started = self.started, self.state[0]
        costs: list[Any] = []  # of each update of each fold
        weights: list[Any] = []
        for fold in self.batches.epoch(number):
            if costs:
                costs[-1] = self.library.to_numpy(costs[-1])  # waits for the fold before, so that a stop request is soon heard
            if time.perf_counter() > deadline:
                self._stop(Stop.TIME)
                return False
            self.rates = self._rates(number, fold)
            inputs = Inputs(fold.rows, self.rates, self._penalties(fold), self._keys(number, fold))
            if isinstance(self.data[0], Rows):
                inputs, data = inputs._replace(rows=None), read_rows(self.library, fold.rows[0], *self.data)
            else:
                data = self.data
            self.state, new = self.library.fold(self.step, self.state, inputs, *data, self.running)
            costs.append(new)
            weights.append(fold.total)
        costs[-1] = self.library.to_numpy(costs[-1])  # waits for all the work of the epoch
        sums = sum(weight @ each.astype("float64") for weight, each in zip(weights, costs, strict=True))
        self.costs: list[float] = _as_list(sums / sum(float(weight.sum()) for weight in weights))
        self._stop_diverged(number)
        if number % _LOOK_EVERY == 0:
            self._look(number)
        return True

    def _rates(self, number: int, fold: Fold) -> Any:
        """η of each update of a fold: (n,), or (n, k, 1, 1) for one each of a stack."""
        n = fold.total.shape[0]
        rate: LearningRate = self.optimizer.learning_rate
        if callable(rate):
            return _per_member(self.array([rate_at(rate, number - 1 + (fold.first + i) / self.batches.per_epoch) for i in range(n)]))
        if n not in self.constants:
            self.constants[n] = _per_member(self.array([rate] * n))
        return self.constants[n]

    def _penalties(self, fold: Fold) -> Any:
        """λ of each update of a fold, (n,), or ``None``."""
        of, total = self.penalty, fold.total
        if not of.strength:
            return None
        values = tuple((of.strength / total).tolist()) if of.on == "sum" else (of.strength,) * len(total)
        if of.on == "sum" and self.batches.weights is not None:  # other batches, other shares
            return self.array(values)
        if values not in self.constants:
            self.constants[values] = self.array(values)
        return self.constants[values]

    def _keys(self, number: int, fold: Fold) -> Any:
        """What the masks of each update of a fold are made of, (n, n_hidden, 2), or ``None``."""
        if not self.step.dropout:
            return None
        n, seed = fold.total.shape[0], self.batches.seed
        return self.library.asarray(dropout_keys(seed, number, fold.first, n, len(self.step.dropout)), device=self.device)

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
        self.elapsed = time.perf_counter() - self.clock
        epoch = Epoch(
            number=number,
            last=last,
            cost=self._each(costs),
            validation_cost=None if scores is None else self._each(watched),
            validation_score=None if scores is None else self._each(scores),
            seconds=self.elapsed,
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
        xp = namespace(parameters[0].W)
        finite: Any = True
        for leaf in tree_leaves(parameters):
            finite = finite & self.library.to_numpy(xp.all(xp.isfinite(leaf), axis=(-2, -1)))
        return _as_list(finite)

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
    return replace(optimizer, learning_rate=1.0) if is_dataclass(optimizer) and not isinstance(optimizer, type) else optimizer


def _per_member(rates: Any) -> Any:
    """(n, k) as (n, k, 1, 1), which spreads over the members' weights; (n,) stays."""
    return rates[..., None, None] if rates.ndim > 1 else rates


def _as_list(values: Any) -> list[Any]:
    values = values.tolist() if hasattr(values, "tolist") else values
    return values if isinstance(values, list) else [values]
