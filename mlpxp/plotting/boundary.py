"""What an estimator says of each point of a plane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import DataError, RangeError, ShapeError
from mlpxp.plotting.fitted import check_single, fitted, host
from mlpxp.plotting.plane import MARGIN, Plane, examples_of, made_like, names_of, pair_of, through
from mlpxp.plotting.style import INK, LONGEST, MARKED, add_title, canvas, figure_class, hues, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_decision_boundary"]

STRENGTH = 0.55  # of a hue where the probability is 1, so that examples of the same hue stand out
MARKERS = "os^DvPX<>*"
SMALLEST, LARGEST = 7.0, 26.0  # points of examples
BESIDE = 1.03  # where, in widths of the axes, the legend and the bar stand
_WHAT = "a decision boundary"


def plot_decision_boundary(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    features: tuple[int | str, int | str] = (0, 1),
    grid_resolution: int = 200,
    margin: float = MARGIN,
    ax: Axes | None = None,
    title: str | None = None,
) -> Figure:
    """Draw what an estimator predicts over the plane of two features, and the examples on top.

    Of two classes the shade is the probability of the second, with a line where it is one half. Of more classes, each point has the
    hue of the most probable one, and its probability as the strength, with lines where two are equally probable. A regressor's
    prediction is a filled contour.

    Parameters
    ----------
    estimator : estimator
        Fitted: any classifier with ``predict_proba`` or with ``predict`` and ``classes_``, and any regressor.
    X : array or data frame, shape (m, n_features)
        The examples. The estimator is handed a grid of the same kind: a data frame, or an array of this library on this device.
    y : array, shape (m,), optional
        Their classes or targets.
    features : pair of int or str, default (0, 1)
        The features from left to right and upwards. All others are held at their medians over X, and the title says so.
    grid_resolution : int, default 200
        Points of the grid along each axis, from 2.
    margin : float, default 0.08
        How much of the plane is shown beyond the examples on each side, as a share of their range; from 0.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    RangeError, UnknownNameError
        The estimator is not fitted, features that aren't there, or an option out of range.
    ShapeError
        X has another number of features than the estimator knows, y doesn't fit X, or there is more than one target or network.
    DataError
        X holds anything but finite numbers, or y a class that the estimator doesn't know.
    OutputError
        matplotlib is not installed.
    """
    figure_class()
    examples = examples_of(X)
    n = examples.shape[1]
    wanted = getattr(estimator, "n_features_in_", n)
    if n != wanted:
        raise ShapeError(
            f"X must have shape (m, {wanted}), got {examples.shape}: {type(estimator).__name__} was fitted on {wanted} features"
        )
    names = names_of(estimator, X, n)
    pair = pair_of(features, names)
    if not isinstance(grid_resolution, int) or grid_resolution < 2:
        raise RangeError(f"grid_resolution must be a whole number from 2, got {grid_resolution!r}")
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0.0 <= margin < math.inf:
        raise RangeError(f"margin must be a number from 0, got {margin!r}")
    plane = through(examples, pair, grid_resolution, margin)
    _check_target(estimator, plane, X)
    targets = None if y is None else _targets(y, len(examples))
    figure, axes = canvas(ax, figsize=(6.4, 4.4))
    if hasattr(estimator, "predict_proba") or hasattr(estimator, "classes_"):
        _draw_classes(axes, estimator, plane, X, examples, targets)
    else:
        _draw_regression(axes, plane.values(estimator.predict, X).reshape(grid_resolution, -1), plane, examples, targets)
    axes.set_xlim(plane.right[0], plane.right[-1])
    axes.set_ylim(plane.up[0], plane.up[-1])
    axes.set_xlabel(plain(names[pair[0]]))
    axes.set_ylabel(plain(names[pair[1]]))
    add_title(axes, title, _held(plane, names))
    return figure


def _check_target(estimator: Any, plane: Plane, X: Any) -> None:
    """Refuse an estimator that isn't fitted, or that predicts more than one number or class an example."""
    with fitted(estimator, _WHAT):
        predicted = host(estimator.predict(made_like(plane.rows(slice(1)), X)))
    g = len(plane.right)
    if predicted.shape not in ((g,), (g, 1)):
        check_single(estimator, _WHAT)
        raise ShapeError(f"{_WHAT} shows one target, got predictions of shape {predicted.shape} for {g} examples")


def _targets(y: Any, m: int) -> NDArray[Any]:
    targets = host(y)
    if targets.shape not in ((m,), (m, 1)):
        raise ShapeError(f"y must have shape ({m},), one for each example of X, got {targets.shape}")
    return targets.ravel()


def _numbers(targets: NDArray[Any]) -> NDArray[Any]:
    try:
        return targets.astype("float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"y must hold numbers where a regressor is drawn: {error}") from error


def _held(plane: Plane, names: list[str]) -> str | None:
    """Say where the other features are held."""
    others = [index for index in range(len(names)) if index not in plane.pair]
    if not others:
        return None
    text = f"at {', '.join(f'{names[index]} = {plane.held[index]:.3g}' for index in others)}"
    return text if len(text) <= LONGEST else f"the other {len(others)} features at their medians"


def _draw_classes(axes: Axes, estimator: Any, plane: Plane, X: Any, examples: NDArray[Any], targets: NDArray[Any] | None) -> None:
    from matplotlib.patches import Patch

    shares = _shares(estimator, plane, X)
    classes = _classes(estimator, targets, shares)
    colours = hues(len(classes))
    if len(classes) == 2:
        _draw_two(axes, shares[..., 1], plane, colours, plain(classes[1]) if hasattr(estimator, "predict_proba") else None)
    else:
        _draw_many(axes, shares, plane, colours)
    handles: list[Any] = []
    if targets is None:
        _scatter(axes, plane, examples, len(examples), facecolors=MARKED)
        handles = [Patch(color=colour, label=plain(label)) for label, colour in zip(classes, colours, strict=True)]
    else:
        for number, (label, colour) in enumerate(zip(classes, colours, strict=True)):
            marker = MARKERS[number % len(MARKERS)]
            of_class = examples[targets == label]
            handles.append(_scatter(axes, plane, of_class, len(examples), facecolors=[colour], marker=marker, label=plain(label)))
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(BESIDE, 1.0),
        borderaxespad=0.0,
        frameon=False,
        ncols=1 + len(handles) // 20,
        markerscale=(LARGEST / _size(len(examples))) ** 0.5,
    )


