"""The oracles of the gradients: the same core with 50 digits, difference quotients with 50 digits, and JAX's autodiff."""

import missing
import numpy as np
import pytest
from formulas_in_jax import functions_in_jax

import mlpxp
from mlpxp import ACTIVATIONS, LOSSES, Layer, Network, PairingError
from mlpxp.arrays.standard import tree_leaves, tree_map

mpmath = missing.optional("mpmath")
mpf = mpmath.mpf

mparray = pytest.importorskip("mparray")
HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
VALID = [
    *((output, "mse") for output in ACTIVATIONS),  # softmax too: its Jacobian is applied in full
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("exp", "poisson"),
    ("softplus", "poisson"),  # positive as well, and no natural pairing
]
REFUSED = [(output, loss) for loss in LOSSES for output in ACTIVATIONS if (output, loss) not in VALID]
ALLOWED = {"float64": 1e-14, "float32": 5e-6}  # largest error over largest entry
SEEDS = (1, 7)  # draws in which no array of gradients nearly cancels: its digits would be lost by the data, not by the code


def example(network, *, scale, dtype, seed, m=5):
    """Parameters, X and Y of which the numbers are of that dtype."""
    draw = np.random.default_rng(seed)
    parameters = mlpxp.initialize(network, seed=seed, dtype=dtype)
    scale = scale / 16 if any(activation.name == "exp" for activation in network.hidden) else scale  # e^{e^z} has few digits left
    X = (scale * draw.standard_normal((network.sizes[0], m))).astype(dtype)
    if network.loss.name == "mse" and network.output.name != "softmax":
        return parameters, X, (1 + draw.random((network.sizes[-1], m))).astype(dtype)
    if network.loss.name == "poisson":
        return parameters, X, draw.poisson(2.0, (network.sizes[-1], m)).astype(dtype)
    first = np.arange(m) < m - 1
    return parameters, X, np.stack([first, ~first]).astype(dtype)


def largest(array):
    """The largest |entry| of an array of 50 digits."""
    return max(abs(entry) for entry in np.ravel(array._data))


def test_every_pairing_is_either_valid_or_refused():
    assert len(VALID) == 15
    assert len(REFUSED) == 29


@pytest.mark.parametrize(("output", "loss"), REFUSED)
def test_refused_pairings(output, loss):
    with pytest.raises(PairingError, match=rf"^{loss} needs .*: use output='{LOSSES[loss].pairing}', got '{output}'$") as caught:
        Network((3, 4, 2), output=output, loss=loss)
    assert isinstance(caught.value, ValueError)


# ------------------------------------------------------------------------------------------ the same core with 50 digits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), VALID)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_against_50_digits(exactly, hidden, output, loss, dtype):
    network = Network((3, 4, 3, 2), hidden=hidden, output=output, loss=loss)
    for scale in (1, 3):
        for seed in SEEDS:
            parameters, X, Y = example(network, scale=scale, dtype=dtype, seed=seed)
            cost, gradients = mlpxp.cost_and_gradients(network, parameters, X, Y)
            exact_cost, exact_gradients = mlpxp.cost_and_gradients(network, tree_map(exactly, parameters), exactly(X), exactly(Y))
            assert abs(mpf(float(cost)) - exact_cost._data[()]) <= ALLOWED[dtype] * exact_cost._data[()]
            for got, wanted in zip(tree_leaves(gradients), tree_leaves(exact_gradients), strict=True):
                assert got.dtype == dtype
                assert largest(exactly(got) - wanted) <= ALLOWED[dtype] * largest(wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), [pair for pair in VALID if "exp" not in pair and "poisson" not in pair])
