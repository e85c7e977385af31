import numpy as np
import pytest

from mlpxp import RangeError, UnknownNameError
from mlpxp.textbook.approximation import Fitting, grid_cells, make_target, width_against_dimension

QUICK = Fitting(seeds=3, epochs=400, examples=256)


def test_a_product_needs_more_and_more():
    study = width_against_dimension("product", (2, 1), tolerance=0.5, widths=(1, 2, 4, 8, 16), fitting=QUICK)
    assert study.dimensions == (1, 2)
    first, second = study.measured
    assert first < second
    for n, enough, errors in zip(study.dimensions, study.measured, study.errors, strict=True):
        medians = np.median(errors, axis=-1)
        assert (medians[:-1] > 0.5).all()
        assert medians[-1] <= 0.5
        assert len(errors) == 1 + study.widths.index(enough)
        assert study.targets[n - 1].dimension == n


def test_what_was_not_reached_is_none():
    study = width_against_dimension("product", (1,), tolerance=0.01, widths=(1, 2), fitting=Fitting(seeds=1, epochs=5))
    assert study.measured == (None,)
    assert len(study.errors[0]) == 2


def test_the_cells_of_a_grid():
    """f = x1 + x2, L = 2 in the largest norm: on [0, 1]² an error of ⅛ needs k = 2/(2/8) = 8 along each side, and 8 do."""
    target = make_target("x1 + x2", ((0, 1), (0, 1)))
    assert grid_cells(target, 0.1251) == 64
    centres = (np.arange(8) + 0.5) / 8
    x = np.linspace(0, 1, 800, endpoint=False)
    nearest = centres[(x * 8).astype(int)]
    assert np.abs(x[:, None] + x - nearest[:, None] - nearest).max() <= 0.1251
    assert grid_cells(make_target("sqrt(abs(x))"), 0.1) is None


def test_a_family_of_your_own():
    study = width_against_dimension(lambda n: "x1" if n == 1 else "x1 + x2", (1, 2), widths=(2,), fitting=Fitting(seeds=1, epochs=1))
    assert [target.name for target in study.targets] == ["x1", "x1 + x2"]
    assert study.family == "<lambda>"


def test_bad_input():
    with pytest.raises(UnknownNameError, match=r"family must be one of product, sum, or a function"):
        width_against_dimension("mean")
    with pytest.raises(RangeError, match=r"tolerance must be a number between 0 and 1, got 1\.5"):
        width_against_dimension(tolerance=1.5)
    with pytest.raises(RangeError, match=r"family\(1\) must not be constant"):
        width_against_dimension(lambda n: "3")
    with pytest.raises(RangeError, match=r"family\(2\) must be a function of 2 variables, got x of 1"):
        width_against_dimension(lambda n: make_target("x"), (1, 2))
    with pytest.raises(RangeError, match="dimensions must be whole numbers"):
        width_against_dimension(dimensions=())
