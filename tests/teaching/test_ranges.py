import numpy as np
import pytest

from mlpxp import DataError, RangeError, ShapeError
from mlpxp.teaching.ranges import check_least, check_positive, matrix


def test_what_is_right_comes_back():
    assert check_positive("z", np.float32(2.0)) == 2.0
    assert check_least("depth", np.int64(2), 2) == 2
    assert matrix("X", [[1, 2]]).dtype == "float64"


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), True, "1", None])
def test_what_is_not_above_zero(value):
    with pytest.raises(RangeError, match="z must be a number above 0, got"):
        check_positive("z", value)


@pytest.mark.parametrize("value", [1, -3, 2.0, True, "2", None])
def test_what_is_no_whole_number_from_there(value):
    with pytest.raises(RangeError, match="depth must be a whole number from 2, got"):
        check_least("depth", value, 2)


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ([["a"]], DataError, "X must hold numbers"),
        ([[1.0], [2.0, 3.0]], DataError, "X must hold numbers"),
        ([[np.nan]], DataError, "X must be finite"),
        ([1.0], ShapeError, r"got \(1,\)"),
        (np.zeros((2, 0)), ShapeError, r"got \(2, 0\)"),
    ],
)
def test_what_is_no_matrix(values, error, says):
    with pytest.raises(error, match=says):
        matrix("X", values)
