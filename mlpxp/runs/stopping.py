"""When to stop: the rules by which a run is judged, for one network or for each member of a stack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mlpxp.runs.history import FOR_NOW, Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.runs.history import Epoch, PerMember

__all__ = ["FOR_NOW", "NEVER", "Patience", "Stop", "StoppingRule", "Verdict", "Watched", "each"]


class Watched(NamedTuple):
    """How far the watched cost of each member has got; one entry a member.

    Attributes
    ----------
    best : tuple of float
        The lowest cost.
    best_epoch : tuple of int
        The epoch it is of; 0 is none.
    stale : tuple of int
        Epochs in a row without an improvement.
    """

    best: tuple[float, ...]
    best_epoch: tuple[int, ...]
    stale: tuple[int, ...]

    @classmethod
    def nothing(cls, members: int) -> Watched:
        """Return what is known before the first epoch."""
        return cls((math.inf,) * members, (0,) * members, (0,) * members)


class Verdict(NamedTuple):
    """What a rule makes of an epoch: what it knows from now on, whose parameters are the best so far, and which members are to stop."""

    watched: Watched
    improved: Sequence[bool]
    exhausted: Sequence[bool]


class StoppingRule(Protocol):
    """What judges a run after each epoch.

    Attributes
    ----------
    reason : Stop
        Why a member stops that it stops.
    resolution : float or None
        By which differences of the training cost it judges; ``None`` is by none.
    """

    @property
    def reason(self) -> Stop: ...

    @property
    def resolution(self) -> float | None: ...

    def judge(self, epoch: Epoch, watched: Watched, running: Sequence[bool]) -> Verdict:
        """Judge an epoch by what was known before it; members that don't run any more stay as they are."""
        ...


@dataclass(frozen=True)
class Patience:
    """Follows one cost a member, the validation data's where there are some: an epoch improves if it lowers the best by ``tolerance``.

    Parameters
    ----------
    patience : float or None
        A member stops after this many epochs in a row without an improvement; ``None`` is never.
    tolerance : float or None
        ≥ 0; ``None`` is 0.
    reason : Stop
    every_gain : bool
        Whether the best cost follows every gain, however small, and a gain of exactly ``tolerance`` is an improvement, as scikit-learn
        has it; by default it has to be more than that, and the best cost is that of the last improvement.
    """

    patience: float | None = None
    tolerance: float | None = None
    reason: Stop = Stop.CONVERGED
    every_gain: bool = False

    @property
    def resolution(self) -> float | None:
        return None if self.patience is None or self.reason is not Stop.CONVERGED else self.tolerance or 0.0

    def judge(self, epoch: Epoch, watched: Watched, running: Sequence[bool]) -> Verdict:
        return self.see(epoch.number, each(epoch.cost if epoch.validation_cost is None else epoch.validation_cost), watched, running)

    def see(self, number: int, costs: Sequence[float], watched: Watched, running: Sequence[bool]) -> Verdict:
        """Judge epoch ``number`` by its costs, one a member."""
        best, best_epoch, stale = list(watched.best), list(watched.best_epoch), list(watched.stale)
        improved, tolerance = [False] * len(best), self.tolerance or 0.0
        for i, cost in enumerate(costs):
            if running[i]:
                least = best[i] - tolerance
                enough = cost <= least if self.every_gain else cost < least
                stale[i] = 0 if enough else stale[i] + 1
                if cost < best[i] if self.every_gain else enough:
                    best[i], best_epoch[i], improved[i] = cost, number, True
        exhausted = [self.patience is not None and n >= self.patience for n in stale]
        return Verdict(Watched(tuple(best), tuple(best_epoch), tuple(stale)), improved, exhausted)

    def over(self, members: int, past: Sequence[PerMember], *, before: int = 0) -> Watched:
        """Return what is known after the costs of past epochs, the first of them after ``before`` others.

        Members that had stopped then get another chance.
        """
        watched = Watched.nothing(members)
        exhausted: Sequence[bool] = (False,) * members
        for number, costs in enumerate(past, start=before + 1):
            watched, _, exhausted = self.see(number, each(costs), watched, [True] * members)
        return watched._replace(stale=tuple(0 if done else stale for done, stale in zip(exhausted, watched.stale, strict=True)))


NEVER = Patience()  # takes note of the best epoch, and stops nothing


def each(values: Any) -> list[float]:
    """Return the numbers of a stack, or the one of a network."""
    return list(values) if isinstance(values, tuple) else [values]
