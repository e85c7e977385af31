"""The complex step against derivatives taken with 50 digits, and what complex numbers would get wrong."""

import math
import types

import numpy as np
import pytest
from mpmath import mp, mpf

import mlpxp
from mlpxp import ACTIVATIONS, get_backend
from mlpxp.arrays.standard import check_floating, namespace
from mlpxp.instruments.complex_step import imaginary, lift

H = 2.0**-52
X = (0.3, 0.9)
UNARY = {
    "negative": (lambda x: -x, (-1.5, 2.0)),
    "positive": (lambda x: x, (-1.5, 2.0)),
    "abs": (abs, (-1.5, 2.0)),
    "square": (lambda x: x * x, (-1.5, 2.0)),
    "reciprocal": (lambda x: 1 / x, (-1.5, 2.0)),
    "sqrt": (mp.sqrt, (0.25, 3.0)),
    "exp": (mp.exp, (-30.0, 0.0, 3.0)),
    "expm1": (mp.expm1, (-3.0, 0.0, 3.0)),
    "log": (mp.log, (0.01, 3.0)),
    "log1p": (mp.log1p, (-0.9, 0.0, 1e-12, 3.0)),
    "log2": (lambda x: mp.log(x, 2), (0.01, 3.0)),
    "log10": (mp.log10, (0.01, 3.0)),
    "sin": (mp.sin, X),
    "cos": (mp.cos, X),
    "tan": (mp.tan, X),
    "atan": (mp.atan, (-30.0, 0.9)),
    "sinh": (mp.sinh, X),
    "cosh": (mp.cosh, X),
    "tanh": (mp.tanh, (-9.0, 0.0, 0.3, 9.0)),
    "asinh": (mp.asinh, (-30.0, 0.9)),
}


def stepped(*numbers, dtype="float64"):
    return lift(np.asarray(numbers, dtype=dtype), np.full(len(numbers), H, dtype=dtype))


def slope(y):
    return imaginary(y) / H


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(exactly, backend, name):
    function, places = UNARY[name]
    for x in places:
        a, h = (backend.asarray(np.asarray([number]), dtype="float64") for number in (x, H))
        y = getattr(namespace(lift(a)), name)(lift(a, h))
        wanted = mp.diff(function, x)
        assert abs(mpf(float(backend.to_numpy(imaginary(y))[0] / H)) - wanted) <= 16 * H * abs(wanted)


BINARY = {
    "sum": (lambda xp, a, b: a + b, lambda a, b: (1.0, 1.0)),
    "difference": (lambda xp, a, b: a - b, lambda a, b: (1.0, -1.0)),
    "product": (lambda xp, a, b: a * b, lambda a, b: (b, a)),
    "quotient": (lambda xp, a, b: a / b, lambda a, b: (1.0 / b, -a / b**2)),
    "power": (lambda xp, a, b: a**b, lambda a, b: (b * a ** (b - 1.0), a**b * math.log(a))),
    "logaddexp": (lambda xp, a, b: xp.logaddexp(a, b), lambda a, b: (1.0 / (1.0 + math.exp(b - a)), 1.0 / (1.0 + math.exp(a - b)))),
    "maximum": (lambda xp, a, b: xp.maximum(a, b), lambda a, b: (float(a > b), float(a <= b))),
    "minimum": (lambda xp, a, b: xp.minimum(a, b), lambda a, b: (float(a <= b), float(a > b))),
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(("a", "b"), [(0.7, 1.9), (2.5, 0.3), (1.5, 1.5)])
def test_functions_of_two(name, a, b):
    function, slopes = BINARY[name]
    xp = namespace(stepped(a))
    along_a, along_b = slopes(a, b)
    assert slope(function(xp, stepped(a), lift(np.asarray([b])))) == pytest.approx(along_a, rel=1e-14)
    assert slope(function(xp, lift(np.asarray([a])), stepped(b))) == pytest.approx(along_b, rel=1e-14)
    assert slope(function(xp, stepped(a), stepped(b))) == pytest.approx(along_a + along_b, rel=1e-14, abs=1e-14)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, -1, -2, 2.0])
