import numpy as np
import pytest

from mlpxp import DataError, ShapeError
from mlpxp.textbook.teaching._ranges import matrix


def test_what_is_right_comes_back():
    assert matrix("X", [[1, 2]]).dtype == "float64"


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
