"""How an estimator learns: its optimizer, how the learning rate goes from epoch to epoch, and by which rule a fit is judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlpxp.core.optimizers import Adam, AdamW, Cosine, GradientDescent, WarmUp, rate_at
from mlpxp.errors import RangeError
from mlpxp.runs.stopping import Patience, Stop, Verdict, Watched, each

if TYPE_CHECKING:
    from mlpxp.runs.history import Epoch

__all__ = ["Monitor", "make_optimizer"]

_SLOWEST = 1e-6  # the adaptive rate below which training stops
_SLOWER = 5.0
_BEST = Patience(every_gain=True)


@dataclass
class Monitor:
    """scikit-learn's rule, as a stopping rule of the loop that remembers what the next call goes on from.

    It follows one cost a member: a loss, or the negative of a score.

    An epoch counts as no improvement unless it lowers the best cost by ``tol``; after more than ``patience`` such epochs in a row a
    member stops, or with an adaptive rate goes on at a fifth of it.

    Parameters
    ----------
    read : callable
        ``read(epoch)`` returns the costs, one a member.
    members : int
        0 is one network that is no stack.
    tol, patience : float
    reason : Stop
        Why a member stops that this stops.
    rate : float or None
        The adaptive rate to begin with; ``None`` is another schedule.
    stops : bool
        Whether anything is to be stopped; ``partial_fit`` only counts, and slows down.
    best_by : callable or None
        By which costs the best parameters are told, if not by those of ``read``.
    look : callable or None
        What is told of an epoch before it is judged.
    best, stale, rates : sequence
        Where the call before has left off.
    """

    read: Callable[[Epoch], Sequence[float]]
    members: int
    tol: float
    patience: float
    reason: Stop
    rate: float | None = None
    stops: bool = True
    best_by: Callable[[Epoch], Sequence[float]] | None = None
    look: Callable[[Epoch], object] | None = None
    best: Sequence[float] = ()
    stale: Sequence[int] = ()
    rates: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        k = max(self.members, 1)
        self.rule = Patience(self.patience + 1, self.tol, self.reason, every_gain=True)
        self.rates = self.rates or [0.0 if self.rate is None else self.rate] * k
        self.watched = Watched(tuple(self.best) or (math.inf,) * k, (0,) * k, tuple(self.stale) or (0,) * k)
        self.seen = [0] * k  # epochs of each member

    @property
    def resolution(self) -> float | None:
        return self.rule.resolution if self.stops and self.patience < math.inf else None

    def judge(self, epoch: Epoch, watched: Watched, running: Sequence[bool]) -> Verdict:
        if self.look is not None:
            self.look(epoch)
        took_part = [goes_on or not math.isfinite(cost) for goes_on, cost in zip(running, each(epoch.cost), strict=True)]  # or diverged now
        self.seen = [n + part for n, part in zip(self.seen, took_part, strict=True)]
        self.watched, improved, exhausted = self.rule.see(epoch.number, self.read(epoch), self.watched, running)
        if self.rate is not None:
            exhausted = self._slowed(exhausted, running)
        exhausted = exhausted if self.stops else [False] * len(exhausted)
        if self.best_by is None:
            return Verdict(self.watched, improved, exhausted)
        return _BEST.see(epoch.number, self.best_by(epoch), watched, running)._replace(exhausted=exhausted)

    def _slowed(self, exhausted: Sequence[bool], running: Sequence[bool]) -> list[bool]:
        """Lower the rate of members that don't improve; return those that it is too low of already."""
        slower = [done and goes_on and rate > _SLOWEST for done, goes_on, rate in zip(exhausted, running, self.rates, strict=True)]
        self.rates = [rate / _SLOWER if slows else rate for rate, slows in zip(self.rates, slower, strict=True)]
        stale = tuple(0 if slows else n for n, slows in zip(self.watched.stale, slower, strict=True))
        self.watched = self.watched._replace(stale=stale)
        return [done and not slows for done, slows in zip(exhausted, slower, strict=True)]

    def schedule(self, _: float) -> float | list[float]:
        """Return the adaptive rate as it is now, one each for a stack."""
        return list(self.rates) if self.members else self.rates[0]


def make_optimizer(estimator: Any, monitor: Monitor, m: int, *, incremental: bool) -> Any:
    """Return the optimizer of one of the solvers by epochs."""
    rate = _rate(estimator, monitor, m, incremental=incremental)
    if estimator.solver == "sgd":
        return GradientDescent(rate, momentum=estimator.momentum, nesterov=bool(estimator.nesterovs_momentum and estimator.momentum))
    options = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon}
    if estimator.solver == "adamw":
        return AdamW(rate, weight_decay=estimator.weight_decay, **options)
    return Adam(rate, **options)


def _rate(estimator: Any, monitor: Monitor, m: int, *, incremental: bool) -> Any:
    """η as train takes it: a number, or a schedule of the epochs done."""
    policy, eta = estimator.learning_rate, float(estimator.learning_rate_init)
    schedule: Any
    if not isinstance(policy, str):
        schedule = policy if callable(policy) else _listed(policy, int(estimator.max_iter))
    elif policy == "cosine":
        schedule = Cosine(eta, max(int(estimator.max_iter) - float(estimator.warm_up), 1.0))
    elif policy == "constant" or estimator.solver != "sgd":  # as scikit-learn has it: the other policies are sgd's
        schedule = eta
    elif policy == "adaptive":
        schedule = monitor.schedule
    else:
        schedule = _inverse_scaling(eta, float(estimator.power_t), m, estimator.t_ if incremental else 0, before=estimator.t_)
    if estimator.warm_up:
        schedule = WarmUp(estimator.warm_up, schedule, start=eta / 100.0)
    if callable(schedule) and incremental and not (isinstance(policy, str) and policy in {"adaptive", "invscaling"}):
        done = len(getattr(estimator, "loss_curve_", ()))
        return lambda epoch: schedule(epoch + done)
    return schedule


def _listed(rates: Sequence[float], epochs: int) -> Callable[[float], float]:
    """A schedule of one rate an epoch."""
    if len(rates) != epochs:
        raise RangeError(f"learning_rate must be one rate for each of the max_iter={epochs} epochs, got {len(rates)} rates")

    def schedule(epoch: float) -> float:
        return rates[min(int(epoch), epochs - 1)]

    for epoch in range(epochs):
        rate_at(schedule, epoch)  # all of them, before the first is used
    return schedule


def _inverse_scaling(eta: float, power: float, m: int, done: int, *, before: int) -> Callable[[float], float]:
    """η / (t + 1)^power with t the examples seen before the epoch; η itself in the first epoch of an optimizer."""

    def rate(epoch: float) -> float:
        t = (done if epoch < 1 else before) + math.floor(epoch) * m
        return eta / (t + 1.0) ** power if t else eta

    return rate
