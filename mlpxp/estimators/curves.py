"""What a fit by epochs leaves behind: its curves, the fitted attributes that follow from them, and what the next call goes on from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.estimators.monitor import Monitor
    from mlpxp.history import History

__all__ = ["Left", "each", "forget", "is_flat", "means_of", "note", "scores_of"]

_OF_EPOCHS = ("loss_curve_", "learning_rate_curve_", "validation_loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_")


class Left(NamedTuple):
    """What a call of ``fit`` or ``partial_fit`` leaves for the next one to go on from.

    Attributes
    ----------
    optimizer : tuple
        What the optimizer's state depends on; with another solver it begins anew.
    state : tree of arrays, or None
        The optimizer's state.
    watched : object
        What the monitor watched; of another number it begins anew.
    best, stale : list
        How far the monitor got.
    rates : list of float
        The adaptive rates; empty with another schedule.
    """

    optimizer: tuple[Any, ...] = ()
    state: Any = None
    watched: Any = None
    best: Sequence[float] = ()
    stale: Sequence[int] = ()
    rates: Sequence[float] = ()


def forget(estimator: Any) -> None:
    """Forget all epochs; L-BFGS has none."""
    for name in (*_OF_EPOCHS, "_curves", "_left"):
        vars(estimator).pop(name, None)


def is_flat(targets: Any) -> bool:
    """Whether real targets never vary, so that R² has no meaning; scikit-learn's is 1 for perfect predictions then, and 0 otherwise."""
    return targets.dtype != bool and bool((targets == targets[:1]).all())


def scores_of(scores: Any, costs: Any, *, flat: bool) -> list[float]:
    """Return the validation scores of an epoch, one a member; see :func:`is_flat`."""
    return [float(cost == 0.0) for cost in each(costs)] if flat else each(scores)


def each(value: Any) -> list[float]:
    """Return the numbers of a stack, or the one of a network."""
    return list(value) if isinstance(value, tuple) else [value]


def note(estimator: Any, monitor: Monitor, history: History, scores: list[list[float]] | None, m: int, *, diverged: bool = False) -> None:
    """Write the curves; those of an ensemble are means, and each member's are kept for it.

    ``scores`` are the validation scores of each epoch, if there are validation data; in a curve, epochs without have NaN.
    """
    k = max(monitor.members, 1)
    nothing = (math.nan,) * k
    lost = [nothing] if diverged else []
    new = {
        "loss_curve_": [*map(tuple, map(each, history.cost)), *lost],
        "learning_rate_curve_": [rate if isinstance(rate, tuple) else (rate,) * k for rate in history.learning_rate] + lost,
        "validation_loss_curve_": None if scores is None else [*map(tuple, map(each, history.validation_cost)), *lost],
        "validation_scores_": None if scores is None else [*map(tuple, scores), *lost],
    }
    past, n = getattr(estimator, "_curves", dict.fromkeys(new)), len(new["loss_curve_"] or ())
    before = len(past["loss_curve_"] or ())
    estimator._curves = {
        name: None if curve is None and past[name] is None else (past[name] or [nothing] * before) + (curve or [nothing] * n)
        for name, curve in new.items()
    }
    means = means_of(estimator._curves)
    seen, early = estimator.t_, estimator.early_stopping
    vars(estimator).update(_summary(means, n, seen, m, early=early))
    estimator._of_members = []
    for i in range(monitor.members):
        idle = len(history.cost) - monitor.seen[i]  # the epochs after it had stopped
        curves = {
            name: None if curve is None else [values[i] for values in curve[: len(curve) - idle]]
            for name, curve in estimator._curves.items()
        }
        estimator._of_members.append(_summary(curves, n - idle, seen, m, early=early))


def means_of(curves: dict[str, Any]) -> dict[str, Any]:
    """Return curves with one number a member as the curves of their means."""
    return {name: None if curve is None else [sum(values) / len(values) for values in curve] for name, curve in curves.items()}


def _summary(curves: dict[str, Any], epochs: int, before: int, m: int, *, early: bool) -> dict[str, Any]:
    """Return the fitted attributes that follow from the curves."""
    losses, scores = curves["loss_curve_"], curves["validation_scores_"]
    scored = None if scores is None else [score for score in scores if not math.isnan(score)]
    return curves | {
        "n_iter_": epochs,
        "t_": before + epochs * m,
        "loss_": losses[-1] if losses else math.nan,
        "best_loss_": None if early else min(losses, default=math.inf),
        "best_validation_score_": None if scored is None else max(scored, default=-math.inf),
    }
