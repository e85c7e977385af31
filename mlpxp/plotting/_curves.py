"""The cost by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.errors import RangeError, ShapeError
from mlpxp.plotting.fitted import attribute, check_single
from mlpxp.plotting.style import FIRST, MARKED, SECOND, THIRD, add_grid, add_title, figure_class, figure_of
from mlpxp.runs.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_loss_curve"]

TRAINING, VALIDATION, SCORE = FIRST, SECOND, THIRD


def plot_loss_curve(
    history_or_estimator: History | Any, *, ax: Axes | None = None, title: str | None = None, score_name: str | None = None
) -> Figure:
    """Draw the cost by epoch, and the validation score beneath it where there is one; the best epoch is marked.

    The best epoch is the one with the lowest validation cost; where only scores were kept, the one with the highest score.

    Parameters
    ----------
    history_or_estimator : History or estimator
        Of one network (a stack has one history for all). Of a fitted estimator ``loss_curve_`` is drawn, and
        ``validation_loss_curve_`` and ``validation_scores_`` where it has them.
    ax : Axes, optional
        Where to draw the cost; the score is left out then. By default a figure of its own.
    title : str, optional
    score_name : str, optional
        What the score is: ``accuracy``, ``R²``. By default what it is of an estimator, and ``score`` of a history.

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        There are no epochs, or the estimator is not fitted or has no ``loss_curve_``.
    ShapeError
        It is that of a stack.
    OutputError
        matplotlib is not installed.
    """
    new_figure = figure_class()
    from matplotlib.ticker import MaxNLocator

    history = _history_of(history_or_estimator)
    if not history.cost:
        raise RangeError("a loss curve needs at least one epoch, got an empty history")
    if isinstance(history.cost[0], tuple):
        raise ShapeError(f"a loss curve shows one network, got the history of a stack of {len(history.cost[0])}")
    validated, scored = (
        len(values) == len(history.cost) and any(map(math.isfinite, _numbers(values)))
        for values in (history.validation_cost, history.validation_score)
    )
    if ax is not None:
        figure, panels = figure_of(ax), [ax]
    else:
        two = {"nrows": 2, "height_ratios": (3, 2)} if scored else {}
        figure = new_figure(figsize=(7.0, 5.6 if scored else 4.0), dpi=144, layout="constrained")
        panels = list(figure.subplots(sharex=True, squeeze=False, **two)[:, 0])
    upper, *lower = panels
    _line(upper, history.cost, color=TRAINING, label="training")
    if validated:
        _line(upper, history.validation_cost, color=VALIDATION, label="validation", linestyle="--")
    _choose_scale(upper, [*_numbers(history.cost), *(_numbers(history.validation_cost) if validated else ())])
    upper.set_ylabel("cost")
    for axes in lower:
        _line(axes, history.validation_score, color=SCORE, label="validation")
        axes.set_ylabel(f"validation {score_name or _score_name(history_or_estimator)}")
    if validated or scored:
        best, what = _best_epoch(history, validated=validated)
        upper.axvline(best, color=MARKED, linewidth=1.0, linestyle=":", label=f"{what}, epoch {best}")
        for axes in lower:
            axes.axvline(best, color=MARKED, linewidth=1.0, linestyle=":")
    for axes in panels:
        add_grid(axes)
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    upper.legend(frameon=False)
    add_title(upper, title)
    return figure


def _history_of(run: Any) -> History:
    """Return a history as it is; of an estimator, what it kept in scikit-learn's attributes."""
    if isinstance(run, History):
        return run
    check_single(run, "a loss curve")
    cost = attribute(run, "loss_curve_", "a loss curve")
    kept = (getattr(run, name, None) for name in ("validation_loss_curve_", "validation_scores_"))
    validation_cost, validation_score = (() if values is None else tuple(values) for values in kept)
    return History(cost=tuple(cost), validation_cost=validation_cost, validation_score=validation_score)


def _score_name(run: Any) -> str:
    return "score" if isinstance(run, History) else "accuracy" if hasattr(run, "classes_") else "R²"


def _best_epoch(history: History, *, validated: bool) -> tuple[int, str]:
    """Return the epoch to mark, and by what it is the best."""
    if validated:
        return 1 + int(np.nanargmin(_numbers(history.validation_cost))), "lowest validation cost"
    return 1 + int(np.nanargmax(_numbers(history.validation_score))), "highest validation score"


def _choose_scale(axes: Axes, costs: list[float]) -> None:
    finite = [cost for cost in costs if math.isfinite(cost)]
    if finite and min(finite) > 0 and 10 < max(finite) / min(finite) < 1e100:  # beyond that a log axis overflows
        axes.set_yscale("log")


def _line(axes: Axes, values: Sequence[Any], **style: Any) -> None:
    """A line over the epochs; where there are few, with their points."""
    epochs = range(1, len(values) + 1)
    axes.plot(epochs, _numbers(values), linewidth=1.6, marker="o" if len(epochs) <= 20 else None, markersize=4, **style)


def _numbers(values: Sequence[Any]) -> list[float]:
    return [float(value) for value in values]
