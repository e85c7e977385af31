import numpy as np
import pytest

from mlpxp import Network, ShapeError, UnknownNameError, cost_and_gradients, count_operations, initialize
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.operations import operation_counts


def test_one_linear_neuron_by_hand():
    """m = 3, P = 2: each count from the equations.

    Forward: W A is 2 · 1 · 1 · 3 = 6, + b 3 (F1); E = A - Y 3, E·E 3, its sum over one output 0, · ½ 3 (C1), the sum over the examples 2,
    · 1/m 1.
    Backward: A - Y 3, · 1/m 3 (B1); delta Xᵀ 2 · 3 = 6 (B3); the sum 2 (B4).
    """
    network = Network((1, 1), output="identity")
    counts = operation_counts(network, initialize(network, seed=0, dtype="float64"), np.ones((1, 3)), np.zeros((1, 3)), method="forward")
    assert counts.forward == 6 + 3 + 3 + 3 + 3 + 2 + 1
    assert counts.backpropagation == counts.forward + 3 + 3 + 6 + 2
    assert counts.naive >= 3 * counts.forward  # P + 1 passes, and the moving
    assert (counts.n_parameters, counts.n_examples, counts.method) == (2, 3, "forward")


@pytest.mark.parametrize("hidden", [2, 8, 32])
def test_the_naive_way_grows_with_the_parameters_and_backpropagation_doesn_t(hidden):
    network = Network((2, hidden, 1), hidden="tanh")
    counts = operation_counts(network, initialize(network, seed=0, dtype="float64"), *examples("xor"))
    assert counts.backpropagation < 3 * counts.forward
    assert 2 * counts.n_parameters * counts.forward < counts.naive < 4 * counts.n_parameters * counts.forward


def test_it_is_what_the_counting_arrays_say():
    network = Network((2, 3, 1))
    parameters, (X, Y) = initialize(network, seed=0, dtype="float64"), examples("and")
    assert (
        operation_counts(network, parameters, X, Y).backpropagation == count_operations(cost_and_gradients, network, parameters, X, Y).total
    )


def test_what_can_t_be_counted():
    network = Network((2, 3, 1))
    X, Y = examples("xor")
    with pytest.raises(ShapeError, match="a stack"):
        operation_counts(network, initialize(network, seed=(0, 1), dtype="float64"), X, Y)
    with pytest.raises(UnknownNameError, match="method must be one of"):
        operation_counts(network, initialize(network, seed=0, dtype="float64"), X, Y, method="guess")
