"""Cost and score of a network on given examples."""

import math

import numpy as np
import pytest

import mlpxp
from mlpxp import Evaluation, Layer, Network, ShapeError, evaluate

CLASSES = Network((3, 5, 4), hidden="tanh", output="softmax", loss="cross_entropy")
LABELS = Network((3, 5, 2), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
VALUES = Network((3, 5, 2), hidden="tanh", output="identity", loss="mse")


def examples(network, m=50, seed=0, dtype="float64"):
    draw = np.random.default_rng(seed)
    X = draw.standard_normal((3, m))
    if network is CLASSES:
        Y = np.eye(4)[:, draw.integers(0, 4, m)]
    elif network is LABELS:
        Y = draw.integers(0, 2, (2, m))
    else:
        Y = draw.standard_normal((2, m)) + X[:2]
    return X.astype(dtype), Y.astype(dtype), draw.uniform(0.0, 2.0, m).astype(dtype)


def by_hand(network, prediction, Y, weights):
    """The weighted mean loss, and accuracy or R², in plain NumPy."""
    w = weights / weights.sum()
    if network is VALUES:
        residual = (w * (Y - prediction) ** 2).sum(axis=1)
        mean = (w * Y).sum(axis=1, keepdims=True)
        return 0.5 * residual.sum(), (1.0 - residual / (w * (Y - mean) ** 2).sum(axis=1)).mean()
    if network is LABELS:
        losses = -(Y * np.log(prediction) + (1 - Y) * np.log(1 - prediction)).sum(axis=0)
        return w @ losses, w @ ((prediction > 0.5) == (Y == 1)).all(axis=0)
    return w @ -(Y * np.log(prediction)).sum(axis=0), w @ (prediction.argmax(axis=0) == Y.argmax(axis=0))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("network", [CLASSES, LABELS, VALUES], ids=["classes", "labels", "values"])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-12), ("float32", 1e-4)])
def test_cost_and_score(backend, to_device, to_host, network, weighted, dtype, rtol):
    X, Y, weights = examples(network, dtype=dtype)
    parameters, x, y, w = to_device((mlpxp.initialize(network, seed=1, dtype=dtype), X, Y, weights if weighted else None))
    got = evaluate(network, parameters, x, y, w)
    assert isinstance(got, Evaluation)
    assert (type(got.cost), type(got.score)) == (float, float)
    prediction = to_host(mlpxp.predict(network, parameters, x)).astype("float64")
    assert got == pytest.approx(by_hand(network, prediction, Y, weights if weighted else np.ones(50)), rel=rtol)
    trace = mlpxp.forward(network, parameters, x)
    assert got.cost == pytest.approx(to_host(mlpxp.cost(network, trace, y, w)).item(), rel=rtol)


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_those_of_scikit_learn(weighted):
    metrics = pytest.importorskip("sklearn.metrics")
    for network in (CLASSES, LABELS, VALUES):
        X, Y, weights = examples(network)
        weights = weights if weighted else None
        parameters = mlpxp.initialize(network, seed=1, dtype="float64")
        prediction = mlpxp.predict(network, parameters, X)
        if network is VALUES:
            wanted = metrics.r2_score(Y.T, prediction.T, sample_weight=weights)
        elif network is LABELS:
            wanted = metrics.accuracy_score(Y.T, prediction.T > 0.5, sample_weight=weights)
        else:
            wanted = metrics.accuracy_score(Y.argmax(axis=0), prediction.argmax(axis=0), sample_weight=weights)
        assert evaluate(network, parameters, X, Y, weights).score == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("network", [CLASSES, LABELS, VALUES], ids=["classes", "labels", "values"])
def test_more_examples_than_a_batch_holds(network, weighted):
    X, Y, weights = examples(network, m=2 * 4096 + 5)
    weights = weights if weighted else None
    parameters = mlpxp.initialize(network, seed=1, dtype="float64")
    prediction = mlpxp.predict(network, parameters, X)
    wanted = by_hand(network, prediction, Y, np.ones(X.shape[1]) if weights is None else weights)
    assert evaluate(network, parameters, X, Y, weights) == pytest.approx(wanted, rel=1e-10)


def test_a_batch_that_weighs_nothing_counts_for_nothing():
    X, Y, weights = examples(VALUES, m=4096 + 50)
    weights[:4096] = 0.0
    parameters = mlpxp.initialize(VALUES, seed=1, dtype="float64")
    assert evaluate(VALUES, parameters, X, Y, weights) == pytest.approx(
        evaluate(VALUES, parameters, X[:, 4096:], Y[:, 4096:], weights[4096:]), rel=1e-12
    )


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("network", [CLASSES, LABELS, VALUES], ids=["classes", "labels", "values"])
def test_a_stack_is_evaluated_member_by_member(backend, to_device, network, each):
    seeds = [0, 1, 2]
    data = [examples(network, seed=seed if each else 0) for seed in seeds]
    members = [mlpxp.initialize(network, seed=seed, dtype="float64") for seed in seeds]
    X, Y, weights = (np.stack(arrays) if each else arrays[0] for arrays in zip(*data, strict=True))
    got = evaluate(network, *to_device((mlpxp.stack(members), X, Y, weights)))
    alone = [evaluate(network, member, *arrays) for member, arrays in zip(members, data, strict=True)]
    assert got.cost == pytest.approx([one.cost for one in alone], rel=1e-12)
    assert got.score == pytest.approx([one.score for one in alone], rel=1e-12)


