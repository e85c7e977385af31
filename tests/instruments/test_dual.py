"""The rules of dual numbers against derivatives taken with 50 digits, and what has no rule."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

import mlpxp
from mlpxp import ACTIVATIONS, Network, count_operations, get_backend
from mlpxp.arrays.standard import namespace
from mlpxp.instruments.dual import constant, dual, tangent

X = (0.3, 0.9)
UNARY = {  # name: (the same function with any number of digits, where)
    "negative": (lambda x: -x, (-1.5, 2.0)),
    "positive": (lambda x: x, (-1.5, 2.0)),
    "abs": (abs, (-1.5, 2.0)),
    "square": (lambda x: x * x, (-1.5, 0.0, 2.0)),
    "reciprocal": (lambda x: 1 / x, (-1.5, 2.0)),
    "sqrt": (mp.sqrt, (0.25, 3.0)),
    "exp": (mp.exp, (-30.0, 0.0, 3.0)),
    "expm1": (mp.expm1, (-30.0, 1e-12, 3.0)),
    "log": (mp.log, (1e-12, 3.0)),
    "log1p": (mp.log1p, (-0.9, 1e-12, 3.0)),
    "log2": (lambda x: mp.log(x, 2), (1e-12, 3.0)),
    "log10": (mp.log10, (1e-12, 3.0)),
    "sin": (mp.sin, X),
    "cos": (mp.cos, X),
    "tan": (mp.tan, X),
    "asin": (mp.asin, X),
    "acos": (mp.acos, X),
    "atan": (mp.atan, (-30.0, 0.9)),
    "sinh": (mp.sinh, X),
    "cosh": (mp.cosh, X),
    "tanh": (mp.tanh, (-9.0, 0.0, 0.3, 9.0)),
    "asinh": (mp.asinh, (-30.0, 0.9)),
    "acosh": (mp.acosh, (1.5, 30.0)),
    "atanh": (mp.atanh, X),
}
BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "hypot": mp.hypot,
    "maximum": max,
    "minimum": min,
}


def close(got, wanted):
    return abs(mpf(float(got)) - wanted) <= 8 * np.finfo(np.float64).eps * abs(wanted)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(exactly, backend, name):
    function, places = UNARY[name]
    for x in places:
        a = backend.asarray(np.asarray([x]), dtype="float64")
        y = getattr(namespace(dual(a, a)), name)(dual(a, backend.asarray(np.asarray([3.0]), dtype="float64")))
        assert close(backend.to_numpy(tangent(y))[0], 3 * mp.diff(function, x))
        assert np.array_equal(backend.to_numpy(y.array), backend.to_numpy(getattr(backend.namespace, name)(a)))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(("a", "b"), [(0.7, 1.9), (2.5, 0.3)])
def test_functions_of_two(exactly, backend, name, a, b):
    function = BINARY[name]
    A, B, one = (backend.asarray(np.asarray([number]), dtype="float64") for number in (a, b, 1.0))
    xp = namespace(constant(A))
    along_a, along_b = mp.diff(function, (a, b), (1, 0)), mp.diff(function, (a, b), (0, 1))
    apply = getattr(xp, name)
    for y, wanted in (
        (apply(dual(A, one), constant(B)), along_a),
        (apply(constant(A), dual(B, one)), along_b),
        (apply(dual(A, one), dual(B, one)), along_a + along_b),
        (apply(dual(A, one), b), along_a),
    ):
        assert abs(float(backend.to_numpy(tangent(y))[0]) - wanted) <= 1e-15 * (abs(along_a) + abs(along_b))
    assert apply(constant(A), constant(B)).beside is None


def test_scalars_on_the_left():
    x = dual(np.asarray([2.0]), np.asarray([1.0]))
    assert tangent(1.0 - x) == -1.0
    assert tangent(1.0 / x) == -0.25
    assert tangent(3.0 * x) == 3.0
    assert tangent(3.0 + x) == 1.0
    assert tangent(2.0**x) == pytest.approx(4.0 * math.log(2.0), rel=1e-15)
    assert tangent(x**-2) == -0.25
    x += 1.0
    assert x.array == 3.0


def random(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@pytest.mark.parametrize(("a", "b"), [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))])
def test_products_of_matrices(a, b):
    A, B, S, T = random(*a), random(*b), random(*a) + 1.0, random(*b) - 1.0
    assert np.allclose(tangent(dual(A, S) @ dual(B, T)), S @ B + A @ T, rtol=1e-14)
    assert np.array_equal(tangent(dual(A, S) @ constant(B)), S @ B)
    assert np.array_equal(tangent(constant(A) @ dual(B, T)), A @ T)
    assert (constant(A) @ constant(B)).beside is None


LINEAR = {
    "sum": lambda xp, A: xp.sum(A, axis=-1, keepdims=True),
    "mean": lambda xp, A: xp.mean(A, axis=(-2, -1)),
    "take": lambda xp, A: xp.take(A, xp.asarray([2, 0, 0]), axis=-1),
    "transpose": lambda xp, A: A.mT,
    "slice": lambda xp, A: A[1:, ..., None],
    "mask": lambda xp, A: A[A > 0.0],
    "reshape": lambda xp, A: xp.reshape(A, (-1,)),
    "broadcast": lambda xp, A: xp.broadcast_to(A, (2, 3, 4)),
    "several": lambda xp, A: xp.broadcast_arrays(A[:1, :], A)[0],
    "stack": lambda xp, A: xp.stack([A, xp.ones_like(A), 2.0 * A]) * 3.0,
    "concat": lambda xp, A: xp.concat([A, A], axis=0),
    "where": lambda xp, A: xp.where(A > 0.0, A, 0.1 * A),
    "astype": lambda xp, A: xp.astype(A, xp.float64),
    "clip": lambda xp, A: xp.clip(A, -0.5, 0.5),
    "leak": lambda xp, A: xp.maximum(A, 0.1 * A),
    "largest": lambda xp, A: xp.max(A, axis=-1),
    "smallest": lambda xp, A: xp.min(A, axis=-2, keepdims=True),
    "asarray": lambda xp, A: xp.asarray(A),
}


@pytest.mark.parametrize("name", LINEAR)
def test_functions_that_move_entries(name):
    """They are linear nearby, so that a step along the tangent gives the tangent, with nothing left out."""
    A, T = random(3, 4), random(4, 3).T
    y = LINEAR[name](namespace(constant(A)), dual(A, T))
    step = 2.0**-10
    plain = [LINEAR[name](namespace(A), at) for at in (A, A + step * T)]
    assert np.array_equal(y.array, plain[0])
    assert y.beside.shape == y.shape
    assert np.abs(tangent(y) - (plain[1] - plain[0]) / step).max() < 1e-12
    assert LINEAR[name](namespace(constant(A)), constant(A)).beside is None


def test_one_side_where_formulas_meet():
    """max(a, b) is b where they are equal, min(a, b) is a, |a| is -a: at 0 relu's derivative is 0 and elu's is 1, and softplus's ½."""
    zero, one = np.asarray([[0.0]]), np.asarray([[1.0]])
    slopes = {"relu": 0.0, "leaky_relu": 0.01, "elu": 1.0, "softplus": 0.5, "sigmoid": 0.25, "tanh": 1.0, "silu": 0.5, "gelu": 0.5}
    for name, slope in slopes.items():
        activation = ACTIVATIONS[name]
        assert tangent(activation.function(dual(zero, one))) == pytest.approx(slope, abs=1e-15)
        assert activation.derivative(zero, activation.function(zero)) == pytest.approx(slope, abs=1e-15)


