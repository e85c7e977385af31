"""A network as layers of units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.core.network import Network
from mlpxp.errors import RangeError, ShapeError
from mlpxp.plotting.fitted import attribute, check_single, host, texts
from mlpxp.plotting.style import FIRST, INK, MARKED, SECOND, add_title, canvas, figure_class, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlpxp.core.network import Parameters

__all__ = ["plot_architecture"]

POSITIVE, NEGATIVE, UNKNOWN = FIRST, SECOND, "#a6a6a6"
THINNEST, THICKEST = 0.3, 2.6  # points
_WHAT = "an architecture"


@dataclass(frozen=True)
class _Drawing:
    """What is drawn: the sizes, the activations, the weights (n_in, n_out) if they are known, and the names at both ends."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    weights: tuple[NDArray[Any], ...] | None
    inputs: list[str] | None = None
    outputs: list[str] | None = None


@dataclass(frozen=True)
class _Shown:
    """Which units of a layer are drawn, and at which heights; the gap is where others are left out, or ``None``."""

    units: NDArray[Any]
    heights: NDArray[Any]
    gap: float | None


def plot_architecture(
    estimator_or_network: Network | Any,
    *,
    parameters: Parameters | None = None,
    ax: Axes | None = None,
    max_units: int = 12,
    title: str | None = None,
) -> Figure:
    """Draw a network: a circle a unit, a line a weight, from the inputs on the left to the outputs on the right.

    A line's colour is the sign of its weight; its width and its strength are ``|weight|`` as a share of the largest that is drawn in its
    layer. Without weights all lines are alike.

    Parameters
    ----------
    estimator_or_network : Network or estimator
        A fitted estimator with ``coefs_``, or a network.
    parameters : tuple of Layer, optional
        The network's, of any array library. An estimator has its own.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    max_units : int, default 12
        A layer with more units shows its first and its last ones, and dots for those between them; from 3.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError
        The estimator is not fitted, parameters came with it, or ``max_units`` is out of range.
    ShapeError
        The parameters are not the network's, or those of a stack.
    OutputError
        matplotlib is not installed.
    """
    figure_class()
    if not isinstance(max_units, int) or max_units < 3:
        raise RangeError(f"max_units must be a whole number from 3, got {max_units!r}")
    if isinstance(estimator_or_network, Network):
        drawing = _of_network(estimator_or_network, parameters)
    elif parameters is None:
        drawing = _of_estimator(estimator_or_network)
    else:
        raise RangeError(f"parameters go with a Network, got them with {type(estimator_or_network).__name__}, which has its own")
    shown = [_shown(size, max_units) for size in drawing.sizes]
    tallest = max(len(layer.heights) for layer in shown)
    figure, axes = canvas(ax, figsize=(1.4 + 1.9 * len(shown), max(2.4, 1.4 + 0.34 * tallest)))
    _draw_weights(axes, drawing, shown)
    _draw_units(axes, drawing, shown)
    _draw_names(axes, drawing, shown)
    axes.set_xlim(-0.2, len(shown) - 0.8)
    axes.set_axis_off()
    add_title(axes, title, pad=None if drawing.weights is None else 26.0)
    return figure


def _of_network(network: Network, parameters: Parameters | None) -> _Drawing:
    weights = None
    if parameters is not None:
        shapes = tuple(tuple(layer.W.shape) for layer in parameters)
        if shapes and len(shapes[0]) > 2:
            raise ShapeError(f"{_WHAT} shows one network, got a stack of {shapes[0][0]}: draw one of unstack(parameters)")
        if shapes != network.shapes:
            raise ShapeError(
                f"parameters must have weights of shapes {network.shapes}, got {shapes}: the network's sizes are {network.sizes}"
            )
        weights = tuple(host(layer.W).T for layer in parameters)
    return _Drawing(network.sizes, tuple(activation.name for activation in network.activations), weights)


