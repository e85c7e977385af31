"""Each σ and σ' against 50 digits, written here a second time from their textbook formulas."""

import missing
import numpy as np
import pytest

import mlpxp
from mlpxp import ACTIVATIONS, Activation, Layer, Network, UnknownNameError
from mlpxp.core.activations import find_activation

mpmath = missing.optional("mpmath")
mp, mpf = mpmath.mp, mpmath.mpf

ELEMENTWISE = [name for name in ACTIVATIONS if name != "softmax"]
SATURATING = [name for name in ELEMENTWISE if name != "exp"]  # or growing as z does; e^z is no number any more at z = 1000


def logistic(z):
    return 1 / (1 + mp.exp(-z))


def gelu_angle(z):
    return mp.sqrt(2 / mp.pi) * (z + mpf(0.044715) * z**3)


def gelu_slope(z):
    t = mp.tanh(gelu_angle(z))
    return (1 + t) / 2 + z / 2 * (1 - t**2) * mp.sqrt(2 / mp.pi) * (1 + 3 * mpf(0.044715) * z**2)


EXACT = {  # name -> (σ, σ'); 0.01 and 0.044715 are the float64 numbers of these names
    "identity": (lambda z: z, lambda z: mpf(1)),
    "sigmoid": (logistic, lambda z: logistic(z) * logistic(-z)),  # A1
    "tanh": (mp.tanh, lambda z: 1 / mp.cosh(z) ** 2),  # A2
    "relu": (lambda z: max(z, mpf(0)), lambda z: mpf(z > 0)),  # A3
    "leaky_relu": (lambda z: z if z > 0 else mpf(0.01) * z, lambda z: mpf(1) if z > 0 else mpf(0.01)),
    "elu": (lambda z: z if z > 0 else mp.expm1(z), lambda z: mpf(1) if z > 0 else mp.exp(z)),
    "softplus": (lambda z: mp.log1p(mp.exp(-abs(z))) + max(z, mpf(0)), logistic),
    "exp": (mp.exp, mp.exp),
    "silu": (lambda z: z * logistic(z), lambda z: logistic(z) * (1 + z * logistic(-z))),
    "gelu": (lambda z: z * logistic(2 * gelu_angle(z)), gelu_slope),  # (1 + tanh u)/2 = σ(2u), without the cancellation
}


def exact_softmax(column):
    powers = [mp.exp(z - max(column)) for z in column]
    return [power / sum(powers) for power in powers]


def on_each(function, Z):
    """The exact values as float64's nearest, and what float64 leaves of them, so that Z's errors can be told to 1e-32."""
    values = [function(mpf(float(z))) for z in Z.ravel()]
    return np.asarray(values, dtype=object).reshape(Z.shape)


def error(got, wanted):
    got = np.asarray(got, dtype=np.float64)
    return np.asarray([abs(mpf(float(g)) - w) for g, w in zip(got.ravel(), wanted.ravel(), strict=True)], dtype=np.float64).reshape(
        got.shape
    )


def values_of(backend, activation, Z):
    """σ(Z) and σ'(Z) on the host; σ' from A alone where the activation says that this is enough (A4)."""
    on_device = backend.asarray(Z, dtype=str(Z.dtype))
    A = activation.function(on_device)
    slope = activation.derivative(on_device if activation.needs_z else None, A)
    return backend.to_numpy(A), backend.to_numpy(slope)


@pytest.fixture(autouse=True)
def fifty_digits():
    before, mp.dps = mp.dps, 50
    yield
    mp.dps = before


