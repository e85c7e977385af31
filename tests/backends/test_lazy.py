"""The lazy array is an array of the standard: what any function asks of one has the shape, the dtype and the numbers of NumPy's."""

import copy
import math

import numpy as np
import numpy as xp
import pytest

from mlpxp.arrays.standard import namespace


def test_a_number_keeps_the_arrays_dtype(fusion):
    x = fusion.lazy(np.ones(3, dtype="float32"))
    for y in (x + 0.1, 0.1 - x, 2 * x, x / 3, x**2, fusion.maximum(x, 0.5), fusion.where(x > 0.0, x, math.pi), fusion.exp(x), 1 / x):
        assert y.dtype == y.value.dtype == np.float32
    assert (x > 0.1).dtype == (x > 0.1).value.dtype == np.bool_
    assert (x + np.float64(0.1)).dtype == (np.ones(3, dtype="float32") + np.float64(0.1)).dtype


@pytest.mark.parametrize(
    "shapes", [((3, 1), (3, 4)), ((4,), (2, 3, 4)), ((2, 1, 1), (3, 4)), ((), (3, 4)), ((), ()), ((2, 3, 1), (2, 1, 4)), ((0, 3), (1, 3))]
)
def test_shapes_are_broadcast(fusion, shapes):
    a, b = (np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape) for shape in shapes)
    got = fusion.tanh(fusion.lazy(a) * fusion.lazy(b)) / 2.0
    assert got.shape == np.broadcast_shapes(*shapes)
    np.testing.assert_array_equal(got.value, np.tanh(a * b) / 2.0)


def test_shapes_that_cannot_be_broadcast_are_an_error(fusion):
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        fusion.lazy(np.ones(3)) + fusion.lazy(np.ones(4))


def test_nan_is_passed_on_by_maximum_and_minimum(fusion):
    x = fusion.lazy(np.asarray([math.nan, 1.0, -math.inf]))
    for function in (fusion.maximum, fusion.minimum):
        np.testing.assert_array_equal(np.isnan(function(x, 0.0).value), [True, False, False])
        np.testing.assert_array_equal(np.isnan(function(0.5, x + 1.0).value), [True, False, False])


def whole(x, xp):
    return xp.astype(100.0 * x, xp.int32)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, b, xp: x.mT @ x + 0.5,
        lambda x, b, xp: np.ones((2, 3)) + x,  # a stray array of the library's own, on either side
        lambda x, b, xp: x * np.ones((2, 3)) @ np.ones((3, 1)),
        lambda x, b, xp: np.ones((3, 2)) @ x,
        lambda x, b, xp: -x + abs(x) + +x,
        lambda x, b, xp: x // 0.3 + x % 0.3 + 5.0 // x + 5.0 % (x + 9.0),
        lambda x, b, xp: xp.astype(~b, x.dtype) + xp.astype(b & (x > 0.0) | (x < -1.0) ^ b, x.dtype),
        lambda x, b, xp: x[0, 1:] + x[..., None][1, 1:, 0] + x[x > 0.0][0],
        lambda x, b, xp: xp.where(b, x, 1.0) + xp.where(b, 2.0, x) + xp.where(b, xp.ones_like(x), 0.5),
        lambda x, b, xp: xp.clip(x, -0.5, 0.5) + xp.sign(x) + xp.atan2(x, xp.abs(x) + 1.0),
        lambda x, b, xp: xp.astype(xp.argmax(x, axis=0, keepdims=True) == xp.argmax(-x, axis=0, keepdims=True), x.dtype),
        lambda x, b, xp: xp.concat([x, xp.exp(x)], axis=0) + xp.stack([xp.sum(x), xp.max(x)])[0],
        lambda x, b, xp: xp.sum(xp.stack(xp.broadcast_arrays(x, x[:, :1])), axis=0) + xp.full_like(x, 2.0) + xp.zeros_like(x),
        lambda x, b, xp: xp.cumulative_sum(x, axis=1) + xp.linalg.matrix_norm(x, keepdims=True),
        lambda x, b, xp: xp.astype(xp.astype(x, xp.float32), xp.float64) + xp.asarray([0.5, 1.0, 2.0]) + xp.arange(3) + xp.pi,
        lambda x, b, xp: xp.astype(xp.logical_xor(b, x > 0.0), xp.float64) + xp.astype((x > 0.0) == b, xp.float64) + xp.square(x) ** 1.5,
        lambda x, b, xp: xp.minimum(xp.maximum(x, -1.0), xp.sqrt(xp.abs(x))) + xp.pow(2.0 + xp.abs(x), x) - xp.log(xp.abs(x) + 1.0),
        lambda x, b, xp: x + xp.take(x, xp.asarray([1, 0]), axis=0) + xp.mean(x) + xp.var(x, axis=1, keepdims=True),
        lambda x, b, xp: x + float(x[0, 0]) + int(x[0, 0]) + len(x) + bool(b[0, 0]) + x.size + np.asarray(x).sum(),
        lambda x, b, xp: x + x.sum() if hasattr(x, "sum") else x,
        lambda x, b, xp: xp.linalg.svd(x)[1][:, None] + xp.linalg.matmul(x, x.mT) @ x,
        lambda x, b, xp: xp.astype((whole(x, xp) * 2147483647 ^ whole(x, xp) >> 3) & 1023, xp.float64),
        lambda x, b, xp: xp.where(b, whole(x, xp), 3) // 2 + (-whole(x, xp) << 1 | 5) - abs(whole(x, xp)) % 3 + (whole(x, xp) > -2),
        lambda x, b, xp: whole(x, xp) * 0.5 + whole(x, xp) / 3 + xp.astype(whole(x, xp) + 7, xp.float32) + (5 & whole(x, xp)),
        lambda x, b, xp: x + x.T[0, 1] + xp.finfo(x.dtype).eps + xp.isdtype(x.dtype, "real floating"),
    ],
)
def test_whatever_a_users_function_asks_for(fusion, function):
    x, b = np.asarray([[0.5, -0.25, 2.0], [-3.0, 1.0, 0.125]]), np.asarray([[True, False, True], [False, False, True]])
    wanted = function(x, b, xp)
    lazies = fusion.lazy((x, b))
    assert namespace(lazies[0]) is fusion
    got = fusion.computed(function(*lazies, namespace(lazies[0])))
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(got, wanted, rtol=1e-15)


