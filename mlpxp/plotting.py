"""Pictures of a run. Every function returns a matplotlib ``Figure`` of its own: no pyplot, no window, no global state."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import OutputError, RangeError, ShapeError, UnknownNameError
from mlpxp.exchange import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlpxp.history import History

__all__ = ["PICTURES", "check_picture", "plot_confusion_matrix", "plot_loss_curve", "save_figure"]

PICTURES = ("png", "svg", "pdf")
TRAINING, VALIDATION, SCORE = "#0072B2", "#D55E00", "#009E73"  # of Okabe and Ito's palette: told apart by the colour-blind
MARKED = "#595959"
LEGIBLE = 30  # more classes than this get no numbers in their cells


def plot_loss_curve(history: History, *, title: str | None = None, score_name: str = "score") -> Figure:
    """Draw the cost by epoch, and the validation score beneath it where there is one; the lowest validation cost is marked.

    Parameters
    ----------
    history : History
        Of one network (a stack has one history for all).
    title : str, optional
    score_name : str, default "score"
        What the score is: ``accuracy``, ``R²``.

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        The history has no epochs.
    ShapeError
        It is that of a stack.
    """
    new_figure = _figure_class()
    if not history.cost:
        raise RangeError("a loss curve needs at least one epoch, got an empty history")
    if isinstance(history.cost[0], tuple):
        raise ShapeError(f"a loss curve shows one network, got the history of a stack of {len(history.cost[0])}")
    epochs = range(1, len(history.cost) + 1)
    validated = len(history.validation_cost) == len(history.cost)
    scored = validated and any(math.isfinite(score) for score in _numbers(history.validation_score))
    figure: Figure = new_figure(figsize=(7.0, 5.6 if scored else 4.0), dpi=144, layout="constrained")
    grid = figure.subplots(2 if scored else 1, 1, sharex=True, squeeze=False, height_ratios=(3, 2) if scored else (1,))
    upper, *lower = grid[:, 0]
    _line(upper, epochs, history.cost, color=TRAINING, label="training")
    if validated:
        _line(upper, epochs, history.validation_cost, color=VALIDATION, label="validation", linestyle="--")
    everything = [cost for cost in (*_numbers(history.cost), *_numbers(history.validation_cost)) if math.isfinite(cost)]
    if everything and min(everything) > 0 and 10 < max(everything) / min(everything) < 1e100:  # beyond that a log axis overflows
        upper.set_yscale("log")
    upper.set_ylabel("cost")
    axes = [upper, *lower]
    if scored:
        _line(lower[0], epochs, history.validation_score, color=SCORE, label="validation")
        lower[0].set_ylabel(f"validation {score_name}")
    if validated and any(math.isfinite(cost) for cost in _numbers(history.validation_cost)):
        best = 1 + int(np.nanargmin(_numbers(history.validation_cost)))
        for one in axes:
            one.axvline(
                best, color=MARKED, linewidth=1.0, linestyle=":", label=f"lowest validation cost, epoch {best}" if one is upper else None
            )
    for one in axes:
        one.grid(visible=True, color="#d9d9d9", linewidth=0.6)
        one.set_axisbelow(True)
        one.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    upper.legend(frameon=False)
    if title:
        upper.set_title(_plain(title), loc="left")
    return figure


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
    new_figure = _figure_class()
    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n):
        raise ShapeError(f"a confusion matrix of {n} classes must have shape ({n}, {n}), got {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3.0 + 0.45 * n, 14.0)
    figure: Figure = new_figure(figsize=(side + 0.6, side), dpi=144, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="cividis", vmin=0.0, vmax=1.0)
    names = [_plain(label) for label in classes]
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
    if title:
        axes.set_title(_plain(title), loc="left")
    return figure


def check_picture(path: str | os.PathLike[str]) -> str:
    """Return the kind of picture that a file's name asks for, after making sure that matplotlib can draw it.

    Raises
    ------
    UnknownNameError
        The name does not end in one of the known kinds.
    OutputError
        matplotlib is not installed.
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in PICTURES:
        raise UnknownNameError(f"a picture must be named .{', .'.join(PICTURES)}, got {os.fspath(path)!r}")
    _figure_class()
    return kind


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure, whole or not at all.

    Raises
    ------
    UnknownNameError
        The name does not end in ``.png``, ``.svg`` or ``.pdf``.
    OutputError
        The file can't be written.
    """
    kind = check_picture(path)
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a letter that the font lacks is drawn as a box
        figure.savefig(drawn, format=kind)
    write_atomically(path, drawn.getvalue())


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError(f"a picture needs matplotlib, which can't be imported ({error}): pip install 'mlpxp[plot]'") from error
    return Figure


def _line(axes: Axes, epochs: range, values: Sequence[Any], **style: Any) -> None:
    """A line; where there are few epochs, with their points."""
    axes.plot(epochs, _numbers(values), linewidth=1.6, marker="o" if len(epochs) <= 20 else None, markersize=4, **style)


def _numbers(values: Sequence[Any]) -> list[float]:
    return [float(value) for value in values]


def _plain(label: object) -> str:
    """A label as matplotlib shows it letter by letter: no formula between dollar signs, no control characters, not too long."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(label))
    return (text if len(text) <= 60 else f"{text[:59]}…").replace("$", r"\$")
