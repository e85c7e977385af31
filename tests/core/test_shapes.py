"""Every array that comes in is checked, and the error says what was wanted, what was got and why."""

import numpy as np
import pytest

import mlpxp
from mlpxp import BackendError, DtypeError, Layer, MlpxpError, Network, ShapeError

NETWORK = Network((3, 2, 1))


def good(dtype="float64", stacked=()):
    one = np.ones
    return {
        "parameters": tuple(Layer(one((*stacked, n, n_in), dtype), one((*stacked, n, 1), dtype)) for n, n_in in NETWORK.shapes),
        "X": one((3, 4), dtype),
        "Y": one((1, 4), dtype),
        "weights": one(4, dtype),
    }


def every_door(parameters, X, Y, weights):
    """The checked functions that see these arrays, and evaluate beside them."""
    trace = mlpxp.forward(NETWORK, good()["parameters"], good()["X"])
    return {
        "cost_and_gradients": lambda: mlpxp.cost_and_gradients(NETWORK, parameters, X, Y, weights),
        "evaluate": lambda: mlpxp.evaluate(NETWORK, parameters, X, Y, weights),
        "forward": lambda: mlpxp.forward(NETWORK, parameters, X),
        "predict": lambda: mlpxp.predict(NETWORK, parameters, X),
        "backward": lambda: mlpxp.backward(NETWORK, parameters, trace, Y, weights),
        "cost": lambda: mlpxp.cost(NETWORK, trace, Y, weights),
    }


def refusals(error, builtin, message, doors, **bad):
    for name in doors:
        with pytest.raises(error, match=message) as caught:
            every_door(**(good() | bad))[name]()
        assert isinstance(caught.value, MlpxpError)
        assert isinstance(caught.value, builtin)
        assert "\n" not in str(caught.value)


SEES_X = ("cost_and_gradients", "evaluate", "forward", "predict")
SEES_Y = ("cost_and_gradients", "evaluate", "backward", "cost")
SEES_PARAMETERS = ("cost_and_gradients", "evaluate", "forward", "predict", "backward")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((5, 7)), r"^X must have shape \(3, m\), got \(5, 7\): layer 1 reads 3 features$"),
        (np.ones((4, 3)), r"^X must have shape \(3, m\), got \(4, 3\): layer 1 reads 3 features: .* may want its transpose$"),
        (np.ones(3), r"^X must have shape \(3, m\), got \(3,\): layer 1 reads 3 features$"),
        (np.ones(()), r"^X must have shape \(3, m\), got \(\)"),
        (np.ones((2, 3, 4)), r"^X must have shape \(3, m\), got \(2, 3, 4\)"),
    ],
)
def test_shape_of_x(X, message):
    refusals(ShapeError, ValueError, message, SEES_X, X=X)


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        (np.ones((2, 4)), r"^Y must have shape \(1, m\), got \(2, 4\): the output layer has 1 unit$"),
        (np.ones((4, 1)), r"^Y must have shape \(1, m\), got \(4, 1\): the output layer has 1 unit: .* transpose$"),
        (np.ones(4), r"^Y must have shape \(1, m\), got \(4,\)"),
        (np.ones((1, 5)), r"^Y must have a column for each of X's 4 examples, got 5$"),
    ],
)
def test_shape_of_y(Y, message):
    refusals(ShapeError, ValueError, message, SEES_Y, Y=Y)


@pytest.mark.parametrize("weights", [np.ones(3), np.ones((4, 1)), np.ones((1, 4)), np.ones(())])
def test_shape_of_weights(weights):
    refusals(ShapeError, ValueError, r"^weights must have shape \(4,\), one for each example, got \(", SEES_Y, weights=weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda first, second: (first,), r"^parameters must have 2 layers, got 1: the network's sizes are \(3, 2, 1\)$"),
        (lambda first, second: (), r"^parameters must have 2 layers, got 0"),
        (lambda first, second: (first, second, second), r"^parameters must have 2 layers, got 3"),
        (
            lambda first, second: (Layer(np.ones((2, 4)), first.b), second),
            r"^W_1 must have shape \(2, 3\), got \(2, 4\): the network's sizes",
        ),
        (lambda first, second: (Layer(first.W.T, first.b), second), r"^W_1 must have shape \(2, 3\), got \(3, 2\)"),
        (lambda first, second: (first, Layer(second.W.T, second.b)), r"^W_2 must have shape \(1, 2\), got \(2, 1\)"),
        (lambda first, second: (Layer(first.W, first.b.T), second), r"^b_1 must have shape \(2, 1\), got \(1, 2\)"),
        (lambda first, second: (first, Layer(second.W, np.ones(1))), r"^b_2 must have shape \(1, 1\), got \(1,\)"),
        (lambda first, second: (first, Layer(second.W[None], second.b[None])), r"^W_2 must have shape \(1, 2\), got \(1, 1, 2\)"),
    ],
)
def test_shapes_of_the_parameters(change, message):
    refusals(ShapeError, ValueError, message, SEES_PARAMETERS, parameters=change(*good()["parameters"]))


