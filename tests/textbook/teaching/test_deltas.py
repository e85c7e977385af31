import numpy as np
import pytest

from mlpxp import Layer, Network, ShapeError, backward, forward, initialize
from mlpxp.arrays.standard import namespace
from mlpxp.textbook.teaching._deltas import error_signals_of

CASES = [
    ("sigmoid", "sigmoid", "mse"),
    ("tanh", "sigmoid", "binary_cross_entropy"),
    ("gelu", "softmax", "cross_entropy"),
    ("relu", "softmax", "mse"),
    ("silu", "tanh", "mse"),
]


@pytest.mark.parametrize("seed", [0, (1, 2, 3)])
@pytest.mark.parametrize(("hidden", "output", "loss"), CASES)
def test_they_make_the_heart_s_gradients_bit_for_bit(backend, hidden, output, loss, seed):
    network = Network((3, 4, 5, 2), hidden=hidden, output=output, loss=loss)
    parameters = initialize(network, seed=seed, backend=backend)
    random = np.random.default_rng(0)
    X = backend.asarray(random.standard_normal((3, 6)), dtype="float32")
    Y = backend.asarray(np.eye(2)[:, random.integers(0, 2, 6)], dtype="float32")
    trace = forward(network, parameters, X)
    deltas = error_signals_of(network, parameters, trace, Y)
    for delta, passed, gradient in zip(deltas, trace, backward(network, parameters, trace, Y), strict=True):
        xp = namespace(delta)
        assert bool(xp.all(delta @ passed.A_in.mT == gradient.W))  # B3
        assert bool(xp.all(xp.sum(delta, axis=-1, keepdims=True) == gradient.b))  # B4


def test_by_hand():
    """1-1-1, identity hidden and output, MSE: z1 = 2·3 = 6, ŷ = -z1 = -6, y = 1: delta2 = -7, delta1 = -1 · -7 = 7."""
    network = Network((1, 1, 1), hidden="identity", output="identity")
    two, minus, zero, x, y = (np.full((1, 1), number) for number in (2.0, -1.0, 0.0, 3.0, 1.0))
    parameters = (Layer(two, zero), Layer(minus, zero))
    first, second = error_signals_of(network, parameters, forward(network, parameters, x), y)
    assert (first.item(), second.item()) == (7.0, -7.0)


def test_arrays_that_don_t_fit():
    network = Network((2, 2, 1))
    parameters = initialize(network, seed=0, dtype="float64")
    with pytest.raises(ShapeError, match="Y must have shape"):
        error_signals_of(network, parameters, forward(network, parameters, np.ones((2, 3))), np.ones((2, 3)))
