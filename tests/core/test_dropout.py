"""Dropout's masks: what they hold, how random they are, and the gradients of a network that wears them."""

import math

import numpy as np
import pytest
from formulas_in_jax import functions_in_jax

import mlpxp
from mlpxp import ACTIVATIONS, Activation, Network, RangeError, naive_gradients
from mlpxp.arrays import draws
from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.core.dropout import _hashed, dropout_masks, with_dropout
from mlpxp.training.options import check_dropout

HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]


def network_of(*widths, hidden="tanh", output="softmax", loss="cross_entropy"):
    return Network((3, *widths, 2), hidden, output, loss)


def first_weights(network, *members, dtype="float64"):
    return np.zeros((*members, *network.shapes[0]), dtype=dtype)


def keys_of(network, seed=0, epoch=1, n=1):
    return draws.dropout_keys(seed, epoch, 0, n, len(network.hidden))


def one_mask(shape, rate, seed=0, *, members=(), dtype="float64"):
    n, m = shape
    network = network_of(n)
    (mask,) = dropout_masks(keys_of(network, seed)[0], network, m, (rate,), first_weights(network, *members, dtype=dtype))
    return mask


# ---------------------------------------------------------------------------------------------------------- what a mask holds


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75, 0.9])
def test_a_mask_holds_0_and_1_over_1_minus_p_and_nothing_else(rate, dtype):
    mask = one_mask((50, 80), rate, dtype=dtype)
    assert mask.shape == (50, 80)
    assert mask.dtype == dtype
    assert np.unique(mask).tolist() == [0.0, np.asarray(1.0 / (1.0 - rate), dtype=dtype).item()]


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.3, 0.5, 0.8, 0.99])
def test_its_mean_is_1(rate):
    """Within 5 standard errors: an entry's variance is p/(1-p)."""
    masks = np.stack([one_mask((200, 500), rate, seed) for seed in range(10)])
    assert abs(masks.mean() - 1.0) <= 5.0 * math.sqrt(rate / (1.0 - rate) / masks.size)


def test_rates_at_the_ends_of_their_range():
    """Where p is less than the hash can tell from 0 nothing is left out, and the highest p wraps around to none."""
    assert np.all(one_mask((50, 80), 1e-12) == 1.0 / (1.0 - 1e-12))
    assert np.all(one_mask((50, 80), math.nextafter(1.0, 0.0)) == 0.0)


def test_each_hidden_layer_has_its_rate_and_its_shape():
    network = network_of(30, 40, 50)
    masks = dropout_masks(keys_of(network)[0], network, 60, (0.5, 0.0, 0.2), first_weights(network, dtype="float32"))
    assert masks[1] is None
    assert [mask.shape for mask in masks if mask is not None] == [(30, 60), (50, 60)]
    assert [float(mask.max()) for mask in masks if mask is not None] == [2.0, 1.25]


def test_the_first_member_of_a_stack_has_the_masks_of_a_single_network():
    single, stacked = one_mask((20, 30), 0.4), one_mask((20, 30), 0.4, members=(5,))
    assert stacked.shape == (5, 20, 30)
    assert np.array_equal(stacked[0], single)
    assert len({member.tobytes() for member in stacked}) == 5


def test_masks_are_what_they_always_were():
    """Worked out in whole numbers: a resumed run meets the same masks in every version."""

    def lowbias32(x):
        x = x ^ x >> 16
        x = x * 0x7FEB352D % 2**32
        x = x ^ x >> 15
        x = x * 0x846CA68B % 2**32
        return x ^ x >> 16

    keys, (n, m) = (-5, 2**31 - 1), (3, 4)
    coordinates = [lowbias32((i + keys[0]) % 2**32) for i in range(m + n)]
    wanted = [[lowbias32((row + keys[1] + column) % 2**32) for column in coordinates[:m]] for row in coordinates[m:]]
    signed = np.asarray([[number - 2**32 * (number >= 2**31) for number in row] for row in wanted])
    network = network_of(n)
    (mask,) = dropout_masks(np.asarray([keys], dtype="int32"), network, m, (0.25,), first_weights(network))
    assert np.array_equal(mask > 0.0, signed >= -(2**30))
    assert mask.astype(bool).astype(int).tolist() == [[0, 1, 1, 1], [1, 1, 0, 1], [0, 1, 0, 1]]


