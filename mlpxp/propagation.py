"""The heart: forward propagation (F1, F2), the cost, and backpropagation (B1 to B4).

Examples are columns: X is (n_0, m), W_l is (n_l, n_{l-1}), b_l is (n_l, 1), Z_l and A_l are (n_l, m). All axes are counted
from the end, so that leading axes are stacks of networks: the same lines propagate one network or a thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mlpxp.arrays import Array, namespace
from mlpxp.network import Layer
from mlpxp.shapes import check_shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpxp.network import Network, Parameters

__all__ = ["Passed", "Trace", "backward", "cost", "cost_and_gradients", "forward", "predict"]


class Passed(NamedTuple):
    """What one layer saw and made in a forward pass: A_{l-1}, Z_l (``None`` where nothing needs it, A4) and A_l."""

    A_in: Any
    Z: Any
    A: Any


Trace: TypeAlias = tuple[Passed, ...]


def forward(network: Network, parameters: Parameters, X: Array) -> Trace:
    """Propagate X through the layers: Z_l = W_l A_{l-1} + b_l (F1), A_l = σ_l(Z_l) (F2).

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
        One network, or a stack of k.
    X : array, shape (n_0, m) or (k, n_0, m)
        One example a column; in the parameters' library, dtype and device. A stack shares X or has one each.

    Returns
    -------
    tuple of Passed
        ``(A_in, Z, A)`` of each layer; ``trace[-1].A`` is the prediction (n_L, m) or (k, n_L, m).

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    """
    check_shapes(network, parameters, X)
    return tuple(_passes(network, parameters, X))


def _passes(network: Network, parameters: Parameters, X: Array) -> Iterator[Passed]:
    A: Any = X  # A_0
    for layer, activation, keep_z in zip(parameters, network.activations, network.keeps_z, strict=True):
        A_in = A
        Z = layer.W @ A_in
        Z += layer.b  # F1
        A = activation.function(Z)  # F2
        yield Passed(A_in, Z if keep_z else None, A)


def backward(network: Network, parameters: Parameters, trace: Trace, Y: Array, weights: Array | None = None) -> Parameters:
    """Propagate the error back and return the gradients of the cost (B1 to B4).

    Parameters
    ----------
    network, parameters
        As in :func:`forward`.
    trace : tuple of Passed
        What :func:`forward` returned.
    Y : array, shape (n_L, m) or (k, n_L, m)
        The targets. For ``cross_entropy`` each column is a distribution: it adds up to 1.
    weights : array, shape (m,) or (k, m), optional
        A non-negative weight for each example; the cost is then the weighted mean.

    Returns
    -------
    tuple of Layer
        ∂C/∂W_l and ∂C/∂b_l in the shapes of the parameters.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    """
    check_shapes(network, parameters, trace[0].A_in, Y, weights)
    delta = _output_error(network, trace[-1], Y, weights)  # B1
    gradients = [_layer_gradients(delta, trace[-1].A_in)]
    for above, activation, passed in zip(reversed(parameters[1:]), reversed(network.hidden), reversed(trace[:-1]), strict=True):
        delta = activation.pull_back(above.W.mT @ delta, passed.Z, passed.A)  # B2
        gradients.append(_layer_gradients(delta, passed.A_in))
    return tuple(reversed(gradients))


def _output_error(network: Network, last: Passed, Y: Array, weights: Array | None) -> Any:
    """B1: ∂C/∂A_L ⊙ σ'_L(Z_L), which a natural pairing makes A_L - Y; each example with its share of the mean."""
    if network.natural:
        delta = last.A - Y
    else:
        delta = network.output.pull_back(network.loss.derivative(last.A, Y), last.Z, last.A)
    return delta * (1.0 / Y.shape[-1] if weights is None else _shares(weights)[..., None, :])


def _layer_gradients(delta: Any, A_in: Any) -> Layer:
    return Layer(W=delta @ A_in.mT, b=namespace(delta).sum(delta, axis=-1, keepdims=True))  # B3, B4


def cost(network: Network, trace: Trace, Y: Array, weights: Array | None = None) -> Any:
    """Return the cost C of a forward pass: the (weighted) mean of the per-example losses (C1, C2, C3).

    Parameters
    ----------
    network, trace, Y, weights
        As in :func:`backward`.

    Returns
    -------
    array, shape () or (k,)
        One cost a network. Where output and loss are a natural pairing it comes from the logits, and is exact where the
        probabilities round to 0 or 1.
    """
    last = trace[-1]
    if network.natural and network.loss.value_from_logits is not None:
        losses = network.loss.value_from_logits(last.Z, Y)
    else:
        losses = network.loss.value(last.A, Y)
    xp = namespace(losses)
    return xp.sum(losses, axis=-1) * (1.0 / Y.shape[-1]) if weights is None else xp.sum(losses * _shares(weights), axis=-1)


def _shares(weights: Array) -> Any:
    return weights / namespace(weights).sum(weights, axis=-1, keepdims=True)


def predict(network: Network, parameters: Parameters, X: Array) -> Any:
    """Return the prediction A_L (n_L, m) for X (n_0, m) and keep nothing else; stacks as in :func:`forward`."""
    check_shapes(network, parameters, X)
    A: Any = X
    for passed in _passes(network, parameters, X):
        A = passed.A
    return A


def cost_and_gradients(
    network: Network, parameters: Parameters, X: Array, Y: Array, weights: Array | None = None
) -> tuple[Any, Parameters]:
    """Return the cost and its gradients: one forward and one backward pass, whatever the number of parameters (K1)."""
    trace = forward(network, parameters, X)
    return cost(network, trace, Y, weights), backward(network, parameters, trace, Y, weights)
