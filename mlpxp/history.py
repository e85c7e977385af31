"""What a training run tells: an event after each epoch, the history, and the result. All frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.network import Network, Parameters
    from mlpxp.stopping import Stop

__all__ = ["Epoch", "History", "PerMember", "TrainingResult"]

PerMember: TypeAlias = float | tuple[float, ...]  # one number for one network, one each for a stack
Record: TypeAlias = tuple[PerMember, PerMember | None, PerMember | None, float, PerMember]


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

    @property
    def epochs(self) -> int:
        """The number of whole epochs done."""
        return len(self.history.cost)
