"""When an estimator stops, by scikit-learn's rule: a callback of :func:`mlpxp.train` that also keeps the best parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import tree_map
from mlpxp.runs.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp.runs.history import Epoch

__all__ = ["Monitor"]

_SLOWEST = 1e-6  # the adaptive rate below which training stops
_SLOWER = 5.0


@dataclass
class Monitor:
    """Follows one number a member that should rise: a score, or the negative of a loss.

    An epoch counts as no improvement unless it raises the best number by ``tol``; after more than ``patience`` such epochs in a row a
    member stops, or with an adaptive rate goes on at a fifth of it.

    Parameters
    ----------
    read : callable
        ``read(epoch)`` returns the numbers, one a member.
    members : int
        0 is one network that is no stack.
    tol, patience : float
    reason : Stop
        Why a member stops that this stops.
    keeps_best : bool
        Whether to hold on to the parameters of the best epochs.
    rate : float or None
        The adaptive rate to begin with; ``None`` is another schedule.
    stops : bool
        Whether anything is to be stopped; ``partial_fit`` only counts, and slows down.
    """

    read: Callable[[Epoch], list[float]]
    members: int
    tol: float
    patience: float
    reason: Stop
    keeps_best: bool
    rate: float | None = None
    stops: bool = True
    best: list[float] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    done: list[bool] = field(default_factory=list)
    best_parameters: list[Any] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        k = max(self.members, 1)
        self.best = self.best or [-math.inf] * k
        self.stale = self.stale or [0] * k
        self.rates = self.rates or [0.0 if self.rate is None else self.rate] * k
        self.done, self.best_parameters, self.seen = [False] * k, [None] * k, [0] * k

    def __call__(self, epoch: Epoch) -> bool | list[bool]:
        """Take note of an epoch; return which members stop."""
        for i, value in enumerate(self.read(epoch)):
            if not self.done[i]:
                self._see(i, value, epoch)
        return self.done if self.members else self.done[0]

    @property
    def tolerance(self) -> float | None:
        """By which differences of the training cost something is stopped, for :func:`mlpxp.train`; ``None`` is by none."""
        return self.tol if self.stops and self.reason is Stop.CONVERGED and self.patience < math.inf else None

    def _see(self, i: int, value: float, epoch: Epoch) -> None:
        self.seen[i] += 1
        self.stale[i] = 0 if value >= self.best[i] + self.tol else self.stale[i] + 1
        if value > self.best[i]:
            self.best[i] = value
            if self.keeps_best:
                self.best_parameters[i] = tree_map(lambda leaf: leaf[i, ...], epoch.parameters) if self.members else epoch.parameters
        if self.stale[i] > self.patience:
            if self.rate is not None and self.rates[i] > _SLOWEST:
                self.rates[i] /= _SLOWER
                self.stale[i] = 0
            else:
                self.done[i] = self.stops

    def schedule(self, _: float) -> float | list[float]:
        """Return the adaptive rate as it is now, one each for a stack."""
        return list(self.rates) if self.members else self.rates[0]
