"""Error signals fade or grow by the layer, as the theory of initial weights says."""

import math

import numpy as np
import pytest

from mlpxp import Network, PairingError, RangeError, UnknownNameError, forward, initialize
from mlpxp.textbook.teaching._deltas import error_signals_of
from mlpxp.textbook.teaching.error_signals import INITIALISATIONS, error_signals


def test_it_is_the_norm_of_what_backpropagation_passes_on():
    found = error_signals("tanh", scheme="lecun_normal", scale=2.0, depth=4, width=5, examples=7, seeds=(3, 8))
    assert found.norms.shape == (2, 4)
    assert (found.depth, found.scheme, found.scale, found.network.sizes) == (4, "lecun_normal", 2.0, (5, 5, 5, 5, 1))
    network = Network((5, 5, 5, 5, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    parameters = tuple(layer._replace(W=2.0 * layer.W) for layer in initialize(network, seed=8, dtype="float64", scheme="lecun_normal"))
    X, Y = np.random.default_rng(0).standard_normal((5, 7)), np.asarray([[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]])
    deltas = error_signals_of(network, parameters, forward(network, parameters, X), Y)
    np.testing.assert_allclose(found.norms[1], [np.linalg.norm(delta) for delta in deltas], rtol=1e-12)


@pytest.mark.parametrize(
    ("activation", "scheme", "scale", "factor"),
    [
        ("identity", "lecun_normal", 1.0, 1.0),  # ‖Wᵀdelta‖² is n · 1/n · ‖delta‖²
        ("identity", "lecun_normal", 2.0, 2.0),
        ("relu", "he_normal", 1.0, 1.0),  # n · 2/n, and half of the units are off
        ("relu", "he_uniform", 1.0, 1.0),
        ("relu", "glorot_uniform", 1.0, math.sqrt(0.5)),  # n · 1/n, half of them off
        ("tanh", "glorot_uniform", 0.1, 0.1),  # tanh' is 1 where weights are that small
        ("sigmoid", "glorot_uniform", 0.1, 0.1 / 4),  # σ' is 1/4 there
    ],
)
def test_a_layer_s_factor_is_the_theory_s(activation, scheme, scale, factor):
    found = error_signals(activation, scheme=scheme, scale=scale, depth=20, width=64, seeds=range(20))
    assert found.factor == pytest.approx(factor, rel=0.05)


def test_a_sigmoid_passes_on_at_most_a_quarter_of_the_weights_norm():
    """‖delta_l‖ <= ¼ ‖W_{l+1}‖₂ ‖delta_{l+1}‖, whatever the weights: σ' is nowhere above 1/4."""
    found = error_signals("sigmoid", scale=4.0, depth=50, width=8, seeds=(0, 1))
    stack = initialize(found.network, seed=(0, 1), dtype="float64", scheme="glorot_uniform")
    largest = np.stack([np.linalg.norm(4.0 * layer.W, ord=2, axis=(-2, -1)) for layer in stack[1:]], axis=-1)
    assert np.all(found.norms[:, :-1] <= 0.25 * largest * found.norms[:, 1:] * (1 + 1e-12))


@pytest.mark.parametrize("depth", [2, 5, 50])
def test_the_named_initialisations_at_every_depth(depth):
    norms = {
        (activation, name): error_signals(activation, scheme=scheme, scale=scale, depth=depth).norms[:, 0]
        for activation in ("sigmoid", "tanh", "relu")
        for name, (scheme, scale) in INITIALISATIONS.items()
    }
    assert all(np.all(np.isfinite(each) & (each > 0.0)) for each in norms.values())
    for activation in ("sigmoid", "tanh", "relu"):
        assert (
            np.median(norms[activation, "too small"]) < np.median(norms[activation, "Glorot"]) < np.median(norms[activation, "too large"])
        )
    if depth == 50:
        assert np.median(norms["sigmoid", "Glorot"]) < 1e-25
        assert np.median(norms["relu", "Glorot"]) < 1e-6
        assert 1e-3 < np.median(norms["relu", "He"]) < 1.0
        assert np.median(norms["relu", "too large"]) > 1e15


def test_zero_weights_pass_nothing_on():
    found = error_signals("tanh", scheme="zeros", depth=4)
    assert np.all(found.norms[:, :-1] == 0.0)
    assert np.all(found.norms[:, -1] > 0.0)
    assert math.isnan(found.factor)
    assert math.isnan(error_signals("tanh", depth=2).factor)  # there is one hidden layer only


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"depth": 1}, RangeError, "depth must be a whole number from 2, got 1"),
        ({"width": 0}, RangeError, "width must be a whole number from 1"),
        ({"examples": 0}, RangeError, "examples must be a whole number from 1"),
        ({"scale": 0.0}, RangeError, "scale must be a positive number"),
        ({"seeds": ()}, RangeError, "at least one"),
        ({"scheme": "xavier"}, UnknownNameError, "scheme must be one of"),
        ({"activation": "swish"}, UnknownNameError, "activation must be one of"),
        ({"activation": "softmax"}, PairingError, "softmax can only be the output"),
    ],
)
def test_what_can_t_be_measured(options, error, says):
    with pytest.raises(error, match=says):
        error_signals(**options)
