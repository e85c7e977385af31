"""The specification of a network, and its first parameters."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import mlpxp
from mlpxp import (
    ACTIVATIONS,
    LOSSES,
    Activation,
    BackendError,
    DtypeError,
    Layer,
    Loss,
    MlpxpError,
    Network,
    PairingError,
    RangeError,
    ShapeError,
)
from mlpxp import UnknownNameError as UnknownName
from mlpxp.arrays.standard import tree_leaves, tree_map


def refused(error, builtin, message, call):
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, MlpxpError)
    assert isinstance(caught.value, builtin)
    assert "\n" not in str(caught.value)


# -------------------------------------------------------------------------------------------------------- specification


def test_names_become_values():
    network = Network([4, 3, 2, 1], hidden=["relu", ACTIVATIONS["tanh"]], output="sigmoid", loss=LOSSES["binary_cross_entropy"])
    assert network.sizes == (4, 3, 2, 1)
    assert network.activations == (ACTIVATIONS["relu"], ACTIVATIONS["tanh"], ACTIVATIONS["sigmoid"])
    assert network.shapes == ((3, 4), (2, 3), (1, 2))
    assert network.n_parameters == (12 + 3) + (6 + 2) + (2 + 1)
    assert network.natural


def test_defaults():
    network = Network((2, 3, 1))
    assert network.activations == (ACTIVATIONS["sigmoid"], ACTIVATIONS["sigmoid"])
    assert network.loss is LOSSES["mse"]
    assert not network.natural


def test_is_frozen_hashable_and_equal_by_value():
    network = Network((2, 3, 1), hidden="tanh")
    same = Network([np.int64(2), 3, 1], hidden=["tanh"])
    assert same == network
    assert hash(same) == hash(network)
    assert {network: 1}[same] == 1
    for other in (Network((2, 4, 1), hidden="tanh"), Network((2, 3, 1)), Network((2, 3, 1), hidden="tanh", output="identity")):
        assert other != network
    with pytest.raises(FrozenInstanceError):
        network.sizes = (1, 1)


def test_survives_copies_and_pickles_and_what_it_has_worked_out():
    network = Network((2, 3, 1), hidden="gelu", output="sigmoid", loss="binary_cross_entropy")
    assert network.n_parameters == 13
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert other == network
        assert hash(other) == hash(network)
        assert other.natural


def test_repr_can_be_read_back():
    for network in (Network((2, 3, 3, 1), hidden="tanh"), Network((2, 3, 3, 1), hidden=("tanh", "relu")), Network((2, 1), output="relu")):
        assert eval(repr(network)) == network


def test_without_hidden_layers_the_hidden_activation_does_not_matter():
    assert Network((2, 1), hidden="relu") == Network((2, 1), hidden="tanh") == Network((2, 1), hidden=())


def test_a_users_activation_is_a_probability_only_if_it_says_so():
    def function(Z):
        return Z

    def derivative(Z, A):
        return A

    plain = Activation("own", function, derivative)
    probability = Activation("own", function, derivative, values="probability")
    assert not Network((2, 1), output=probability, loss="binary_cross_entropy").natural
    refused(PairingError, ValueError, "got 'own'$", lambda: Network((2, 1), output=plain, loss="binary_cross_entropy"))


@pytest.mark.parametrize("sizes", ["321", 3, (3.0, 2), (3, "2"), None, (3, None)])
def test_sizes_that_are_no_whole_numbers(sizes):
    refused(RangeError, ValueError, r"^sizes must be whole numbers, one a layer, such as \(2, 3, 1\), got ", lambda: Network(sizes))


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0, 1), (3, -2), (0, 1)])
def test_sizes_that_are_too_few_or_not_positive(sizes):
    message = r"^sizes must be at least two positive numbers, the inputs and the outputs, got \("
    refused(RangeError, ValueError, message, lambda: Network(sizes))


@pytest.mark.parametrize(("hidden", "count"), [(("tanh",), 1), (("tanh",) * 3, 3), ((), 0)])
def test_as_many_hidden_activations_as_hidden_layers(hidden, count):
    message = rf"^hidden must be one activation or one for each of the 2 hidden layers, got {count}$"
    refused(RangeError, ValueError, message, lambda: Network((2, 3, 3, 1), hidden=hidden))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": "swish"}, r"^activation must be one of identity, .* or an Activation, got 'swish'$"),
        ({"hidden": ("tanh", None)}, "^activation must be one of .* got None$"),
        ({"hidden": 3}, "^activation must be one of .* got 3$"),
        ({"output": "Sigmoid"}, "^activation must be one of .* got 'Sigmoid'$"),
        ({"output": None}, "^activation must be one of .* got None$"),
        ({"loss": "hinge"}, r"^loss must be one of mse, .* or a Loss, got 'hinge'$"),
        ({"loss": None}, "^loss must be one of .* got None$"),
    ],
)
def test_unknown_names(options, message):
    refused(UnknownName, ValueError, message, lambda: Network((2, 3, 3, 1), **options))


def test_a_losss_pairing_has_to_be_an_activation():
    def value(A, Y):
        return A

    refused(
        UnknownName, ValueError, "'nope'", lambda: Network((2, 1), loss=Loss("own", value, value, pairing="nope", value_from_logits=value))
    )


@pytest.mark.parametrize("hidden", ["softmax", ("tanh", "softmax")])
def test_softmax_can_only_be_the_output(hidden):
    refused(
        PairingError, ValueError, "^softmax can only be the output: it makes one distribution", lambda: Network((2, 3, 3, 1), hidden=hidden)
    )


# ------------------------------------------------------------------------------------------------------- initialisation


def listed(parameters):
    return [leaf.tolist() for leaf in tree_leaves(parameters)]


def test_the_same_seed_gives_the_same_weights_on_every_backend(backend, to_host):
    network = Network((3, 4, 2), hidden="relu")
    for dtype in ("float32", "float64"):
        there = to_host(mlpxp.initialize(network, seed=5, backend=backend, dtype=dtype))
        here = mlpxp.initialize(network, seed=5, dtype=dtype)
        assert listed(there) == listed(here)
        assert {str(leaf.dtype) for leaf in tree_leaves(there)} == {dtype}
        assert [leaf.shape for leaf in tree_leaves(there)] == [(4, 3), (4, 1), (2, 4), (2, 1)]


def test_another_seed_gives_other_weights():
    network = Network((3, 4, 2))
    assert listed(mlpxp.initialize(network, seed=1)) != listed(mlpxp.initialize(network, seed=2))


def test_float32_is_the_rounded_float64_draw():
    network = Network((3, 4, 2))
    single, double = (mlpxp.initialize(network, seed=1, dtype=dtype) for dtype in ("float32", "float64"))
    assert listed(single) == listed(tree_map(lambda leaf: leaf.astype("float32"), double))
    assert listed(single) != listed(double)


def test_float32_is_the_default_and_an_initialised_layer_is_a_layer():
    parameters = mlpxp.initialize(Network((3, 4, 2)), seed=1)
    assert isinstance(parameters, tuple)
    assert all(isinstance(layer, Layer) for layer in parameters)
    assert all(leaf.dtype == "float32" for leaf in tree_leaves(parameters))


def test_biases_are_zero():
    for layer in mlpxp.initialize(Network((3, 40, 2), hidden="relu"), seed=1):
        assert np.all(layer.b == 0.0)
        assert np.all(layer.W != 0.0)


def test_biases_are_not_minus_zero():
    assert not any(np.signbit(layer.b).any() for layer in mlpxp.initialize(Network((3, 40, 2)), seed=1))


@pytest.mark.parametrize(
    ("scheme", "variance", "uniform"),
    [
        ("glorot_uniform", 2 / (300 + 200), True),
        ("glorot_normal", 2 / (300 + 200), False),
        ("he_uniform", 2 / 300, True),
        ("he_normal", 2 / 300, False),
        ("lecun_normal", 1 / 300, False),
    ],
)
def test_schemes(scheme, variance, uniform):
    """60,000 draws: mean and variance within five standard errors, and the shape of the distribution by its largest draw."""
    W = mlpxp.initialize(Network((300, 200)), seed=3, dtype="float64", scheme=scheme)[0].W
    n, deviation = W.size, np.sqrt(variance)
    assert abs(W.mean()) < 5 * deviation / np.sqrt(n)
    assert abs(W.var() / variance - 1) < 5 * np.sqrt((0.8 if uniform else 2.0) / n)  # (kurtosis - 1) is 0.8 and 2
    bound = np.sqrt(3) * deviation
    if uniform:
        assert 0.999 * bound < np.abs(W).max() <= bound
    else:
        assert np.abs(W).max() > 2 * bound


def test_zeros():
    assert all(np.all(leaf == 0.0) for leaf in tree_leaves(mlpxp.initialize(Network((3, 4, 2)), seed=3, scheme="zeros")))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_scheme_by_activation(name):
    """He's for an activation that is flat on one side, Glorot's otherwise; layer by layer."""
    he = name in {"relu", "leaky_relu", "elu", "softplus", "silu", "gelu"}
    network = Network((5, 4, 3), hidden="tanh", output=name)
    parameters = mlpxp.initialize(network, seed=1)
    glorot, chosen = (
        mlpxp.initialize(network, seed=1, scheme=scheme) for scheme in ("glorot_uniform", "he_uniform" if he else "glorot_uniform")
    )
    assert listed(parameters) == listed((glorot[0], chosen[1]))


def test_a_list_of_seeds_makes_a_stack(backend, to_host):
    network = Network((3, 4, 2))
    stacked = mlpxp.initialize(network, seed=[3, 1, 3], backend=backend)
    assert [tuple(leaf.shape) for leaf in tree_leaves(stacked)] == [(3, 4, 3), (3, 4, 1), (3, 2, 4), (3, 2, 1)]
    members = mlpxp.unstack(stacked)
    assert [listed(to_host(member)) for member in members] == [listed(mlpxp.initialize(network, seed=seed)) for seed in (3, 1, 3)]
    assert listed(to_host(mlpxp.stack(members))) == listed(to_host(stacked))


@pytest.mark.parametrize("seeds", [range(3), (0, 1, 2), np.arange(3)])
def test_any_sequence_of_seeds_will_do(seeds):
    network = Network((3, 2))
    assert listed(mlpxp.initialize(network, seed=seeds)) == listed(mlpxp.initialize(network, seed=[0, 1, 2]))


def test_one_seed_in_a_list_is_a_stack_of_one():
    assert mlpxp.initialize(Network((3, 2)), seed=[7])[0].W.shape == (1, 2, 3)


@pytest.mark.parametrize("seed", [-1, 1.5, "7", None, True, [0, -1], [0.5], ["a"]])
def test_bad_seeds(seed):
    refused(RangeError, ValueError, "^seed must be a whole number from 0, got ", lambda: mlpxp.initialize(Network((3, 2)), seed=seed))


def test_no_seeds():
    refused(RangeError, ValueError, "^seed must be .* got an empty one$", lambda: mlpxp.initialize(Network((3, 2)), seed=[]))


@pytest.mark.parametrize(
    ("options", "error", "builtin", "message"),
    [
        ({"scheme": "xavier"}, UnknownName, ValueError, "^scheme must be one of glorot_uniform, .*, zeros, got 'xavier'$"),
        ({"scheme": ""}, UnknownName, ValueError, "^scheme must be one of"),
        ({"dtype": "float16"}, DtypeError, TypeError, "^dtype must be float32 or float64, got 'float16'$"),
        ({"dtype": "int64"}, DtypeError, TypeError, "^dtype must be float32 or float64, got 'int64'$"),
        ({"backend": "tensorflow"}, UnknownName, ValueError, "^backend must be auto or one of numpy, .*, got 'tensorflow'$"),
        ({"backend": None}, UnknownName, ValueError, "^backend must be a name or a Backend, got None$"),
        (
            {"device": "cuda:0"},
            BackendError,
            RuntimeError,
            "^device must be one that .* has here, 'cpu', got 'cuda:0'; see mlpxp backends$",
        ),
    ],
)
def test_bad_options(options, error, builtin, message):
    refused(error, builtin, message, lambda: mlpxp.initialize(Network((3, 2)), seed=0, **options))


@pytest.mark.parametrize("dtype", [np.int64, np.dtype("bool"), np.complex128])
def test_a_librarys_own_dtype_has_to_be_real_and_floating(dtype):
    refused(DtypeError, TypeError, "^dtype must be ", lambda: mlpxp.initialize(Network((3, 2)), seed=0, dtype=dtype))


# --------------------------------------------------------------------------------------------------------------- stacks


def test_stack_and_unstack_are_inverse(backend, to_device, to_host):
    network = Network((3, 4, 2))
    members = [to_device(mlpxp.initialize(network, seed=seed)) for seed in range(3)]
    again = mlpxp.unstack(mlpxp.stack(members))
    assert [listed(to_host(member)) for member in again] == [listed(to_host(member)) for member in members]
    assert all(isinstance(layer, Layer) for member in again for layer in member)


def test_unstacking_one_network():
    message = r"^parameters must be a stack, W of shape \(k, n_1, n_0\), got \(2, 3\): one network has no members$"
    refused(ShapeError, ValueError, message, lambda: mlpxp.unstack(mlpxp.initialize(Network((3, 2)), seed=0)))


def test_stacking_nothing():
    refused(ShapeError, ValueError, "^a stack needs at least one member, got none$", lambda: mlpxp.stack([]))


def test_stacking_networks_of_two_shapes():
    members = [mlpxp.initialize(Network(sizes), seed=0) for sizes in ((3, 2), (3, 3))]
    refused(ShapeError, ValueError, "^the members of a stack must have the same shapes, got different ones$", lambda: mlpxp.stack(members))


def test_stacking_networks_of_two_dtypes():
    members = [mlpxp.initialize(Network((3, 2)), seed=0, dtype=dtype) for dtype in ("float32", "float64")]
    with pytest.raises(DtypeError):
        mlpxp.stack(members)


def test_a_distribution_over_one_output_is_refused():
    with pytest.raises(PairingError, match=r"^softmax needs at least two outputs, got 1"):
        Network((2, 3, 1), output="softmax", loss="cross_entropy")
