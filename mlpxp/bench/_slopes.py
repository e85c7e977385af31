"""The exponent of a power law: a straight line through logarithms."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from mlpxp.report.results import Point, Series

__all__ = ["Slope", "fit_slope", "with_slope"]


class Slope(NamedTuple):
    """d log y / d log x, and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def fit_slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """Fit log y = a + b log x by least squares and return b with its 95 % confidence interval (Student's t, n - 2 degrees of freedom).

    Raises
    ------
    ValueError
        There are fewer than three points of different x.
    """
    from scipy.stats import t

    if len(set(x)) < 3:
        raise ValueError(f"a slope with a confidence interval needs three points, got {len(set(x))}")
    u, v = [math.log(one) for one in x], [math.log(one) for one in y]
    mean_u, mean_v = statistics.fmean(u), statistics.fmean(v)
    spread = sum((one - mean_u) ** 2 for one in u)
    b = sum((one - mean_u) * (other - mean_v) for one, other in zip(u, v, strict=True)) / spread
    residual = sum((other - mean_v - b * (one - mean_u)) ** 2 for one, other in zip(u, v, strict=True))
    freedom = len(u) - 2
    half = float(t.ppf(0.975, freedom)) * math.sqrt(residual / freedom / spread)
    return Slope(b, b - half, b + half)


def with_slope(name: str, points: Sequence[Point], *, first: float = 0.0) -> Series:
    """Return the series with the slope of its points from ``first`` on; what was extrapolated or has no logarithm never counts."""
    used = [point for point in points if point.x >= first and point.y > 0 and point.origin != "extrapolated"]
    series = Series(name, tuple(points))
    if len({point.x for point in used}) < 3:
        return series
    slope = fit_slope([point.x for point in used], [point.y for point in used])
    return replace(series, slope=slope.value, slope_low=slope.low, slope_high=slope.high, fitted_from=min(point.x for point in used))