def test_a_tie_of_a_maximum_is_shared():
    z = dual(np.asarray([[2.0], [2.0], [1.0]]), np.asarray([[1.0], [3.0], [10.0]]))
    assert tangent(namespace(z).max(z, axis=-2)) == [2.0]
    assert np.allclose(tangent(ACTIVATIONS["softmax"].function(z)), jacobian(z.array) @ z.beside, rtol=1e-14)


def jacobian(Z):
    A = ACTIVATIONS["softmax"].function(Z)
    return np.diagflat(A) - A @ A.T


def test_nan_is_let_through():
    x = dual(np.asarray([np.nan]), np.asarray([1.0]))
    xp = namespace(x)
    for y in (xp.maximum(x, 0.0), xp.minimum(0.0, x), xp.max(x), xp.clip(x, 0.0, 1.0)):
        assert np.isnan(y.array).all()


def test_what_depends_on_nothing_costs_nothing():
    """One forward-mode pass of a parameter in the last layer propagates no tangent through the first."""
    network = Network((3, 4, 2), hidden="tanh")
    parameters = mlpxp.initialize(network, seed=0, dtype="float64")
    seed = np.zeros((2, 4))
    seed[0, 0] = 1.0

    def one_pass(parameters, X, seed):
        first, last = parameters
        lifted = (mlpxp.Layer(*map(constant, first)), mlpxp.Layer(dual(last.W, seed), constant(last.b)))
        return tangent(mlpxp.forward(network, lifted, constant(X))[-1].A)

    operations = count_operations(one_pass, parameters, np.ones((3, 5)), seed)
    assert operations.matmul == 2 * 5 * (12 + 8 + 8)


def test_comparisons_places_and_whole_numbers_carry_nothing():
    x = dual(np.asarray([1.5, -2.5]), np.ones(2))
    xp = namespace(x)
    for y in (x > 0.0, x == 1.5, xp.argmax(x), xp.isfinite(x), xp.sign(x), xp.floor(x), xp.astype(x, xp.int64), xp.ones_like(x)):
        assert y.beside is None
    assert bool(xp.all(x < 2.0))
    assert int(xp.argmax(x)) == 0
    assert [1, 2, 3][xp.argmin(x)] == 2


def test_what_would_lose_the_derivative_is_an_error():
    x = dual(np.asarray(1.5), np.asarray(1.0))
    for lose in (float, int, bool, np.asarray, lambda x: namespace(x).asarray([x, x])):
        with pytest.raises(mlpxp.DtypeError, match="its derivative would be lost"):
            lose(x)
    with pytest.raises(TypeError):
        namespace(x).full_like(x, x)
    assert float(constant(np.asarray(1.5))) == 1.5


def test_what_has_no_rule_is_an_error():
    x = dual(np.ones(2), np.ones(2))
    with pytest.raises(mlpxp.UnknownNameError, match=r"^dual numbers over .* has no cumulative_sum") as caught:
        namespace(x).cumulative_sum(x)
    assert isinstance(caught.value, AttributeError)
    with pytest.raises(TypeError):
        np.exp(x)
    with pytest.raises(TypeError):
        np.sum(x)


def test_dtype_and_device_are_kept():
    strict = get_backend("strict")
    a = strict.asarray(np.ones((2, 2)), dtype="float32", device="device1")
    y = namespace(dual(a, a)).exp(dual(a, a) @ dual(a, a) + 1.0)
    assert y.dtype == tangent(y).dtype == strict.namespace.float32
    assert tangent(y).device == y.device == a.device
