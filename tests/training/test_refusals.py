"""What training refuses, in one line that names it."""

import math

import numpy as np
import pytest
from training_runs import NETWORK, data, start

import mlpxp
from mlpxp import (
    Adam,
    BackendError,
    DataError,
    DtypeError,
    GradientDescent,
    MlpxpError,
    Network,
    RangeError,
    ShapeError,
    UnknownNameError,
    train,
)
from mlpxp.arrays.standard import tree_map


def refused(error, builtin, message, X=None, Y=None, network=NETWORK, **options):
    good = data()
    with pytest.raises(error, match=message) as caught:
        train(network, good[0] if X is None else X, good[1] if Y is None else Y, **({"optimizer": Adam(), "epochs": 1} | options))
    assert isinstance(caught.value, MlpxpError)
    assert isinstance(caught.value, builtin)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True])
@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
def test_whole_numbers_from_1(name, value):
    if value is None and name != "epochs":
        value = math.nan
    refused(RangeError, ValueError, f"^{name} must be a whole number from 1, got ", **{name: value})


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "1", True, [1.0]])
@pytest.mark.parametrize("name", ["tolerance", "penalty", "max_seconds"])
def test_numbers_from_0(name, value):
    refused(RangeError, ValueError, f"^{name} must be a number from 0, got ", **{name: value})


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.int64(1)])
@pytest.mark.parametrize("name", ["tolerance", "penalty", "max_seconds"])
def test_numpys_numbers_are_numbers(name, value):
    X, Y = data()
    assert train(NETWORK, X, Y, optimizer=Adam(), epochs=np.int64(1), **{name: value}).epochs <= 1


@pytest.mark.parametrize("value", [-1, 0.5, "1"])
def test_bad_seeds(value):
    refused(RangeError, ValueError, "^seed must be a whole number from 0, got ", seed=value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adam"}, r"^optimizer must be an optimizer such as .*, got 'adam'$"),
        ({"optimizer": Adam}, "^optimizer must be an optimizer such as"),
        ({"optimizer": 0.1}, "^optimizer must be an optimizer such as"),
        ({"optimizer": Adam((0.1, 0.2))}, "^learning_rate must be one number, or a sequence for one network, got 2 numbers$"),
        ({"callbacks": print}, "^callbacks must be a sequence of callables, got"),
        ({"callbacks": [None]}, "^callbacks must be a sequence of callables, got"),
        ({"validation": (np.ones((3, 2)),)}, r"^validation must be \(X, Y\) or \(X, Y, weights\), got tuple$"),
        ({"validation": (1, 2, 3, 4)}, r"^validation must be \(X, Y\) or \(X, Y, weights\), got tuple$"),
        ({"validation": np.ones((3, 2))}, r"^validation must be \(X, Y\) or \(X, Y, weights\), got ndarray$"),
        ({"validation": 0.2}, "^validation must be .*, got float$"),
        ({"start": "model.safetensors"}, "^start must be a tuple of layers or an earlier TrainingResult, got str$"),
        ({"start": [1]}, "^start must be a tuple of layers or an earlier TrainingResult, got list$"),
    ],
)
def test_bad_options(options, message):
    refused(RangeError, ValueError, message, **options)


@pytest.mark.parametrize("value", [(), ((np.ones((4, 3)), np.ones((4, 1))), (np.ones((2, 4)), np.ones((2, 1))))])
def test_a_start_that_holds_no_layers(value):
    refused(MlpxpError, ValueError, "^(parameters|start) must ", start=value)


@pytest.mark.parametrize("optimizer", [Adam((0.1, 0.2)), Adam((0.1, 0.2, 0.3, 0.4))])
def test_as_many_learning_rates_as_members(optimizer):
    message = "^learning_rate must be one number, or a sequence for each of the stack's 3 members, got [24] numbers$"
    refused(RangeError, ValueError, message, optimizer=optimizer, start=mlpxp.initialize(NETWORK, seed=range(3), dtype="float64"))