LINE = Network((1, 1), output="identity", loss="mse")


def line(slope, offset):
    return (Layer(np.asarray([[slope]]), np.asarray([[offset]])),)


def test_r2_by_hand():
    """y = 0, 1, 2, 3 with mean 3/2 and Σ(y - ȳ)² = 5; ŷ = y + 1/2 gives Σ(y - ŷ)² = 1: R² = 4/5, C = 1/8."""
    X = np.arange(4.0)[None]
    assert evaluate(LINE, line(1.0, 0.5), X, X) == pytest.approx((0.125, 0.8), rel=1e-15)
    assert evaluate(LINE, line(1.0, 0.0), X, X) == (0.0, 1.0)
    assert evaluate(LINE, line(0.0, 1.5), X, X).score == 0.0


def test_counts_are_scored_by_r2_too():
    """ŷ = e^0 = 1 for y = 0, 1, 2, which is their mean: R² = 0, and C = (1 + 0 + (2 ln 2 - 1))/3 is half the deviance."""
    network = Network((1, 1), output="exp", loss="poisson")
    found = evaluate(network, line(0.0, 0.0), np.ones((1, 3)), np.asarray([[0.0, 1.0, 2.0]]))
    assert found == pytest.approx((2.0 * np.log(2.0) / 3.0, 0.0), rel=1e-15)


def test_an_output_that_does_not_vary_is_left_out_of_r2():
    network = Network((1, 2), output="identity", loss="mse")
    parameters = (Layer(np.asarray([[1.0], [0.0]]), np.asarray([[0.5], [9.0]])),)
    X = np.arange(4.0)[None]
    assert evaluate(network, parameters, X, np.stack([X[0], np.full(4, 2.0)])).score == pytest.approx(0.8, rel=1e-15)


def test_r2_is_undefined_where_no_output_varies():
    assert np.isnan(evaluate(LINE, line(1.0, 0.0), np.arange(4.0)[None], np.full((1, 4), 2.0)).score)
    assert np.isnan(evaluate(LINE, line(1.0, 0.0), np.ones((1, 1)), np.ones((1, 1))).score)


@pytest.mark.parametrize("value", [0.1, 0.7, 1.1])
def test_r2_is_undefined_where_the_mean_of_equal_numbers_is_rounded(value):
    for m in range(2, 20):
        assert np.isnan(evaluate(LINE, line(0.0, 0.0), np.ones((1, m)), np.full((1, m), value)).score)


def test_an_output_is_right_when_each_unit_rounds_to_its_target():
    network = Network((2, 2), output="sigmoid", loss="binary_cross_entropy")
    parameters = (Layer(np.eye(2), np.zeros((2, 1))),)
    X = np.asarray([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    Y = np.asarray([[1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]])  # the third is wrong in one unit, the fourth in the other
    assert evaluate(network, parameters, X, Y).score == 0.5


def test_shapes_are_checked():
    X, Y, _ = examples(VALUES)
    with pytest.raises(ShapeError, match="X must have shape"):
        evaluate(VALUES, mlpxp.initialize(VALUES, seed=0, dtype="float64"), X.T, Y)


def test_weights_that_are_all_zero_are_refused():
    network = mlpxp.Network((1, 1), output="identity")
    one = np.ones((1, 3))
    parameters = mlpxp.initialize(network, seed=0, dtype="float64")
    with pytest.raises(mlpxp.DataError, match=r"^weights must not all be zero"):
        mlpxp.evaluate(network, parameters, one, one, np.zeros(3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1.0, -0.5, 1.0], "finite and not negative"),
        ([1.0, math.nan, 1.0], "finite and not negative"),
        ([1.0, math.inf, 1.0], "finite and not negative"),
        ([0.0, 0.0, 0.0], "not all be zero"),
        ([3e-39, 3e-39, 0.0], "add up to a number from"),
        ([3e38, 3e38, 3e38], "add up to a number from"),
    ],
)
def test_weights_without_a_mean_are_refused_as_training_refuses_them(weights, said, dtype):
    network = Network((1, 1))
    scale = 1.0 if dtype == "float32" or weights[0] in {0.0, 1.0} else weights[0] ** 7  # to the ends of float64 too
    weights = (np.asarray(weights) * scale).astype(dtype)
    X = np.ones((1, 3), dtype=dtype)
    parameters = mlpxp.initialize(network, seed=0, dtype=dtype)
    with pytest.raises(mlpxp.DataError, match=said):
        evaluate(network, parameters, X, X, weights)
    with pytest.raises(mlpxp.DataError, match=said):
        mlpxp.train(network, X, X, optimizer=mlpxp.GradientDescent(0.1), epochs=1, weights=weights)
