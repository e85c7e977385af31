"""A network that stands for a function, and how far from it it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import Backend, backend_of, get_backend
from mlpxp.arrays.standard import array_like
from mlpxp.core.functional import predict
from mlpxp.core.network import Layer, Network, Parameters
from mlpxp.textbook.approximation._targets import Bound, Target, box_grid

__all__ = ["Approximant", "judged", "layers"]

_GRID = 2**14  # points, of the grid that errors are measured on
_AT_A_TIME = 2**22  # numbers of a layer


@dataclass(frozen=True)
class Approximant:
    """A network, or a stack of k of them, that approximates a target; calling it evaluates it, one NumPy array a variable.

    Attributes
    ----------
    name : str
    target : Target
    network : Network
    parameters : tuple of Layer
        Of a network that reads x itself: ``predict(network, parameters, X)`` approximates the target at the columns of X.
    max_error, rms_error : float, or ndarray (k,)
        ``max |N(x) - f(x)|`` and the root of the mean of (N(x) - f(x))² over a grid of about 16,384 points of the box, its ends among them.
    bound : Bound or None
        What ``max_error`` can't exceed, but for rounding, if there is a proof.
    """

    name: str
    target: Target
    network: Network
    parameters: Parameters
    max_error: Any
    rms_error: Any
    bound: Bound | None = None

    def __call__(self, *x: Any) -> NDArray[np.float64]:
        columns = np.broadcast_arrays(*(np.asarray(one, dtype="float64") for one in x))
        values = _predicted(self.network, self.parameters, np.stack([column.ravel() for column in columns]))
        return values.reshape(*values.shape[:-1], *columns[0].shape)


def judged(name: str, target: Target, network: Network, parameters: Parameters, bound: Bound | None = None) -> Approximant:
    """Measure a network's error on the dense grid."""
    points = box_grid(target.box, _GRID)
    errors = np.abs(_predicted(network, parameters, points) - target(*points))
    return Approximant(name, target, network, parameters, errors.max(axis=-1), np.sqrt((errors**2).mean(axis=-1)), bound)


def layers(*pairs: tuple[Any, Any], backend: str | Backend = "auto", device: Any = None, dtype: str = "float64") -> Parameters:
    """Make parameters of host values: W (n_l, n_{l-1}) and b (n_l,) of each layer."""
    library = get_backend(backend)
    return tuple(
        Layer(
            W=library.asarray(np.asarray(W), dtype=dtype, device=device),
            b=library.asarray(np.asarray(b)[:, None], dtype=dtype, device=device),
        )
        for W, b in pairs
    )


def _predicted(network: Network, parameters: Parameters, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The library's own forward pass, as float64 on the host: shape (m,), or (k, m) of a stack."""
    library, W = backend_of(parameters[0].W), parameters[0].W
    at_once = max(1, _AT_A_TIME // (max(network.sizes) * math.prod(W.shape[:-2])))
    predicted: NDArray[Any] = library.to_numpy(predict(network, parameters, array_like(points, W), batch_size=at_once))
    return predicted[..., 0, :].astype("float64")
