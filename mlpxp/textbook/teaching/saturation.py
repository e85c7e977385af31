"""A saturated output that is wrong, and what the mean squared error and the cross-entropy make of it.

With the mean squared error delta_L = (A_L - Y) ⊙ σ'(Z_L) / m, and where the sigmoid is saturated σ' is next to nothing, however wrong the
output is. With the cross-entropy σ' cancels: delta_L = (A_L - Y) / m (B1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.scalars import POSITIVE, real_number, whole_number
from mlpxp.core.functional import backward, cost, forward
from mlpxp.core.network import Layer, Network, Parameters
from mlpxp.core.optimizers import Adam, GradientDescent
from mlpxp.errors import DataError, RangeError
from mlpxp.textbook.teaching._deltas import error_signals_of
from mlpxp.textbook.teaching._ranges import matrix
from mlpxp.textbook.teaching.examples import examples
from mlpxp.training.train import train

__all__ = ["Learning", "saturated_network", "saturated_neuron"]

_LOSSES = ("mse", "binary_cross_entropy")


@dataclass(frozen=True)
class Learning:
    """How a network with a sigmoid output learns: as it was before the first update, and after each of the epochs.

    Attributes
    ----------
    network : Network
    cost : ndarray, shape (epochs + 1,)
    prediction : ndarray, shape (epochs + 1, n_L, m)
        A_L, the probabilities.
    error : ndarray, shape (epochs + 1,)
        ``|A_L - Y|``, the mean over outputs and examples: how wrong it is, whatever the loss.
    delta : ndarray, shape (epochs + 1, n_L, m)
        The error signals delta_L (B1), each example's with its 1/m.
    slope : ndarray, shape (epochs + 1, n_L, m)
        σ'(Z_L), the factor that is in delta_L with the mean squared error, and isn't with the cross-entropy. In float64 it is
        exactly 0 from z = 37 on.
    """

    network: Network
    cost: NDArray[Any]
    prediction: NDArray[Any]
    error: NDArray[Any]
    delta: NDArray[Any]
    slope: NDArray[Any]

    @property
    def signal(self) -> NDArray[Any]:
        """‖delta_L‖ over the outputs and the examples, shape (epochs + 1,)."""
        return np.asarray(np.sqrt(np.sum(self.delta**2, axis=(-2, -1))))


def saturated_neuron(z: float = 5.0, *, learning_rate: float = 1.0, epochs: int = 300) -> tuple[Learning, Learning]:
    """Teach one sigmoid neuron that begins at Z = z, where it says 1, that the answer is 0.

    Parameters
    ----------
    z : float, default 5
        Above 0: how sure of the wrong answer it is, with w = b = z/2 and the one input 1.
    learning_rate : float, default 1
        η.
    epochs : int, default 300

    Returns
    -------
    (Learning, Learning)
        With the mean squared error and with the binary cross-entropy, from the same start.

    Raises
    ------
    RangeError
        A number out of its range.

    Examples
    --------
    >>> mse, cross_entropy = saturated_neuron(10.0, epochs=100)
    >>> [f"{learning.error[-1]:.2f}" for learning in (mse, cross_entropy)]
    ['1.00', '0.01']
    """
    half = np.full((1, 1), real_number("z", z, POSITIVE) / 2.0)
    start = (Layer(W=half, b=half),)
    return _both((1, 1), (), start, np.ones((1, 1)), np.zeros((1, 1)), learning_rate, epochs)


def saturated_network(
    X: Any = None,
    Y: Any = None,
    *,
    hidden: tuple[int, ...] = (4,),
    activation: str = "tanh",
    z: float = 5.0,
    learning_rate: float = 1.0,
    epochs: int = 300,
    seed: int = 0,
) -> tuple[Learning, Learning]:
    """Teach a network the truth that has first learnt the opposite, so that every output is saturated and wrong.

    Parameters
    ----------
    X : ndarray, shape (n_0, m), optional
        XOR by default.
    Y : ndarray, shape (n_L, m), optional
        Zeros and ones.
    hidden : tuple of int, default (4,)
        The widths of the hidden layers.
    activation : str, default "tanh"
        Theirs.
    z : float, default 5
        Above 0: the output layer is scaled until the least sure output has ``|Z_L| = z``.
    learning_rate : float, default 1
        η, for both losses.
    epochs : int, default 300
    seed : int, default 0
        Of the first weights, before it learns the opposite.

    Returns
    -------
    (Learning, Learning)
        With the mean squared error and with the binary cross-entropy, from the same start.

    Raises
    ------
    RangeError
        A number out of its range, or the network can't learn the opposite from this seed.
    DataError
        One of X and Y is missing, or Y holds anything but zeros and ones.
    ShapeError, UnknownNameError
        X and Y don't fit each other; an activation that there isn't.
    """
    if (X is None) != (Y is None):
        raise DataError("X and Y must come together, got one of them")
    if X is None:
        X, Y = examples("xor")
    X, Y = matrix("X", X), matrix("Y", Y)
    if not np.all((Y == 0.0) | (Y == 1.0)):
        raise DataError("Y must hold zeros and ones: the opposite of anything else is not known")
    sizes = (X.shape[0], *hidden, Y.shape[0])
    start = _sure_of_the_opposite(_network(sizes, activation, _LOSSES[1]), X, Y, real_number("z", z, POSITIVE), seed)
    return _both(sizes, activation, start, X, Y, learning_rate, epochs)


def _network(sizes: tuple[int, ...], hidden: Any, loss: str) -> Network:
    return Network(sizes, hidden=hidden, output="sigmoid", loss=loss)


def _sure_of_the_opposite(network: Network, X: NDArray[Any], Y: NDArray[Any], z: float, seed: int) -> Parameters:
    opposite = train(network, X, 1.0 - Y, optimizer=Adam(0.1), epochs=300, seed=seed).parameters
    Z = forward(network, opposite, X)[-1].Z
    least_sure = float(np.min((1.0 - 2.0 * Y) * Z))  # where y = 0 a wrong output has z > 0
    if least_sure <= 0.0:
        raise RangeError(
            f"the network {network.sizes} must learn the opposite of Y first, and got an example right from seed {seed}: "
            "try another seed or wider hidden layers"
        )
    *below, last = opposite
    return (*below, Layer(W=last.W * (z / least_sure), b=last.b * (z / least_sure)))


def _both(
    sizes: tuple[int, ...], hidden: Any, start: Parameters, X: NDArray[Any], Y: NDArray[Any], learning_rate: float, epochs: int
) -> tuple[Learning, Learning]:
    epochs = whole_number("epochs", epochs)
    mse, cross_entropy = (_learn(_network(sizes, hidden, loss), start, X, Y, learning_rate, epochs) for loss in _LOSSES)
    return mse, cross_entropy


def _learn(network: Network, parameters: Parameters, X: NDArray[Any], Y: NDArray[Any], learning_rate: float, epochs: int) -> Learning:
    optimizer = GradientDescent(learning_rate)
    state = optimizer.start(parameters)
    costs, predictions, deltas = [], [], []
    for _ in range(epochs + 1):
        trace = forward(network, parameters, X)  # F1, F2
        costs.append(cost(network, trace, Y))
        predictions.append(trace[-1].A)
        deltas.append(error_signals_of(network, parameters, trace, Y)[-1])
        parameters, state = optimizer.update(parameters, backward(network, parameters, trace, Y), state)  # B1 to B4, G1
    A = np.stack(predictions)
    return Learning(
        network=network,
        cost=np.stack(costs),
        prediction=A,
        error=np.mean(np.abs(A - Y), axis=(-2, -1)),
        delta=np.stack(deltas),
        slope=network.output.derivative(None, A),
    )