def test_going_on_from_another_network_or_with_another_optimizer():
    X, Y = data()
    other = Network((3, 4, 2), hidden="relu", output="softmax", loss="cross_entropy")
    result = train(other, X, Y, optimizer=Adam(), epochs=1)
    refused(RangeError, ValueError, "^start must be a result of the same network", start=result)
    result = train(NETWORK, X, Y, optimizer=Adam(), epochs=1)
    message = "^start was trained by another optimizer than GradientDescent with these options"
    refused(RangeError, ValueError, message, start=result, optimizer=GradientDescent(0.1))
    result = train(NETWORK, X, Y, optimizer=GradientDescent(0.1, momentum=0.9), epochs=1)
    refused(RangeError, ValueError, message, start=result, optimizer=GradientDescent(0.1))


@pytest.mark.parametrize(("bad", "name"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_values_that_are_not_finite(bad, name):
    X, Y = data()
    X[1, 7] = bad
    refused(DataError, ValueError, f"^X must be finite, got {name} in row 1 of example 7$", X=X)
    refused(DataError, ValueError, f"^validation X must be finite, got {name} in row 1 of example 7$", validation=(X, Y))
    Y[1, 4] = bad
    refused(DataError, ValueError, f"^Y must be finite, got {name} in row 1 of example 4$", Y=Y)
    refused(DataError, ValueError, f"^validation Y must be finite, got {name} in row 1 of example 4$", validation=(data()[0], Y))


def test_values_that_are_not_finite_in_a_stacks_own_data():
    X = np.stack([data(0)[0], data(1)[0]])
    X[1, 2, 5] = math.nan
    refused(DataError, ValueError, "^X must be finite, got .*nan.* in row 2 of example 5$", X=X, start=mlpxp.stack([start(0), start(1)]))


def test_targets_that_the_loss_has_no_meaning_for():
    network = Network((3, 2), output="sigmoid", loss="binary_cross_entropy")
    Y = data()[1]
    for bad in (-0.5, 1.5, 2.0):
        Y[0, 3] = bad
        message = rf"^Y must hold probabilities, from 0 to 1, got \[{bad}, .*\] for example 3: binary_cross_entropy needs it$"
        refused(DataError, ValueError, message, network=network, Y=Y)
    counts = Network((3, 2), output="exp", loss="poisson")
    message = r"^Y must hold counts or amounts, not negative, got \[-0\.5, .*\] for example 3: poisson needs it$"
    Y[0, 3] = -0.5
    refused(DataError, ValueError, message, network=counts, Y=Y)
    Y[0, 3] = 2.5
    assert train(counts, data()[0], Y, optimizer=Adam(), epochs=1).epochs == 1
    Y = data()[1]
    message = r"^Y must hold one distribution an example, adding up to 1, got \[.*\] for example 3: cross_entropy needs it$"
    for bad in ([1.0, 1.0], [0.0, 0.0], [0.5, 0.25], [1.5, -0.5]):
        Y[:, 3] = bad
        refused(DataError, ValueError, message, Y=Y)
    assert train(NETWORK, *data(), optimizer=Adam(), epochs=1).epochs == 1


def test_bad_weights():
    for bad in (-1.0, math.nan, math.inf):
        weights = np.ones(10)
        weights[3] = bad
        refused(DataError, ValueError, "^weights must be finite and not negative", weights=weights)
        refused(DataError, ValueError, "^validation weights must be finite and not negative", validation=(*data(), weights))
    refused(DataError, ValueError, "^weights must not all be zero", weights=np.zeros(10))
    refused(ShapeError, ValueError, r"^weights must have shape \(10,\), one for each example, got \(9,\)", weights=np.ones(9))
    stack = mlpxp.stack([start(0), start(1)])
    refused(
        ShapeError,
        ValueError,
        r"^weights must have shape \(10,\), one for each example, got \(2, 10\)",
        weights=np.ones((2, 10)),
        start=stack,
    )


def test_arrays_that_do_not_fit():
    X, Y = data()
    single = start(dtype="float32")
    refused(ShapeError, ValueError, r"^X must have shape \(3, m\), got \(10, 3\): layer 1 reads 3 features", X=X.T)
    refused(ShapeError, ValueError, r"^Y must have a column for each of X's 10 examples, got 9$", Y=Y[:, :9])
    refused(ShapeError, ValueError, "at least one example, got none", X=X[:, :0], Y=Y[:, :0])
    refused(
        ShapeError,
        ValueError,
        r"^W_1 must have shape \(4, 3\), got \(4, 2\)",
        start=mlpxp.initialize(Network((2, 4, 2)), seed=0, dtype="float64"),
    )
    refused(
        ShapeError,
        ValueError,
        r"^a stack to train must have one leading axis, got \(2, 1\)$",
        start=mlpxp.stack([mlpxp.stack([start()])] * 2),
    )
    refused(DtypeError, TypeError, "^X must have the dtype of the parameters, float32, got float64: .* convert it with", start=single)
    refused(DtypeError, TypeError, "^Y must have the dtype of X, float64, got float32", Y=Y.astype("float32"))
    refused(DtypeError, TypeError, "^X must have a real floating dtype, got int64", X=X.astype("int64"), Y=Y.astype("int64"))
    refused(
        DtypeError,
        TypeError,
        "^validation X must have the dtype of the parameters",
        validation=tuple(each.astype("float32") for each in (X, Y)),
    )


def test_arrays_of_two_libraries_or_two_devices():
    strict = pytest.importorskip("array_api_strict")
    X, Y = data()
    refused(
        BackendError,
        RuntimeError,
        r"^Y must be an array of the library of X \(numpy\), got array_api_strict",
        Y=strict.asarray(Y),
    )
    there = tree_map(strict.asarray, start())
    refused(BackendError, RuntimeError, r"must be an array of the library of the parameters \(array_api_strict\), got numpy", start=there)
    one, two = (strict.asarray(array, device=strict.Device(name)) for array, name in ((X, "device1"), (Y, "device2")))
    refused(BackendError, RuntimeError, r"^Y must be on the device of the parameters \(.*device1'\)\), got .*device2", X=one, Y=two)


def test_lists_are_host_data_and_train_on_numpy():
    X, Y = data()
    wanted = train(NETWORK, X, Y, optimizer=Adam(), epochs=2)
    got = train(NETWORK, X.tolist(), Y.tolist(), optimizer=Adam(), epochs=2, validation=(X.tolist(), Y.tolist()))
    assert isinstance(got.parameters[0].W, np.ndarray)
    assert got.history.cost == wanted.history.cost


def test_data_that_are_no_arrays():
    refused(DataError, ValueError, "^data must be numbers, as many in each row", X=[[1.0, 2.0], [3.0]])
    refused(DtypeError, TypeError, "^X must have a real floating dtype, got int64", X=[[1, 2]])


def test_a_backend_or_a_device_that_is_not_there():
    refused(UnknownNameError, ValueError, "^backend must be auto or one of numpy, cupy, torch, jax, strict", backend="tensorflow")
    refused(UnknownNameError, ValueError, "^backend must be a name or a Backend, got 3", backend=3)
    refused(BackendError, RuntimeError, "^device must be one that backend 'numpy' has here, 'cpu', got 'cuda:1'", device="cuda:1")


@pytest.mark.parametrize(("weight", "dtype"), [(1e38, "float32"), (1e37, "float32"), (1e-40, "float32"), (1.7e308, "float64")])
def test_weights_whose_mean_has_no_normal_numbers(backend, to_device, weight, dtype):
    """Their sum is infinite, or its reciprocal is next to 0: every cost would be 0, and nothing learnt."""
    X, Y, weights = to_device((*data(dtype=dtype), np.full(10, weight, dtype=dtype)))
    message = rf"^weights must add up to a number from \S+ to \S+ in {dtype}, got \S+: divide them by the largest"
    refused(DataError, ValueError, message, X, Y, weights=weights)


def test_weights_of_any_size_between_are_those_of_one():
    X, Y = data(dtype="float32")
    runs = [train(NETWORK, X, Y, optimizer=Adam(), epochs=3, weights=np.full(10, w, "float32")) for w in (1.0, 2.0**100, 2.0**-100)]
    for run in runs[1:]:
        np.testing.assert_allclose(run.history.cost, runs[0].history.cost, rtol=1e-6)
