"""The activation with which U1 fails: with a polynomial of degree r, a hidden layer of any width makes polynomials of degree r."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.scalars import whole_number
from mlpxp.core.activations import Activation
from mlpxp.core.network import Network
from mlpxp.errors import RangeError
from mlpxp.textbook.approximation._approximants import Approximant, judged, layers
from mlpxp.textbook.approximation._fitting import Fitting, Tell, fit_all, whole_numbers
from mlpxp.textbook.approximation._targets import Target, box_grid, make_target, on_interval

__all__ = ["PolynomialStudy", "best_polynomial", "polynomial_failure", "polynomial_network", "power"]

_HIGHEST = 12  # beyond it (u + b)^r needs more digits than float64 has


@dataclass(frozen=True)
class PolynomialStudy:
    """What :func:`polynomial_failure` found.

    Attributes
    ----------
    target : Target
    degree : int
        r.
    widths : tuple of int
    trained : tuple of Approximant
        With z^r, a stack of as many networks as there were seeds, for each width.
    compared : tuple of Approximant
        The same with an activation that is no polynomial.
    floor : float
        The root mean square error of the best polynomial of degree r, on the grid that all errors are measured on: no network with z^r is
        below it.
    attained : Approximant
        A network of r + 1 units that is this polynomial: the floor is reached.
    fitting : Fitting
    """

    target: Target
    degree: int
    widths: tuple[int, ...]
    trained: tuple[Approximant, ...]
    compared: tuple[Approximant, ...]
    floor: float
    attained: Approximant
    fitting: Fitting


def power(degree: int) -> Activation:
    """Return the activation z ↦ z^r.

    Raises
    ------
    RangeError
        ``degree`` is no whole number from 1 to 12.
    """
    degree = _checked_degree(degree)
    exponent = float(degree)
    return Activation(f"z^{degree}", lambda Z: Z**exponent, lambda Z, A: exponent * Z ** (exponent - 1.0), needs_z=True, pure=True)


def polynomial_failure(
    target: Target | str | Callable[..., Any] = "runge",
    degree: int = 3,
    widths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    *,
    activation: str | Activation = "tanh",
    fitting: Fitting | None = None,
    tell: Tell | None = None,
) -> PolynomialStudy:
    """Train networks of one hidden layer with z^r, and with another activation, and compare both with the best polynomial of degree r.

    Σ_i v_i (w_i x + b_i)^r + c is a polynomial of degree r whatever the weights are: its error can't go below that of the best such
    polynomial, however many units there are, while any other continuous activation has no such floor (Leshno et al. 1993).

    Parameters
    ----------
    target : Target, str or callable, default "runge"
        Of one variable.
    degree : int, default 3
        r, from 1 to 12. (High ones are hard to train: z^r has a gradient of 0, or a huge one.)
    widths : sequence of int, default (1, 2, 4, 8, 16, 32, 64)
    activation : str or Activation, default "tanh"
        What z^r is compared with.
    fitting, tell
        As in :func:`error_against_width`; the examples are spaced uniformly, as the points are that the floor is computed on.

    Returns
    -------
    PolynomialStudy

    Raises
    ------
    RangeError, UnknownNameError, PairingError, DataError, BackendError, DtypeError, DivergenceError, KeyboardInterrupt
        As :func:`error_against_width`; also for a target of several variables and a degree out of range.
    """
    target = target if isinstance(target, Target) else make_target(target)
    on_interval(target, "the failure of polynomials")
    how, ns = replace(fitting or Fitting(), spacing="uniform"), whole_numbers("widths", widths)  # as the grid that the floor belongs to
    attained = polynomial_network(target, degree, backend=how.backend, device=how.device, dtype=how.dtype)
    found = []
    for index, hidden in enumerate((power(degree), activation)):
        networks = [Network((1, n, 1), hidden=hidden, output="identity") for n in ns]
        found.append(tuple(fit_all(target, networks, how, tell=tell, share=(index / 2, (index + 1) / 2))))
    trained, compared = found
    return PolynomialStudy(target, degree, ns, trained, compared, best_polynomial(target, degree)[1], attained, how)


def best_polynomial(target: Target, degree: int) -> tuple[NDArray[np.float64], float]:
    """Return the polynomial of degree r with the smallest root mean square error on the dense grid, and this error.

    Returns
    -------
    (ndarray (r + 1,), float)
        Its coefficients in Chebyshev's polynomials of u = (x - centre)/reach in [-1, 1], from T_0 on: least squares.

    Raises
    ------
    RangeError
        The target has more than one variable, or the degree is out of range.
    """
    on_interval(target, "a polynomial")
    degree = _checked_degree(degree)
    points = box_grid(target.box)
    u, f = ((points - target.centre) / target.reach)[0], target(*points)
    coefficients = np.polynomial.chebyshev.chebfit(u, f, degree)
    residual = np.polynomial.chebyshev.chebval(u, coefficients) - f
    return np.asarray(coefficients, dtype="float64"), float(np.sqrt((residual**2).mean()))


def polynomial_network(target: Target, degree: int, **on: Any) -> Approximant:
    """Construct the network of r + 1 units with z^r that is the best polynomial of degree r.

    (u + b_0)^r, ..., (u + b_r)^r with different b_i are r + 1 independent polynomials, and so a basis of all of degree r: a linear system
    gives the output's weights. ``on`` is the backend, the device and the dtype.
    """
    coefficients, _ = best_polynomial(target, degree)
    r = degree
    shifts = np.cos(np.pi * (np.arange(r + 1) + 0.5) / (r + 1))
    wanted = np.polynomial.chebyshev.cheb2poly(coefficients)
    basis = np.asarray([np.polynomial.polynomial.polypow([shift, 1.0], r) for shift in shifts]).T  # a column a unit, from u^0 on
    weights = np.linalg.solve(basis, np.pad(wanted, (0, r + 1 - len(wanted))))
    ((centre,), (reach,)) = *target.centre, *target.reach
    parameters = layers((np.full((r + 1, 1), 1.0 / reach), shifts - centre / reach), (weights[None], np.zeros(1)), **on)
    network = Network((1, r + 1, 1), hidden=power(degree), output="identity")
    return judged(f"best polynomial of degree {degree}, as a network", target, network, parameters)


def _checked_degree(degree: int) -> int:
    degree = whole_number("degree", degree)
    if degree > _HIGHEST:
        raise RangeError(f"degree must be at most {_HIGHEST}, got {degree}: higher powers need more digits than float64 has")
    return degree
