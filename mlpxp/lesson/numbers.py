"""One example's numbers: Z, A, delta and the gradients, each with the equation that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlpxp.naive import naive_gradients
from mlpxp.network import Network, Parameters
from mlpxp.propagation import backward, cost, forward

__all__ = ["Quantity", "numbers_of"]

_COSTS = {
    "mse": ("C1", "C = ½ ‖A_{L} - Y‖²"),
    "binary_cross_entropy": ("C2", "C = -[Y ln A_{L} + (1 - Y) ln(1 - A_{L})]"),
    "cross_entropy": ("C3", "C = -Σ_k Y_k ln (A_{L})_k"),
}
_NAIVE = "∂C/∂{w} ≈ (C({w} + h) - C({w} - h)) / 2h, one {w} after the other"


@dataclass(frozen=True)
class Quantity:
    """One equation, and what it is worth for one example.

    Attributes
    ----------
    name : str
        ``"Z1"``, ``"A1"``, ``"C"``, ``"delta1"``, ``"∂C/∂W1"``, ``"∂C/∂b1"``; ``"A0"`` is the input and ``"Y"`` the target.
    tag : str
        F1, F2, C1 to C3, B1 to B4, or K1; empty for what is given.
    equation : str
    values : array, shape (n_l, 1) or (n_l, n_{l-1}); () for C
    """

    name: str
    tag: str
    equation: str
    values: Any


def numbers_of(network: Network, parameters: Parameters, X: Any, Y: Any, *, method: str = "backpropagation") -> tuple[Quantity, ...]:
    """Return every number of one forward and one backward pass of one example, in the order in which they are computed.

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
    X, Y : array, shapes (n_0, 1) and (n_L, 1)
    method : {"backpropagation", "naive"}
        Naive differentiation has no delta: its gradients come from forward passes alone.
    """
    L = len(parameters)
    trace = forward(network, parameters, X)
    found = [Quantity("A0", "", "A_0 = X, the example", X)]
    for l, (layer, activation, passed) in enumerate(zip(parameters, network.activations, trace, strict=True), start=1):
        found += [
            Quantity(f"Z{l}", "F1", f"Z_{l} = W_{l} A_{l - 1} + b_{l}", layer.W @ passed.A_in + layer.b),
            Quantity(f"A{l}", "F2", f"A_{l} = {activation.name}(Z_{l})", passed.A),
        ]
    tag, equation = _COSTS[network.loss.name]
    found += [Quantity("Y", "", "Y, the target", Y), Quantity("C", tag, equation.replace("{L}", str(L)), cost(network, trace, Y))]
    naive = method == "naive"
    gradients = naive_gradients(network, parameters, X, Y) if naive else backward(network, parameters, trace, Y)
    for l in range(L, 0, -1):
        W, b = gradients[l - 1]
        if naive:
            ways = [("K1", _NAIVE.format(w=f"w_{l}")), ("K1", _NAIVE.format(w=f"b_{l}"))]
        else:
            found.append(Quantity(f"delta{l}", *_error(network, l), b))  # B4 of one example: its delta is the sum
            ways = [("B3", f"∂C/∂W_{l} = delta_{l} A_{l - 1}ᵀ"), ("B4", f"∂C/∂b_{l} = Σ delta_{l}, here of one example")]
        found += [Quantity(f"∂C/∂W{l}", *ways[0], W), Quantity(f"∂C/∂b{l}", *ways[1], b)]
    return tuple(found)


def _error(network: Network, l: int) -> tuple[str, str]:
    """The tag and the equation of delta_l."""
    L, name = len(network.activations), network.activations[l - 1].name
    if l < L:
        return "B2", f"delta_{l} = (W_{l + 1}ᵀ delta_{l + 1}) ⊙ {name}'(Z_{l})"
    if network.natural:
        return "B1", f"delta_{l} = A_{l} - Y, the natural pairing of {name} and {network.loss.name.replace('_', ' ')}"
    if network.output.couples_units:
        return "B1", f"delta_{l} = Jᵀ (A_{l} - Y), J the Jacobian of {name}"
    return "B1", f"delta_{l} = (A_{l} - Y) ⊙ {name}'(Z_{l})"
