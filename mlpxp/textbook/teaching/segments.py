"""The cost along straight lines and over planes through the space of the parameters, every point a network of one stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.scalars import POSITIVE, real_number, whole_number
from mlpxp.arrays.standard import tree_map
from mlpxp.core.functional import cost, forward
from mlpxp.core.network import Layer, Network, Parameters
from mlpxp.core.shapes import check_shapes
from mlpxp.errors import RangeError, ShapeError
from mlpxp.textbook.teaching._ranges import matrix

__all__ = ["Segment", "Surface", "cost_along", "cost_surface", "host_parameters", "swap_units"]


@dataclass(frozen=True)
class Segment:
    """The cost on the straight line from one set of parameters to another.

    Attributes
    ----------
    t : ndarray, shape (n,)
        From 0, the start, to 1, the end.
    cost : ndarray, shape (n,)
        C((1 - t) start + t end).
    """

    t: NDArray[Any]
    cost: NDArray[Any]

    @property
    def chord(self) -> NDArray[Any]:
        """(1 - t) C(start) + t C(end): a convex cost is nowhere above it."""
        return np.asarray((1.0 - self.t) * self.cost[0] + self.t * self.cost[-1])

    @property
    def excess(self) -> float:
        """How far the cost is above its chord, at most."""
        return float(np.max(self.cost - self.chord))

    @property
    def convex(self) -> bool:
        """Whether the cost is nowhere above its chord by more than rounding."""
        return self.excess <= 1e-12 * float(np.max(np.abs(self.cost)))


@dataclass(frozen=True)
class Surface:
    """The cost over a plane of parameters.

    Attributes
    ----------
    right, up : ndarray, shape (g,)
        How far along the first and the second direction.
    cost : ndarray, shape (g, g)
        A row for each of ``up``.
    """

    right: NDArray[Any]
    up: NDArray[Any]
    cost: NDArray[Any]


def cost_along(network: Network, start: Parameters, end: Parameters, X: Any, Y: Any, *, points: int = 101) -> Segment:
    """Return the cost on the straight line between two sets of parameters.

    Parameters
    ----------
    network : Network
    start, end : tuple of Layer
    X : ndarray, shape (n_0, m)
    Y : ndarray, shape (n_L, m)
    points : int, default 101
        From 3, both ends included.

    Returns
    -------
    Segment
        In float64.

    Raises
    ------
    ShapeError, DataError, RangeError
        Arrays that don't fit the network, or fewer points.
    """
    X, Y = matrix("X", X), matrix("Y", Y)
    start, end = (host_parameters(network, parameters, X, Y) for parameters in (start, end))
    t = np.linspace(0.0, 1.0, whole_number("points", points, least=3))
    along = t[:, None, None]
    line: Parameters = tree_map(lambda a, b: (1.0 - along) * a + along * b, start, end)
    return Segment(t, _costs(network, line, X, Y))


def cost_surface(
    network: Network,
    center: Parameters,
    X: Any,
    Y: Any,
    *,
    directions: tuple[Parameters, Parameters] | None = None,
    reach: float = 5.0,
    resolution: int = 81,
) -> Surface:
    """Return the cost over a plane of parameters: center + r · first direction + u · second direction.

    Parameters
    ----------
    network : Network
    center : tuple of Layer
    X : ndarray, shape (n_0, m)
    Y : ndarray, shape (n_L, m)
    directions : pair of tuple of Layer, optional
        By default the first weight and the first bias of layer 1, which are all that a 1-1 network has.
    reach : float, default 5
        r and u run from -reach to reach.
    resolution : int, default 81
        Points along each, from 2.

    Returns
    -------
    Surface

    Raises
    ------
    ShapeError, DataError, RangeError
        Arrays that don't fit the network, or a number out of its range.
    """
    X, Y = matrix("X", X), matrix("Y", Y)
    center = host_parameters(network, center, X, Y)
    first, second = (host_parameters(network, one, X, Y) for one in directions or (_unit(center, "W"), _unit(center, "b")))
    steps = real_number("reach", reach, POSITIVE) * np.linspace(-1.0, 1.0, whole_number("resolution", resolution, least=2))
    right, up = (grid.reshape(-1, 1, 1) for grid in np.meshgrid(steps, steps))
    plane: Parameters = tree_map(lambda c, a, b: c + right * a + up * b, center, first, second)
    return Surface(steps, steps, _costs(network, plane, X, Y).reshape(len(steps), -1))


def swap_units(parameters: Parameters, *, layer: int = 1, units: tuple[int, int] = (0, 1)) -> Parameters:
    """Return the parameters of the same function with two units of a hidden layer in each other's place.

    Parameters
    ----------
    parameters : tuple of Layer
        Of one network of NumPy arrays, or a stack.
    layer : int, default 1
        Which hidden layer, from 1.
    units : pair of int, default (0, 1)
        Which two, from 0.

    Raises
    ------
    RangeError
        There is no such hidden layer, or no such two units in it.
    """
    if not isinstance(layer, int) or not 1 <= layer < len(parameters):
        raise RangeError(f"layer must be a hidden layer, from 1 to {len(parameters) - 1}, got {layer!r}")
    here, above = parameters[layer - 1 : layer + 1]
    n = here.W.shape[-2]
    if len(set(units)) != 2 or not all(isinstance(unit, int) and 0 <= unit < n for unit in units):
        raise RangeError(f"units must be two different ones from 0 to {n - 1}, got {units!r}: layer {layer} has {n}")
    order = np.arange(n)
    order[list(units)] = units[::-1]
    swapped = (Layer(W=here.W[..., order, :], b=here.b[..., order, :]), Layer(W=above.W[..., order], b=above.b))
    return (*parameters[: layer - 1], *swapped, *parameters[layer + 1 :])


def host_parameters(network: Network, parameters: Parameters, X: NDArray[Any], Y: NDArray[Any]) -> Parameters:
    """Return one network's parameters in float64, after making sure that everything fits.

    Raises
    ------
    ShapeError
    """
    on_host: Parameters = tuple(Layer(*(np.asarray(array, dtype="float64") for array in layer)) for layer in parameters)
    check_shapes(network, on_host, X, Y)
    if on_host[0].W.ndim > 2:
        raise ShapeError("parameters must be one network's, got a stack: take one of unstack(parameters)")
    return on_host


def _unit(center: Parameters, name: str) -> Parameters:
    """Parameters that are 0 but for the first weight or bias of layer 1, which is 1."""
    zeros: Parameters = tree_map(np.zeros_like, center)
    getattr(zeros[0], name)[0, 0] = 1.0
    return zeros


def _costs(network: Network, stack: Parameters, X: NDArray[Any], Y: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cost(network, forward(network, stack, X), Y))
