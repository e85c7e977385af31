"""What each hidden unit of a 2-k-1 network says of the plane, and how the output combines it (P3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpxp.core.network import Network, Parameters
from mlpxp.core.propagation import forward, predict
from mlpxp.errors import DataError, RangeError, ShapeError
from mlpxp.textbook.teaching._ranges import matrix
from mlpxp.textbook.teaching.segments import host_parameters

__all__ = ["MARGIN", "MOST_UNITS", "HalfPlanes", "Region", "half_planes"]

MOST_UNITS = 64  # which cut the plane into 2,081 regions at most
MARGIN = 0.25  # of the examples' range, on each side

Side: TypeAlias = tuple[float, float]
Piece: TypeAlias = tuple[tuple[bool, ...], NDArray[np.float64]]  # on which sides it is, and its corners


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the box in which no hidden unit changes its side.

    Attributes
    ----------
    above : tuple of bool, length k
        For each hidden unit, whether w · x + b > 0 here.
    corners : ndarray, shape (c, 2)
        Of the convex polygon that it is, counter-clockwise.
    middle : ndarray, shape (2,)
        Its centre of gravity.
    output : float
        A_2 in the middle.
    """

    above: tuple[bool, ...]
    corners: NDArray[np.float64]
    middle: NDArray[np.float64]
    output: float


@dataclass(frozen=True, eq=False)
class HalfPlanes:
    """The lines of the hidden units, and the regions that they cut the plane into.

    Attributes
    ----------
    network : Network
        2-k-1.
    parameters : tuple of Layer
        In float64.
    X : ndarray, shape (2, m)
        The examples.
    box : ((low, high), (low, high))
        The part of the plane that is looked at: the examples and a margin.
    regions : tuple of Region
        At most 1 + k + k (k - 1) / 2, which together are the box.
    """

    network: Network
    parameters: Parameters
    X: NDArray[np.float64]
    box: tuple[Side, Side]
    regions: tuple[Region, ...]

    @property
    def lines(self) -> tuple[tuple[float, float, float], ...]:
        """(w_1, w_2, b) of each hidden unit: its line is w · x + b = 0 (P1)."""
        W, b = self.parameters[0]
        return tuple((float(w1), float(w2), float(c)) for (w1, w2), (c,) in zip(W, b, strict=True))

    @property
    def combination(self) -> str:
        """What the output unit makes of them, in the letters of F1 and F2."""
        W, b = self.parameters[1]
        terms = [f"{weight:+.4g} A1_{unit}" for unit, weight in enumerate(W[0].tolist(), start=1)]
        text = " ".join(f"{term[0]} {term[1:]}" for term in [*terms, f"{float(b[0, 0]):+.4g}"])
        return f"A2 = {self.network.output.name}({text.removeprefix('+ ')})"

    def hidden(self) -> NDArray[np.float64]:
        """A_1 of the examples, shape (k, m): where the hidden layer puts them."""
        return np.asarray(forward(self.network, self.parameters, self.X)[0].A)


def half_planes(network: Network, parameters: Parameters, X: Any) -> HalfPlanes:
    """Cut the plane along the lines of the hidden units of a network of two inputs, one hidden layer and one output.

    Each hidden unit is a perceptron that says on which side of its line a point is (P1); k lines make up to 1 + k + k (k - 1) / 2
    regions, and the output unit decides from the k answers. Two lines are enough for XOR (P3).

    Parameters
    ----------
    network : Network
        2-k-1, with any activations.
    parameters : tuple of Layer
        Of one network.
    X : array, shape (2, m)
        Examples: the box around them and a quarter of its sides more is what is cut.

    Returns
    -------
    HalfPlanes

    Raises
    ------
    ShapeError, RangeError
        The network is not 2-k-1 with k up to 64, or the parameters or examples don't fit it.
    DataError
        They are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpxp import Layer, Network
    >>> network = Network((2, 2, 1), hidden="sigmoid", output="sigmoid", loss="binary_cross_entropy")
    >>> first = Layer(W=np.array([[20.0, 20.0], [-20.0, -20.0]]), b=np.array([[-10.0], [30.0]]))  # or, nand
    >>> second = Layer(W=np.array([[20.0, 20.0]]), b=np.array([[-30.0]]))  # and
    >>> found = half_planes(network, (first, second), np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]))
    >>> sorted((region.above, round(region.output)) for region in found.regions)
    [((False, True), 0), ((True, False), 0), ((True, True), 1)]
    """
    n_0, *widths = network.sizes
    if n_0 != 2 or len(widths) != 2 or widths[1] != 1:
        raise ShapeError(
            f"half-planes are drawn for a network of 2 inputs, one hidden layer and 1 output, got {'-'.join(map(str, network.sizes))}"
        )
    if widths[0] > MOST_UNITS:
        raise RangeError(f"the hidden layer must have at most {MOST_UNITS} units for their lines to be told apart, got {widths[0]}")
    X = matrix("X", X)
    parameters = host_parameters(network, parameters, X, np.zeros((1, X.shape[1])))
    if not all(np.isfinite(array).all() for layer in parameters for array in layer):
        raise DataError("the parameters must be finite, got NaN or infinity")
    box = _box(X)
    pieces: list[Piece] = [((), _corners(box))]
    for weights, (b,) in zip(*parameters[0], strict=True):
        pieces = [half for piece in pieces for half in _cut(*piece, weights, float(b))]
    regions = []
    for above, corners in pieces:
        middle = _middle(corners)
        regions.append(Region(above, corners, middle, float(predict(network, parameters, middle[:, None])[0, 0])))
    return HalfPlanes(network, parameters, X, box, tuple(regions))


def _box(X: NDArray[np.float64]) -> tuple[Side, Side]:
    def side(values: NDArray[np.float64]) -> Side:
        low, high = float(values.min()), float(values.max())
        margin = MARGIN * (high - low) or 0.5
        return low - margin, high + margin

    return side(X[0]), side(X[1])


def _corners(box: tuple[Side, Side]) -> NDArray[np.float64]:
    (left, right), (low, high) = box
    return np.asarray([[left, low], [right, low], [right, high], [left, high]])


def _cut(above: tuple[bool, ...], corners: NDArray[np.float64], w: NDArray[np.float64], b: float) -> list[Piece]:
    """Cut a convex polygon along w · x + b = 0; one piece is left where the line only touches it, or is none."""
    heights = corners @ w + b
    if not ((heights > 0.0).any() and (heights < 0.0).any()):
        return [((*above, bool((heights > 0.0).any())), corners)]
    sides: dict[bool, list[NDArray[np.float64]]] = {True: [], False: []}
    for index, (corner, height) in enumerate(zip(corners, heights, strict=True)):
        ahead = (index + 1) % len(corners)
        for side, belongs in ((True, height >= 0.0), (False, height <= 0.0)):
            if belongs:
                sides[side].append(corner)
        if height * heights[ahead] < 0.0:
            crossing = corner + (corners[ahead] - corner) * (height / (height - heights[ahead]))
            sides[True].append(crossing)
            sides[False].append(crossing)
    return [((*above, side), np.asarray(points)) for side, points in sides.items()]


def _middle(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """The centre of gravity of a convex polygon: of the triangles that it is made of from its first corner."""
    first, spokes = corners[0], corners[1:] - corners[0]
    areas = spokes[:-1, 0] * spokes[1:, 1] - spokes[:-1, 1] * spokes[1:, 0]
    if not areas.sum() > 0.0:  # too thin for floats
        return np.asarray(corners.mean(axis=0))
    return np.asarray(first + areas @ (spokes[:-1] + spokes[1:]) / (3.0 * areas.sum()))
