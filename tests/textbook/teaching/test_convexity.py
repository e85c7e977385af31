"""Which pairings are convex in the parameters of one layer, and that no pairing is with a hidden layer."""

import numpy as np
import pytest

from mlpxp import Adam, Layer, Network, PairingError, RangeError, ShapeError, backward, forward, train
from mlpxp.textbook.teaching.convexity import hessian, hessian_factor, swapped_minima, try_convexity
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.segments import cost_along, swap_units

CONVEX = [("identity", "mse"), ("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy"), ("exp", "poisson")]
LOGISTIC_MSE = ("sigmoid", "mse")


def problem(output, loss, n=3, m=12):
    random = np.random.default_rng(0)
    X = random.standard_normal((2, m))
    Y = np.eye(n)[:, random.integers(0, n, m)] if loss == "cross_entropy" else (random.random((n, m)) < 0.5) * 1.0
    return Network((2, n), output=output, loss=loss), X, Y


def layer_of(theta):
    return (Layer(W=theta[:, :-1], b=theta[:, -1:]),)


def gradient(network, theta, X, Y):
    """The heart's, in the order of the units."""
    parameters = layer_of(theta)
    (layer,) = backward(network, parameters, forward(network, parameters, X), Y)
    return np.hstack([layer.W, layer.b]).ravel()


@pytest.mark.parametrize(("output", "loss"), [*CONVEX, LOGISTIC_MSE])
def test_the_closed_form_is_what_the_heart_s_gradients_change_by(output, loss):
    network, X, Y = problem(output, loss)
    theta = np.random.default_rng(1).standard_normal((3, 3))
    H = hessian(network, layer_of(theta), X, Y)
    assert np.array_equal(H, H.T) or np.allclose(H, H.T, rtol=1e-15, atol=1e-17)
    h = 1e-5
    for index, move in enumerate(np.eye(9).reshape(9, 3, 3)):
        change = (gradient(network, theta + h * move, X, Y) - gradient(network, theta - h * move, X, Y)) / (2 * h)
        np.testing.assert_allclose(H[index], change, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("output", "loss"), CONVEX)