def test_the_oracle_knows_every_activation():
    assert set(EXACT) == set(ELEMENTWISE)
    assert {activation.name for activation in ACTIVATIONS.values()} == set(ACTIVATIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "scale"),
    [(name, scale) for name in ELEMENTWISE for scale in (1, 3, 30)],
)
def test_function_has_all_its_digits(backend, name, dtype, scale):
    Z = (scale * np.random.default_rng(1).standard_normal((5, 40))).astype(dtype)
    A, _ = values_of(backend, ACTIVATIONS[name], Z)
    wanted = on_each(EXACT[name][0], Z)
    smallest = 8 * float(np.finfo(dtype).tiny) * (1 + np.abs(Z.astype("float64")))  # below it no number has all its digits
    enlarged = 1 + 0.1 * np.abs(Z.astype("float64")) ** 3 if name == "gelu" else 1  # e^{-2u} turns a rounded u into a relative error of u
    allowed = 8 * enlarged * float(np.finfo(dtype).eps) * np.abs(wanted.astype(np.float64)) + smallest
    assert A.dtype == Z.dtype
    assert np.all(error(A, wanted) <= allowed)


@pytest.mark.parametrize("scale", [1, 3, 30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivative_is_exact_to_rounding(backend, name, dtype, scale):
    Z = (scale * np.random.default_rng(2).standard_normal((5, 40))).astype(dtype)
    _, slope = values_of(backend, ACTIVATIONS[name], Z)
    wanted = on_each(EXACT[name][1], Z)
    # Beside 1 where it is less, not beside itself: where σ' is taken from A (A4), 1 - A has lost the digits that A has rounded away.
    assert slope.dtype == Z.dtype
    enlarged = 20 if name == "gelu" else 1  # 1 - tanh, and its rounding error with it, is multiplied by z + 0.13 z³
    assert np.all(error(slope, wanted) <= 16 * enlarged * np.finfo(dtype).eps * np.maximum(1.0, np.abs(wanted.astype(np.float64))))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SATURATING)
def test_saturated_values_are_right_and_raise_no_warning(backend, name, dtype):
    Z = np.asarray([[-1000.0, -100.0, 100.0, 1000.0]], dtype=dtype)
    A, slope = values_of(backend, ACTIVATIONS[name], Z)
    eps = np.finfo(dtype).eps
    assert np.all(error(A, on_each(EXACT[name][0], Z)) <= eps * np.abs(Z))
    assert error(slope, on_each(EXACT[name][1], Z)).max() <= eps


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("identity", 0, 1),
        ("sigmoid", 0.5, 0.25),
        ("tanh", 0, 1),
        ("relu", 0, 0),  # A3: by convention
        ("leaky_relu", 0, 0.01),  # by the same convention
        ("elu", 0, 1),
        ("exp", 1, 1),
        ("silu", 0, 0.5),
        ("gelu", 0, 0.5),
    ],
)
def test_at_zero(backend, name, value, slope, zero):
    A, derivative = values_of(backend, ACTIVATIONS[name], np.full((1, 1), zero))
    assert (A.item(), derivative.item()) == (value, slope)


def test_softplus_at_zero(backend):
    A, derivative = values_of(backend, ACTIVATIONS["softplus"], np.zeros((1, 1)))
    assert A.item() == pytest.approx(np.log(2.0), rel=1e-15)
    assert derivative.item() == pytest.approx(0.5, rel=1e-15)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_error_is_multiplied_by_the_derivative(name):
    activation = ACTIVATIONS[name]
    Z, error_above = np.random.default_rng(3).standard_normal((2, 4, 5))
    A = activation.function(Z)
    assert np.array_equal(activation.pull_back(error_above, Z, A), error_above * activation.derivative(Z, A))


# ------------------------------------------------------------------------------------------------------------- softmax


