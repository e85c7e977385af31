"""How an error, or a cost, grows and falls: with width, depth, dimension, and not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.scalars import whole_number
from mlpxp.errors import RangeError
from mlpxp.plotting.style import FIRST, INK, SECOND, THIRD, add_title, canvas, check_kind, figure_class, hues, plain
from mlpxp.textbook.approximation import DepthStudy, DimensionStudy, PolynomialStudy, WidthStudy, count_sawtooth, log_slope

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_depth_against_width", "plot_dimension", "plot_error_against_width", "plot_polynomial_failure"]

_MARKERS = "os^DvP"
_SIZE = (8.6, 4.4)


def plot_error_against_width(study: WidthStudy, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw the largest error against the width, both logarithmic: every trained network, their median, the staircase and its bound.

    The slopes are those of straight lines through the logarithms: of the median over all widths, of the staircase and its bound over the
    wider half, where their order shows, -1. The training has no order: where its median no longer falls, it is the training that is at its
    end.

    Parameters
    ----------
    study : WidthStudy
    ax : Axes, optional
        By default a figure of its own.
    title : str, optional
        By default the target's name.

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        ``study`` is none, or ``ax`` no axes.
    OutputError
        matplotlib is not installed.
    """
    check_kind("study", study, WidthStudy)
    figure, axes = canvas(ax, figsize=_SIZE)
    n = study.widths
    trained = f"trained, {study.trained[0].network.hidden[0].name}: median of {study.fitting.seeds}"
    _with_members(axes, n, study.max_errors, FIRST, "o", trained + _slope(n, np.median(study.max_errors, axis=-1), 0))
    constructed, bounds = study.constructed_errors, study.bounds
    if constructed is not None:
        axes.plot(
            n,
            constructed,
            color=SECOND,
            marker="s",
            markersize=5,
            linewidth=1.5,
            label="sigmoid staircase" + _slope(n, constructed, len(n) // 2),
        )
    if bounds is not None:
        axes.plot(n, bounds, color=INK, linestyle="--", linewidth=1.3, label="its proved bound" + _slope(n, bounds, len(n) // 2))
    _logarithmic(axes, n)
    axes.set_xlabel("width: units of the hidden layer")
    axes.set_ylabel("largest error")
    _finish(axes)
    add_title(axes, title or study.target.name)
    return figure


def plot_depth_against_width(
    study: DepthStudy | None = None, *, deepest: int = 10, ax: Axes | None = None, title: str | None = None
) -> Figure:
    """Draw what the sawtooth with 2^{k-1} teeth costs, deep and shallow, exactly; beside it what training made of depth, given a study.

    Parameters
    ----------
    study : DepthStudy, optional
    deepest : int, default 10
        The largest k, from 2 to 50.
    ax : Axes, optional
        Where to draw the counts; the study is left out then. By default a figure of its own.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        ``deepest`` is out of range, or ``ax`` is no axes.
    OutputError
        matplotlib is not installed.
    """
    deepest = whole_number("deepest", deepest)
    if deepest < 2:
        raise RangeError("deepest must be from 2 to 50, got 1: one point is no curve")
    if study is not None:
        check_kind("study", study, DepthStudy)
    counts = [count_sawtooth(depth) for depth in range(1, deepest + 1)]
    if ax is not None or study is None:
        figure, left = canvas(ax, figsize=_SIZE)
        right = None
    else:
        figure = figure_class()(figsize=(11.0, 4.4), dpi=144, layout="constrained")
        left, right = figure.subplots(ncols=2)
    ks = [one.depth for one in counts]
    left.plot(ks, [one.shallow_parameters for one in counts], color=SECOND, marker="s", markersize=5, label="1 hidden layer: 3 · 2ᵏ + 1")
    left.plot(ks, [one.deep_parameters for one in counts], color=FIRST, marker="o", markersize=5, label="k hidden layers of 2: 6k + 1")
    left.set_yscale("log")
    _whole_ticks(left)
    left.set_xlabel("k: the sawtooth has 2ᵏ⁻¹ teeth")
    left.set_ylabel("parameters of the ReLU network that is it")
    _finish(left, beside=False)
    add_title(left, title or "exact: depth is cheaper")
    if right is not None and study is not None:
        _measured(right, study)
    return figure


def _measured(axes: Axes, study: DepthStudy) -> None:
    errors = study.rms_errors
    colours = hues(2 + len(study.targets))[2:]
    for index, (target, colour) in enumerate(zip(study.targets, colours, strict=True)):
        marker = _MARKERS[(index + 2) % len(_MARKERS)]
        _with_members(axes, study.depths, errors[index], colour, marker, f"{plain(target.name)}: median of {study.fitting.seeds}")
    axes.set_yscale("log")
    _whole_ticks(axes)
    axes.set_xlabel("hidden layers")
    axes.set_ylabel("root mean square error")
    _finish(axes, beside=False)
    sizes = [one.network.n_parameters for one in study.trained[0]]
    add_title(axes, f"trained: {min(sizes)} to {max(sizes)} parameters each")


def plot_dimension(*studies: DimensionStudy, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw the smallest width that reached the tolerance against the number of variables, and the count of a grid's cells.

    Measured and bounded are two different things, and are drawn so: filled points were trained, at hollow ones with an arrow the widest
    network that was tried was not enough, and the dashed line is what a construction needs.

    Parameters
    ----------
    *studies : DimensionStudy
        At least one, all with one tolerance.
    ax : Axes, optional
        By default a figure of its own.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        There is no study, their tolerances differ, or ``ax`` is no axes.
    OutputError
        matplotlib is not installed.
    """
    for study in studies:
        check_kind("study", study, DimensionStudy)
    if len({one.tolerance for one in studies}) != 1:
        raise RangeError(f"studies must be at least one, all with one tolerance, got {[one.tolerance for one in studies]}")
    figure, axes = canvas(ax, figsize=_SIZE)
    for index, (study, colour) in enumerate(zip(studies, hues(len(studies)), strict=True)):
        marker = _MARKERS[index % len(_MARKERS)]
        found = [(n, width) for n, width in zip(study.dimensions, study.measured, strict=True) if width is not None]
        missed = [n for n, width in zip(study.dimensions, study.measured, strict=True) if width is None]
        axes.plot(*_columns(found), color=colour, marker=marker, markersize=6, linewidth=1.5, label=f"{plain(study.family)}: trained")
        top = study.widths[-1]
        for n in missed:
            axes.plot([n], [top], color=colour, marker=marker, markersize=6, markerfacecolor="white", linestyle="none")
            axes.annotate("", (n, top * 2.2), (n, top * 1.1), arrowprops={"arrowstyle": "->", "color": colour})
        cells = [(n, count) for n, count in zip(study.dimensions, study.cells, strict=True) if count is not None]
        axes.plot(
            *_columns(cells), color=colour, linestyle="--", linewidth=1.2, marker=".", label=f"{plain(study.family)}: cells of a grid, kⁿ"
        )
    axes.set_yscale("log")
    _whole_ticks(axes)
    axes.set_xlabel("variables")
    axes.set_ylabel(f"width for an error of {studies[0].tolerance:g} standard deviations")
    _finish(axes)
    add_title(axes, title or "the needed width against the dimension")
    return figure


def plot_polynomial_failure(study: PolynomialStudy, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw the root mean square error against the width, of z^r and of an activation that is no polynomial, and the floor of the first.

    Parameters
    ----------
    study : PolynomialStudy
    ax : Axes, optional
        By default a figure of its own.
    title : str, optional
        By default the target's name.

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        ``study`` is none, or ``ax`` no axes.
    OutputError
        matplotlib is not installed.
    """
    check_kind("study", study, PolynomialStudy)
    figure, axes = canvas(ax, figsize=_SIZE)
    for stacks, colour, marker in ((study.trained, SECOND, "s"), (study.compared, FIRST, "o")):
        errors = np.stack([one.rms_error for one in stacks])
        _with_members(axes, study.widths, errors, colour, marker, f"{stacks[0].network.hidden[0].name}: median of {study.fitting.seeds}")
    axes.axhline(
        study.floor, color=INK, linestyle="--", linewidth=1.3, label=f"best polynomial of degree {study.degree}: {study.floor:.3g}"
    )
    axes.plot(
        [study.degree + 1],
        [study.attained.rms_error],
        "*",
        color=THIRD,
        markersize=13,
        label=f"it, as a network of {study.degree + 1} units",
        zorder=4,
    )
    _logarithmic(axes, study.widths)
    axes.set_xlabel("width: units of the hidden layer")
    axes.set_ylabel("root mean square error")
    _finish(axes)
    add_title(axes, title or study.target.name)
    return figure


def _with_members(axes: Axes, x: Sequence[int], errors: NDArray[np.float64], colour: Any, marker: str, label: str) -> None:
    """Every network as a point, and a line through the medians; errors have shape (x, seeds)."""
    axes.plot(np.repeat(x, errors.shape[-1]), errors.ravel(), marker, color=colour, markersize=3.5, alpha=0.45, markeredgewidth=0.0)
    axes.plot(x, np.median(errors, axis=-1), color=colour, marker=marker, markersize=6, linewidth=1.6, label=label)


def _slope(x: Sequence[int], y: NDArray[np.float64], first: int) -> str:
    """The slope from the point ``first`` on, in words."""
    slope = log_slope(x[first:], y[first:])
    return "" if slope is None else f", slope {slope:.2f}"


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


def _logarithmic(axes: Axes, x: Sequence[int]) -> None:
    """Logarithmic axes, with the numbers that were measured on the horizontal one, as far as there is room."""
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(x[:: 1 + len(x) // 12])))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())


def _whole_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def _finish(axes: Axes, *, beside: bool = True) -> None:
    axes.grid(visible=True, color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if beside:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    else:
        axes.legend(frameon=False)
