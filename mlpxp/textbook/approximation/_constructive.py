"""Universal approximation (U1) in one dimension, constructed: a staircase of sigmoids, with a proved bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.scalars import whole_number
from mlpxp.core.network import Network
from mlpxp.errors import RangeError
from mlpxp.textbook.approximation._approximants import Approximant, judged, layers
from mlpxp.textbook.approximation._targets import Bound, Target, on_interval

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["sigmoid_staircase", "staircase_bound"]

LEAST_STEEP, MOST_STEEP = 1e-3, 10**6  # below it a bound, beyond it a weight is no number any more


def sigmoid_staircase(
    target: Target, width: int, *, steepness: float = 16.0, backend: str | Backend = "auto", device: Any = None, dtype: str = "float64"
) -> Approximant:
    """Construct a network of one hidden layer that approximates a continuous function of one variable (U1); nothing is trained.

    [a, b] is cut into n + 1 cells of length h = (b - a)/(n + 1), for n hidden units. With c_i = f(middle of cell i), t_i the end between
    cells i - 1 and i, and q the steepness,

        N(x) = c_0 + Σ_{i=1}^n (c_i - c_{i-1}) σ(q (x - t_i)/h).

    Parameters
    ----------
    target : Target
        Of one variable.
    width : int
        n, from 1.
    steepness : float, default 16
        q, from 0.001 to 1,000,000: how much of a step a sigmoid is. The larger, the smaller the bound; the smaller, the smoother N.
    backend : str or Backend, default "auto"
        The array library of the parameters; ``"auto"`` is NumPy.
    device : str, Device or the library's own device object, optional
    dtype : {"float32", "float64"}, default "float64"

    Returns
    -------
    Approximant
        ``bound`` holds what is proved below; ``None`` where no modulus of continuity of the target is known.

    Raises
    ------
    RangeError
        The target has more than one variable, the width is no whole number from 1, or the steepness no number from 0.001 to 1,000,000.
    UnknownNameError, BackendError, DtypeError
        A backend, a device or a dtype that is not there.

    Notes
    -----
    **Proved**: ``|N(x) - f(x)| ≤ ½(ω(h/2) + ω(h)) + ω(h) τ(q)`` on [a, b], with ω the modulus of continuity of f and
    τ(q) = (1 + e^{-q}) / (2 sinh(q/2)); if ``|f'| ≤ L`` it is ≤ L h (½ + τ(q)).

    *Proof.* Let x be within h/2 of t_j, at x = t_j + u, u ≥ 0 (the other side is its mirror image). Were every sigmoid but the j-th exactly
    0 or 1, N(x) would be c_{j-1} + θ(c_j - c_{j-1}) with θ = σ(qu/h) ≥ ½, a mean of two values of f at the distances h/2 + u and h/2 - u
    from x. Its error is at most (1 - θ) ω(h/2 + u) + θ ω(h/2 - u) ≤ ½(ω(h) + ω(h/2)), since ω grows and θ ≥ ½; for ω(δ) = Lδ it is L(h/2 -
    (2θ - 1)u) ≤ L h/2. The other sigmoids are off by σ(-q d/h) < e^{-q d/h} at the distances d = h - u, 2h - u, ... on one side and h + u,
    2h + u, ... on the other, each times a step of at most ω(h): two geometric series, ω(h) · 2 cosh(qu/h) e^{-q}/(1 - e^{-q}), which is
    largest at u = h/2, where it is ω(h) τ(q). For x within h/2 of an end of [a, b] no t_j is near: the error is ω(h/2) and one series from
    d = h/2 on, which is less. ∎

    With q fixed it is O(1/n): first order, as a staircase is. (Cybenko 1989 proves U1 without a construction.)

    Examples
    --------
    >>> from mlpxp.textbook.approximation import make_target, sigmoid_staircase
    >>> staircase = sigmoid_staircase(make_target("2*x", (0, 1)), 9)
    >>> round(float(staircase.max_error), 4), round(staircase.bound.value, 4)
    (0.1, 0.1001)
    """
    (a, b), n = on_interval(target, "a staircase of sigmoids"), whole_number("width", width)
    if not (isinstance(steepness, int | float) and LEAST_STEEP <= steepness <= MOST_STEEP):
        raise RangeError(f"steepness must be a number from {LEAST_STEEP} to {MOST_STEEP:,}, got {steepness!r}")
    h = (b - a) / (n + 1)
    c = target(a + h * (np.arange(n + 1) + 0.5))
    t = a + h * np.arange(1, n + 1)
    slope = steepness / h
    parameters = layers(
        (np.full((n, 1), slope), -slope * t),
        (np.diff(c)[None], c[:1]),
        backend=backend,
        device=device,
        dtype=dtype,
    )
    network = Network((1, n, 1), hidden="sigmoid", output="identity")
    return judged("sigmoid staircase", target, network, parameters, staircase_bound(target, n, steepness))


def staircase_bound(target: Target, width: int, steepness: float = 16.0) -> Bound | None:
    """Return the smaller of the two proved bounds of :func:`sigmoid_staircase`, of those whose L or ω is known."""
    ((a, b),) = target.box
    h, q = (b - a) / (width + 1), steepness
    tail = (1.0 + math.exp(-q)) / (2.0 * math.sinh(min(q, 1400.0) / 2.0))
    whole, half = target.modulus(h), target.modulus(h / 2.0)
    found = []
    if target.lipschitz is not None:
        found.append(Bound(target.lipschitz * h * (0.5 + tail), "L h (½ + τ)"))
    if whole is not None and half is not None:
        found.append(Bound(0.5 * (half + whole) + whole * tail, "½(ω(h/2) + ω(h)) + ω(h) τ"))
    return min(found, default=None)
