"""What is to be approximated: a continuous function on a box, and what is known of how fast it changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import DataError, RangeError, ShapeError
from mlpxp.textbook.approximation._derivatives import KINKED, derivative
from mlpxp.textbook.approximation._expression import Expression, Node, parse_expression
from mlpxp.textbook.approximation._intervals import Box, Interval, cells_of, enclose, per_side, prove_finite

__all__ = ["TARGETS", "Bound", "Target", "box_grid", "make_target", "on_interval"]

TARGETS = {
    "sine": "sin(3*x)",
    "runge": "1/(1 + 25*x**2)",
    "kink": "abs(x)",
    "root": "sqrt(abs(x))",
    "wave": "sin(pi*x)*cos(8*x)",
    "sawtooth": "abs(2*abs(2*abs(x) - 1) - 1)",
    "composition": "sin(6*sin(4*x))",
    "saddle": "x1**2 - x2**2",
    "ripple": "cos(4*sqrt(x1**2 + x2**2))",
}
_MOST_POINTS = 2**14
_LARGEST_REACH = 1e300  # half a side; what is computed with it has to stay finite


class Bound(NamedTuple):
    """A number that an error can't exceed, and the formula that it is."""

    value: float
    formula: str


@dataclass(frozen=True)
class Target:
    """A continuous function on a box; calling it evaluates it, one NumPy array a variable. Made by :func:`make_target`.

    Attributes
    ----------
    name : str
    function : callable
        An :class:`Expression`, or the user's own.
    box : tuple of (float, float)
        The lowest and the highest value of each variable.
    lipschitz : float or None
        L: ``|f(x) - f(y)| ≤ L max_i |x_i - y_i|`` on the box; with one variable ``max|f'|``. Proved by interval arithmetic for an
        expression, the user's word for a function of their own, ``None`` where there is none or it isn't known.
    curvature : float or None
        ``max|f''|`` on the interval, of a function of one variable; proved or known as ``lipschitz`` is.
    """

    name: str
    function: Callable[..., Any]
    box: Box
    lipschitz: float | None = None
    curvature: float | None = None

    @property
    def dimension(self) -> int:
        """The number of variables."""
        return len(self.box)

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle of the box, shape (n, 1)."""
        return np.asarray([[low / 2 + high / 2] for low, high in self.box])

    @property
    def reach(self) -> NDArray[np.float64]:
        """Half the sides of the box, shape (n, 1)."""
        return np.asarray([[high / 2 - low / 2] for low, high in self.box])

    def __call__(self, *x: Any) -> NDArray[np.float64]:
        columns = np.broadcast_arrays(*(np.asarray(one, dtype="float64") for one in x))
        values = np.asarray(self.function(*columns))
        if values.shape not in ((), columns[0].shape):
            raise ShapeError(f"{self.name} must return one value for each of {columns[0].shape} points, got shape {values.shape}")
        if values.dtype.kind not in "biuf":
            raise DataError(f"{self.name} must return real numbers, got {values.dtype}")
        return np.broadcast_to(values, columns[0].shape).astype("float64")

    def modulus(self, delta: float) -> float | None:
        """Return a proved bound of the modulus of continuity ω(δ): ``max |f(x) - f(y)|`` over ``|x - y| ≤ δ``; ``None`` if there is none.

        Of an expression in one variable: from what interval arithmetic says of its values over 2¹⁶ cells. Of anything else, L δ.
        """
        if self.dimension > 1 or not isinstance(self.function, Expression):
            return None if self.lipschitz is None else self.lipschitz * delta
        (low, high), n = self.box[0], 2**16
        values = _values(self.function.tree, self.box, n)
        reach = min(n, math.ceil(delta / (high - low) * n * (1 + 1e-12)) + 1)  # cells that two points at this distance can lie in
        spread = float((_running(np.maximum, values.high, reach) - _running(np.minimum, values.low, reach)).max())
        return _finite(spread if self.lipschitz is None else min(spread, self.lipschitz * delta))


def make_target(
    function: str | Callable[..., Any],
    box: tuple[float, float] | Sequence[tuple[float, float]] | None = None,
    *,
    lipschitz: float | None = None,
    curvature: float | None = None,
    name: str | None = None,
) -> Target:
    """Make a target of a built-in name, a formula or a function of your own, and check it.

    Parameters
    ----------
    function : str or callable
        A name from ``TARGETS``, a formula (see :func:`parse_expression`), or ``f(x1, ..., xn)``, which takes NumPy arrays of float64 of one
        shape, one for each variable, and returns one.
    box : (float, float) or sequence of them, optional
        The interval, or an interval for each variable; [-1, 1] each by default (a callable of several variables needs its box).
    lipschitz, curvature : float, optional
        ``max|f'|`` and ``max|f''|`` of a function of your own, if you know them: bounds rest on your word. Of a formula they are proved.
    name : str, optional
        What it is called in tables and pictures.

    Returns
    -------
    Target

    Raises
    ------
    RangeError
        A box that is none, a formula that can't be read, bounds that are no positive numbers or were given for a formula.
    UnknownNameError
        The formula has an unknown name in it.
    DataError
        The function isn't finite all over the box. A formula is sampled, and then proved finite by interval arithmetic
        (:func:`prove_finite`, which says what that leaves out): no pole is missed. A function of your own is sampled only, at the ends and
        at up to 16,384 points of a grid: what lies between them isn't known.

    Examples
    --------
    >>> from mlpxp.textbook.approximation import make_target
    >>> target = make_target("sin(3*x)", (0, 1))
    >>> round(target.lipschitz, 3), round(target.curvature, 3)
    (3.0, 9.0)
    """
    sides = None if box is None else _checked_box(box)
    if not isinstance(function, str):
        if not callable(function):
            raise RangeError(f"a target must be a name, a formula or a function, got {function!r}")
        own = name or str(getattr(function, "__name__", type(function).__name__))
        target = Target(own, function, sides or ((-1.0, 1.0),), _known("lipschitz", lipschitz), _known("curvature", curvature))
        _check_samples(target)
        return target
    if lipschitz is not None or curvature is not None:
        raise RangeError("lipschitz and curvature are computed for a formula: give them for a function of your own only")
    expression = parse_expression(TARGETS.get(function, function), None if sides is None else len(sides))
    sides = sides or ((-1.0, 1.0),) * expression.dimension
    _check_samples(Target(expression.text, expression, sides))
    unbounded = prove_finite(expression.tree, sides)
    if unbounded is not None:
        raise DataError(
            f"{expression.text} must be finite all over the box, and near {_at(unbounded)} no bound was found: is there a pole or a gap?"
        )
    return Target(name or expression.text, expression, sides, _proved_lipschitz(expression, sides), _proved_curvature(expression, sides))


def on_interval(target: Target, what: str) -> tuple[float, float]:
    """Return the ends of a target's interval.

    Raises
    ------
    RangeError
        It has more than one variable.
    """
    if target.dimension != 1:
        raise RangeError(f"{what} needs a function of one variable, got {target.name} of {target.dimension}")
    return target.box[0]


def box_grid(box: Box, points: int = 2**14) -> NDArray[np.float64]:
    """A dense grid of about so many points of the box, shape (n, m): the same number along each side, the ends among them; at least two."""
    along = max(2, int(points ** (1 / len(box)) + 1e-9))
    axes = np.meshgrid(*(np.linspace(low, high, along) for low, high in box), indexing="ij")
    return np.stack([axis.ravel() for axis in axes])


def _proved_lipschitz(expression: Expression, box: Box) -> float | None:
    """Σ_i max |∂f/∂x_i|, from intervals; a jump, which only sign can make, has none."""
    if "sign" in expression.tree.operations():
        return None
    cells = cells_of(box, per_side(len(box), 2**14))
    slopes = [_largest(enclose(derivative(expression.tree, variable), cells)) for variable in range(len(box))]
    return _finite(float(np.max(np.sum(slopes, axis=0))))


def _proved_curvature(expression: Expression, box: Box) -> float | None:
    if len(box) > 1 or KINKED & expression.tree.operations():
        return None
    return _finite(float(_largest(enclose(derivative(derivative(expression.tree)), cells_of(box, 2**14))).max()))


@lru_cache(maxsize=8)  # a bound asks for ω at two distances, and a study for as many bounds as it has widths
def _values(tree: Node, box: Box, n: int) -> Interval:
    return enclose(tree, cells_of(box, n))


def _largest(values: Interval) -> NDArray[np.float64]:
    return np.maximum(np.abs(values.low), np.abs(values.high))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _running(best: Any, values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The extreme of each ``reach`` neighbouring values: by doubling, so that it takes log₂ reach passes."""
    done = 1
    while done < reach:
        step = min(done, reach - done)
        values = best(values[:-step], values[step:])
        done += step
    return values


