"""Where a run of training stands between two updates: one value, which the loop begins from and makes, and a checkpoint holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.core.network import Parameters
    from mlpxp.runs.history import History
    from mlpxp.runs.stopping import Stop, Watched

__all__ = ["NO_PART", "Part", "Snapshot", "State"]

State: TypeAlias = "tuple[Parameters, Any]"  # the parameters and the optimizer's state


class Part(NamedTuple):
    """The part of an epoch that is done: how many batches, the sum of their costs, each times what it weighs, and of the weights.

    The costs are float64 on the host, () or (k,); 0 before the first batch.
    """

    batches: int = 0
    cost: Any = 0.0
    weight: float = 0.0

    def after(self, costs: Any, totals: Any, batches: int) -> Part:
        """Return the part with one more fold, up to batch ``batches``: costs (n_batches,) or (n_batches, k), float64, and what each weighs.

        They are added up one after the other, so that the sum is the same, to the bit, however the epoch is cut into folds.
        """
        weight, cost, all_of_them = self.weight, self.cost, totals.tolist()
        for total in all_of_them:
            weight += total
        if costs.ndim == 1:  # Python's own numbers take less time here, and say nothing of an overflow
            cost = float(cost)
            for total, one in zip(all_of_them, costs.tolist(), strict=True):
                cost += total * one
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # a diverging member is found by its cost, and named
                weighted = totals[:, None] * costs
                weighted[0] += cost
                cost = np.add.accumulate(weighted)[-1]
        return Part(batches, cost, weight)


NO_PART = Part()


class Snapshot(NamedTuple):
    """Where a run stands.

    Attributes
    ----------
    state : (parameters, optimizer state)
        After the last update.
    best : tuple of Layer
        The best epoch's parameters, where they are kept.
    started, before : tuple of Layer
        The parameters at the start of this epoch, or of the last one if none has begun, and of the one before.
    safe : tuple of Layer
        The last parameters that were looked at and found finite.
    history : History
        Of the whole epochs.
    watched : Watched
        How far the cost has got that the run is judged by.
    stops : tuple of (Stop or None)
        Why a member has stopped for good; the time, the number of epochs and Ctrl-C stop a run for now.
    first : int
        How many epochs an earlier result had when the run began.
    seconds : float
        Since the first epoch began, an earlier result's included.
    rates : array or None
        η of the updates of the last fold, (n,) or (n, k, 1, 1).
    part : Part
        Of the epoch that has begun.
    """

    state: State
    best: Parameters
    started: Parameters
    before: Parameters
    safe: Parameters
    history: History
    watched: Watched
    stops: tuple[Stop | None, ...]
    first: int = 0
    seconds: float = 0.0
    rates: Any = None
    part: Part = NO_PART

    @classmethod
    def at_start(cls, state: State, history: History, watched: Watched, *, best: Parameters | None = None) -> Snapshot:
        """Return where a run stands that goes on after ``history``; its best parameters so far are those it begins with if not given."""
        parameters = state[0]
        return cls(
            state=state,
            best=parameters if best is None else best,
            started=parameters,
            before=parameters,
            safe=parameters,
            history=history,
            watched=watched,
            stops=(None,) * len(watched.best),
            first=len(history.cost),
            seconds=history.seconds[-1] if history.seconds else 0.0,
        )

    @property
    def rate(self) -> Any:
        """η of the last update, () or (k, 1, 1); ``None`` before the first."""
        return None if self.rates is None else self.rates[-1, ...]

    @property
    def members(self) -> int:
        """How many networks are trained at once."""
        return len(self.stops)

    @property
    def running(self) -> list[bool]:
        """Which members have no reason to stop."""
        return [stop is None for stop in self.stops]

    @property
    def spent(self) -> float:
        """The seconds of this run, without those of an earlier result."""
        return self.seconds - (self.history.seconds[self.first - 1] if self.first else 0.0)

    def stopped(self, reason: Stop, these: Sequence[object] | None = None) -> Snapshot:
        """Return it with a reason to stop for these members, or for all of them; who has one already keeps it."""
        chosen = (True,) * self.members if these is None else these
        return self._replace(stops=tuple(stop or (reason if one else None) for stop, one in zip(self.stops, chosen, strict=True)))
