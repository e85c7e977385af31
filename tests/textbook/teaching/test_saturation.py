"""The squared error's signal is the cross-entropy's times σ', so that a sure and wrong output hardly learns."""

import math

import numpy as np
import pytest

from mlpxp import DataError, RangeError, ShapeError, UnknownNameError
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.saturation import saturated_network, saturated_neuron


@pytest.mark.parametrize("z", [1.0, 5.0, 10.0, 20.0])
def test_the_first_signals_of_a_neuron_by_hand(z):
    """y = 0, ŷ = σ(z): delta = ŷ ŷ(1 - ŷ) with the squared error, ŷ with the cross-entropy (B1)."""
    probability, slope = 1.0 / (1.0 + math.exp(-z)), math.exp(-z) / (1.0 + math.exp(-z)) ** 2
    mse, cross_entropy = saturated_neuron(z, epochs=1)
    for learning in (mse, cross_entropy):
        assert learning.prediction[0].item() == learning.error[0] == pytest.approx(probability, rel=1e-15)
        assert learning.slope[0].item() == pytest.approx(slope, rel=1e-6)
    assert mse.delta[0].item() == pytest.approx(probability * slope, rel=1e-6)
    assert cross_entropy.delta[0].item() == pytest.approx(probability, rel=1e-15)
    assert mse.cost[0] == pytest.approx(probability**2 / 2.0, rel=1e-15)  # C1
    assert cross_entropy.cost[0] == pytest.approx(z + math.log1p(math.exp(-z)), rel=1e-15)  # C2: -ln(1 - σ(z))


def test_the_first_update_of_a_neuron_by_hand():
    """Both w and b move by -η delta, and so z by -2η delta."""
    (learning, _) = saturated_neuron(2.0, learning_rate=0.5, epochs=1)
    a = 1.0 / (1.0 + math.exp(-2.0))
    z = 2.0 - 2 * 0.5 * a * a * (1.0 - a)
    assert learning.prediction[1].item() == pytest.approx(1.0 / (1.0 + math.exp(-z)), rel=1e-14)


def test_the_slope_is_all_that_is_between_the_two_signals():
    for learning, factor in zip(saturated_network(), (True, False), strict=True):
        error = learning.prediction - examples("xor")[1]
        np.testing.assert_allclose(learning.delta, error * (learning.slope if factor else 1.0) / 4.0, rtol=1e-13, atol=0.0)
        np.testing.assert_allclose(learning.signal, np.linalg.norm(learning.delta[:, 0], axis=-1), rtol=1e-14)


def test_the_cross_entropy_gets_a_neuron_right_long_before_the_squared_error():
    mse, cross_entropy = saturated_neuron(5.0)
    first_right = [int(np.argmax(learning.error < 0.5)) for learning in (mse, cross_entropy)]
    assert first_right[0] > 10 * first_right[1] > 0
    stuck, free = saturated_neuron(10.0, epochs=100)
    assert stuck.error[-1] > 0.999
    assert free.error[-1] < 0.02


def test_where_the_sigmoid_rounds_to_one_the_squared_error_has_no_signal_at_all():
    mse, cross_entropy = saturated_neuron(40.0, epochs=60)
    assert np.all(mse.delta == 0.0)
    assert np.all(mse.error == 1.0)
    assert cross_entropy.delta[0].item() == 1.0
    assert cross_entropy.error[-1] < 0.05


def test_a_whole_network_begins_sure_of_the_opposite():
    X, Y = examples("xor")
    mse, cross_entropy = saturated_network(X, Y, z=5.0)
    assert np.array_equal(mse.prediction[0], cross_entropy.prediction[0])
    wrong = np.abs(mse.prediction[0] - Y)
    assert wrong.min() == pytest.approx(1.0 / (1.0 + math.exp(-5.0)), rel=1e-12)
    assert mse.error[-1] > 0.5
    assert cross_entropy.error[-1] < 0.01
    assert mse.cost.shape == mse.error.shape == (301,)
    assert mse.delta.shape == mse.slope.shape == mse.prediction.shape == (301, 1, 4)


def test_several_outputs_and_hidden_layers():
    X = np.random.default_rng(0).standard_normal((3, 6))
    Y = np.eye(2)[:, [0, 1, 0, 1, 1, 0]]
    mse, cross_entropy = saturated_network(X, Y, hidden=(6, 5), z=6.0, epochs=50, seed=1)
    assert mse.prediction.shape == (51, 2, 6)
    assert cross_entropy.error[-1] < 0.1
    assert mse.error[-1] > 0.9


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"z": -5.0}, RangeError, "z must be a positive number"),
        ({"epochs": 0}, RangeError, "epochs must be a whole number from 1"),
        ({"learning_rate": 0.0}, RangeError, "learning_rate must be a positive number"),
        ({"hidden": ()}, RangeError, r"the network \(2, 1\) must learn the opposite of Y first"),
        ({"activation": "swish"}, UnknownNameError, "activation must be one of"),
        ({"X": np.zeros((2, 4))}, DataError, "X and Y must come together"),
        ({"X": np.zeros((2, 4)), "Y": np.full((1, 4), 0.5)}, DataError, "Y must hold zeros and ones"),
        ({"X": np.zeros((2, 4)), "Y": np.zeros((1, 3))}, ShapeError, "Y must have a column for each of X's 4 examples"),
    ],
)
def test_what_can_t_be_shown(options, error, says):
    with pytest.raises(error, match=says):
        saturated_network(**options)
    if set(options) <= {"z", "epochs", "learning_rate"}:
        with pytest.raises(error, match=says):
            saturated_neuron(**options)
