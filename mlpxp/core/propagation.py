"""The heart: forward propagation (F1, F2), the cost, and backpropagation (B1 to B4).

Examples are columns: X is (n_0, m), W_l is (n_l, n_{l-1}), b_l is (n_l, 1), Z_l and A_l are (n_l, m), and delta_l stands for
∂C/∂Z_l. All axes are counted from the end, so that leading axes are stacks of networks: the same lines propagate one
network or a thousand. Nothing is checked here; :mod:`mlpxp.core.functional` is the door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mlpxp.arrays.standard import Array, namespace
from mlpxp.core.network import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpxp.core.network import Network, Parameters

__all__ = ["Passed", "Trace", "backward", "cost", "error_signals", "forward", "predict"]


class Passed(NamedTuple):
    """What one layer saw and made in a forward pass: A_{l-1}, Z_l (``None`` where nothing needs it, A4) and A_l."""

    A_in: Any
    Z: Any
    A: Any


Trace: TypeAlias = tuple[Passed, ...]


def forward(network: Network, parameters: Parameters, X: Array) -> Trace:
    """Propagate X through the layers and keep what the way back needs."""
    return tuple(_layer_by_layer(network, parameters, X))


def predict(network: Network, parameters: Parameters, X: Array) -> Any:
    """Propagate X through the layers and keep A_L alone."""
    A: Any = X
    for passed in _layer_by_layer(network, parameters, X):
        A = passed.A
    return A


def _layer_by_layer(network: Network, parameters: Parameters, X: Array) -> Iterator[Passed]:
    A: Any = X  # A_0
    for layer, activation, keep_z in zip(parameters, network.activations, network.keeps_z, strict=True):
        A_in = A
        Z = layer.W @ A_in
        Z += layer.b  # F1
        A = activation.function(Z)  # F2
        yield Passed(A_in, Z if keep_z else None, A)


def backward(network: Network, parameters: Parameters, trace: Trace, Y: Array, weights: Array | None = None) -> Parameters:
    """Propagate the error back through the layers and return ∂C/∂W_l and ∂C/∂b_l."""
    deltas = error_signals(network, parameters, trace, Y, weights)
    gradients = [_layer_gradients(delta, passed.A_in) for delta, passed in zip(deltas, reversed(trace), strict=True)]
    return tuple(reversed(gradients))


def error_signals(network: Network, parameters: Parameters, trace: Trace, Y: Array, weights: Array | None = None) -> Iterator[Any]:
    """Yield delta_L, ..., delta_1: from the last layer back to the first."""
    delta = _output_error(network, trace[-1], Y, weights)  # B1
    yield delta
    for above, activation, passed in zip(reversed(parameters[1:]), reversed(network.hidden), reversed(trace[:-1]), strict=True):
        delta = activation.pull_back(above.W.mT @ delta, passed.Z, passed.A)  # B2
        yield delta


def _output_error(network: Network, last: Passed, Y: Array, weights: Array | None) -> Any:
    """B1: ∂C/∂A_L ⊙ σ'_L(Z_L), which a natural pairing makes A_L - Y; each example with its share of the mean."""
    share = 1.0 / Y.shape[-1] if weights is None else _shares(weights)[..., None, :]
    if network.natural:
        return (last.A - Y) * share
    return network.output.pull_back(network.loss.derivative(last.A, Y) * share, last.Z, last.A)


def _layer_gradients(delta: Any, A_in: Any) -> Layer:
    return Layer(W=delta @ A_in.mT, b=namespace(delta).sum(delta, axis=-1, keepdims=True))  # B3, B4


def cost(network: Network, trace: Trace, Y: Array, weights: Array | None = None) -> Any:
    """Return the (weighted) mean over the examples of the loss; from the logits where output and loss are a natural pairing."""
    last = trace[-1]
    losses = network.loss.value_from_logits(last.Z, Y) if network.natural else network.loss.value(last.A, Y)
    xp = namespace(losses)
    return xp.sum(losses, axis=-1) * (1.0 / Y.shape[-1]) if weights is None else xp.sum(losses * _shares(weights), axis=-1)


def _shares(weights: Array) -> Any:
    return weights / namespace(weights).sum(weights, axis=-1, keepdims=True)