def _checked_box(box: Any) -> Box:
    wrong = f"a box must be (low, high), or one such pair for each variable, with low < high, got {box!r}"
    try:
        sides = np.asarray(box, dtype="float64")
    except (TypeError, ValueError):
        raise RangeError(wrong) from None
    sides = sides[None] if sides.ndim == 1 else sides
    if sides.ndim != 2 or sides.shape[1] != 2 or not len(sides):
        raise RangeError(wrong)
    if not np.isfinite(sides).all() or not (sides[:, 0] < sides[:, 1]).all() or (sides[:, 1] / 2 - sides[:, 0] / 2 > _LARGEST_REACH).any():
        raise RangeError(wrong)
    if (sides[:, 1] - sides[:, 0] < 1e-6 * np.abs(sides).max(axis=1)).any():
        raise RangeError(f"a side of a box must be at least a millionth of the size of its ends, got {box!r}: numbers are too coarse there")
    return tuple((float(low), float(high)) for low, high in sides)


def _known(name: str, value: Any) -> float | None:
    if value is not None and not (isinstance(value, int | float) and 0.0 <= value < math.inf):
        raise RangeError(f"{name} must be a number from 0, got {value!r}")
    return None if value is None else float(value)


def _check_samples(target: Target) -> None:
    points = np.concatenate([box_grid(target.box, _MOST_POINTS), box_grid(target.box, 3**target.dimension)], axis=1)
    with np.errstate(all="ignore"):
        values = target(*points)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise DataError(f"{target.name} must be finite all over the box, got {values[wrong[0]]} at {_at(points[:, wrong[0]].tolist())}")


def _at(point: Sequence[float]) -> str:
    names = ["x"] if len(point) == 1 else [f"x{index}" for index in range(1, len(point) + 1)]
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, point, strict=True))