def test_keys_are_left_alone():
    network = network_of(4)
    keys = keys_of(network)[0]
    before = keys.tobytes()
    dropout_masks(keys, network, 3, (0.5,), first_weights(network))
    assert keys.tobytes() == before


# ------------------------------------------------------------------------------------------------------------- how random


def correlation(one, other):
    """In standard errors: that of n independent pairs is 1/√n."""
    return np.corrcoef(one.ravel(), other.ravel())[0, 1] * math.sqrt(one.size)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_masks_of_steps_layers_epochs_and_members_are_uncorrelated(rate):
    network = network_of(60, 60)
    like = first_weights(network, 3)
    steps = [keys for epoch in (1, 2) for keys in keys_of(network, 4, epoch, 3)]
    masks = [member for keys in steps for layer in dropout_masks(keys, network, 100, (rate, rate), like) for member in layer]
    assert len(masks) == 6 * 2 * 3
    assert max(abs(correlation(one, other)) for i, one in enumerate(masks) for other in masks[:i]) <= 5.0


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_units_and_examples_are_uncorrelated(rate):
    """Neighbours and others at a distance; and four at the corners of a rectangle, which are sums of only four hashes."""
    centred = np.stack([one_mask((64, 128), rate, seed) for seed in range(40)]) - 1.0
    centred /= math.sqrt(rate / (1.0 - rate))
    for distance in (1, 2, 3, 16, 32):
        for one, other in (
            (centred[:, distance:], centred[:, :-distance]),
            (centred[..., distance:], centred[..., :-distance]),
        ):
            pairs = one * other
            rectangles = pairs[..., :-40] * pairs[..., 40:]
            for products in (pairs, rectangles):
                assert abs(products.mean()) * math.sqrt(products.size) <= 5.0
    totals = centred.sum(axis=(1, 2)) / math.sqrt(64 * 128)  # standard normal, one a mask
    assert abs((totals**2).mean() - 1.0) <= 5.0 * math.sqrt(2.0 / len(totals))


def test_the_hash_is_one_to_one_and_its_bytes_are_uniform():
    """Pearson's χ² of each byte over 256 values: 255 on average, with a standard deviation of √510."""
    count = 2**18
    for start in (0, -(2**31), 123456789):
        hashed = _hashed(np.arange(count, dtype="int32") + np.asarray([start], dtype="int32"))
        assert hashed.dtype == "int32"
        assert np.unique(hashed).size == count
        for byte in hashed.view("uint8").reshape(count, 4).T:
            expected = count / 256
            chi_square = ((np.bincount(byte, minlength=256) - expected) ** 2 / expected).sum()
            assert abs(chi_square - 255.0) <= 5.0 * math.sqrt(510.0)


def test_each_bit_of_the_hash_depends_on_each_bit_of_the_number():
    numbers = np.random.default_rng(0).integers(-(2**31), 2**31, 4000).astype("int32")
    hashed = _hashed(numbers.copy())
    for bit in range(32):
        flipped = hashed ^ _hashed(numbers ^ np.asarray([1 << bit], dtype="uint32").view("int32"))
        share = np.unpackbits(flipped.view("uint8").reshape(-1, 4), axis=1).mean(axis=0)
        assert np.all(np.abs(share - 0.5) <= 0.05)  # 6 standard deviations of 4,000 throws


# ----------------------------------------------------------------------------------------------------- the masked network


def example(network, m=5, seed=1, members=None):
    draw = np.random.default_rng(seed)
    parameters = mlpxp.initialize(network, seed=seed if members is None else range(members), dtype="float64")
    X = 0.5 * draw.standard_normal((network.sizes[0], m))
    return parameters, X, np.eye(2)[:, draw.integers(0, 2, m)]


def masked_example(network, rates, **options):
    parameters, X, Y = example(network, **options)
    masks = dropout_masks(keys_of(network, 3)[0], network, X.shape[-1], rates, parameters[0].W)
    return with_dropout(network, masks, rates), masks, parameters, X, Y


def close(got, wanted, rtol):
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        assert np.abs(one - np.asarray(other)).max() <= rtol * max(np.abs(np.asarray(other)).max(), 1e-300)


