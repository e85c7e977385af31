"""The sawtooth: exact deep, counted shallow."""

from fractions import Fraction

import numpy as np
import pytest

from mlpxp import RangeError, predict
from mlpxp.textbook.approximation import SawtoothCount, count_sawtooth, deep_sawtooth, make_target, relu_interpolant, sawtooth_text


def tent(x, times):
    for _ in range(times):
        x = 1 - abs(2 * x - 1)
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("depth", [1, 2, 5, 20, 50])
def test_the_deep_network_is_exact_at_every_number(depth, dtype):
    """Against rational arithmetic, at random numbers of all sizes and at their neighbours of ½."""
    network, parameters = deep_sawtooth(depth, dtype=dtype)
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(size=200), 2.0 ** -random.uniform(0, 60, 200), [0.0, 0.5, 1.0]]).astype(dtype)
    x = np.concatenate([x, np.nextafter(x, np.asarray(0.5, dtype))])
    wanted = [tent(Fraction(float(one)), depth) for one in x]
    assert [Fraction(float(one)) for one in predict(network, parameters, x[None])[0]] == wanted


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_the_counts_are_those_of_the_networks(depth):
    count = count_sawtooth(depth)
    network, parameters = deep_sawtooth(depth)
    assert count.deep_parameters == network.n_parameters == sum(W.size + b.size for W, b in parameters)
    assert count.deep_units == sum(network.sizes[1:-1])
    shallow = relu_interpolant(make_target(sawtooth_text(depth), (0, 1)), count.shallow_units)
    assert count.shallow_parameters == shallow.network.n_parameters
    assert shallow.max_error <= 1e-12
    x = np.arange(2**depth * 8 + 1) / (2**depth * 8)
    np.testing.assert_array_equal(predict(network, parameters, x[None])[0], tent(x, depth))
    assert np.sum(tent(x, depth) == 1.0) == count.teeth


def test_one_unit_less_leaves_an_error():
    """No network of 2^k - 1 units with its bends where they must be has the right slope at the left: all signs of its units, tried."""
    depth, h = 2, 0.25
    knots, jumps = h * np.arange(1, 4), np.asarray([-8.0, 8.0, -8.0])
    slopes = [-jumps[np.asarray(signs) < 0].sum() for signs in np.stack(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T]
    assert len(knots) == count_sawtooth(depth).shallow_units - 1
    assert 4.0 not in slopes
    assert set(slopes) <= {-16.0, -8.0, 0.0, 8.0, 16.0}


def test_hopeless_widths_are_off_by_a_half():
    """The best fit with free bends would still be: checked with random ones and least squares in the largest error's place."""
    count = count_sawtooth(4)
    x = np.arange(17) / 16
    random = np.random.default_rng(0)
    for _ in range(50):
        bends, signs = random.uniform(size=count.hopeless_units), random.choice([-1.0, 1.0], count.hopeless_units)
        features = np.column_stack([np.maximum(signs * (x[:, None] - bends), 0.0), np.ones(17)])
        fitted = features @ np.linalg.lstsq(features, tent(x, 4), rcond=None)[0]
        assert np.abs(fitted - tent(x, 4)).max() >= 0.5 - 1e-9


def test_hand_worked_counts():
    assert count_sawtooth(3) == SawtoothCount(
        depth=3, teeth=4, deep_units=6, deep_parameters=19, shallow_units=8, shallow_parameters=25, hopeless_units=6
    )


@pytest.mark.parametrize("depth", [0, 51, 1.5, True])
def test_bad_depths(depth):
    for function in (count_sawtooth, deep_sawtooth, sawtooth_text):
        with pytest.raises(RangeError, match="depth must be"):
            function(depth)