@pytest.mark.parametrize("scale", [1, 3, 30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax(backend, dtype, scale):
    Z = (scale * np.random.default_rng(4).standard_normal((4, 6))).astype(dtype)
    A = backend.to_numpy(ACTIVATIONS["softmax"].function(backend.asarray(Z, dtype=dtype)))
    wanted = np.asarray([exact_softmax([mpf(float(z)) for z in column]) for column in Z.T], dtype=object).T
    eps = float(np.finfo(dtype).eps)
    # z - max z rounds, and e^{...} turns that into a relative error.
    assert np.all(error(A, wanted) <= 16 * eps * scale * wanted.astype(np.float64) + 8 * float(np.finfo(dtype).tiny))
    assert np.abs(A.astype("float64").sum(axis=0) - 1.0).max() <= 4 * eps


def test_softmax_does_not_change_when_all_logits_move_together(backend):
    Z = np.random.default_rng(5).integers(-40, 40, (4, 6)) / 8.0  # moved by a power of two without rounding
    softmax = ACTIVATIONS["softmax"].function
    still, moved = (backend.to_numpy(softmax(backend.asarray(Z + shift, dtype="float64"))) for shift in (0.0, 1024.0))
    assert np.array_equal(still, moved)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_saturates_to_certainty(backend, dtype):
    Z = np.asarray([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, -1000.0]], dtype=dtype)
    A = backend.to_numpy(ACTIVATIONS["softmax"].function(backend.asarray(Z, dtype=dtype)))
    assert np.array_equal(A, [[1, 0, 1], [0, 1, 0]])


def test_softmax_pulls_back_by_its_transposed_jacobian(backend):
    softmax = ACTIVATIONS["softmax"]
    Z, above = np.random.default_rng(6).standard_normal((2, 3, 4, 5))  # a stack of 3
    A = softmax.function(backend.asarray(Z, dtype="float64"))
    pulled = backend.to_numpy(softmax.pull_back(backend.asarray(above, dtype="float64"), None, A))
    a = backend.to_numpy(A)
    for member in range(3):
        for example in range(5):
            p = a[member, :, example]
            jacobian = np.diag(p) - np.outer(p, p)
            assert np.allclose(pulled[member, :, example], jacobian.T @ above[member, :, example], rtol=0, atol=1e-15)


# ----------------------------------------------------------------------------------------------------- a user's own one


def cube(Z):
    return Z * Z * Z


def cube_derivative(Z, A):
    return 3.0 * Z * Z


def root(Z):
    return (1.0 + Z * Z) ** 0.5


def test_a_users_own_activation_works_like_a_built_in_one(exactly):
    """Every partial derivative against a difference quotient with 50 digits."""
    own = Activation("cube", cube, cube_derivative, needs_z=True)
    network = Network((2, 3, 2), hidden=own, output=own)
    draw = np.random.default_rng(7).standard_normal
    parameters = tuple(Layer(draw(shape), draw((shape[0], 1))) for shape in network.shapes)
    X, Y = draw((2, 4)), draw((2, 4))
    _, gradients = mlpxp.cost_and_gradients(network, parameters, X, Y)
    X, Y, h = exactly(X), exactly(Y), mpf(10) ** -15

    def cost(layers):
        return mlpxp.cost(network, mlpxp.forward(network, layers, X), Y)._data[()]

    for layer, name in ((0, "W"), (0, "b"), (1, "W"), (1, "b")):
        array = getattr(parameters[layer], name)
        for place in np.ndindex(array.shape):
            costs = []
            for sign in (1, -1):
                moved = [exactly(each) for each in parameters]
                getattr(moved[layer], name)[place] = mpf(float(array[place])) + sign * h
                costs.append(cost(tuple(moved)))
            assert float((costs[0] - costs[1]) / (2 * h)) == pytest.approx(getattr(gradients[layer], name)[place], rel=1e-12)


def test_only_what_the_derivative_needs_is_kept():
    network = Network((1, 1, 1, 1), hidden=("tanh", "gelu"), output="relu", loss="mse")
    layer = Layer(np.ones((1, 1)), np.zeros((1, 1)))
    trace = mlpxp.forward(network, (layer, layer, layer), np.ones((1, 1)))
    assert [passed.Z is None for passed in trace] == [True, False, True]  # A4


def test_names_are_found_and_values_are_returned():
    assert find_activation("tanh") is ACTIVATIONS["tanh"]
    own = Activation("root", root, cube_derivative)
    assert find_activation(own) is own
    assert repr(own) == "<activation root>"


@pytest.mark.parametrize("name", ["swish", "", "Tanh", None, 3, ["tanh"]])
def test_unknown_name(name):
    with pytest.raises(UnknownNameError, match=r"activation must be one of identity, sigmoid, tanh.*got") as caught:
        find_activation(name)
    assert isinstance(caught.value, ValueError)
    assert repr(name) in str(caught.value)
