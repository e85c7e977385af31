"""A function of one variable, and the networks that stand for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import RangeError
from mlpxp.plotting.style import FIRST, INK, MARKED, SECOND, add_title, check_kind, figure_class, figure_of, hues, plain
from mlpxp.textbook.approximation import Approximant, Target, relu_interpolant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_approximation", "plot_interpolant"]

_POINTS = 2001
_STYLES = ("-", "--", "-.", ":")  # so that lines are told apart without their colours, too


def plot_approximation(target: Target, *approximants: Approximant, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw a function of one variable with its approximants, and beneath it how far from it they are.

    Parameters
    ----------
    target : Target
    *approximants : Approximant
        Of a stack, the member whose largest error is the median one is drawn (of an even number, the better of the two in the middle).
    ax : Axes, optional
        Where to draw the functions; the errors are left out then. By default a figure of its own.
    title : str, optional
        By default the target's name.

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        The target has more than one variable, or an approximant is one of another target.
    OutputError
        matplotlib is not installed.
    """
    x = _points(target)
    for one in approximants:
        check_kind("an approximant", one, Approximant)
        if one.target.box != target.box:
            raise RangeError(f"approximants must be of the target on {target.box}, got one on {one.target.box}")
    figure, upper, lower = _panels(ax, both=bool(approximants))
    f = target(x)
    upper.plot(x, f, color=INK, linewidth=3.2, alpha=0.35, solid_capstyle="round", label=plain(target.name))
    for index, (one, colour) in enumerate(zip(approximants, hues(len(approximants)), strict=True)):
        N, error = _median_member(one, x)
        style: Any = {"color": colour, "linestyle": _STYLES[index % len(_STYLES)], "linewidth": 1.5}
        upper.plot(x, N, label=f"{plain(_called(one))}: {error:.2g}", **style)
        if lower is not None:
            lower.plot(x, N - f, **style)
    upper.legend(
        frameon=False, title="largest error" if approximants else None, alignment="left", loc="upper left", bbox_to_anchor=(1.01, 1.0)
    )
    _finish(upper, lower, "N(x) - f(x)")
    add_title(upper, title or target.name)
    return figure


def plot_interpolant(target: Target, segments: int = 6, *, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Draw ReLU's piecewise-linear interpolant: its knots, its segments, and its error beneath the proved bound.

    Parameters
    ----------
    target : Target
    segments : int, default 6
        k: as many hidden units, k + 1 knots.
    ax : Axes, optional
        Where to draw the functions; the error is left out then. By default a figure of its own.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        The target has more than one variable, or ``segments`` is no whole number from 1.
    OutputError
        matplotlib is not installed.
    """
    x = _points(target)
    interpolant = relu_interpolant(target, segments)
    knots = np.linspace(*target.box[0], segments + 1)
    figure, upper, lower = _panels(ax, both=True)
    f, N = target(x), interpolant(x)
    upper.plot(x, f, color=INK, linewidth=3.2, alpha=0.35, solid_capstyle="round", label=plain(target.name))
    upper.plot(x, N, color=FIRST, linewidth=1.5, label=f"ReLU network, {segments} hidden unit{'s' if segments > 1 else ''}")
    upper.plot(knots, target(knots), "o", color=FIRST, markersize=5, label=f"{segments + 1} knots")
    if lower is not None:
        lower.plot(x, np.abs(N - f), color=FIRST, linewidth=1.5, label="|N(x) - f(x)|")
        lower.plot(knots, np.zeros(segments + 1), "o", color=FIRST, markersize=4, clip_on=False)
        if interpolant.bound is not None:
            value, formula = interpolant.bound
            lower.axhline(value, color=SECOND, linewidth=1.3, linestyle="--", label=f"{formula} = {value:.3g}")
        lower.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
        lower.set_ylim(bottom=0.0)
    upper.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    _finish(upper, lower, "error")
    add_title(upper, title or f"{target.name}, {segments} segments")
    return figure


def _points(target: Target) -> NDArray[np.float64]:
    check_kind("target", target, Target)
    if target.dimension != 1:
        raise RangeError(f"this picture shows a function of one variable, got {target.name} of {target.dimension}")
    return np.linspace(*target.box[0], _POINTS)


def _panels(ax: Axes | None, *, both: bool) -> tuple[Figure, Axes, Axes | None]:
    if ax is not None:
        return figure_of(ax), ax, None
    figure: Figure = figure_class()(figsize=(8.6, 5.2 if both else 3.6), dpi=144, layout="constrained")
    if not both:
        return figure, figure.subplots(), None
    upper, lower = figure.subplots(nrows=2, sharex=True, height_ratios=(3, 2))
    return figure, upper, lower


def _median_member(one: Approximant, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The values and the largest error of a network, or of a stack's member with the median one."""
    values, errors = one(x), np.atleast_1d(one.max_error)
    member = int(np.argsort(errors, kind="stable")[(len(errors) - 1) // 2])
    return np.atleast_2d(values)[member], float(errors[member])


def _called(one: Approximant) -> str:
    return f"{one.name}, {'-'.join(map(str, one.network.sizes))}"


def _finish(upper: Axes, lower: Axes | None, label: str) -> None:
    for axes in (upper, lower):
        if axes is not None:
            axes.grid(visible=True, color="#d9d9d9", linewidth=0.6)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
    upper.set_ylabel("f(x)")
    if lower is not None:
        lower.set_ylabel(label)
        lower.axhline(0.0, color=MARKED, linewidth=0.8)
    (lower or upper).set_xlabel("x")