def _of_estimator(estimator: Any) -> _Drawing:
    coefs = attribute(estimator, "coefs_", _WHAT)
    check_single(estimator, _WHAT)
    weights = tuple(host(coef) for coef in coefs)
    hidden = estimator.activation
    each = [hidden] * (len(weights) - 1) if isinstance(hidden, str) or not isinstance(hidden, Sequence) else list(hidden)
    return _Drawing(
        sizes=(weights[0].shape[0], *(W.shape[1] for W in weights)),
        activations=tuple(str(getattr(one, "name", one)) for one in (*each, estimator.out_activation_)),
        weights=weights,
        inputs=texts(getattr(estimator, "feature_names_in_", None)),
        outputs=_outputs(texts(getattr(estimator, "classes_", None)), weights[-1].shape[1]),
    )


def _outputs(classes: list[str] | None, n: int) -> list[str] | None:
    """The classes that output units stand for: one each, or the second of two for a single unit."""
    return classes[1:] if classes is not None and (n, len(classes)) == (1, 2) else classes


def _shown(size: int, max_units: int) -> _Shown:
    """Choose the units of a layer that are drawn, from the top down around height 0; the dots take one place."""
    places = min(size, max_units)
    heights = (places - 1) / 2 - np.arange(places)
    if size == places:
        return _Shown(np.arange(size), heights, None)
    above = places // 2
    units = np.concatenate([np.arange(above), np.arange(size - (places - 1 - above), size)])
    return _Shown(units, np.delete(heights, above), float(heights[above]))


def _draw_weights(axes: Axes, drawing: _Drawing, shown: list[_Shown]) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D

    for number, (left, right) in enumerate(pairwise(shown)):
        ends = np.stack(np.meshgrid(left.heights, right.heights, indexing="ij"), axis=-1).reshape(-1, 2)
        lines = np.stack([np.broadcast_to([number, number + 1.0], ends.shape), ends], axis=-1)
        if drawing.weights is None:
            axes.add_collection(LineCollection(list(lines), colors=UNKNOWN, linewidths=0.6, zorder=1))
            continue
        weights = drawing.weights[number][np.ix_(left.units, right.units)].ravel()
        shares = np.abs(weights) / (np.abs(weights).max() or 1.0)
        order = np.argsort(shares)  # the strongest on top
        colours = np.asarray([to_rgba(NEGATIVE if weight < 0 else POSITIVE) for weight in weights])
        colours[:, 3] = 0.15 + 0.75 * shares**2
        widths = THINNEST + (THICKEST - THINNEST) * shares
        axes.add_collection(LineCollection(list(lines[order]), colors=colours[order], linewidths=widths[order], zorder=1))
    if drawing.weights is not None:
        handles = [
            Line2D([], [], color=colour, label=f"{sign} weight") for colour, sign in ((POSITIVE, "positive"), (NEGATIVE, "negative"))
        ]
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.0, ncols=2, frameon=False)


def _draw_units(axes: Axes, drawing: _Drawing, shown: list[_Shown]) -> None:
    bottom = min(layer.heights[-1] for layer in shown)
    last = len(shown) - 1
    for number, (layer, size) in enumerate(zip(shown, drawing.sizes, strict=True)):
        axes.scatter([number] * len(layer.heights), layer.heights, s=130, facecolors="white", edgecolors=INK, linewidths=1.2, zorder=3)
        if layer.gap is not None:
            axes.scatter([number] * 3, layer.gap + np.asarray([-0.22, 0.0, 0.22]), s=5, color=INK, zorder=3)
        kind = "input" if number == 0 else "output" if number == last else f"hidden {number}" if last > 2 else "hidden"
        activation = [plain(drawing.activations[number - 1])] if number else []
        text = "\n".join([kind, f"{size:,} unit{'s' if size > 1 else ''}", *activation])
        axes.text(number, bottom - 0.75, text, ha="center", va="top", color=INK, fontsize=9, linespacing=1.3)
    axes.set_ylim(bottom - 0.7, -bottom + 0.7)


def _draw_names(axes: Axes, drawing: _Drawing, shown: list[_Shown]) -> None:
    """The names of the inputs and the outputs beside their units, where there is one each."""
    for names, number, shift, side in ((drawing.inputs, 0, -10, "right"), (drawing.outputs, len(shown) - 1, 10, "left")):
        if names is None or len(names) != drawing.sizes[number]:
            continue
        for unit, height in zip(shown[number].units, shown[number].heights, strict=True):
            axes.annotate(
                plain(names[unit]),
                (number, height),
                xytext=(shift, 0),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=9,
                color=MARKED,
                annotation_clip=False,
            )
