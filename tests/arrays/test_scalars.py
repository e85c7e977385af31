"""Numbers from a caller: plain ones whatever library they are of, or one sentence."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from mlpxp import RangeError
from mlpxp.arrays.scalars import BELOW_1, FROM_0, POSITIVE, UP_TO_1, flag, number_or_none, real_number, told, whole_number

NUMPYS = [np.float64, np.float32, np.float16, np.longdouble, np.asarray, lambda value: np.asarray(value, ">f8")]


@pytest.mark.parametrize("value", [0.5, 1, *[make(0.5) for make in NUMPYS], np.int8(1), np.uint64(1), Fraction(1, 2), Decimal("0.5")])
def test_a_number_of_any_kind_is_a_float(value):
    plain = real_number("x", value, UP_TO_1)
    assert type(plain) is float
    assert plain in {0.5, 1.0}


def test_a_number_of_any_library_is_a_float(backend):
    scalar = backend.asarray([0.5, 3.0], dtype="float32")[0]
    assert scalar.shape == ()
    plain = real_number("x", scalar, POSITIVE)
    assert (type(plain), plain) == (float, 0.5)
    count = backend.namespace.argmax(backend.asarray([0.0, 0.0, 1.0], dtype="float32"))
    assert (type(whole_number("n", count)), whole_number("n", count)) == (int, 2)
    truth = backend.asarray([0.0], dtype="float32")[0] < 1.0
    assert flag("x", truth) is True
    for refused in (lambda: real_number("x", truth, FROM_0), lambda: whole_number("x", truth), lambda: flag("x", scalar)):
        with pytest.raises(RangeError, match=r"^x must be "):
            refused()
    with pytest.raises(RangeError, match=r"^x must be a positive number, got [^\n]*$"):
        real_number("x", backend.asarray([[0.5], [0.5]], dtype="float32"), POSITIVE)


ODD = [
    None,
    "0.5",
    b"0.5",
    np.str_("0.5"),
    np.asarray("0.5"),
    np.asarray("0.5", object),
    0.5j,
    np.complex64(0.5),
    True,
    np.True_,
    np.asarray(True),
]
ODD += [[0.5], np.asarray([0.5]), np.timedelta64(1, "s"), 10**400, float("nan")]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_what_is_no_number(value):
    with pytest.raises(RangeError, match=r"^x must be a number from 0, got "):
        real_number("x", value, FROM_0)


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (POSITIVE, (5e-324, 1e308), (0, -1, math.inf, math.nan)),
        (FROM_0, (0, 1e308), (-5e-324, math.inf, math.nan)),
        (BELOW_1, (0, 1 - 2**-53), (1, -5e-324, math.nan)),
        (UP_TO_1, (0, 1), (1 + 2**-52, -5e-324, math.nan)),
    ],
)
def test_each_range_has_its_ends(wanted, inside, outside):
    for value in inside:
        assert real_number("x", value, wanted) == value
    for value in outside:
        with pytest.raises(RangeError, match=r"^x must be .*got"):
            real_number("x", value, wanted)


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.asarray(3)])
def test_a_whole_number_is_an_int(value):
    assert (type(whole_number("n", value)), whole_number("n", value, least=3)) == (int, 3)


@pytest.mark.parametrize("value", [1, -3, 2.0, np.float64(2), True, np.True_, "2", None, np.asarray([2]), np.asarray(2.0)])
def test_what_is_no_whole_number_from_there(value):
    with pytest.raises(RangeError, match=r"^n must be a whole number from 2, got "):
        whole_number("n", value, least=2)


@pytest.mark.parametrize("value", [0, 1, "True", None, np.asarray([True]), np.float64(1)])
def test_what_is_no_truth_value(value):
    with pytest.raises(RangeError, match=r"^x must be True or False, got "):
        flag("x", value)


def test_infinity_is_a_number_and_a_message_is_one_line():
    assert number_or_none(np.float32("inf")) == math.inf
    for value in (np.zeros((30, 30)), "a\nb", 10**5000, list(range(1000))):
        assert "\n" not in told(value)
        assert len(told(value)) <= 100
