"""Costs between points of the space of the parameters, and over a plane of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.errors import RangeError
from mlpxp.plotting.style import FIRST, INK, MARKED, SECOND, add_grid, add_title, canvas, figure_class
from mlpxp.textbook.teaching.convexity import Convexity
from mlpxp.textbook.teaching.segments import Segment, Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_convexity", "plot_swap"]

_LEVELS = 14
_MOST = 40  # segments that are drawn
_PAD = 26.0  # points between the axes and a title, for the legend
_ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2, "ncols": 2, "frameon": False}


def plot_convexity(convexity: Convexity, surface: Surface | None = None, *, title: str | None = None) -> Figure:
    """Draw the cost on segments between random parameters (the first 40), less its chord: what is above zero is not convex.

    Parameters
    ----------
    convexity : Convexity
        What :func:`mlpxp.textbook.teaching.convexity.try_convexity` returned.
    surface : Surface, optional
        What :func:`mlpxp.textbook.teaching.segments.cost_surface` returned: contours beside it.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        Something else came in.
    OutputError
        matplotlib is not installed.
    """
    new_figure = figure_class()
    if not isinstance(convexity, Convexity) or not (surface is None or isinstance(surface, Surface)):
        raise RangeError(f"wanted a Convexity and a Surface or None, got {type(convexity).__name__}, {type(surface).__name__}")
    both = surface is not None
    figure: Figure = new_figure(figsize=(10.0 if both else 5.6, 4.2), dpi=144, layout="constrained")
    left, *right = figure.subplots(1, 2 if both else 1, squeeze=False)[0]
    _draw_segments(left, convexity)
    add_title(left, title, pad=_PAD)
    if surface is not None:
        _draw_surface(figure, right[0], surface)
    return figure


def plot_swap(segment: Segment, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw the cost between a network and the same one with two hidden units swapped.

    Parameters
    ----------
    segment : Segment
        What :func:`mlpxp.textbook.teaching.convexity.swapped_minima` or :func:`mlpxp.textbook.teaching.segments.cost_along` returned.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        Something else came in.
    OutputError
        matplotlib is not installed.
    """
    figure_class()
    if not isinstance(segment, Segment):
        raise RangeError(f"a picture of swapped units needs a Segment, got {type(segment).__name__}")
    figure, axes = canvas(ax, figsize=(6.4, 4.0))
    middle = len(segment.t) // 2
    axes.plot(segment.t, segment.chord, color=FIRST, linestyle="--", linewidth=1.4, label="the chord, which no convex cost is above")
    axes.plot(segment.t, segment.cost, color=SECOND, linewidth=1.8, label="the cost")
    axes.scatter(segment.t[[0, middle, -1]], segment.cost[[0, middle, -1]], s=36, color=INK, zorder=3, clip_on=False)
    for at, side, shift in ((0, "left", 8), (middle, "center", 0), (-1, "right", -8)):
        axes.annotate(
            f"{segment.cost[at]:.3g}", (segment.t[at], segment.cost[at]), xytext=(shift, 7), textcoords="offset points", ha=side, color=INK
        )
    axes.set_xticks([0.0, 0.5, 1.0], ["one network", "half-way", "two units swapped"])
    axes.set_ylabel("cost")
    axes.margins(y=0.12)
    add_grid(axes)
    axes.legend(**_ABOVE)
    add_title(axes, title, pad=_PAD)
    return figure


def _draw_segments(axes: Axes, convexity: Convexity) -> None:
    styles = {False: (FIRST, "-", "never above"), True: (SECOND, "--", "above somewhere: not convex")}
    drawn: dict[str, Any] = {}
    for segment in convexity.segments[:_MOST]:
        colour, line, label = styles[not segment.convex]
        (drawn[label],) = axes.plot(segment.t, segment.cost - segment.chord, color=colour, linewidth=1.0, alpha=0.75, linestyle=line)
    axes.axhline(0.0, color=INK, linewidth=1.0)
    axes.set_xlabel("from one random point to another")
    axes.set_ylabel("cost less its chord")
    axes.set_xticks([0.0, 0.5, 1.0])
    add_grid(axes)
    axes.legend(drawn.values(), drawn.keys(), **_ABOVE)


def _draw_surface(figure: Figure, axes: Axes, surface: Surface) -> None:
    image: Any = axes.contourf(surface.right, surface.up, surface.cost, levels=_levels(surface.cost), cmap="cividis")
    axes.contour(image, colors="white", linewidths=0.5)
    best = np.unravel_index(np.argmin(surface.cost), surface.cost.shape)
    axes.scatter(surface.right[best[1]], surface.up[best[0]], marker="*", s=90, color="white", edgecolors=MARKED, zorder=3)
    axes.set_xlabel("w")
    axes.set_ylabel("b")
    figure.colorbar(image, ax=axes, label="cost", format="%.3g")


def _levels(cost: Any) -> Any:
    """Levels that are close where the cost is low, so that a valley shows beside steep slopes."""
    low, high = float(cost.min()), float(cost.max())
    return low + ((high - low) or 1.0) * np.linspace(0.0, 1.0, _LEVELS) ** 2