@pytest.mark.parametrize("hidden", [name for name in HIDDEN if name != "exp"])
def test_against_50_digits_where_units_saturate(exactly, hidden, output, loss, dtype):
    """Inputs of 1000: errors beside the largest number that the backward pass multiplies, for the gradients may be all but 0.

    Without exp and its loss, which don't saturate: e^1000 is no number.
    """
    network = Network((3, 4, 3, 2), hidden=hidden, output=output, loss=loss)
    parameters, X, Y = example(network, scale=1000, dtype=dtype, seed=1)
    trace = mlpxp.forward(network, parameters, X)
    gradients = mlpxp.backward(network, parameters, trace, Y)
    exact = mlpxp.cost_and_gradients(network, tree_map(exactly, parameters), exactly(X), exactly(Y))[1]
    size = max(float(np.abs(passed.A_in).max()) for passed in trace) * max(1.0, float(np.abs(trace[-1].A - Y).max()))
    for got, wanted in zip(tree_leaves(gradients), tree_leaves(exact), strict=True):
        assert np.all(np.isfinite(got))
        assert largest(exactly(got) - wanted) <= 32 * np.finfo(dtype).eps * size


# --------------------------------------------------------------------------------- difference quotients with 50 digits


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("output", "loss"), VALID)
def test_against_difference_quotients(exactly, output, loss, weighted):
    """Each partial derivative of the cost, and so the weighted mean and both passes, without a single formula of the backward pass."""
    h = mpf(10) ** -16
    network = Network((2, 3, 2), hidden="tanh", output=output, loss=loss)
    parameters, X, Y = tree_map(exactly, example(network, scale=1, dtype="float64", seed=3, m=3))
    weights = exactly(np.asarray([0.5, 2.0, 1.25])) if weighted else None
    gradients = mlpxp.cost_and_gradients(network, parameters, X, Y, weights)[1]

    def cost_with(leaf, place, value):
        leaf[place], before = value, leaf[place]
        cost = mlpxp.cost(network, mlpxp.forward(network, parameters, X), Y, weights)._data[()]
        leaf[place] = before
        return cost

    for leaf, gradient in zip(tree_leaves(parameters), tree_leaves(gradients), strict=True):
        for place in np.ndindex(leaf.shape):
            here = leaf._data[place]
            quotient = (cost_with(leaf, place, here + h) - cost_with(leaf, place, here - h)) / (2 * h)
            assert abs(quotient - gradient._data[place]) <= mpf(10) ** -16  # gelu's constants are float64 numbers


# -------------------------------------------------------------------------------------------------------- JAX's autodiff


@pytest.mark.parametrize(("output", "loss"), VALID)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_against_autodiff(x64, hidden, output, loss):
    jax, activations, losses = functions_in_jax()
    network = Network((3, 4, 3, 2), hidden=hidden, output=output, loss=loss)

    def cost_in_jax(layers, X, Y):
        A = X
        for W, b in layers[:-1]:
            A = activations[hidden](W @ A + b)
        W, b = layers[-1]
        return losses[loss](activations[output](W @ A + b), Y)

    value_and_grad = jax.value_and_grad(cost_in_jax)  # not compiled: that would take a hundred times as long
    for scale in (1, 3):
        parameters, X, Y = example(network, scale=scale, dtype="float64", seed=1)
        cost, gradients = mlpxp.cost_and_gradients(network, parameters, X, Y)
        wanted_cost, wanted = value_and_grad(parameters, X, Y)
        assert float(cost) == pytest.approx(float(wanted_cost), rel=1e-13)
        for got, reference in zip(tree_leaves(gradients), tree_leaves(wanted), strict=True):
            assert reference.dtype == "float64"
            assert np.abs(got - np.asarray(reference)).max() <= 1e-13 * np.abs(reference).max()


def test_the_oracle_is_not_the_float64_result(exactly):
    """With 50 digits a gradient isn't a float64 number: what is compared above is what float64 has rounded away."""
    network = Network((2, 2, 1))
    layer = Layer(np.full((2, 2), 0.1), np.full((2, 1), 0.1)), Layer(np.full((1, 2), 0.1), np.full((1, 1), 0.1))
    gradient = mlpxp.cost_and_gradients(network, tree_map(exactly, layer), exactly(np.ones((2, 1))), exactly(np.ones((1, 1))))[1][0].W
    assert isinstance(gradient, mparray.MPArray)
    assert gradient._data[0, 0] != mpf(float(gradient._data[0, 0]))
