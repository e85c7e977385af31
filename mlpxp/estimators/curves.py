"""What a fit by epochs leaves behind: its curves, and the fitted attributes that follow from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlpxp.estimators.monitor import Monitor
    from mlpxp.history import History

__all__ = ["each", "is_flat", "note", "scores_of"]


def is_flat(targets: Any) -> bool:
    """Whether real targets never vary, so that R² has no meaning; scikit-learn's is 1 for perfect predictions then, and 0 otherwise."""
    return targets.dtype != bool and bool((targets == targets[:1]).all())


def scores_of(scores: Any, costs: Any, *, flat: bool) -> list[float]:
    """Return the validation scores of an epoch, one a member; see :func:`is_flat`."""
    return [float(cost == 0.0) for cost in each(costs)] if flat else each(scores)


def each(value: Any) -> list[float]:
    """Return the numbers of a stack, or the one of a network."""
    return list(value) if isinstance(value, tuple) else [value]


def note(estimator: Any, monitor: Monitor, history: History, held_out: Any, said: list[float], m: int, *, diverged: bool = False) -> None:
    """Write the curves; those of an ensemble are means, and each member's are kept for it."""
    lost = [(math.nan,) * max(monitor.members, 1)] if diverged else []
    losses = [*map(tuple, map(each, history.cost)), *lost]
    validation = scores = None
    if held_out is not None:
        flat = is_flat(held_out[1])
        validation = [*map(tuple, map(each, history.validation_cost)), *lost]
        pairs = zip(history.validation_score, history.validation_cost, strict=True)
        scores = [(score,) * max(monitor.members, 1) for score in said] or [tuple(scores_of(*pair, flat=flat)) for pair in pairs]
        scores += lost
    rates = [rate if isinstance(rate, tuple) else (rate,) * max(monitor.members, 1) for rate in history.learning_rate] + lost
    new = {"loss_curve_": losses, "learning_rate_curve_": rates, "validation_loss_curve_": validation, "validation_scores_": scores}
    past = getattr(estimator, "_curves", {}) if estimator.loss_curve_ else {}
    estimator._curves = {name: None if curve is None else (past.get(name) or []) + curve for name, curve in new.items()}
    means = {name: None if curve is None else [sum(values) / len(values) for values in curve] for name, curve in estimator._curves.items()}
    before, early = estimator.t_, estimator.early_stopping
    vars(estimator).update(_summary(means, len(losses), before, m, early=early))
    estimator._watched = monitor.best, monitor.stale, monitor.rates
    estimator._of_members = []
    for i in range(monitor.members):
        idle = len(history.cost) - monitor.seen[i]  # the epochs after it had stopped
        curves = {
            name: None if curve is None else [values[i] for values in curve[: len(curve) - idle]]
            for name, curve in estimator._curves.items()
        }
        estimator._of_members.append(_summary(curves, len(losses) - idle, before, m, early=early))


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
