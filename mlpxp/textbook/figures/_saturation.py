"""A wrong, saturated output under two losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlpxp.errors import RangeError
from mlpxp.plotting.style import FIRST, SECOND, add_grid, add_title, figure_class
from mlpxp.textbook.teaching.saturation import Learning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_saturation"]

_STYLES = {"mse": (FIRST, "-", "mean squared error"), "binary_cross_entropy": (SECOND, "--", "cross-entropy")}


def plot_saturation(learnings: Sequence[Learning], *, title: str | None = None) -> Figure:
    """Draw how wrong a network is after each epoch, its error signal, and the slope of its output, for each loss.

    Parameters
    ----------
    learnings : sequence of Learning
        What :func:`mlpxp.textbook.teaching.saturation.saturated_neuron` or ``saturated_network`` returned.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        There is none.
    OutputError
        matplotlib is not installed.
    """
    new_figure = figure_class()
    from matplotlib.ticker import MaxNLocator

    if not learnings or not all(isinstance(learning, Learning) for learning in learnings):
        raise RangeError(f"learnings must be what saturated_neuron or saturated_network returns, got {type(learnings).__name__}")
    figure: Figure = new_figure(figsize=(7.0, 7.2), dpi=144, layout="constrained")
    wrong, signal, slope = panels = figure.subplots(3, sharex=True)
    for learning in learnings:
        colour, line, label = _STYLES[learning.network.loss.name]
        style = {"color": colour, "linestyle": line, "linewidth": 1.6, "label": label}
        wrong.plot(learning.error, **style)
        for axes, values in ((signal, learning.signal), (slope, learning.slope.mean(axis=(-2, -1)))):
            axes.plot(values, **style)
            if (values > 0.0).all():
                axes.set_yscale("log")
    wrong.set_ylabel("how wrong: |A - Y|, mean")
    wrong.set_ylim(-0.03, 1.03)
    signal.set_ylabel("error signal: ‖delta‖ (B1)")
    slope.set_ylabel("σ'(Z), mean: in delta\nonly with the squared error")
    slope.set_xlabel("epoch")
    slope.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    for axes in panels:
        add_grid(axes)
    wrong.legend(frameon=False)
    add_title(wrong, title)
    return figure
