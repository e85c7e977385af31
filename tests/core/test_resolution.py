"""Convergence in float32, whose last digit is 6e-8 of a cost: an improvement that is smaller is seen all the same, or it is said."""

import subprocess
import sys

import numpy as np
import pytest

import mlpxp
from mlpxp import Adam, GradientDescent, Layer, Network, Stop, evaluate, train
from mlpxp.core.resolution import cost_in_float64, has_finer

LINE = Network((1, 1), output="identity", loss="mse")
LOGISTIC = Network((2, 1), output="sigmoid", loss="binary_cross_entropy")
SOFTMAX = Network((2, 3, 4), hidden="tanh", output="softmax", loss="cross_entropy")


def begin(network, dtype="float32"):
    return tuple(Layer(0.5 * layer.W, layer.b) for layer in mlpxp.initialize(network, seed=3, dtype=dtype))


def data(network, m=40, dtype="float32"):
    draw = np.random.default_rng(1)
    X = draw.standard_normal((network.sizes[0], m))
    Y = np.eye(4)[draw.integers(0, 4, m)].T if network is SOFTMAX else 1.0 * (X[:1] > 0.3)
    return X.astype(dtype), Y.astype(dtype)


# η, and improvements of an epoch well above the tolerance, below 6e-8 of the cost
SLOW = {
    "a line": (LINE, {"optimizer": GradientDescent(1e-8)}),
    "logistic": (LOGISTIC, {"optimizer": GradientDescent(1e-8)}),
    "softmax": (SOFTMAX, {"optimizer": GradientDescent(2e-8)}),
    "in batches": (LINE, {"optimizer": GradientDescent(1e-8), "batch_size": 40, "order": lambda _: np.arange(40)}),
    "weighted": (LOGISTIC, {"optimizer": GradientDescent(1e-8), "weights": np.linspace(0.5, 2.0, 40, dtype="float32")}),
    "a penalty": (LINE, {"optimizer": GradientDescent(1e-8), "penalty": 0.3}),
    "patience alone": (LINE, {"optimizer": GradientDescent(1e-8), "tolerance": None, "patience": 10}),
}


def starts_small(network):
    """Parameters near 0, whose float32 neighbours are near: so small a step changes them."""
    return tuple(Layer(1e-6 * layer.W, layer.b) for layer in begin(network))


@pytest.mark.parametrize("case", SLOW)
def test_an_improvement_below_the_last_digit_of_the_cost_is_no_convergence(backend, to_device, case):
    network, options = SLOW[case]
    X, Y = data(network)
    weights = options.get("weights")
    x, y, w, start = to_device((X, Y, weights, starts_small(network)))
    if not has_finer(y):
        pytest.skip("no float64 here")
    result = train(network, x, y, **{"tolerance": 1e-13, **options, "weights": w}, epochs=30, start=start)
    assert result.stop is Stop.MAXIMUM
    costs = np.asarray(result.history.cost)
    assert (np.diff(costs) < 0.0).all()
    assert (-np.diff(costs) < 6e-8 * costs[0]).all(), "float32 would have shown it, so this shows nothing"
    wide = {name: value for name, value in options.items() if name != "weights"}
    weights = None if weights is None else weights.astype("float64")
    in_float64 = tuple(Layer(layer.W.astype("float64"), layer.b.astype("float64")) for layer in starts_small(network))
    wanted = train(network, X.astype("float64"), Y.astype("float64"), **wide, weights=weights, epochs=30, start=in_float64).history.cost
    assert costs == pytest.approx(np.asarray(wanted), rel=1e-7)
    assert np.diff(costs) == pytest.approx(np.diff(wanted), rel=0.5)


@pytest.mark.parametrize("rate", [0.002, 0.02])
def test_it_converges_where_float64_does(rate):
    X = np.linspace(-1, 1, 50)[None]
    epochs = []
    for dtype in ("float64", "float32"):
        x = X.astype(dtype)
        start = (Layer(np.full((1, 1), 0.25, dtype), np.zeros((1, 1), dtype)),)
        result = train(LINE, x, 1.0 + 0.5 * x, optimizer=GradientDescent(rate), epochs=20_000, tolerance=1e-7, penalty=0.5, start=start)
        assert result.stop is Stop.CONVERGED
        epochs.append(result.epochs)
    assert epochs[1] == pytest.approx(epochs[0], rel=0.02)
    assert epochs[0] > 100