def test_it_is_the_network_but_for_its_hidden_activations():
    network = network_of(4, 4, hidden=("tanh", "gelu"))
    masked, masks, *_ = masked_example(network, (0.5, 0.0))
    assert (masked.sizes, masked.output, masked.loss, masked.shapes) == (network.sizes, network.output, network.loss, network.shapes)
    assert (masked.natural, masked.keeps_z, masked.n_parameters) == (network.natural, network.keeps_z, network.n_parameters)
    assert masked.activations == (*masked.hidden, network.output)
    assert masked.hidden[1] is network.hidden[1]
    assert masked.hidden[0] != network.hidden[0] == ACTIVATIONS["tanh"]
    assert masks[1] is None
    assert network.activations[0] is ACTIVATIONS["tanh"]
    assert repr(masked) == repr(network)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_forward_is_sigma_times_the_mask_layer_by_layer(hidden):
    network = network_of(6, 5, hidden=hidden)
    masked, masks, parameters, X, _ = masked_example(network, (0.5, 0.2))
    A = X
    for layer, activation, mask in zip(parameters, network.activations, (*masks, 1.0), strict=True):
        A = activation.function(layer.W @ A + layer.b) * mask
    trace = mlpxp.forward(masked, parameters, X)
    np.testing.assert_array_equal(trace[-1].A, A)
    assert [passed.Z is None for passed in trace[:-1]] == [not ACTIVATIONS[hidden].needs_z] * 2  # A4


def test_a_rate_of_0_is_no_dropout():
    network = network_of(6, 5, hidden="gelu")
    masked, masks, *given = masked_example(network, (0.0, 0.0))
    assert masks == (None, None)
    assert masked == network
    got, wanted = (tree_leaves(mlpxp.cost_and_gradients(each, *given)) for each in (masked, network))
    assert [leaf.tobytes() for leaf in got] == [leaf.tobytes() for leaf in wanted]


def test_a_unit_that_is_left_out_has_no_gradient():
    network = network_of(6, hidden="sigmoid")
    parameters, X, Y = example(network)
    mask = np.ones((6, 5))
    mask[2] = 0.0
    (below, above) = mlpxp.cost_and_gradients(with_dropout(network, (mask,), (0.5,)), parameters, X, Y)[1]
    assert not below.W[2].any()
    assert not below.b[2].any()
    assert not above.W[:, 2].any()
    assert np.all(below.W[[0, 1, 3, 4, 5]] != 0.0)


def test_masks_are_left_alone():
    network = network_of(6, 5, hidden="identity")
    masked, masks, *given = masked_example(network, (0.5, 0.2))
    before = [mask.tobytes() for mask in masks]
    mlpxp.cost_and_gradients(masked, *given)
    assert [mask.tobytes() for mask in masks] == before


# --------------------------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("hidden", HIDDEN)
def test_gradients_against_autodiff(x64, hidden):
    pytest.importorskip("jax")
    jax, functions, _ = functions_in_jax()
    network = network_of(6, 5, hidden=hidden)
    masked, masks, parameters, X, Y = masked_example(network, (0.5, 0.2))

    def cost_in_jax(layers):
        A = X
        for (W, b), mask in zip(layers[:-1], masks, strict=True):
            A = functions[hidden](W @ A + b) * mask
        W, b = layers[-1]
        return -(Y * jax.nn.log_softmax(W @ A + b, axis=0)).sum() / X.shape[1]

    cost, gradients = mlpxp.cost_and_gradients(masked, parameters, X, Y)
    wanted_cost, wanted = jax.value_and_grad(cost_in_jax)(parameters)
    assert float(cost) == pytest.approx(float(wanted_cost), rel=1e-13)
    close(gradients, wanted, 1e-13)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_gradients_against_50_digits(exactly, hidden):
    network = network_of(6, 5, hidden=hidden)
    masked, masks, *given = masked_example(network, (0.5, 0.2))
    exact = with_dropout(network, tuple(exactly(mask) for mask in masks), (0.5, 0.2))
    got, wanted = mlpxp.cost_and_gradients(masked, *given), mlpxp.cost_and_gradients(exact, *tree_map(exactly, tuple(given)))
    for one, other in zip(tree_leaves(got), tree_leaves(wanted), strict=True):
        largest = max(abs(entry) for entry in np.ravel(other._data))
        assert max(abs(entry) for entry in np.ravel((exactly(one) - other)._data)) <= 1e-14 * largest


