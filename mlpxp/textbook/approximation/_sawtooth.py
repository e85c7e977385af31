"""Where depth is cheaper than width, exactly: the sawtooth with 2^{k-1} teeth (Telgarsky 2015, 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.scalars import whole_number
from mlpxp.core.network import Network, Parameters
from mlpxp.errors import RangeError
from mlpxp.textbook.approximation._approximants import layers

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["SawtoothCount", "count_sawtooth", "deep_sawtooth", "sawtooth_text"]

_DEEPEST = 50  # its slope is 2^k, and float64 has 53 bits


@dataclass(frozen=True)
class SawtoothCount:
    """What the sawtooth T^k costs, deep and shallow: exact numbers.

    Attributes
    ----------
    depth : int
        k hidden layers, or how often the tent T is composed.
    teeth : int
        2^{k-1}, each a rise from 0 to 1 and a fall back: 2^k straight pieces.
    deep_units, deep_parameters : int
        Of :func:`deep_sawtooth`: 2k and 6k + 1.
    shallow_units, shallow_parameters : int
        Of the narrowest ReLU network with one hidden layer that is T^k on [0, 1]: 2^k and 3 · 2^k + 1.
    hopeless_units : int
        2^k - 2: up to so many units in one hidden layer, every network is off by ½ or more somewhere; the constant ½ is as good.
    """

    depth: int
    teeth: int
    deep_units: int
    deep_parameters: int
    shallow_units: int
    shallow_parameters: int
    hopeless_units: int


def count_sawtooth(depth: int) -> SawtoothCount:
    """Count what T^k, the tent ``T(x) = 1 - |2x - 1|`` composed with itself k times, costs a deep and a shallow ReLU network.

    Raises
    ------
    RangeError
        ``depth`` is no whole number from 1 to 50.

    Notes
    -----
    T^k goes through (j/2^k, 0) for even j and (j/2^k, 1) for odd j, straight in between: 2^k pieces of slope ±2^k.

    *2^k units in one hidden layer do*: the interpolant of these points (:func:`relu_interpolant`) has one unit a piece.

    *Fewer don't*: n units bend at n points at most, so that there must be at least 2^k - 1, each with a bend of its own at one of the 2^k -
    1 inner points. A unit a ReLU(w x + b) changes the slope by ``|w| a`` at its bend, from the left to the right, so that
    ``a |w| = ∓2 · 2^k`` is decided. Left of all bends the slope is the sum of ``-a |w|`` over the units with w < 0, an even multiple of
    2^k; it would have to be 2^k itself, an odd one. ∎

    *Up to 2^k - 2 units are hopeless*: N is made of at most 2^k - 1 straight pieces, and N - ½ changes its sign at most once in each. If N
    were closer than ½ to T^k everywhere, N - ½ would have the sign of T^k - ½ at the 2^k + 1 points, where that alternates: 2^k changes. ∎

    Examples
    --------
    >>> from mlpxp.textbook.approximation import count_sawtooth
    >>> count_sawtooth(10)
    SawtoothCount(depth=10, teeth=512, deep_units=20, deep_parameters=61, shallow_units=1024, shallow_parameters=3073, hopeless_units=1022)
    """
    depth = _checked_depth(depth)
    pieces = 2**depth
    return SawtoothCount(depth, pieces // 2, 2 * depth, 6 * depth + 1, pieces, 3 * pieces + 1, pieces - 2)


def deep_sawtooth(depth: int, *, backend: str | Backend = "auto", device: Any = None, dtype: str = "float64") -> tuple[Network, Parameters]:
    """Construct the deep ReLU network that is T^k on [0, 1]: k hidden layers of two units each.

    T(x) = 2 ReLU(x) - 4 ReLU(x - ½). In float64, and in float32, the result is exact at every number from 0 to 1: no operation rounds.

    Parameters
    ----------
    depth : int
        k, from 1 to 50.
    backend, device, dtype
        As in :func:`sigmoid_staircase`.

    Returns
    -------
    (Network, tuple of Layer)

    Raises
    ------
    RangeError
        ``depth`` is no whole number from 1 to 50.
    UnknownNameError, BackendError, DtypeError
        A backend, a device or a dtype that is not there.
    """
    depth = _checked_depth(depth)
    bends = [0.0, -0.5]
    first, between, last = ([[1.0], [1.0]], bends), ([[2.0, -4.0], [2.0, -4.0]], bends), ([[2.0, -4.0]], [0.0])
    network = Network((1, *(2,) * depth, 1), hidden="relu", output="identity")
    return network, layers(first, *(between,) * (depth - 1), last, backend=backend, device=device, dtype=dtype)


def sawtooth_text(depth: int) -> str:
    """T^k as a formula, for :func:`make_target`: ``1 - abs(2*x - 1)`` within itself."""
    depth = _checked_depth(depth)
    text = "x"
    for _ in range(depth):
        text = f"(1 - abs(2*{text} - 1))"
    return text[1:-1]


def _checked_depth(depth: int) -> int:
    depth = whole_number("depth", depth)
    if depth > _DEEPEST:
        raise RangeError(f"depth must be at most {_DEEPEST}, got {depth}: the sawtooth's slope is 2^depth, and numbers have 53 bits")
    return depth
