"""One perceptron: the hyperplane that separates two classes in the plane, or why there is none, and how Rosenblatt's rule goes about it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import DataError, RangeError, ShapeError
from mlpxp.plotting.style import FIRST, HUES, INK, SECOND, THIRD, add_grid, add_title, canvas, figure_class, lettering, plain
from mlpxp.textbook.separability import PerceptronRun, Separation, separate
from mlpxp.textbook.separability.examples import Examples, read_examples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_perceptron", "plot_separation"]

_MARGIN = 0.25  # of the examples' range, on each side
_LOOKS = {-1: (FIRST, "o"), 1: (SECOND, "s")}  # of the first class and of the second
_LINES = 30  # of a perceptron's way that are drawn: the last ones
_FARTHEST = 1e300  # what is computed with a coordinate has to stay finite


def plot_separation(X: Any, y: Any, separation: Separation | None = None, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw two classes in the plane with the line between them and its margin, or the examples whose constraints contradict each other.

    A certificate is a picture too: the examples of either class that it counts span a point, a segment or a triangle, and where the sums
    are equal the two have a point in common. No line can have one on the one side and the other on the other.

    Parameters
    ----------
    X : array or data frame, shape (m, 2)
    y : array, shape (m,)
        Two classes.
    separation : Separation, optional
        What :func:`mlpxp.separate` returned for them; by default it is asked.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    title : str, optional
        By default what was found.

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError, DataError
        There are not two features, or as :func:`mlpxp.separate`.
    RangeError
        ``separation`` is not the answer for these examples.
    OutputError
        matplotlib is not installed.
    """
    figure_class()
    examples = _in_the_plane(X, y)
    if separation is None:
        separation = separate(X, y)
    elif not isinstance(separation, Separation) or not separation.verify(X, y):
        raise RangeError("separation must be what separate(X, y) returns for these examples, got another")
    figure, axes = canvas(ax, figsize=(6.4, 4.8))
    _draw_examples(axes, examples)
    if separation.certificate is None:
        assert separation.w is not None  # one of the two is there
        assert separation.b is not None
        found = f"a margin of {separation.margin:.4g}"
        largest = max(abs(Fraction(one)) for one in separation.w)  # they may be beyond floats
        w, b = np.asarray([float(Fraction(one) / largest) for one in separation.w]), float(Fraction(separation.b) / largest)
        _draw_line(axes, w, b, color=INK, linewidth=1.8)
        reach = float(np.abs(examples.X @ w + b).min())
        for side in (-reach, reach):
            _draw_line(axes, w, b + side, color=INK, linewidth=0.9, linestyle="--")
        near = np.abs(np.abs(examples.X @ w + b) - reach) <= 1e-9 * reach
        _ring(axes, examples.X[near])
    else:
        found = f"no line: {len(separation.constraints)} examples contradict each other"
        _draw_certificate(axes, separation)
    add_title(axes, title if title is not None else found)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, frameon=False)
    return figure


def plot_perceptron(X: Any, y: Any, run: PerceptronRun, *, title: str | None = None) -> Figure:
    """Draw the lines that Rosenblatt's rule went through, the later the darker, and the mistakes of each epoch.

    Parameters
    ----------
    X : array or data frame, shape (m, 2)
    y : array, shape (m,)
        Two classes.
    run : PerceptronRun
        What :func:`mlpxp.perceptron` returned for them.
    title : str, optional
        By default how it ended.

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError, DataError
        There are not two features, or as :func:`mlpxp.perceptron`.
    RangeError
        ``run`` is of other data.
    OutputError
        matplotlib is not installed.
    """
    new_figure = figure_class()
    from matplotlib.ticker import MaxNLocator

    examples = _in_the_plane(X, y)
    if not isinstance(run, PerceptronRun) or run.classes != examples.classes or len(run.w) != 2:
        raise RangeError("run must be what perceptron(X, y) returns for these examples, got another")
    figure: Figure = new_figure(figsize=(8.4, 3.8), dpi=144, layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_examples(left, examples)
    lines = [line for line in run.path[-_LINES:] if any(line[0])]
    for number, (w, b) in enumerate(lines, start=1):
        last = number == len(lines)
        look = {"color": INK if last else THIRD, "linewidth": 1.8 if last else 1.0, "alpha": 0.2 + 0.8 * (number / len(lines))}
        _draw_line(left, np.asarray(w), b, **look)
    left.legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), ncols=2, borderaxespad=0.0, frameon=False)
    add_title(left, title if title is not None else _ended(run))
    epochs = np.arange(1, len(run.mistakes) + 1)
    right.plot(epochs, run.mistakes, color=HUES[1], marker="o" if len(epochs) <= 60 else None, markersize=4)
    right.set_xlabel("epoch")
    right.set_ylabel("mistakes")
    right.set_xlim(0.5, len(epochs) + 0.5)
    right.set_ylim(0.0, max(run.mistakes) + 0.5)
    for axis in (right.xaxis, right.yaxis):
        axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    add_grid(right)
    if run.cycle is not None:
        start, end = run.cycle
        right.axvspan(start + 0.5, end + 0.5, color=HUES[5], alpha=0.25, label="what it repeats for ever")
        right.legend(frameon=False)
    return figure


