"""What a training run tells: an event after each epoch, the history, why it stopped, and the result. All frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from mlpxp.arrays.standard import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.core.network import Network, Parameters

__all__ = ["FOR_NOW", "Epoch", "History", "PerMember", "Record", "Stop", "TrainingResult", "spread"]

PerMember: TypeAlias = float | tuple[float, ...]  # one number for one network, one each for a stack
Record: TypeAlias = tuple[PerMember, PerMember | None, PerMember | None, float, PerMember]


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


def spread(values: PerMember) -> str:
    """Return a number in short, and of those of a stack the least and the largest: ``"0.01 to 0.25"``."""
    numbers = [value for value in (values if isinstance(values, tuple) else (values,)) if not math.isnan(value)] or [math.nan]
    low, high = (f"{value}" if isinstance(value, int) else f"{value:.4g}" for value in (min(numbers), max(numbers)))
    return low if low == high else f"{low} to {high}"


@dataclass(frozen=True)
class Epoch:
    """What a callback is told after an epoch.

    Attributes
    ----------
    number : int
        The epoch that ended, counted from 1 over all runs that this one goes on from.
    last : int
        The number of the last epoch of this run, if nothing stops it.
    cost, validation_cost, validation_score : float, or tuple of float for a stack
        As in :class:`History`; the last two are ``None`` without validation data.
    seconds : float
        Since the first epoch began.
    learning_rate : float, or tuple of float
        η at the epoch's start.
    parameters : tuple of Layer
        As they are now; not to be changed.
    """

    number: int
    last: int
    cost: PerMember
    validation_cost: PerMember | None
    validation_score: PerMember | None
    seconds: float
    learning_rate: PerMember
    parameters: Parameters

    def __repr__(self) -> str:
        told = {name: getattr(self, name) for name in ("cost", "validation_cost", "validation_score", "learning_rate")}
        numbers = ", ".join(f"{name}={spread(value)}" for name, value in told.items() if value is not None)
        return f"Epoch({self.number} of {self.last}, {numbers}, seconds={self.seconds:.4g})"


@dataclass(frozen=True)
class History:
    """The record of a run, one entry an epoch; for a stack each entry is a tuple with one number a member.

    Attributes
    ----------
    cost : tuple
        The mean cost of the epoch's batches, each as it was before its update, with the penalty.
    validation_cost, validation_score : tuple
        After the epoch, without the penalty; empty without validation data. See :class:`mlpxp.Evaluation`.
    seconds : tuple of float
        Since the first epoch began.
    learning_rate : tuple
        η at the epoch's start.
    """

    cost: tuple[PerMember, ...] = ()
    validation_cost: tuple[PerMember, ...] = ()
    validation_score: tuple[PerMember, ...] = ()
    seconds: tuple[float, ...] = ()
    learning_rate: tuple[PerMember, ...] = ()

    def extended(self, records: Sequence[Record]) -> History:
        """Return the history with more epochs; each record is (cost, validation cost, validation score, seconds, η)."""
        if not records:
            return self
        cost, validation_cost, validation_score, seconds, learning_rate = zip(*records, strict=True)
        validated = validation_cost[0] is not None
        return History(
            cost=self.cost + cost,
            validation_cost=self.validation_cost + validation_cost if validated else self.validation_cost,
            validation_score=self.validation_score + validation_score if validated else self.validation_score,
            seconds=self.seconds + seconds,
            learning_rate=self.learning_rate + learning_rate,
        )


@dataclass(frozen=True)
class TrainingResult:
    """What :func:`train` returns.

    Attributes
    ----------
    network : Network
    parameters : tuple of Layer
        Those of the best epoch where validation data and ``patience`` were given, the last ones otherwise.
    history : History
    stop : Stop, or tuple of Stop for a stack
        Why it stopped.
    best_epoch : int, or tuple of int
        The epoch with the lowest watched cost: the validation cost, or the training cost without validation data.
    last_parameters : tuple of Layer
        Those after the last update: where a run that starts from this result goes on.
    optimizer_state : tree of arrays
        The optimizer's state after the last update.
    seed : int
        The seed of the batch order.
    restored_best : bool
        Whether ``parameters`` are those of ``best_epoch``.
    """

    network: Network
    parameters: Parameters
    history: History
    stop: Stop | tuple[Stop, ...]
    best_epoch: int | tuple[int, ...]
    last_parameters: Parameters
    optimizer_state: Any
    seed: int
    restored_best: bool = False

    def __repr__(self) -> str:
        stops = self.stop if isinstance(self.stop, tuple) else (self.stop,)
        counts = {stop: stops.count(stop) for stop in stops}
        why = ", ".join(str(stop) if len(stops) == 1 else f"{count} x {stop}" for stop, count in counts.items())
        history, what = self.history, f"{self.network!r}, {described(self.parameters)}"
        told = [f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"]
        for name, values in (("cost", history.cost), ("validation cost", history.validation_cost)):
            told += [f"{name} {spread(values[-1])}"] if values else []
        whose = ", whose parameters these are" if self.restored_best else ""
        told += [f"best epoch {spread(self.best_epoch)}{whose}"] if history.cost else []
        return f"TrainingResult({what}:\n  {', '.join([*told, why])})"

    @property
    def epochs(self) -> int:
        """The number of whole epochs done."""
        return len(self.history.cost)