@pytest.mark.parametrize("method", ["dual", "complex"])
def test_gradients_against_naive_ones(method):
    """Which move one parameter after the other through the masked network's forward pass, and use no derivative."""
    network = network_of(6, 5, hidden=("silu", "softplus"))
    masked, _, *given = masked_example(network, (0.5, 0.2))
    close(mlpxp.cost_and_gradients(masked, *given)[1], naive_gradients(masked, *given, method=method), 1e-13)


def test_gradients_of_a_stack_are_those_of_its_members():
    network = network_of(6, 5)
    masked, masks, parameters, X, Y = masked_example(network, (0.5, 0.2), members=3)
    cost, gradients = mlpxp.cost_and_gradients(masked, parameters, X, Y)
    for number, member in enumerate(mlpxp.unstack(parameters)):
        own = with_dropout(network, tuple(mask[number] for mask in masks), (0.5, 0.2))
        wanted_cost, wanted = mlpxp.cost_and_gradients(own, member, X, Y)
        assert cost[number] == pytest.approx(wanted_cost, rel=1e-14)
        close(tree_map(lambda leaf, number=number: leaf[number], gradients), wanted, 1e-13)


def test_a_users_derivative_may_be_infinite_where_a_unit_was_left_out():
    """σ = e^{z/2} with σ' = a/2, written as ½a²/a, which the 0 in the place of a makes 0/0."""
    own = Activation("own", lambda Z: namespace(Z).exp(0.5 * Z), lambda Z, A: 0.5 * A * A / A, values="positive")
    network = network_of(6, 5, hidden=own)
    masked, masks, *given = masked_example(network, (0.5, 0.2))
    assert all(np.any(mask == 0.0) for mask in masks)
    with np.errstate(invalid="ignore"):  # as a fold does
        gradients = mlpxp.cost_and_gradients(masked, *given)[1]
    assert all(np.all(np.isfinite(leaf)) for leaf in tree_leaves(gradients))
    close(gradients, naive_gradients(masked, *given, method="dual"), 1e-13)


@pytest.mark.parametrize("name", HIDDEN)
def test_a_derivative_of_the_table_is_finite_where_a_unit_was_left_out(name):
    """Whatever Z was, A is 0 there: its derivative is multiplied by 0 and need not be masked."""
    Z = np.asarray([-1e6, -1000.0, -1.0, 0.0, 1.0, 1000.0, 1e6])
    activation = ACTIVATIONS[name]
    assert np.all(np.isfinite(activation.derivative(Z if activation.needs_z else None, np.zeros_like(Z))))


# ------------------------------------------------------------------------------------------------------------------- rates


@pytest.mark.parametrize(
    ("dropout", "n_hidden", "rates"),
    [
        (0.5, 2, (0.5, 0.5)),
        (0, 3, (0.0, 0.0, 0.0)),
        ((0.1, 0.0), 2, (0.1, 0.0)),
        ([np.float32(0.5)], 1, (0.5,)),
        (np.asarray([0.25, 0.5]), 2, (0.25, 0.5)),
        (0.0, 0, ()),
        ((), 0, ()),
    ],
)
def test_one_rate_for_all_hidden_layers_or_one_each(dropout, n_hidden, rates):
    checked = check_dropout(dropout, n_hidden)
    assert checked == rates
    assert all(type(rate) is float for rate in checked)


@pytest.mark.parametrize("bad", [-0.1, 1.0, 2, math.nan, math.inf, "0.5", True, None, (0.5, 1.0), (0.5, "a"), (0.1, None)])
def test_what_is_no_rate(bad):
    with pytest.raises(RangeError, match=r"^dropout must be a number from 0 and below 1, or one for each hidden layer, got ") as caught:
        check_dropout(bad, 2)
    assert repr(bad) in str(caught.value)


def test_as_many_rates_as_hidden_layers():
    for rates in ((0.5,), (0.5,) * 3, ()):
        with pytest.raises(RangeError, match=f"^dropout must be one number or one for each of the 2 hidden layers, got {len(rates)}$"):
            check_dropout(rates, 2)


@pytest.mark.parametrize("dropout", [0.5, (0.5,)])
def test_without_hidden_layers_there_is_nothing_to_leave_out(dropout):
    with pytest.raises(RangeError, match=r"^dropout must be 0 for a network without hidden layers, got .*: there is no unit to leave out$"):
        check_dropout(dropout, 0)
