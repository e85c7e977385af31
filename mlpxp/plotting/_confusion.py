"""How often each class was taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.errors import ShapeError
from mlpxp.plotting.style import add_title, figure_class, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["plot_confusion_matrix"]

LEGIBLE = 30  # more classes than this get no numbers in their cells


def plot_confusion_matrix(matrix: NDArray[Any], classes: Sequence[object], *, title: str | None = None) -> Figure:
    """Draw how often each class (a row) was taken for which (a column); the shade is the share of the row.

    Parameters
    ----------
    matrix : ndarray of int, shape (n_classes, n_classes)
    classes : sequence
        The labels, in the order of the rows.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError
        The matrix has another shape.
    """
    new_figure = figure_class()
    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n):
        raise ShapeError(f"a confusion matrix of {n} classes must have shape ({n}, {n}), got {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3.0 + 0.45 * n, 14.0)
    figure: Figure = new_figure(figsize=(side + 0.6, side), dpi=144, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="cividis", vmin=0.0, vmax=1.0)
    names = [plain(label) for label in classes]
    step = max(1, n // 40)
    axes.set_xticks(
        range(0, n, step),
        names[::step],
        rotation=0 if max(map(len, names)) <= 3 else 45,
        ha="center" if max(map(len, names)) <= 3 else "right",
    )
    axes.set_yticks(range(0, n, step), names[::step])
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if n <= LEGIBLE:
        for (row, column), count in np.ndenumerate(counts):
            axes.text(
                column, row, f"{count:,}", ha="center", va="center", fontsize=9, color="black" if shares[row, column] > 0.5 else "white"
            )
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    add_title(axes, title)
    return figure
