"""Deep against wide: the same number of parameters as one broad hidden layer, or as several narrow ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.scalars import whole_number
from mlpxp.core.activations import Activation
from mlpxp.core.network import Network
from mlpxp.errors import RangeError
from mlpxp.textbook.approximation._approximants import Approximant
from mlpxp.textbook.approximation._fitting import Fitting, Tell, fit_all, whole_numbers
from mlpxp.textbook.approximation._targets import Target, make_target

__all__ = ["DepthStudy", "deep_against_wide", "sizes_within"]


@dataclass(frozen=True)
class DepthStudy:
    """What :func:`deep_against_wide` found.

    Attributes
    ----------
    targets : tuple of Target
    depths : tuple of int
        Hidden layers, in order.
    trained : tuple of tuple of Approximant
        For each target and each depth a stack of as many networks as there were seeds.
    fitting : Fitting
    """

    targets: tuple[Target, ...]
    depths: tuple[int, ...]
    trained: tuple[tuple[Approximant, ...], ...]
    fitting: Fitting

    @property
    def max_errors(self) -> NDArray[np.float64]:
        """Shape (targets, depths, seeds)."""
        return np.stack([[one.max_error for one in each] for each in self.trained])

    @property
    def rms_errors(self) -> NDArray[np.float64]:
        """Shape (targets, depths, seeds)."""
        return np.stack([[one.rms_error for one in each] for each in self.trained])


def deep_against_wide(
    targets: Sequence[Target | str | Callable[..., Any]] = ("composition", "sine"),
    depths: Sequence[int] = (1, 2, 3),
    *,
    parameters: int = 253,
    activation: str | Activation = "tanh",
    fitting: Fitting | None = None,
    tell: Tell | None = None,
) -> DepthStudy:
    """Train networks of several depths and one number of parameters on several targets.

    Each depth's hidden layers are equally wide, as wide as the number of parameters allows (:func:`sizes_within`). Where the target is
    itself a composition, depth can pay; where it is smooth and simple it doesn't matter. What is measured is what gradient descent makes of
    it: of deep ReLU networks it makes less than there is, and some seeds get nowhere. What is there, exactly, :func:`count_sawtooth` says.

    Parameters
    ----------
    targets : sequence of Target, str or callable, default ("composition", "sine")
        All of the same number of variables.
    depths : sequence of int, default (1, 2, 3)
        Numbers of hidden layers.
    parameters : int, default 253
        How many parameters a network may have; of one variable, 1, 2 and 3 layers come to 253, 253 and 251 of them.
    activation : str or Activation, default "tanh"
    fitting, tell
        As in :func:`error_against_width`.

    Returns
    -------
    DepthStudy

    Raises
    ------
    RangeError, UnknownNameError, PairingError, DataError, BackendError, DtypeError, DivergenceError, KeyboardInterrupt
        As :func:`error_against_width`; also where so few parameters make no network of a depth.
    """
    made = tuple(one if isinstance(one, Target) else make_target(one) for one in targets)
    if not made:
        raise RangeError("targets must be at least one function, got none")
    how, hidden = fitting or Fitting(), whole_numbers("depths", depths)
    parameters = whole_number("parameters", parameters)
    found = []
    for index, target in enumerate(made):
        networks = [Network(sizes_within(parameters, depth, target.dimension), hidden=activation, output="identity") for depth in hidden]
        share = (index / len(made), (index + 1) / len(made))
        found.append(tuple(fit_all(target, networks, how, tell=tell, share=share)))
    return DepthStudy(made, hidden, tuple(found), how)


def sizes_within(parameters: int, depth: int, dimension: int = 1) -> tuple[int, ...]:
    """Return the sizes of the widest network with ``depth`` equal hidden layers, and one output, that has at most so many parameters.

    Raises
    ------
    RangeError
        Not even hidden layers of one unit do.
    """
    width = 0
    while _count(width + 1, depth, dimension) <= parameters:
        width += 1
    if not width:
        least = _count(1, depth, dimension)
        raise RangeError(f"parameters must be at least {least} for {depth} hidden layers, got {parameters}")
    return (dimension, *(width,) * depth, 1)


def _count(width: int, depth: int, dimension: int) -> int:
    return width * (dimension + 1) + (depth - 1) * width * (width + 1) + width + 1
