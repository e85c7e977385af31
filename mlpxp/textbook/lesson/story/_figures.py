"""Figures of the story that no other part of the library draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.plotting.style import FIRST, SECOND, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_operations"]


def plot_operations(rows: list[Any]) -> Figure:
    """Draw the operations of a gradient by both methods against the number of parameters."""
    figure, axes = canvas(None, figsize=(6.4, 4.0))
    _, n, quick, naive, _ = zip(*rows, strict=True)
    for values, name, colour, marker in ((naive, "naive", SECOND, "s"), (quick, "backpropagation", FIRST, "o")):
        axes.loglog(n, values, color=colour, marker=marker, label=name)
    axes.set_xticks(n, labels=map(str, n))
    axes.set_xticks([], minor=True)
    axes.set_xlabel("parameters n")
    axes.set_ylabel("operations")
    axes.grid(visible=True, color="#d9d9d9", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