def test_a_run_that_nobody_judges_so_finely_is_as_it_was():
    """Its costs are float32's: nothing is spent on digits that nobody looks at."""
    X, Y = data(LINE)
    options = {"optimizer": Adam(0.01), "epochs": 5, "start": begin(LINE)}
    coarse = [train(LINE, X, Y, **options, **more).history.cost for more in ({}, {"tolerance": 1e-3})]
    assert coarse[0] == coarse[1]
    assert all(float(np.float32(cost)) == cost for cost in coarse[0])
    fine = train(LINE, X, Y, **options, tolerance=1e-9).history.cost
    assert fine == pytest.approx(coarse[0], rel=1e-6)
    assert any(float(np.float32(cost)) != cost for cost in fine)


@pytest.mark.parametrize("network", [LINE, LOGISTIC, SOFTMAX, Network((2, 3, 1), output="sigmoid", loss="mse")])
def test_the_cost_of_float32_layers_in_float64(backend, to_device, to_host, network):
    X, Y = data(network)
    weights = np.linspace(0.0, 3.0, 40, dtype="float32")
    parameters, x, y, w = to_device((begin(network), X, Y, weights))
    if not has_finer(y):
        pytest.skip("no float64 here")
    trace = mlpxp.forward(network, parameters, x)
    last = to_host(trace[-1].Z if network.natural else trace[-1].A).astype("float64")
    losses = network.loss.value_from_logits(last, Y.astype("float64")) if network.natural else network.loss.value(last, Y.astype("float64"))
    for these, wanted in ((None, losses.mean()), (w, np.average(losses, weights=weights.astype("float64")))):
        got = to_host(cost_in_float64(network, trace, y, these))
        assert str(got.dtype) == "float64"
        assert got == pytest.approx(wanted, rel=1e-14)


def test_validation_costs_and_scores_keep_what_float32_would_round_away():
    """ŷ = 1 and then 2 for targets near 1e8: float32 keeps neither the difference of the costs nor a square of 1e30."""
    X = np.linspace(-1, 1, 50, dtype="float32")[None]
    Y = (1e8 + 1e7 * X).astype("float32")
    one, two = ((Layer(np.zeros((1, 1), "float32"), np.full((1, 1), b, "float32")),) for b in (1.0, 2.0))
    wide = Y.astype("float64")
    difference = evaluate(LINE, one, X, Y).cost - evaluate(LINE, two, X, Y).cost
    assert difference == pytest.approx(0.5 * (np.mean((1.0 - wide) ** 2) - np.mean((2.0 - wide) ** 2)), rel=1e-6)
    far = np.full((1, 2), 1e30, dtype="float32") * np.asarray([1.0, 2.0], dtype="float32")
    got = evaluate(LINE, one, far, far)
    assert got.cost == pytest.approx(0.25 * (far[0, 0].astype("float64") ** 2 + far[0, 1].astype("float64") ** 2), rel=1e-6)
    assert got.score == pytest.approx(1.0 - 5.0 / 0.5, rel=1e-6)


ALONE = """
import warnings
import jax.numpy as jnp, numpy as np
from mlpxp import GradientDescent, MLPRegressor, Network, train
line = Network((1, 1), output="identity", loss="mse")
x = np.linspace(-1, 1, 50, dtype="float32")
X, y = jnp.asarray(x[:, None]), jnp.asarray(1e8 + 1e7 * x)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    train(line, X.T, y[None], optimizer=GradientDescent(1e-9), epochs=2, tolerance=1e-9)
    train(line, X.T, X.T, optimizer=GradientDescent(0.1), epochs=2, tolerance=1e-4)
    train(line, X.T, X.T, optimizer=GradientDescent(0.1), epochs=2, patience=5)
    MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, random_state=0).fit(X, y)
    MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, tol=1e-3, random_state=0).fit(X, X[:, 0])
for one in caught:
    print(one.category.__name__, str(one.message), one.filename)
"""


def test_a_device_without_float64_says_what_it_can_not_see():
    pytest.importorskip("jax")
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("ScaleWarning improvements of 1e-09 don't show in a cost that float32 keeps to 3e+08, and this device has no")
    assert second.startswith("ConvergenceWarning lbfgs stopped where float32 shows no smaller loss, though its slope is 1e+08, and this")
    assert all(line.endswith("<string>") for line in (first, second)), "they point at the caller's line"
