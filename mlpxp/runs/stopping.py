"""When to stop: convergence and early stopping, for one network or for each member of a stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.runs.history import PerMember

__all__ = ["FOR_NOW", "Stop", "Watch"]


class Stop(StrEnum):
    """Why a run, or a member of a stack, stopped."""

    CONVERGED = "converged"
    EARLY = "stopped early"
    MAXIMUM = "maximum of epochs reached"
    TIME = "time is up"
    CALLBACK = "stopped by a callback"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"
    STUCK = "no step lowers the cost"  # a line search's, of L-BFGS


FOR_NOW = (Stop.MAXIMUM, Stop.TIME, Stop.INTERRUPTED)  # a run that was stopped so may go on where it stands


@dataclass
class Watch:
    """Follows one cost a member: an epoch improves if it lowers the best cost by more than ``tolerance``.

    Parameters
    ----------
    members : int
    tolerance : float
        ≥ 0.
    patience : int or None
        A member has stopped improving after this many epochs in a row without an improvement; ``None`` is never.
    """

    members: int
    tolerance: float
    patience: int | None
    best: list[float] = field(init=False)
    best_epoch: list[int] = field(init=False)
    stale: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.best = [float("inf")] * self.members
        self.best_epoch = [0] * self.members
        self.stale = [0] * self.members

    @classmethod
    def over(cls, members: int, tolerance: float | None, patience: int | None, past: Sequence[PerMember], *, before: int = 0) -> Watch:
        """Return a watch that has seen the costs of past epochs, the first of them after ``before`` others.

        Members that had stopped then get another chance.
        """
        watch = cls(members, tolerance or 0.0, patience)
        for epoch, costs in enumerate(past, start=before + 1):
            watch.see(epoch, list(costs) if isinstance(costs, tuple) else [costs], [True] * members)
        watch.stale = [0 if done else stale for done, stale in zip(watch.exhausted(), watch.stale, strict=True)]
        return watch

    def see(self, epoch: int, costs: list[float], running: list[bool]) -> list[bool]:
        """Take note of an epoch's costs; return which running members improved."""
        improved = [go and cost < best - self.tolerance for cost, best, go in zip(costs, self.best, running, strict=True)]
        for i, better in enumerate(improved):
            if better:
                self.best[i], self.best_epoch[i], self.stale[i] = costs[i], epoch, 0
            elif running[i]:
                self.stale[i] += 1
        return improved

    def exhausted(self) -> list[bool]:
        """Return which members have stopped improving."""
        return [self.patience is not None and stale >= self.patience for stale in self.stale]