def _in_the_plane(X: Any, y: Any) -> Examples:
    examples = read_examples(X, y)
    if examples.X.shape[1] != 2:
        raise ShapeError(f"a picture of two classes needs 2 features, got {examples.X.shape[1]}")
    if (farthest := float(np.abs(examples.X).max())) > _FARTHEST:
        raise DataError(f"a picture needs numbers of at most {_FARTHEST:g} in size, got {farthest:g}")
    return examples


def _ended(run: PerceptronRun) -> str:
    if run.cycle is not None:
        start, end = run.cycle
        return f"after epoch {end} it stands where it {'started' if start == 0 else f'stood after epoch {start}'}"
    return f"converged after {sum(run.mistakes)} mistakes" if run.stop == "converged" else "not converged yet"


def _draw_examples(axes: Axes, examples: Examples) -> None:
    for sign, label in zip((-1, 1), examples.classes, strict=True):
        hue, marker = _LOOKS[sign]
        points = examples.X[examples.of(sign)]
        many = len(examples.X) > 2000
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=8 if many else 36,
            c=hue,
            marker=marker,
            edgecolors="white",
            linewidths=0.5,
            label=plain(label),
            zorder=3,
            rasterized=many,
        )
    lows, highs = examples.X.min(axis=0), examples.X.max(axis=0)
    margins = np.where(highs > lows, _MARGIN * (highs - lows), 0.5)
    (left, low), (right, high) = lows - margins, highs + margins
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.set_xlabel("x1")
    axes.set_ylabel("x2")


def _draw_line(axes: Axes, w: NDArray[np.float64], b: float, **look: Any) -> None:
    """The line w · x + b = 0, unless it is beyond floats."""
    sides = np.asarray([axes.get_xlim(), axes.get_ylim()])
    middle, size = sides.mean(axis=1), np.ptp(sides, axis=1).max()
    with np.errstate(all="ignore"):
        largest = np.abs(w).max()
        w, b = w / largest, b / largest
        start = middle - (w @ middle + b) * w / (w @ w)  # the point of the line that is nearest to the middle
        end = start + size * np.asarray([-w[1], w[0]]) / np.hypot(*w)
    if np.isfinite([start, end]).all() and (start != end).any():
        axes.axline(tuple(start), tuple(end), **look)


def _ring(axes: Axes, points: NDArray[np.float64]) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=130, facecolors="none", edgecolors=INK, linewidths=1.2, zorder=4)


def _draw_certificate(axes: Axes, separation: Separation) -> None:
    """The hulls of what the certificate counts of each class, the point that they share, and how often each example is counted."""
    total = sum(one.multiplicity for one in separation.constraints if one.sign > 0)
    points = np.asarray([one.x for one in separation.constraints])
    for sign, (hue, _) in _LOOKS.items():
        corners = np.asarray([one.x for one in separation.constraints if one.sign == sign])
        axes.fill(corners[:, 0], corners[:, 1], facecolor=hue, edgecolor=hue, alpha=0.35, linewidth=3.0, zorder=2)
    counted = [(one.multiplicity / total, one.x) for one in separation.constraints if one.sign > 0]
    shared = np.sum([share * np.asarray(x) for share, x in counted], axis=0)
    axes.scatter(shared[:1], shared[1:], s=120, marker="X", c=INK, edgecolors="white", zorder=5, label="in both hulls")
    _ring(axes, points)
    for one in separation.constraints:
        text = f"\N{MULTIPLICATION SIGN}{one.multiplicity}" if one.multiplicity < 10**6 else f"{one.multiplicity / total:.3g}"
        axes.annotate(
            text, xy=(one.x[0], one.x[1]), xytext=(9, 6), textcoords="offset points", fontsize=9, color=INK, zorder=6, **lettering()
        )
