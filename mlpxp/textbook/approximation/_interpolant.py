"""ReLU's piecewise-linear interpolant in one dimension: k segments, k + 1 knots, k hidden units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.scalars import whole_number
from mlpxp.core.network import Network
from mlpxp.textbook.approximation._approximants import Approximant, judged, layers
from mlpxp.textbook.approximation._targets import Bound, Target, on_interval

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["interpolation_bound", "relu_interpolant"]


def relu_interpolant(
    target: Target, segments: int, *, backend: str | Backend = "auto", device: Any = None, dtype: str = "float64"
) -> Approximant:
    """Construct the ReLU network that is the piecewise-linear interpolant of f at k + 1 equidistant knots of [a, b].

    With t_i = a + i h, h = (b - a)/k, and s_i the slope between t_i and t_{i+1}, s_{-1} = 0:

        N(x) = f(t_0) + Σ_{i=0}^{k-1} (s_i - s_{i-1}) ReLU(x - t_i),

    one hidden unit a segment. On [a, b] it is what ``numpy.interp`` computes, but for rounding.

    Parameters
    ----------
    target : Target
        Of one variable.
    segments : int
        k, from 1.
    backend, device, dtype
        As in :func:`sigmoid_staircase`.

    Returns
    -------
    Approximant
        Its ``bound`` is that of :func:`interpolation_bound`.

    Raises
    ------
    RangeError
        The target has more than one variable, or ``segments`` is no whole number from 1.
    UnknownNameError, BackendError, DtypeError
        A backend, a device or a dtype that is not there.

    Examples
    --------
    >>> from mlpxp.textbook.approximation import make_target, relu_interpolant
    >>> interpolant = relu_interpolant(make_target("x**2", (0, 1)), 4)
    >>> round(float(interpolant.max_error), 6), round(interpolant.bound.value, 6), interpolant.bound.formula
    (0.015625, 0.015625, 'h²/8 max|f″|')
    """
    a, b = on_interval(target, "ReLU's interpolant")
    segments = whole_number("segments", segments)
    knots = np.linspace(a, b, segments + 1)
    values = target(knots)
    slopes = np.diff(values) / np.diff(knots)
    parameters = layers(
        (np.ones((segments, 1)), -knots[:-1]),
        (np.diff(slopes, prepend=0.0)[None], values[:1]),
        backend=backend,
        device=device,
        dtype=dtype,
    )
    network = Network((1, segments, 1), hidden="relu", output="identity")
    return judged("ReLU interpolant", target, network, parameters, interpolation_bound(target, segments))


def interpolation_bound(target: Target, segments: int) -> Bound | None:
    """Return a proved bound of the interpolant's error: the smallest of those whose ``max|f''|``, L or ω is known.

    ``h²/8 max|f''|``: f - N vanishes at both ends of a segment, so that it is ½f''(ξ)(x - t_i)(x - t_{i+1}), and the product is at most
    h²/4. L h/2: N(x) is the mean of f(t_i) and f(t_{i+1}) with weights (t_{i+1} - x)/h and (x - t_i)/h, and the error at most
    2L(x - t_i)(t_{i+1} - x)/h. ω(h): both are values of f within h of x.
    """
    ((a, b),) = target.box
    h = (b - a) / segments
    modulus = target.modulus(h)
    found = [
        Bound(value, formula)
        for value, formula in (
            (None if target.curvature is None else h * h / 8.0 * target.curvature, "h²/8 max|f″|"),
            (None if target.lipschitz is None else target.lipschitz * h / 2.0, "L h/2"),
            (modulus, "ω(h)"),
        )
        if value is not None
    ]
    return min(found, default=None)
