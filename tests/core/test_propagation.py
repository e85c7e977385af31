"""Forward and backward on numbers worked by hand, as means, as stacks, and on every backend."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

import mlpxp
from mlpxp import Layer, Network
from mlpxp.arrays.standard import library_of, tree_leaves, tree_map


def column(*values):
    return np.asarray(values, dtype=np.float64)[:, None]


def random_layers(network, seed, *stacked, dtype="float64"):
    draw = np.random.default_rng(seed).standard_normal
    return tuple(Layer(draw((*stacked, n, n_in)).astype(dtype), draw((*stacked, n, 1)).astype(dtype)) for n, n_in in network.shapes)


def assert_close(tree, wanted, rtol):
    for got, reference in zip(tree_leaves(tree), tree_leaves(wanted), strict=True):
        assert got.shape == reference.shape
        assert np.abs(got - reference).max() <= rtol * max(np.abs(reference).max(), 1e-30)


# --------------------------------------------------------------------------------------------------------- the textbook's examples


def test_shapes_of_3_2_1(backend):
    """F3: W1 (2,3), b1 (2,1), W2 (1,2), b2 (1,1), and whatever the equations make of them for m = 5."""
    network = Network((3, 2, 1))
    parameters = mlpxp.initialize(network, seed=0, backend=backend)
    assert [tuple(leaf.shape) for leaf in tree_leaves(parameters)] == [(2, 3), (2, 1), (1, 2), (1, 1)]
    X, Y = (backend.asarray(np.ones((rows, 5)), dtype="float32") for rows in (3, 1))
    trace = mlpxp.forward(network, parameters, X)
    assert [tuple(passed.A_in.shape) for passed in trace] == [(3, 5), (2, 5)]
    assert [tuple(passed.A.shape) for passed in trace] == [(2, 5), (1, 5)]
    gradients = mlpxp.backward(network, parameters, trace, Y)
    assert [tuple(leaf.shape) for leaf in tree_leaves(gradients)] == [(2, 3), (2, 1), (1, 2), (1, 1)]
    assert tuple(mlpxp.cost(network, trace, Y).shape) == ()
    assert all(isinstance(layer, Layer) for layer in gradients)


WALK = (  # a 2-3-1 network whose first hidden unit is off for x = (1, 2)
    Layer(np.asarray([[1.0, -1.0], [0.5, 0.5], [2.0, -0.5]]), column(0.0, -0.5, 1.0)),
    Layer(np.asarray([[3.0, 2.0, -1.0]]), column(0.0)),
)


def walk(backend, to_device, to_host, network, X, Y):
    parameters, X, Y = to_device((WALK, X, Y))
    trace = mlpxp.forward(network, parameters, X)
    cost = mlpxp.cost(network, trace, Y)
    return [to_host(passed.A).tolist() for passed in trace], to_host(cost).item(), to_host(mlpxp.backward(network, parameters, trace, Y))


def listed(gradients):
    return [leaf.tolist() for leaf in tree_leaves(gradients)]


def test_walkthrough_2_3_1_with_mse(backend, to_device, to_host):
    """One example, by hand.

    Z1 = (1 - 2 + 0, 0.5 + 1 - 0.5, 2 - 1 + 1) = (-1, 1, 2), A1 = relu(Z1) = (0, 1, 2)   F1, F2
    Z2 = 0 + 2 - 2 + 0 = 0,                                  A2 = σ(0) = 1/2
    C  = ½ (1/2 - 1)² = 1/8                                                              C1
    delta2 = (1/2 - 1) · 1/2 · 1/2 = -1/8                                                B1
    ∂C/∂W2 = -1/8 (0, 1, 2) = (0, -1/8, -1/4),               ∂C/∂b2 = -1/8               B3, B4
    W2ᵀ delta2 = (-3/8, -1/4, 1/8),  delta1 = that ⊙ (0, 1, 1) = (0, -1/4, 1/8)          B2
    ∂C/∂W1 = delta1 (1, 2) = ((0, 0), (-1/4, -1/2), (1/8, 1/4)),  ∂C/∂b1 = delta1        B3, B4
    """
    network = Network((2, 3, 1), hidden="relu", output="sigmoid", loss="mse")
    activations, cost, gradients = walk(backend, to_device, to_host, network, column(1.0, 2.0), column(1.0))
    assert activations == [[[0.0], [1.0], [2.0]], [[0.5]]]
    assert cost == 0.125
    assert listed(gradients) == [
        [[0.0, 0.0], [-0.25, -0.5], [0.125, 0.25]],
        [[0.0], [-0.25], [0.125]],
        [[0.0, -0.125, -0.25]],
        [[-0.125]],
    ]


def test_walkthrough_2_3_1_with_binary_cross_entropy(backend, to_device, to_host):
    """The same pass; C = -ln 1/2 (C2) and delta2 = 1/2 - 1 (B1), four times that of the mean squared error."""
    network = Network((2, 3, 1), hidden="relu", output="sigmoid", loss="binary_cross_entropy")
    _, cost, gradients = walk(backend, to_device, to_host, network, column(1.0, 2.0), column(1.0))
    assert cost == pytest.approx(np.log(2.0), rel=1e-15)
    assert listed(gradients) == [[[0.0, 0.0], [-1.0, -2.0], [0.5, 1.0]], [[0.0], [-1.0], [0.5]], [[0.0, -0.5, -1.0]], [[-0.5]]]


def test_walkthrough_2_3_1_is_a_mean_over_two_examples(backend, to_device, to_host):
    """x = (1, 2) and (2, 0), both with y = 1, through an identity output.

    A1 = ((0, 1, 2), (2, 1/2, 5)), A2 = (0, 6 + 1 - 5) = (0, 2), C = ½ · ½ (1 + 1) = 1/2
    delta2 = ½ (-1, 1);  ∂C/∂W2 = ½ (-(0, 1, 2) + (2, 1/2, 5)) = (1, -1/4, 3/2),  ∂C/∂b2 = 0
    delta1 = ½ ((0, -2, 1), (3, 2, -1))
    ∂C/∂W1 = ½ ((6, 0), (-2 + 4, -4), (1 - 2, 2)) = ((3, 0), (1, -2), (-1/2, 1)),  ∂C/∂b1 = ½ (3, 0, 0)
    """
    network = Network((2, 3, 1), hidden="relu", output="identity", loss="mse")
    X = np.asarray([[1.0, 2.0], [2.0, 0.0]])
    activations, cost, gradients = walk(backend, to_device, to_host, network, X, np.ones((1, 2)))
    assert activations == [[[0.0, 2.0], [1.0, 0.5], [2.0, 5.0]], [[0.0, 2.0]]]
    assert cost == 0.5
    assert listed(gradients) == [[[3.0, 0.0], [1.0, -2.0], [-0.5, 1.0]], [[1.5], [0.0], [0.0]], [[1.0, -0.25, 1.5]], [[0.0]]]


def test_no_hidden_layer(backend, to_device, to_host):
    """σ(0) = 1/2 for y = 1: delta = -1/2, and ∂C/∂W = -1/2 x."""
    network = Network((2, 1), output="sigmoid", loss="binary_cross_entropy")
    parameters, X, Y = to_device(((Layer(np.asarray([[2.0, -1.0]]), column(0.0)),), column(1.0, 2.0), column(1.0)))
    assert listed(to_host(mlpxp.cost_and_gradients(network, parameters, X, Y)[1])) == [[[-0.5, -1.0]], [[-0.5]]]


# ------------------------------------------------------------------------------------------------------------ the cost


PAIRINGS = [
    *[("identity", "mse"), ("tanh", "mse"), ("softmax", "mse"), ("softplus", "poisson")],
    *[("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy"), ("exp", "poisson")],
]


def data(seed=0, m=6, dtype="float64"):
    draw = np.random.default_rng(seed)
    return draw.standard_normal((3, m)).astype(dtype), np.eye(2, dtype=dtype)[:, draw.integers(0, 2, m)]


@pytest.mark.parametrize(("output", "loss"), PAIRINGS)
def test_cost_and_gradients_are_means_over_the_examples(backend, to_device, to_host, output, loss):
    network = Network((3, 4, 2), hidden="tanh", output=output, loss=loss)
    parameters, (X, Y) = random_layers(network, 1), data()
    one_by_one = [mlpxp.cost_and_gradients(network, *to_device((parameters, X[:, i : i + 1], Y[:, i : i + 1]))) for i in range(6)]
    mean = tree_map(lambda *leaves: np.mean(leaves, axis=0), *map(to_host, one_by_one))
    assert_close(to_host(mlpxp.cost_and_gradients(network, *to_device((parameters, X, Y)))), mean, rtol=1e-14)


@pytest.mark.parametrize(("output", "loss"), PAIRINGS)
def test_a_weight_of_2_is_an_example_seen_twice(backend, to_device, to_host, output, loss):
    network = Network((3, 4, 2), hidden="tanh", output=output, loss=loss)
    parameters, (X, Y) = random_layers(network, 1), data(m=3)
    weighted = mlpxp.cost_and_gradients(network, *to_device((parameters, X, Y, np.asarray([1.0, 2.0, 0.0]))))
    repeated = mlpxp.cost_and_gradients(network, *to_device((parameters, X[:, [0, 1, 1]], Y[:, [0, 1, 1]])))
    assert_close(to_host(weighted), to_host(repeated), rtol=1e-14)


def test_only_the_proportions_of_the_weights_count(backend, to_device, to_host):
    network = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
    parameters, (X, Y) = random_layers(network, 1), data()
    weights = np.asarray([0.5, 1.0, 2.0, 0.0, 3.0, 1.0])
    plain, halved, tiny = (
        to_host(mlpxp.cost_and_gradients(network, *to_device((parameters, X, Y, weights * factor)))) for factor in (1.0, 0.5, 2.0**-100)
    )
    assert listed(halved) == listed(plain)  # powers of two: bit for bit
    assert listed(tiny) == listed(plain)
    equal = to_host(mlpxp.cost_and_gradients(network, *to_device((parameters, X, Y, np.full(6, 3.0)))))
    assert_close(equal, to_host(mlpxp.cost_and_gradients(network, *to_device((parameters, X, Y)))), rtol=1e-14)


def test_cost_is_that_of_the_losses(backend, to_device, to_host):
    """C1 to C3 and the Poisson loss written out in NumPy on the prediction."""
    X, Y = data()
    for output, loss in PAIRINGS:
        network = Network((3, 4, 2), hidden="tanh", output=output, loss=loss)
        parameters, x, y = to_device((random_layers(network, 1), X, Y))
        trace = mlpxp.forward(network, parameters, x)
        A = to_host(trace[-1].A)
        if loss == "mse":
            wanted = ((A - Y) ** 2).sum() / 12
        elif loss == "binary_cross_entropy":
            wanted = -(Y * np.log(A) + (1 - Y) * np.log(1 - A)).sum() / 6
        elif loss == "poisson":
            wanted = (A - Y - Y * np.log(A)).sum() / 6  # y ln y is 0 for y = 0 and y = 1
        else:
            wanted = -(Y * np.log(A)).sum() / 6
        assert to_host(mlpxp.cost(network, trace, y)).item() == pytest.approx(wanted, rel=1e-13)


def test_predict_is_the_last_activation(backend, to_device, to_host):
    network = Network((3, 4, 2), hidden="gelu", output="softmax", loss="cross_entropy")
    parameters, X = to_device((random_layers(network, 1), data()[0]))
    rounding = 1e-15 if backend.name == "jax" else 0.0  # which compiles a prediction, and a forward pass that is called not
    got, wanted = (to_host(one) for one in (mlpxp.predict(network, parameters, X), mlpxp.forward(network, parameters, X)[-1].A))
    np.testing.assert_allclose(got, wanted, rtol=rounding)


@pytest.mark.parametrize("stacked", [(), (3,)], ids=["one", "stack"])
def test_predict_a_few_examples_at_a_time(backend, to_device, to_host, stacked):
    network = Network((4, 5, 3), "relu", "softmax", "cross_entropy")
    parameters = tree_map(to_device, random_layers(network, 0, *stacked))
    X = np.random.default_rng(1).standard_normal((4, 10))
    wanted = to_host(mlpxp.predict(network, parameters, to_device(X)))
    for batch_size in (1, 3, 5, 10, 11, np.int64(4)):
        got = mlpxp.predict(network, parameters, to_device(X), batch_size=batch_size)
        assert tuple(got.shape) == (*stacked, 3, 10)
        np.testing.assert_allclose(to_host(got), wanted, rtol=1e-12)
    assert tuple(mlpxp.predict(network, parameters, to_device(X[:, :0]), batch_size=4).shape) == (*stacked, 3, 0)
    for bad in (0, -1, 2.0, True, "all"):
        with pytest.raises(mlpxp.RangeError, match="batch_size must be a whole number from 1, got"):
            mlpxp.predict(network, parameters, to_device(X), batch_size=bad)


def test_predicting_a_few_examples_at_a_time_takes_the_memory_of_a_few():
    network = Network((8, 64, 2), "relu")
    parameters, X = mlpxp.initialize(network, seed=0), np.zeros((8, 40_000), dtype="float32")

    def peak(batch_size):
        tracemalloc.start()
        try:
            mlpxp.predict(network, parameters, X, batch_size=batch_size)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(1000) < 0.1 * peak(None)


# ---------------------------------------------------------------------------------------------------------- saturation


def output_gradient(backend, loss, z, y):
    """∂C/∂b of one sigmoid unit whose input is z."""
    network = Network((1, 1), output="sigmoid", loss=loss)
    parameters = (Layer(*(backend.asarray([[value]], dtype="float64") for value in (0.0, z))),)
    X, Y = (backend.asarray([[value]], dtype="float64") for value in (1.0, y))
    return backend.to_numpy(mlpxp.cost_and_gradients(network, parameters, X, Y)[1][0].b).item()


@pytest.mark.parametrize(("z", "y", "direction"), [(10.0, 0.0, 1), (-10.0, 1.0, -1)])
def test_a_saturated_wrong_output_learns_with_cross_entropy_and_hardly_with_mse(backend, z, y, direction):
    """B1: with MSE the error signal is (A - Y) σ'(Z), and σ'(±10) is 4.5e-5; with cross-entropy it is A - Y."""
    with_mse = direction * output_gradient(backend, "mse", z, y)
    with_cross_entropy = direction * output_gradient(backend, "binary_cross_entropy", z, y)
    assert 4.5e-5 < with_mse < 4.6e-5
    assert 0.9999 < with_cross_entropy < 1.0
    assert abs(output_gradient(backend, "mse", 100 * z, y)) < 1e-300
    assert output_gradient(backend, "binary_cross_entropy", 100 * z, y) == direction


# -------------------------------------------------------------------------------------------------------------- stacks


@pytest.mark.parametrize("each", ["nothing", "X", "Y", "X and Y", "weights"])
@pytest.mark.parametrize(("output", "loss"), PAIRINGS)
def test_a_stack_is_its_members(backend, to_device, to_host, output, loss, each):
    network = Network((3, 4, 2), hidden=("silu",), output=output, loss=loss)
    members = [random_layers(network, seed) for seed in range(3)]
    per_member = [data(seed) for seed in range(3)]
    xs = [X if "X" in each else per_member[0][0] for X, _ in per_member]
    ys = [Y if "Y" in each else per_member[0][1] for _, Y in per_member]
    weights = np.random.default_rng(4).uniform(0.1, 2.0, (3, 6)) if each == "weights" else None
    parameters = mlpxp.stack([to_device(member) for member in members])
    stacked = to_host(
        mlpxp.cost_and_gradients(
            network,
            parameters,
            to_device(np.stack(xs) if "X" in each else xs[0]),
            to_device(np.stack(ys) if "Y" in each else ys[0]),
            to_device(weights),
        )
    )
    assert stacked[0].shape == (3,)
    for i, member in enumerate(members):
        alone = mlpxp.cost_and_gradients(network, *to_device((member, xs[i], ys[i], None if weights is None else weights[i])))
        assert_close(tree_map(lambda leaf, i=i: leaf[i, ...], stacked), to_host(alone), rtol=1e-14)


def test_a_stack_may_have_several_axes(backend, to_device, to_host):
    network = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
    parameters, (X, Y) = random_layers(network, 0, 2, 5), data()
    cost, gradients = to_host(mlpxp.cost_and_gradients(network, *to_device((parameters, X, Y))))
    assert cost.shape == (2, 5)
    member = tree_map(lambda leaf: leaf[1, 3], parameters)
    assert_close(
        (cost[1, 3], tree_map(lambda leaf: leaf[1, 3], gradients)),
        to_host(mlpxp.cost_and_gradients(network, *to_device((member, X, Y)))),
        rtol=1e-14,
    )


# ------------------------------------------------------------------------------------------- what comes out, and what stays


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [name for name in mlpxp.ACTIVATIONS if name not in {"softmax", "exp"}])  # e^{e^z} leaves float32
def test_inputs_are_left_alone_and_dtypes_are_kept(backend, to_device, to_host, hidden, dtype):
    for output, loss in PAIRINGS:
        network = Network((3, 4, 4, 2), hidden=hidden, output=output, loss=loss)
        X, Y = data(dtype=dtype)
        given = to_device((random_layers(network, 1, dtype=dtype), X, Y, np.ones(6, dtype=dtype)))
        parameters, X, Y, weights = given
        trace = mlpxp.forward(network, parameters, X)
        before = [to_host(leaf).tobytes() for leaf in tree_leaves((given, trace))]
        made = (trace, mlpxp.predict(network, parameters, X), mlpxp.cost(network, trace, Y), mlpxp.cost(network, trace, Y, weights))
        made += (mlpxp.backward(network, parameters, trace, Y), mlpxp.backward(network, parameters, trace, Y, weights))
        assert [to_host(leaf).tobytes() for leaf in tree_leaves((given, trace))] == before
        assert all(library_of(leaf) == library_of(X) and leaf.dtype == X.dtype for leaf in tree_leaves(made))


def test_under_jit():
    """No value is read on the way, so that JAX can compile the two passes as one."""
    jax = pytest.importorskip("jax")
    network = Network((3, 4, 2), hidden="relu", output="softmax", loss="cross_entropy")
    X, Y = data(dtype="float32")
    parameters = random_layers(network, 1, dtype="float32")
    compiled = jax.jit(partial(mlpxp.cost_and_gradients, network))(parameters, X, Y)
    assert_close(tree_map(np.asarray, compiled), mlpxp.cost_and_gradients(network, parameters, X, Y), rtol=1e-6)


def test_without_examples_there_is_a_prediction_but_no_mean(backend, to_device):
    network = Network((3, 2, 1))
    parameters, X, Y = to_device((random_layers(network, 1), np.ones((3, 0)), np.ones((1, 0))))
    assert tuple(mlpxp.predict(network, parameters, X).shape) == (1, 0)
    with pytest.raises(mlpxp.ShapeError, match="at least one example, got none"):
        mlpxp.cost_and_gradients(network, parameters, X, Y)
