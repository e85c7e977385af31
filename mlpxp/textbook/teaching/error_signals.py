"""How the error signals grow or fade from the output down through the layers, by activation, depth and initial weights.

delta_l = (W_{l+1}ᵀ delta_{l+1}) ⊙ σ'_l(Z_l) (B2): every layer multiplies by weights and by slopes. With the sigmoid σ' is at most 1/4;
with weights of variance v in layers of n units ‖Wᵀdelta‖² is about nv ‖delta‖².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.scalars import POSITIVE, real_number, whole_number
from mlpxp.core.functional import forward
from mlpxp.core.network import Layer, Network, initialize
from mlpxp.textbook.teaching._deltas import error_signals_of

__all__ = ["INITIALISATIONS", "ErrorSignals", "error_signals"]

INITIALISATIONS: dict[str, tuple[str, float]] = {
    "Glorot": ("glorot_uniform", 1.0),
    "He": ("he_uniform", 1.0),
    "too small": ("glorot_uniform", 0.1),
    "too large": ("glorot_uniform", 4.0),
}
"""By name: a scheme of :func:`mlpxp.initialize`, and what its weights are multiplied by."""


@dataclass(frozen=True)
class ErrorSignals:
    """The error signals of k networks that differ in their seeds alone.

    Attributes
    ----------
    network : Network
    scheme : str
        Of :func:`mlpxp.initialize`.
    scale : float
        What the weights were multiplied by.
    norms : ndarray, shape (k, L)
        ‖delta_l‖ over the units and the examples, from layer 1 to layer L.
    """

    network: Network
    scheme: str
    scale: float
    norms: NDArray[Any]

    @property
    def depth(self) -> int:
        """L, the number of layers with weights."""
        return len(self.network.shapes)

    @property
    def factor(self) -> float:
        """What a hidden layer multiplies ‖delta‖ by on the way down.

        The geometric mean over the networks and from layer L - 1 to layer 1; NaN if that is one layer, or where nothing arrives.
        """
        first, last = self.norms[:, 0], self.norms[:, -2]
        if self.depth < 3 or not np.all((first > 0.0) & (last > 0.0)):
            return float("nan")
        return float(np.exp(np.mean(np.log(first) - np.log(last)) / (self.depth - 2)))


def error_signals(
    activation: str = "sigmoid",
    *,
    scheme: str = "glorot_uniform",
    scale: float = 1.0,
    depth: int = 10,
    width: int = 32,
    examples: int = 32,
    seeds: Sequence[int] = range(10),
) -> ErrorSignals:
    """Measure ‖delta_l‖ in every layer of freshly initialised networks, all of them as one stack.

    Each has ``depth`` - 1 hidden layers and one sigmoid output with the binary cross-entropy, and sees the same standard normal
    examples, half of either class.

    Parameters
    ----------
    activation : str or Activation, default "sigmoid"
        Of the hidden layers.
    scheme : str, default "glorot_uniform"
        Of :func:`mlpxp.initialize`.
    scale : float, default 1
        What its weights are multiplied by, above 0. :data:`INITIALISATIONS` names some of both.
    depth : int, default 10
        L, from 2.
    width : int, default 32
        The inputs, and the units of each hidden layer.
    examples : int, default 32
        m.
    seeds : sequence of int, default 0 to 9
        A network each.

    Returns
    -------
    ErrorSignals

    Raises
    ------
    RangeError, UnknownNameError, PairingError
        A number out of its range; an activation or a scheme that there isn't, or that can't be a hidden layer's.

    Examples
    --------
    >>> [f"{error_signals('relu', scheme=scheme, depth=20).factor:.1f}" for scheme in ("he_uniform", "glorot_uniform")]
    ['1.0', '0.7']
    """
    sizes = (whole_number("width", width),) * whole_number("depth", depth, least=2)
    network = Network((*sizes, 1), hidden=activation, output="sigmoid", loss="binary_cross_entropy")
    scale = real_number("scale", scale, POSITIVE)
    parameters = initialize(network, seed=tuple(seeds), dtype="float64", scheme=scheme)
    parameters = tuple(Layer(W=layer.W * scale, b=layer.b) for layer in parameters)
    X = np.random.default_rng(0).standard_normal((width, whole_number("examples", examples)))
    Y = np.arange(examples)[None, :] % 2.0
    deltas = error_signals_of(network, parameters, forward(network, parameters, X), Y)
    norms = np.stack([np.sqrt(np.sum(delta**2, axis=(-2, -1))) for delta in deltas], axis=-1)
    return ErrorSignals(network, scheme, scale, norms)
