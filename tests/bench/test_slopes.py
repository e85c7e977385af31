"""Slopes against what they must be: exact on a power law, by hand on three points, covering as often as they say."""

import math

import numpy as np
import pytest

from mlpxp.bench._slopes import fit_slope, with_slope
from mlpxp.report.results import Point


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 1.0, 2.0])
def test_a_power_law_has_its_exponent_and_no_uncertainty(exponent):
    x = [1.0, 2.0, 5.0, 40.0, 900.0]
    slope = fit_slope(x, [3.0 * one**exponent for one in x])
    assert slope == pytest.approx((exponent, exponent, exponent), abs=1e-7)


def test_three_points_by_hand():
    """log x = 0, 1, 2 and log y = 0, 1, 3: b = 3/2, residuals 1/6, -1/3, 1/6, so that s² = 1/6 and the error of b is √(s²/2)."""
    slope = fit_slope([math.exp(one) for one in (0, 1, 2)], [math.exp(one) for one in (0, 1, 3)])
    half = 12.7062047 * math.sqrt(1 / 12)  # Student's t at 97.5 %, 1 degree of freedom
    assert slope == pytest.approx((1.5, 1.5 - half, 1.5 + half), rel=1e-6)


def test_the_interval_covers_the_truth_19_times_in_20():
    random = np.random.default_rng(0)
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    slopes = [fit_slope(x, np.exp(1.3 * np.log(x) + random.normal(0, 0.2, 6))) for _ in range(1000)]
    assert 0.93 < np.mean([slope.low <= 1.3 <= slope.high for slope in slopes]) < 0.97


def test_two_points_have_no_interval():
    with pytest.raises(ValueError, match="needs three points, got 2"):
        fit_slope([1.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="needs three points, got 2"):
        fit_slope([1.0, 2.0], [1.0, 2.0])


def test_what_was_extrapolated_or_lies_below_the_first_does_not_count():
    steep = [Point(x, x**2, "measured") for x in (16.0, 32.0, 64.0)]
    others = Point(1.0, 1e6, "measured"), Point(128.0, 1.0, "extrapolated")
    series = with_slope("s", (others[0], *steep, others[1]), first=16.0)
    assert series.slope == pytest.approx(2.0)
    assert series.slope_low == pytest.approx(2.0)
    assert series.slope_high == pytest.approx(2.0)
    assert series.fitted_from == 16.0
    assert len(series.points) == 5


def test_too_few_points_make_a_series_without_a_slope():
    series = with_slope("s", [Point(1.0, 1.0, "measured"), Point(2.0, 2.0, "measured"), Point(4.0, 4.0, "extrapolated")])
    assert (series.slope, series.slope_low, series.slope_high, series.fitted_from) == (None, None, None, None)


def test_what_has_no_logarithm_does_not_count():
    points = [Point(x, y, "measured") for x, y in ((1.0, 0.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, float("nan")))]
    assert with_slope("s", points).slope == pytest.approx(1.0)
