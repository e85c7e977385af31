"""The half-planes of the hidden units, and what the output unit makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.core.network import Network, Parameters
from mlpxp.core.propagation import predict
from mlpxp.errors import RangeError
from mlpxp.plotting.boundary import plot_decision_boundary
from mlpxp.plotting.fitted import host
from mlpxp.plotting.style import HUES, INK, add_title, figure_class, lettering
from mlpxp.textbook.teaching.half_planes import MARGIN, HalfPlanes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_half_planes"]

_LINES = HUES[2:]  # the first two are the classes'
_NAMED = 4  # units up to which a region is marked with its signs
_LEAST = 0.01  # share of the box from which on there is room for them
_ARROW = 0.06  # of the box


@dataclass(frozen=True)
class _Regressor:
    """A network as an estimator that predicts a number."""

    network: Network
    parameters: Parameters

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(predict(self.network, self.parameters, X.T)[0])


@dataclass(frozen=True)
class _Classifier(_Regressor):
    """A network with a probability as its output as an estimator that knows two classes."""

    classes_: NDArray[Any]

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        A = super().predict(X)
        return np.stack([1.0 - A, A], axis=1)

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.classes_[(super().predict(X) > 0.5).astype(int)])


def plot_half_planes(
    half_planes: HalfPlanes, y: Any = None, *, features: tuple[str, str] = ("x1", "x2"), title: str | None = None
) -> Figure:
    """Draw the line of each hidden unit, the regions between them with what the output says there, and what the output unit sees.

    An arrow at each line points to the side where w · x + b > 0; each region is marked with the sides it is on, unit after unit. Of two
    hidden units there is a second picture, of the plane of their values: there the output unit is a perceptron with a line of its own (P3).

    Parameters
    ----------
    half_planes : HalfPlanes
        What :func:`mlpxp.textbook.teaching.half_planes.half_planes` returned.
    y : array, shape (m,), optional
        Two classes or, of a network whose output is no probability, numbers.
    features : pair of str, default ("x1", "x2")
        Their names.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        Something else came in.
    ShapeError, DataError
        ``y`` doesn't fit the examples.
    OutputError
        matplotlib is not installed.
    """
    new_figure = figure_class()
    if not isinstance(half_planes, HalfPlanes):
        raise RangeError(
            f"half_planes must be what mlpxp.textbook.teaching.half_planes.half_planes returns, got {type(half_planes).__name__}"
        )
    two = len(half_planes.lines) == 2
    figure: Figure = new_figure(figsize=(6.4, 8.8 if two else 4.4), dpi=144, layout="constrained")
    upper, *lower = figure.subplots(2 if two else 1, squeeze=False)[:, 0]
    network, parameters = half_planes.network, half_planes.parameters
    _shade(upper, network, parameters, half_planes.X, y, features)
    for unit, line in enumerate(half_planes.lines):
        _draw_line(upper, half_planes, unit, line)
    _mark(upper, half_planes)
    add_title(upper, title)
    if two:
        output = Network((2, 1), output=network.output, loss=network.loss)
        _shade(lower[0], output, parameters[1:], half_planes.hidden(), y, ("hidden unit 1", "hidden unit 2"))
        add_title(lower[0], "what the output unit sees: the hidden units' values")
    return figure


def _shade(axes: Axes, network: Network, parameters: Parameters, X: NDArray[Any], y: Any, names: tuple[str, str]) -> None:
    """Draw what a network of two inputs says, and the examples."""
    if network.output.values == "probability":
        classes = np.asarray([0, 1]) if y is None else np.unique(host(y))
        shown: Any = _Classifier(network, parameters, classes)
    else:
        shown = _Regressor(network, parameters)
    plot_decision_boundary(shown, X.T, y, margin=MARGIN, ax=axes)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])


def _draw_line(axes: Axes, half_planes: HalfPlanes, unit: int, line: tuple[float, float, float]) -> None:
    """Draw where a unit is 0, and an arrow to where it is above."""
    w, b = np.asarray(line[:2]), line[2]
    if not w.any():
        return
    w, b = w / np.abs(w).max(), b / np.abs(w).max()
    (left, right), (low, high) = half_planes.box
    middle = np.asarray([left + right, low + high]) / 2.0
    nearest = middle - (w @ middle + b) * w / (w @ w)  # the point of the line that is nearest to the middle
    colour, along = _LINES[unit % len(_LINES)], np.asarray([-w[1], w[0]]) / np.hypot(*w)
    dashes = ("-", "--", "-.", ":")[unit // len(_LINES) % 4]
    axes.axline(tuple(nearest), tuple(nearest + max(right - left, high - low) * along), color=colour, linewidth=2.0, linestyle=dashes)
    if left < nearest[0] < right and low < nearest[1] < high:
        ahead = nearest + _ARROW * np.asarray([right - left, high - low]) * w / np.hypot(*w)
        style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6, "shrinkA": 0.0, "shrinkB": 0.0}
        axes.annotate("", xy=tuple(ahead), xytext=tuple(nearest), arrowprops=style)
        axes.annotate(f"unit {unit + 1}", xy=tuple(ahead), xytext=(3, 3), textcoords="offset points", color=INK, fontsize=8, **lettering())


def _mark(axes: Axes, half_planes: HalfPlanes) -> None:
    """Write into each region on which sides of the lines it is."""
    (left, right), (low, high) = half_planes.box
    if len(half_planes.lines) > _NAMED:
        return
    for region in half_planes.regions:
        x, y = region.corners.T
        if abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2.0 < _LEAST * (right - left) * (high - low):
            continue
        signs = "\N{THIN SPACE}".join("+" if above else "\N{MINUS SIGN}" for above in region.above)
        axes.text(
            float(region.middle[0]),
            float(region.middle[1]),
            signs,
            ha="center",
            va="center",
            color=INK,
            fontsize=10,
            fontweight="bold",
            **lettering(),
        )
