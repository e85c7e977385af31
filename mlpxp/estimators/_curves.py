"""What a fit by epochs leaves behind: its curves, and the fitted attributes that follow from them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlpxp.estimators._state import LastCall
from mlpxp.runs.stopping import each

if TYPE_CHECKING:
    from mlpxp.estimators._learning import Monitor
    from mlpxp.estimators._state import Fitted
    from mlpxp.runs.history import History

__all__ = ["is_flat", "means_of", "note", "of_members", "scores_of"]


def is_flat(targets: Any) -> bool:
    """Whether real targets never vary, so that R² has no meaning; scikit-learn's is 1 for perfect predictions then, and 0 otherwise."""
    return targets.dtype != bool and bool((targets == targets[:1]).all())


def scores_of(scores: Any, costs: Any, *, flat: bool) -> list[float]:
    """Return the validation scores of an epoch, one a member; see :func:`is_flat`."""
    return [float(cost == 0.0) for cost in each(costs)] if flat else each(scores)


def note(estimator: Any, monitor: Monitor, history: History, scores: list[list[float]] | None, m: int, *, diverged: bool = False) -> None:
    """Write the epochs of a call at the end of the curves, those of an ensemble as means: what was there is not looked at again.

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
    past: dict[str, Any] = estimator._fitted.curves
    known, n = vars(estimator), len(new["loss_curve_"] or ())
    if not past:
        past = dict.fromkeys(new)
        known.update(past)
    before = len(past["loss_curve_"] or ())
    best = {name: known.get(name) for name in ("best_loss_", "best_validation_score_")}
    for name, curve in new.items():
        if curve is None and past[name] is None:
            continue
        if past[name] is None:
            past[name] = [nothing] * before
            known[name] = [math.nan] * before
        past[name] += curve or [nothing] * n
        known[name] += _means(curve or [nothing] * n)
    added = {name: None if past[name] is None else known[name][before:] for name in past}
    seen, early = estimator.t_, estimator.early_stopping
    known.update(_summary(added, n, seen, m, early=early))
    _keep_best(estimator, best, early=early)
    last = LastCall(n, seen, m, early, tuple(len(history.cost) - epochs for epochs in monitor.seen[: monitor.members]))
    estimator._fitted = replace(estimator._fitted, curves=past, members=last)


def _keep_best(estimator: Any, before: dict[str, Any], *, early: bool) -> None:
    """Make the best of the last call's epochs the best of all."""
    if not early:
        past = before["best_loss_"]
        if past is None:  # nothing is known of the calls before: they stopped early
            past = min((loss for loss in estimator.loss_curve_), default=math.inf)
        estimator.best_loss_ = min(past, estimator.best_loss_)
    past, here = before["best_validation_score_"], estimator.best_validation_score_
    estimator.best_validation_score_ = here if past is None else past if here is None else max(past, here)


def of_members(estimator: Any) -> list[dict[str, Any]]:
    """Return the fitted attributes of each member of an ensemble that follow from its own curves."""
    fitted: Fitted = estimator._fitted
    last = fitted.members
    if not isinstance(last, LastCall):
        return list(last)
    members = []
    for i, idle in enumerate(last.idle):
        curves = {
            name: None if curve is None else [values[i] for values in curve[: len(curve) - idle]] for name, curve in fitted.curves.items()
        }
        members.append(curves | _summary(curves, last.epochs - idle, last.before, last.m, early=last.early))
    return members


def means_of(curves: dict[str, Any]) -> dict[str, Any]:
    """Return curves with one number a member as the curves of their means."""
    return {name: None if curve is None else _means(curve) for name, curve in curves.items()}


def _means(curve: list[Any]) -> list[float]:
    return [sum(values) / len(values) for values in curve]


def _summary(curves: dict[str, Any], epochs: int, before: int, m: int, *, early: bool) -> dict[str, Any]:
    """Return the numbers that follow from curves."""
    losses, scores = curves["loss_curve_"], curves["validation_scores_"]
    scored = None if scores is None else [score for score in scores if not math.isnan(score)]
    return {
        "n_iter_": epochs,
        "t_": before + epochs * m,
        "loss_": losses[-1] if losses else math.nan,
        "best_loss_": None if early else min(losses, default=math.inf),
        "best_validation_score_": None if scored is None else max(scored, default=-math.inf),
    }