def test_integers_wrap_around_and_numbers_that_they_do_not_have_are_the_librarys_affair(fusion):
    x = fusion.lazy(np.asarray([2**31 - 1, -(2**31), -5], dtype="int32"))
    for y, wanted in (
        (x + 1, [-(2**31), -(2**31) + 1, -4]),
        (x * 65539, [2**31 - 65539, -(2**31), -327695]),
        (x >> 1, [2**30 - 1, -(2**30), -3]),
    ):
        assert y.node.value is None
        assert y.dtype == y.value.dtype == np.int32
        np.testing.assert_array_equal(y.value, wanted)
    with pytest.raises(OverflowError):
        x + 2**31


def test_a_boolean_beside_a_number_is_the_librarys_affair(recorder):
    b = recorder.fusion.lazy(np.asarray([True, False]))
    np.testing.assert_array_equal((b == 0.5).value, [False, False])
    np.testing.assert_array_equal(recorder.fusion.where(b, b, 2.0).value, [1.0, 2.0])
    assert not recorder.seen


def test_in_place_operators_leave_the_array_that_was(fusion):
    x = np.ones(3)
    z = before = fusion.lazy(x)
    z += 1.0
    z *= 2.0
    assert before is not z
    np.testing.assert_array_equal(z.value, [4.0, 4.0, 4.0])
    np.testing.assert_array_equal(x, [1.0, 1.0, 1.0])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_changed_alone(fusion, copied):
    z = fusion.lazy(np.ones(3)) + 1.0
    other = copied(z)
    other *= 2.0
    np.testing.assert_array_equal(z.value, [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(getattr(other, "value", other), [4.0, 4.0, 4.0])


def test_astype_is_a_copy(fusion):
    z = fusion.lazy(np.ones(3))
    copy = fusion.astype(z, fusion.float64)
    copy[0] = 5.0
    np.testing.assert_array_equal(z.value, [1.0, 1.0, 1.0])


def test_writing_changes_only_what_comes_later(fusion):
    x = np.asarray([-1.0, 2.0, -3.0])
    z = fusion.lazy(x)
    doubled = 2.0 * z
    z[z < 0.0] = 0.0
    np.testing.assert_array_equal(z.value, [0.0, 2.0, 0.0])
    np.testing.assert_array_equal(doubled.value, [-2.0, 4.0, -6.0])
    np.testing.assert_array_equal(x, [-1.0, 2.0, -3.0])