def test_whole_powers_of_negative_numbers(exponent):
    y = stepped(-1.5) ** exponent
    assert y.array.real == pytest.approx((-1.5) ** exponent, rel=1e-15)
    assert slope(y) == pytest.approx(exponent * (-1.5) ** (exponent - 1), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p", "sqrt"])
def test_no_complex_value_where_there_is_no_real_one(name):
    z = stepped(-2.0)
    with np.errstate(invalid="ignore"):
        assert np.isnan(getattr(namespace(z), name)(z).array.real)
        assert np.isnan((z**0.5).array.real)


def test_nan_is_let_through():
    z = stepped(np.nan)
    xp = namespace(z)
    for y in (xp.maximum(z, 0.0), xp.minimum(0.0, z), xp.clip(z, 0.0, 1.0)):
        assert np.isnan(y.array.real)


def test_what_orders_numbers_looks_at_the_real_part():
    z = lift(np.asarray([1.0, -2.0, 3.0]), np.asarray([5.0, 7.0, -9.0]))
    xp = namespace(z)
    assert np.asarray(z > 0.0).tolist() == [True, False, True]
    assert np.asarray(z >= 3.0).tolist() == [False, False, True]
    assert imaginary(xp.max(z)) == -9.0
    assert imaginary(xp.min(z)) == 7.0
    assert imaginary(xp.abs(z)).tolist() == [5.0, -7.0, -9.0]
    assert imaginary(xp.maximum(z, 0.0)).tolist() == [5.0, 0.0, -9.0]
    assert imaginary(xp.clip(z, -1.0, 2.0)).tolist() == [5.0, 0.0, 0.0]
    assert int(xp.argmax(z)) == 2
    assert imaginary(z[z > 0.0]).tolist() == [5.0, -9.0]
    assert imaginary(xp.sign(z)).tolist() == [0.0, 0.0, 0.0]


def test_analytic_as_a_whole_at_the_point_where_branches_meet():
    """softplus is max(z, 0) + ln(1 + e^{-|z|}), and softmax takes the largest z off first."""
    for name, wanted in {"softplus": 0.5, "sigmoid": 0.25, "silu": 0.5, "gelu": 0.5, "tanh": 1.0}.items():
        assert slope(ACTIVATIONS[name].function(stepped(0.0))) == pytest.approx(wanted, rel=1e-15)
    z = lift(np.asarray([[2.0], [2.0], [1.0]]), H * np.asarray([[1.0], [3.0], [10.0]]))
    A = ACTIVATIONS["softmax"].function(z.array.real)
    wanted = (np.diagflat(A) - A @ A.T) @ [[1.0], [3.0], [10.0]]
    assert np.allclose(slope(ACTIVATIONS["softmax"].function(z)), wanted, rtol=1e-14)


def test_a_small_logarithm_keeps_its_digits():
    for x in (1e-3, 1e-10, 1e-30):
        assert namespace(stepped(x)).log1p(stepped(x)).array.real == pytest.approx(math.log1p(x), rel=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_units(backend, dtype):
    """Where e^{-z} all but over- or underflows, as in an untrained network on inputs that nobody scaled."""
    for name in ("sigmoid", "softplus", "silu", "gelu", "tanh"):
        for z in (-1000.0, -80.0, -30.0, 30.0, 80.0, 1000.0):
            a, h = (backend.asarray(np.asarray([number]), dtype=dtype) for number in (z, np.finfo(dtype).eps))
            y = ACTIVATIONS[name].function(lift(a, h))
            activation = ACTIVATIONS[name]
            wanted = backend.to_numpy(activation.derivative(a, activation.function(a)))
            assert np.abs(backend.to_numpy(imaginary(y)) / np.finfo(dtype).eps - wanted) <= 16 * np.finfo(dtype).eps


def test_it_says_that_it_is_real():
    for dtype, held in (("float32", "complex64"), ("float64", "complex128")):
        z = stepped(1.0, dtype=dtype)
        assert z.dtype == dtype
        assert z.array.dtype == held
        check_floating(z=z)
        xp = namespace(z)
        assert (xp.exp(z) * 2.0 + 1.0).array.dtype == held
        assert xp.astype(z > 0.0, z.dtype).array.dtype == held
        assert xp.sum(z, dtype=z.dtype).array.dtype == held
        assert xp.asarray([1.0], dtype=z.dtype).array.dtype == held
        assert xp.arange(3).array.dtype == "int64"
        assert xp.astype(z, xp.int64).array.dtype == "int64"


def test_moving_entries_moves_both_parts():
    A, T = np.arange(6.0).reshape(2, 3), np.arange(6.0, 12.0).reshape(2, 3)
    z = lift(A, T)
    xp = namespace(z)
    for function in (
        lambda xp, z: z.mT,
        lambda xp, z: xp.sum(z, axis=-1, keepdims=True),
        lambda xp, z: xp.take(z, xp.asarray([2, 0]), axis=-1),
        lambda xp, z: xp.stack([z, z]),
        lambda xp, z: xp.broadcast_arrays(z[:1, :], z)[0],
        lambda xp, z: xp.reshape(z, (-1,)),
        lambda xp, z: xp.where(xp.asarray([True, False, True]), z, 2.0 * z),
        lambda xp, z: z @ z.mT[:, :1] - z @ z.mT[:, :1] + z[:, :1],
    ):
        y = function(xp, z)
        assert np.array_equal(y.array.real, function(namespace(A), A))
        assert imaginary(y).shape == y.shape
        assert np.array_equal(imaginary(y), function(namespace(T), T))


def test_what_would_lose_the_derivative_is_an_error():
    z = stepped(1.0)
    for lose in (float, bool, np.asarray):
        with pytest.raises(mlpxp.DtypeError, match="its imaginary part would be lost"):
            lose(z)
    with pytest.raises(TypeError):
        namespace(z).full_like(z, z)
    for unknown in ("asin", "cumulative_sum", "hypot"):
        with pytest.raises(mlpxp.UnknownNameError, match=rf"^complex step over .* has no {unknown}"):
            getattr(namespace(z), unknown)


def test_a_library_without_complex_numbers():
    class Reals:
        mT = None

        def __array_namespace__(self, **_):
            return types.SimpleNamespace(__name__="reals")

    with pytest.raises(mlpxp.BackendError, match=r"^the complex step needs complex numbers, and reals has none$"):
        lift(Reals())


def test_the_device_is_kept():
    strict = get_backend("strict")
    a = strict.asarray(np.ones((2, 2)), dtype="float32", device="device1")
    y = ACTIVATIONS["softmax"].function(lift(a, a) @ lift(a))
    assert imaginary(y).device == y.device == a.device
    assert imaginary(y).dtype == strict.namespace.float32