def _shares(estimator: Any, plane: Plane, X: Any) -> NDArray[Any]:
    """The probability of each class at each point, shape (g, g, n_classes); 1 for what is predicted, where there are none."""
    if hasattr(estimator, "predict_proba"):
        return plane.values(estimator.predict_proba, X)
    predicted = plane.values(estimator.predict, X)
    return np.where(predicted.reshape(*predicted.shape[:2], 1) == host(estimator.classes_), 1.0, 0.0)


def _classes(estimator: Any, targets: NDArray[Any] | None, shares: NDArray[Any]) -> list[Any]:
    classes: list[Any]
    if hasattr(estimator, "classes_"):
        classes = host(estimator.classes_).tolist()
    else:
        classes = list(range(shares.shape[-1])) if targets is None else np.unique(targets).tolist()
    if len(classes) != shares.shape[-1]:
        raise ShapeError(f"predict_proba must have a column for each of {len(classes)} classes, got shape (m, {shares.shape[-1]})")
    unknown = [] if targets is None else [label for label in dict.fromkeys(targets.tolist()) if label not in classes]
    if unknown:
        raise DataError(f"y must hold classes that the estimator was fitted on, got {unknown[0]!r}: {_WHAT} has no colour for it")
    return classes


def _draw_two(axes: Axes, share: NDArray[Any], plane: Plane, colours: list[Any], label: str | None) -> None:
    """The probability of the second class, from the hue of the first over white to that of the second."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("", [_softened(colours[0], 1.0), (1.0, 1.0, 1.0), _softened(colours[1], 1.0)])
    image = axes.imshow(share, cmap=shades, vmin=0.0, vmax=1.0, interpolation="bilinear", **_placed(plane))
    _draw_line(axes, plane, share - 0.5)
    if label is not None:
        bar = axes.inset_axes((BESIDE, 0.0, 0.04, 0.6))
        axes.figure.colorbar(image, cax=bar, label=f"probability of {label}")


def _draw_many(axes: Axes, shares: NDArray[Any], plane: Plane, colours: list[Any]) -> None:
    """The hue of the most probable class, as strong as it is probable."""
    winner = shares.argmax(axis=-1)
    axes.imshow(_softened(np.asarray(colours)[winner], shares.max(axis=-1, keepdims=True)), interpolation="nearest", **_placed(plane))
    for index in range(len(colours)):
        others = np.delete(shares, index, axis=-1).max(axis=-1, initial=0.0)
        _draw_line(axes, plane, shares[..., index] - others)


def _draw_line(axes: Axes, plane: Plane, values: NDArray[Any]) -> None:
    """The line where values are 0, if there is one."""
    if values.min() < 0.0 < values.max():
        axes.contour(plane.right, plane.up, values, levels=[0.0], colors=[INK], linewidths=1.0)


def _draw_regression(axes: Axes, predicted: NDArray[Any], plane: Plane, examples: NDArray[Any], targets: NDArray[Any] | None) -> None:
    from matplotlib.ticker import MaxNLocator

    everything = predicted if targets is None else np.concatenate([predicted.ravel(), _numbers(targets)])
    if not np.isfinite(everything).all():
        raise DataError(f"{_WHAT} needs finite targets and predictions, got NaN or infinity")
    low, high = float(everything.min()), float(everything.max())
    levels = MaxNLocator(nbins=18, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    shades: dict[str, Any] = {"cmap": "viridis", "vmin": levels[0], "vmax": levels[-1]}
    contour = axes.contourf(plane.right, plane.up, predicted, levels=levels, **shades)
    bar = axes.inset_axes((BESIDE, 0.0, 0.04, 1.0))
    axes.figure.colorbar(contour, cax=bar, label="prediction")
    points = {"facecolors": MARKED} if targets is None else {"c": targets, "edgecolors": INK, **shades}
    _scatter(axes, plane, examples, len(examples), **points)


def _scatter(axes: Axes, plane: Plane, chosen: NDArray[Any], m: int, **style: Any) -> Any:
    """Some of the m examples as points."""
    first, second = plane.pair
    size = _size(m)
    rim = 0.5 * (size / LARGEST) ** 0.5
    look = {"edgecolors": "white", "s": size, "linewidths": rim, "rasterized": m > 2000} | style
    return axes.scatter(chosen[:, first], chosen[:, second], **look)


def _size(m: int) -> float:
    """The area of a point: the more examples, the smaller."""
    return float(np.clip(6000 / m, SMALLEST, LARGEST))


def _softened(hue: Any, probability: Any) -> Any:
    """A hue mixed with white: the less, the higher the probability."""
    return 1.0 - STRENGTH * probability * (1.0 - np.asarray(hue))


def _placed(plane: Plane) -> dict[str, Any]:
    """Where an image of the grid belongs: each point in the middle of its cell."""
    half = [(values[1] - values[0]) / 2 for values in (plane.right, plane.up)]
    extent = [plane.right[0] - half[0], plane.right[-1] + half[0], plane.up[0] - half[1], plane.up[-1] + half[1]]
    return {"origin": "lower", "aspect": "auto", "extent": extent}
