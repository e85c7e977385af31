"""What is asked of training, as checked values: a plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.draws import check_seed
from mlpxp.arrays.scalars import BELOW_1, FROM_0, POSITIVE, flag, number_or_none, real_number, told, whole_number
from mlpxp.core.transforms import NO_PENALTY, ClipNorm, Penalty, Transform
from mlpxp.errors import RangeError
from mlpxp.runs.history import TrainingResult
from mlpxp.runs.stopping import NEVER, Patience, Stop, StoppingRule
from mlpxp.training.progress import bar

if TYPE_CHECKING:
    from mlpxp.training.loop import Callback

__all__ = ["Keeping", "Plan", "check_dropout", "check_start", "check_validation", "plan_for"]

_PATIENCE = 10  # epochs without an improvement that count as convergence, where only a tolerance is given


@dataclass(frozen=True)
class Keeping:
    """Where checkpoints go, and when; a minute where neither ``every`` nor ``every_seconds`` says."""

    path: str
    every: int | None = None
    every_seconds: float | None = None
    resume: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train, whatever the data are.

    Attributes
    ----------
    optimizer : Optimizer
        Its learning rate is a number or a schedule.
    epochs : int
    batch_size : int or None
    seed : int or None
        ``None`` is 0, or that of the result that is gone on from.
    stopping : StoppingRule
    keeps_best : bool
        Whether the parameters of the best epoch are returned.
    penalty : Penalty
    dropout : tuple of float
        The rate of each hidden layer; ``()`` is none.
    transforms : tuple of Transform
        What is done to the gradients, one after the other.
    order : callable or None
    max_seconds : float or None
    callbacks : sequence of callable
    checkpoint : Keeping or None
    progress : bool
    """

    optimizer: Any
    epochs: int
    batch_size: int | None = None
    seed: int | None = None
    stopping: StoppingRule = NEVER
    keeps_best: bool = False
    penalty: Penalty = NO_PENALTY
    dropout: tuple[float, ...] = ()
    transforms: tuple[Transform, ...] = ()
    order: Callable[[int], Any] | None = None
    max_seconds: float | None = None
    callbacks: Sequence[Callback] = ()
    checkpoint: Keeping | None = None
    progress: bool = False


def plan_for(
    hidden_layers: int,
    *,
    optimizer: Any,
    epochs: object,
    batch_size: object = None,
    seed: object = None,
    validates: bool = False,
    tolerance: object = None,
    patience: object = None,
    penalty: object = 0.0,
    penalty_on: object = "mean",
    dropout: object = 0.0,
    clip_norm: object = None,
    order: object = None,
    max_seconds: object = None,
    callbacks: object = (),
    progress: object = False,
    checkpoint: object = None,
    every: object = None,
    every_seconds: object = None,
    resume: object = False,
) -> Plan:
    """Return the plan that the options of :func:`mlpxp.train` ask for; ``validates`` says whether there are validation data.

    Raises
    ------
    RangeError
        One is out of its range.
    MissingLibraryError
        ``progress`` needs rich.
    """
    if not (hasattr(optimizer, "start") and hasattr(optimizer, "update")) or isinstance(optimizer, type):
        raise RangeError(f"optimizer must be an optimizer such as GradientDescent(0.1) or Adam(), got {told(optimizer)}")
    if not isinstance(callbacks, Sequence) or not all(callable(callback) for callback in callbacks):
        raise RangeError(f"callbacks must be a sequence of callables, got {told(callbacks)}")
    if not isinstance(penalty_on, str) or penalty_on not in {"mean", "sum"}:
        raise RangeError(f"penalty_on must be 'mean' or 'sum', got {told(penalty_on)}")
    if not (order is None or callable(order)):
        raise RangeError(f"order must be a callable, order(epoch), got {type(order).__name__}")
    shows = flag("progress", progress)
    if shows:
        bar(shown=True)  # so that a library that is missing is said now
    return Plan(
        optimizer=optimizer,
        epochs=whole_number("epochs", epochs),
        batch_size=None if batch_size is None else whole_number("batch_size", batch_size),
        stopping=_stopping(tolerance, patience, validates=validates),
        keeps_best=validates and patience is not None,
        penalty=Penalty(real_number("penalty", penalty, FROM_0), penalty_on),
        transforms=() if clip_norm is None else (ClipNorm(real_number("clip_norm", clip_norm, POSITIVE)),),
        max_seconds=None if max_seconds is None else real_number("max_seconds", max_seconds, FROM_0),
        checkpoint=_keeping(checkpoint, every=every, every_seconds=every_seconds, resume=resume),
        dropout=check_dropout(dropout, hidden_layers),
        seed=None if seed is None else check_seed(seed),
        order=order,
        callbacks=callbacks,
        progress=shows,
    )


def check_dropout(dropout: object, n_hidden: int) -> tuple[float, ...]:
    """Return the rate p of each hidden layer, from one for all of them or one each.

    Raises
    ------
    RangeError
        A rate is no number from 0 and below 1, there are not as many as hidden layers, or there is no unit to leave out.
    """
    several = isinstance(dropout, Iterable) and not isinstance(dropout, str) and getattr(dropout, "shape", None) != ()
    each: tuple[Any, ...] = tuple(dropout) if several else (dropout,) * max(n_hidden, 1)  # type: ignore[arg-type]  # it is iterable
    rates = tuple(rate for rate in map(number_or_none, each) if rate is not None and BELOW_1.holds(rate))
    if len(rates) < len(each):
        raise RangeError(f"dropout must be a number from 0 and below 1, or one for each hidden layer, got {told(dropout)}")
    if n_hidden == 0 and any(rates):
        raise RangeError(f"dropout must be 0 for a network without hidden layers, got {told(dropout)}: there is no unit to leave out")
    if n_hidden and len(rates) != n_hidden:
        raise RangeError(f"dropout must be one number or one for each of the {n_hidden} hidden layers, got {len(rates)}")
    return rates[:n_hidden]


def check_validation(validation: object) -> None:
    """Refuse validation data that are none.

    Raises
    ------
    RangeError
    """
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) in {2, 3}):
        raise RangeError(f"validation must be (X, Y) or (X, Y, weights), got {type(validation).__name__}")


def check_start(start: object) -> None:
    """Refuse what no training can start from.

    Raises
    ------
    RangeError
    """
    if not (start is None or isinstance(start, TrainingResult | tuple)):
        raise RangeError(f"start must be a tuple of layers or an earlier TrainingResult, got {type(start).__name__}")


def _stopping(tolerance: object, patience: object, *, validates: bool) -> Patience:
    given = None if patience is None else whole_number("patience", patience)
    least = None if tolerance is None else real_number("tolerance", tolerance, FROM_0)
    return Patience(given or (None if least is None else _PATIENCE), least, Stop.EARLY if validates else Stop.CONVERGED)


def _keeping(checkpoint: object, *, every: object, every_seconds: object, resume: object) -> Keeping | None:
    if not (checkpoint is None or isinstance(checkpoint, str | os.PathLike)):
        raise RangeError(f"checkpoint must be the name of a file, got {type(checkpoint).__name__}")
    resume = flag("resume", resume)
    for name, value in (("every", every), ("every_seconds", every_seconds), ("resume", resume or None)):
        if value is not None and checkpoint is None:
            raise RangeError(f"{name} needs checkpoint, the name of a file")
    if checkpoint is None:
        return None
    return Keeping(
        path=os.fspath(checkpoint),
        every=None if every is None else whole_number("every", every),
        every_seconds=None if every_seconds is None else real_number("every_seconds", every_seconds, FROM_0),
        resume=resume,
    )