def test_the_closed_form_is_jax_s_hessian(output, loss, x64):
    jax = pytest.importorskip("jax")
    import mlpxp

    network, X, Y = problem(output, loss)
    theta = np.random.default_rng(1).standard_normal((3, 3))

    def cost(flat):
        parameters = layer_of(flat.reshape(3, 3))
        return mlpxp.core.propagation.cost(
            network, mlpxp.core.propagation.forward(network, parameters, jax.numpy.asarray(X)), jax.numpy.asarray(Y)
        )

    wanted = jax.hessian(cost)(jax.numpy.asarray(theta.ravel()))
    np.testing.assert_allclose(hessian(network, layer_of(theta), X, Y), wanted, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("size", [0.0, 1.0, 30.0])
@pytest.mark.parametrize(("output", "loss"), CONVEX[:3])
def test_a_natural_pairing_s_hessian_is_a_square(output, loss, size):
    """H = F Fᵀ, and so no v has vᵀHv below 0; also where every output is saturated."""
    network, X, Y = problem(output, loss)
    layer = layer_of(size * np.random.default_rng(2).standard_normal((3, 3)))
    F, H = hessian_factor(network, layer, X, Y), hessian(network, layer, X, Y)
    assert F.shape == (9, 3 * 12)
    np.testing.assert_allclose(F @ F.T, H, rtol=1e-10, atol=1e-12 * H.max())


def test_the_hessians_of_one_example_by_hand():
    """x̃ = (2, 1): H = K (4, 2; 2, 1) with K = 1, a(1 - a), a, and for (sigmoid, mse) with y = 0 K = a²(1 - a)(2 - 3a)."""
    outer = np.asarray([[4.0, 2.0], [2.0, 1.0]])
    start = (Layer(W=np.asarray([[1.0]]), b=np.asarray([[-2.0]])),)  # z = 0
    for output, loss, K in (("identity", "mse", 1.0), ("sigmoid", "binary_cross_entropy", 0.25), ("exp", "poisson", 1.0)):
        assert np.array_equal(hessian(Network((1, 1), output=output, loss=loss), start, [[2.0]], [[0.0]]), K * outer)
    for z in (-2.0, 0.0, np.log(2.0), 1.0, 4.0):
        layer = (Layer(W=np.asarray([[z / 2]]), b=np.asarray([[0.0]])),)
        a = 1.0 / (1.0 + np.exp(-z))
        got = hessian(Network((1, 1), output="sigmoid", loss="mse"), layer, [[2.0]], [[0.0]])
        np.testing.assert_allclose(got, a**2 * (1 - a) * (2 - 3 * a) * outer, rtol=1e-12, atol=1e-15)
        assert (got[0, 0] < -1e-6) == (z > np.log(2.0) + 1e-9)  # a > 2/3


def test_softmax_by_hand():
    """Three classes, equally probable, x̃ = (1, 1): K = ⅓I - 1/9."""
    network = Network((1, 3), output="softmax", loss="cross_entropy")
    H = hessian(network, (Layer(W=np.zeros((3, 1)), b=np.zeros((3, 1))),), [[1.0]], [[1.0], [0.0], [0.0]])
    np.testing.assert_allclose(H, np.kron(np.eye(3) / 3 - 1 / 9, np.ones((2, 2))), rtol=1e-14)


@pytest.mark.parametrize(("output", "loss"), CONVEX)
def test_nothing_speaks_against_a_convex_one(output, loss):
    found = try_convexity(*problem(output, loss), spread=1.0)
    assert found.convex
    assert found.counterexample is None
    assert len(found.smallest) == len(found.segments) == 100
    assert np.all(found.smallest >= -1e-12 * found.largest)
    assert all(segment.convex for segment in found.segments)


def test_the_squared_error_of_a_logistic_layer_is_not_convex():
    found = try_convexity(*problem(*LOGISTIC_MSE))
    assert not found.convex
    assert found.smallest.min() < -1e-3
    middle = len(found.counterexample.t) // 2
    assert found.counterexample.cost[middle] > found.counterexample.chord[middle] + 1e-3
    assert not all(segment.convex for segment in found.segments)


@pytest.mark.parametrize(("output", "loss"), CONVEX[:3])
def test_rounding_is_not_taken_for_curvature(output, loss):
    """Where outputs round to 0 and 1 the Hessian is tiny; a - a² would be as likely below 0 as above."""
    assert try_convexity(*problem(output, loss), spread=40.0, points=30, segments=30).convex


def test_two_minima_with_a_hill_between_them_by_hand():
    """The three costs that swapped_minima's docstring derives, and that a convex cost couldn't have."""
    segment = swapped_minima()
    assert (segment.cost[0], segment.cost[50], segment.cost[-1]) == (0.0, 27 / 32, 0.0)
    assert not segment.convex
    assert segment.excess == 27 / 32


@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "binary_cross_entropy"), ("identity", "mse")])
def test_trained_networks_have_the_hill_too(output, loss):
    network = Network((2, 3, 1), hidden="tanh", output=output, loss=loss)
    X, Y = examples("xor")
    parameters = train(network, X, Y, optimizer=Adam(0.1), epochs=300, seed=1).parameters
    segment = cost_along(network, parameters, swap_units(parameters), X, Y)
    assert segment.cost[0] == pytest.approx(segment.cost[-1], rel=1e-9)
    assert segment.cost[50] > 10 * segment.cost[0]


@pytest.mark.parametrize(
    ("network", "error", "says"),
    [
        (Network((2, 2, 3), output="identity"), PairingError, "for one layer, got the sizes"),
        (Network((2, 3), output="tanh"), PairingError, "got tanh with mse"),
        (Network((2, 3), output="softmax", loss="mse"), PairingError, "got softmax with mse"),
        (Network((1, 3), output="identity"), ShapeError, "X must have shape|W_1 must have shape"),
    ],
)
def test_networks_without_a_closed_form(network, error, says):
    X, Y = np.zeros((2, 4)), np.zeros((3, 4))
    with pytest.raises(error, match=says):
        hessian(network, layer_of(np.zeros((3, 3))), X, Y)
    with pytest.raises(error, match=says):
        try_convexity(network, X, Y)


def test_what_else_is_refused():
    network, X, Y = problem(*LOGISTIC_MSE)
    with pytest.raises(PairingError, match="only a natural pairing has a factor, got sigmoid with mse"):
        hessian_factor(network, layer_of(np.zeros((3, 3))), X, Y)
    with pytest.raises(RangeError, match="an overflow of exp"):
        hessian(problem("exp", "poisson")[0], layer_of(np.full((3, 3), 1e4)), np.ones((2, 12)), Y)
    for option in ({"points": 1}, {"segments": 0}, {"spread": 0.0}, {"seed": -1}):
        with pytest.raises(RangeError, match=next(iter(option))):
            try_convexity(network, X, Y, **option)