def test_shapes_in_a_stack():
    parameters = good(stacked=(2,))["parameters"]
    refusals(
        ShapeError,
        ValueError,
        r"^X must have shape \(3, m\) or \(2, 3, m\), got \(5, 3, 4\)",
        SEES_X,
        parameters=parameters,
        X=np.ones((5, 3, 4)),
    )
    refusals(
        ShapeError,
        ValueError,
        r"^Y must have shape \(1, m\) or \(2, 1, m\), got \(3, 1, 4\)",
        ("cost_and_gradients",),
        parameters=parameters,
        Y=np.ones((3, 1, 4)),
    )
    refusals(ShapeError, ValueError, "^weights must have shape", ("cost_and_gradients",), parameters=parameters, weights=np.ones((3, 4)))


@pytest.mark.parametrize(("name", "doors"), [("X", SEES_X), ("Y", SEES_Y), ("weights", SEES_Y)])
def test_another_dtype_is_refused_with_the_remedy(name, doors):
    message = (
        rf"^{name} must have the dtype of the parameters, float64, got float32: nothing changes dtype silently; convert it with xp.astype"
    )
    refusals(DtypeError, TypeError, message, doors, **{name: good("float32")[name]})


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex128"])
def test_a_dtype_that_is_not_real_and_floating_is_refused(dtype):
    arrays = good(dtype)
    refusals(
        DtypeError,
        TypeError,
        rf"^the parameters must have a real floating dtype, got {dtype}: convert it",
        SEES_PARAMETERS,
        parameters=arrays["parameters"],
        X=arrays["X"],
    )


@pytest.mark.parametrize("changed", ["b_1", "W_2", "b_2"])
def test_parameters_of_two_dtypes_are_refused(changed):
    arrays = good("float32")
    single, double = arrays["parameters"], good("float64")["parameters"]
    layer = int(changed[2]) - 1
    mixed = list(single)
    mixed[layer] = mixed[layer]._replace(**{changed[0]: getattr(double[layer], changed[0])})
    with pytest.raises(DtypeError):
        mlpxp.predict(NETWORK, tuple(mixed), arrays["X"])


@pytest.mark.parametrize(("name", "doors"), [("X", SEES_X), ("Y", SEES_Y), ("weights", SEES_Y)])
def test_what_is_no_array_is_refused(name, doors):
    bad = {name: good()[name].tolist()}
    refusals(BackendError, RuntimeError, rf"^{name} must be an array of the library of the parameters \(numpy\), got list", doors, **bad)


def test_parameters_that_are_no_arrays_are_refused():
    lists = tuple(Layer(layer.W.tolist(), layer.b.tolist()) for layer in good()["parameters"])
    refusals(BackendError, RuntimeError, "^the parameters must be an array, got a list", SEES_PARAMETERS, parameters=lists)


def test_arrays_of_two_libraries_are_refused():
    strict = pytest.importorskip("array_api_strict")
    refusals(
        BackendError,
        RuntimeError,
        r"^X must be an array of the library of the parameters \(numpy\), got array_api_strict: nothing is moved between libraries",
        SEES_X,
        X=strict.ones((3, 4)),
    )


def test_arrays_on_two_devices_are_refused():
    strict = pytest.importorskip("array_api_strict")
    parameters = mlpxp.initialize(NETWORK, seed=0, backend="strict", dtype="float32", device="device1")
    with pytest.raises(BackendError, match=r"X must be on the device of the parameters .*device1.*, got .*device2.*: nothing is moved"):
        mlpxp.predict(NETWORK, parameters, strict.ones((3, 4), dtype=strict.float32, device=strict.Device("device2")))


def test_a_network_that_lives_on_a_device_stays_there():
    strict = pytest.importorskip("array_api_strict")
    device = strict.Device("device1")
    parameters = mlpxp.initialize(NETWORK, seed=0, backend="strict", dtype="float32", device="device1")
    X, Y = (strict.ones((rows, 4), dtype=strict.float32, device=device) for rows in (3, 1))
    cost, gradients = mlpxp.cost_and_gradients(NETWORK, parameters, X, Y)
    assert cost.device == gradients[0].W.device == gradients[1].b.device == device
