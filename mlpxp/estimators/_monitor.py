"""How an estimator's fit is judged, by scikit-learn's rule: a stopping rule of the loop that remembers what the next call goes on from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlpxp.runs.stopping import Patience, Stop, Verdict, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlpxp.runs.history import Epoch

__all__ = ["Monitor"]

_SLOWEST = 1e-6  # the adaptive rate below which training stops
_SLOWER = 5.0
_BEST = Patience(every_gain=True)


@dataclass
class Monitor:
    """Follows one cost a member: a loss, or the negative of a score.

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
        self.seen = [n + goes_on for n, goes_on in zip(self.seen, running, strict=True)]
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
