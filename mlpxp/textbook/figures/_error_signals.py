"""The error signals of the layers, by activation, depth and initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.errors import RangeError
from mlpxp.plotting.style import HUES, add_grid, add_title, figure_class, plain
from mlpxp.textbook.teaching.error_signals import INITIALISATIONS, ErrorSignals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_error_signals"]

_LINES, _MARKERS = ("-", "--", "-.", ":"), "os^Dv"


def plot_error_signals(signals: Sequence[ErrorSignals], *, title: str | None = None) -> Figure:
    """Draw ‖delta_l‖ of every layer: a column of panels for each activation, a row for each depth, a line for each initialisation.

    A line is the median over the networks, the shade behind it what lies between the least and the most.

    Parameters
    ----------
    signals : sequence of ErrorSignals
        What :func:`mlpxp.textbook.teaching.error_signals.error_signals` returned, of any activations, depths and initialisations.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        There are none.
    OutputError
        matplotlib is not installed.
    """
    new_figure = figure_class()
    from matplotlib.ticker import MaxNLocator

    if not signals or not all(isinstance(one, ErrorSignals) for one in signals):
        raise RangeError(f"signals must be what error_signals returns, at least one, got {type(signals).__name__}")
    activations = list(dict.fromkeys(one.network.hidden[0].name for one in signals))
    depths = sorted({one.depth for one in signals})
    starts = list(dict.fromkeys((one.scheme, one.scale) for one in signals))
    size = (1.6 + 3.1 * len(activations), 1.3 + 2.5 * len(depths))
    figure: Figure = new_figure(figsize=size, dpi=144, layout="constrained")
    grid = figure.subplots(len(depths), len(activations), squeeze=False, sharex="row", sharey="row")
    for one in signals:
        axes = grid[depths.index(one.depth), activations.index(one.network.hidden[0].name)]
        _draw(axes, one, starts.index((one.scheme, one.scale)))
    for (row, column), axes in np.ndenumerate(grid):
        add_grid(axes)
        if row == 0:
            add_title(axes, activations[column])
        if row == len(depths) - 1:
            axes.set_xlabel("layer")
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        if column == 0:
            axes.set_ylabel(f"‖delta‖, {depths[row]} layers")
    handles, labels = _legend(grid)
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    if title:
        figure.suptitle(plain(title), x=0.01, ha="left")
    return figure


def _draw(axes: Axes, one: ErrorSignals, number: int) -> None:
    norms = np.where(one.norms > 0.0, one.norms, np.nan)  # a log axis has no 0
    seen = ~np.isnan(norms).all(axis=0)
    layers = np.arange(1, one.depth + 1)[seen]
    low, middle, high = (statistic(norms[:, seen], axis=0) for statistic in (np.nanmin, np.nanmedian, np.nanmax))
    colour = HUES[number % len(HUES)]
    axes.fill_between(layers, low, high, color=colour, alpha=0.2, linewidth=0.0)
    axes.plot(
        layers,
        middle,
        color=colour,
        linewidth=1.6,
        linestyle=_LINES[number % len(_LINES)],
        marker=_MARKERS[number % len(_MARKERS)],
        markersize=4,
        markevery=max(1, one.depth // 10),
        label=_name(one),
    )
    axes.set_yscale("log")


def _name(one: ErrorSignals) -> str:
    """The initialisation as people call it, or what it is."""
    for name, start in INITIALISATIONS.items():
        if start == (one.scheme, one.scale):
            return name
    return one.scheme.replace("_", " ") if one.scale == 1.0 else f"{one.scale:g} × {one.scheme.replace('_', ' ')}"


def _legend(grid: Any) -> tuple[list[Any], list[Any]]:
    """Each label once, whichever panel it is in."""
    found: dict[str, Any] = {}
    for axes in grid.flat:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
