"""The growth of the needed width with the number of variables: measured, and bounded from above by a grid's count."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlpxp.core.activations import Activation
from mlpxp.core.network import Network
from mlpxp.errors import RangeError, UnknownNameError
from mlpxp.textbook.approximation._approximants import Approximant
from mlpxp.textbook.approximation._fitting import Fitting, Tell, fit_all, whole_numbers
from mlpxp.textbook.approximation._targets import Target, box_grid, make_target

__all__ = ["FAMILIES", "DimensionStudy", "grid_cells", "width_against_dimension"]


def _product(n: int) -> str:
    return "*".join(f"sin(pi*x{i})" for i in range(1, n + 1))


def _sum(n: int) -> str:
    return " + ".join(f"sin(pi*x{i})" for i in range(1, n + 1))


FAMILIES: dict[str, Callable[[int], str]] = {"product": _product, "sum": _sum}


@dataclass(frozen=True)
class DimensionStudy:
    """What :func:`width_against_dimension` found.

    Attributes
    ----------
    family : str
    dimensions : tuple of int
        n, in order.
    targets : tuple of Target
    tolerance : float
        Of the root mean square error, in units of the target's standard deviation.
    widths : tuple of int
        What was tried, in order.
    measured : tuple of (int or None)
        For each n the smallest width whose median over the seeds is within the tolerance; ``None`` where the widest that was tried isn't.
    errors : tuple of tuple of (tuple of float)
        For each n and each width that was trained (up to the measured one) the error of each seed, in units of the standard deviation.
    cells : tuple of (int or None)
        For each n what :func:`grid_cells` counts, a bound from above of a construction: no measurement.
    fitting : Fitting
    """

    family: str
    dimensions: tuple[int, ...]
    targets: tuple[Target, ...]
    tolerance: float
    widths: tuple[int, ...]
    measured: tuple[int | None, ...]
    errors: tuple[tuple[tuple[float, ...], ...], ...]
    cells: tuple[int | None, ...]
    fitting: Fitting


def width_against_dimension(
    family: str | Callable[[int], Target | str] = "product",
    dimensions: Sequence[int] = (1, 2, 3),
    *,
    tolerance: float = 0.1,
    widths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128),
    activation: str | Activation = "tanh",
    fitting: Fitting | None = None,
    tell: Tell | None = None,
) -> DimensionStudy:
    """Measure the smallest width, of those tried, whose trained networks reach a tolerance, for one function in 1, 2, 3, ... variables.

    Measured is what this training reaches with this many examples, for this function: neither a lower bound (a better training may do with
    less) nor the worst case. The grid's count is what a construction needs, cells small enough for the steepest function with this
    Lipschitz constant: kⁿ, which is exponential in n. For the worst function of a class something exponential can't be avoided (DeVore,
    Howard and Micchelli 1989); a function with structure may need far less, as ``"sum"`` shows, which is a sum of functions of one
    variable.

    Parameters
    ----------
    family : str or callable, default "product"
        ``"product"``, sin πx_1 · ... · sin πx_n on [-1, 1]ⁿ; ``"sum"``, their sum; or ``family(n)``, which returns a target or a formula.
    dimensions : sequence of int, default (1, 2, 3)
    tolerance : float, default 0.1
        In (0, 1): of the root mean square error, in units of the target's standard deviation. (The constant has 1.)
    widths : sequence of int, default (1, 2, 4, ..., 128)
        Tried in this order for each n, until one is enough.
    activation : str or Activation, default "tanh"
    fitting, tell
        As in :func:`error_against_width`.

    Returns
    -------
    DimensionStudy

    Raises
    ------
    RangeError, UnknownNameError, PairingError, DataError, BackendError, DtypeError, DivergenceError, KeyboardInterrupt
        As :func:`error_against_width`; also where the tolerance is none, or a target is constant or has another number of variables.
    """
    if not (isinstance(tolerance, int | float) and 0.0 < tolerance < 1.0):
        raise RangeError(f"tolerance must be a number between 0 and 1, got {tolerance!r}")
    how, ns, tried = fitting or Fitting(), whole_numbers("dimensions", dimensions), whole_numbers("widths", widths)
    targets = tuple(_member(family, n) for n in ns)
    measured, errors = [], []
    for index, (n, target) in enumerate(zip(ns, targets, strict=True)):
        deviation = _deviation(target)
        networks = [Network((n, width, 1), hidden=activation, output="identity") for width in tried]
        enough, found = None, []
        for approximant in fit_all(target, networks, how, tell=tell, share=(index / len(ns), (index + 1) / len(ns))):
            found.append(tuple((approximant.rms_error / deviation).tolist()))
            if float(np.median(found[-1])) <= tolerance:
                enough = _width(approximant)
                break
        measured.append(enough)
        errors.append(tuple(found))
    cells = tuple(grid_cells(target, tolerance * _deviation(target)) for target in targets)
    name = family if isinstance(family, str) else getattr(family, "__name__", type(family).__name__)
    return DimensionStudy(name, ns, targets, float(tolerance), tried, tuple(measured), tuple(errors), cells, how)


def grid_cells(target: Target, tolerance: float) -> int | None:
    """Count the cells of a grid that a function constant on each needs to be within a tolerance everywhere: kⁿ.

    In a cell of side h no point is further than h/2 from the middle in any variable, and f no further than L h/2 from its value there: with
    sides s_i, k = ⌈L max s_i / 2ε⌉ along each. ``None`` where no L is known.
    """
    if target.lipschitz is None:
        return None
    along = max(1, math.ceil(target.lipschitz * 2.0 * float(target.reach.max()) / (2.0 * tolerance)))
    return int(along**target.dimension)


def _member(family: str | Callable[[int], Target | str], n: int) -> Target:
    if isinstance(family, str) and family not in FAMILIES:
        raise UnknownNameError(f"family must be one of {', '.join(FAMILIES)}, or a function of the number of variables, got {family!r}")
    made = (FAMILIES[family] if isinstance(family, str) else family)(n)
    target = made if isinstance(made, Target) else make_target(made, ((-1.0, 1.0),) * n)
    if target.dimension != n:
        raise RangeError(f"family({n}) must be a function of {n} variables, got {target.name} of {target.dimension}")
    if not _deviation(target) > 0.0:
        raise RangeError(f"family({n}) must not be constant, got {target.name}: there is nothing to approximate")
    return target


def _deviation(target: Target) -> float:
    return float(target(*box_grid(target.box)).std())


def _width(approximant: Approximant) -> int:
    return approximant.network.sizes[1]
