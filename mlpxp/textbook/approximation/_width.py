"""Error against width (U1): how well one hidden layer of n units does, trained and constructed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.core.activations import Activation
from mlpxp.core.network import Network
from mlpxp.textbook.approximation._approximants import Approximant
from mlpxp.textbook.approximation._constructive import sigmoid_staircase
from mlpxp.textbook.approximation._fitting import Fitting, Tell, fit_all, whole_numbers
from mlpxp.textbook.approximation._targets import Target, make_target

__all__ = ["WidthStudy", "error_against_width", "log_slope"]


@dataclass(frozen=True)
class WidthStudy:
    """What :func:`error_against_width` found.

    Attributes
    ----------
    target : Target
    widths : tuple of int
        n, in order.
    trained : tuple of Approximant
        A stack of as many networks as there were seeds, for each width.
    constructed : tuple of Approximant
        The sigmoid staircase of each width; empty where the target has several variables.
    fitting : Fitting
    """

    target: Target
    widths: tuple[int, ...]
    trained: tuple[Approximant, ...]
    constructed: tuple[Approximant, ...]
    fitting: Fitting

    @property
    def max_errors(self) -> NDArray[np.float64]:
        """Of the trained networks, shape (widths, seeds)."""
        return np.stack([one.max_error for one in self.trained])

    @property
    def rms_errors(self) -> NDArray[np.float64]:
        """Of the trained networks, shape (widths, seeds)."""
        return np.stack([one.rms_error for one in self.trained])

    @property
    def constructed_errors(self) -> NDArray[np.float64] | None:
        """The largest error of each staircase, shape (widths,); ``None`` where there are none."""
        return np.asarray([one.max_error for one in self.constructed]) if self.constructed else None

    @property
    def bounds(self) -> NDArray[np.float64] | None:
        """What is proved of them, shape (widths,); ``None`` where nothing is."""
        known = [one.bound.value for one in self.constructed if one.bound is not None]
        return np.asarray(known) if len(known) == len(self.widths) else None


def error_against_width(
    target: Target | str | Callable[..., Any],
    widths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    *,
    activation: str | Activation = "tanh",
    fitting: Fitting | None = None,
    tell: Tell | None = None,
) -> WidthStudy:
    """Measure how the error falls with the width of one hidden layer.

    The trained networks show what gradient descent finds, which is not the best there is: a median that no longer falls is the training's
    limit and not the network's. The staircase shows what is there without any training, and its error has a proved bound.

    Parameters
    ----------
    target : Target, str or callable
        A target, or what :func:`make_target` makes one of.
    widths : sequence of int, default (1, 2, 4, 8, 16, 32, 64)
    activation : str or Activation, default "tanh"
        Of the trained networks' hidden units; the staircase's are sigmoids.
    fitting : Fitting, optional
        Seeds, epochs, learning rate, backend, device, dtype.
    tell : callable, optional
        ``tell(text, share)`` is called after each epoch.

    Returns
    -------
    WidthStudy

    Raises
    ------
    RangeError, UnknownNameError, PairingError, DataError, BackendError, DtypeError
        What :func:`make_target`, :class:`Network` and :class:`Fitting` refuse, and widths that are no whole numbers from 1.
    DivergenceError
        All the networks of a width diverged.
    KeyboardInterrupt
        Ctrl-C.
    """
    target = target if isinstance(target, Target) else make_target(target)
    how = fitting or Fitting()
    ns = whole_numbers("widths", widths)
    networks = [Network((target.dimension, n, 1), hidden=activation, output="identity") for n in ns]
    on = {"backend": how.backend, "device": how.device, "dtype": how.dtype}
    constructed = tuple(sigmoid_staircase(target, n, **on) for n in ns) if target.dimension == 1 else ()
    return WidthStudy(target, ns, tuple(fit_all(target, networks, how, tell=tell)), constructed, how)


def log_slope(x: Sequence[float] | NDArray[Any], y: Sequence[float] | NDArray[Any]) -> float | None:
    """Return d log y / d log x of a straight line through the logarithms (least squares); ``None`` with fewer than two points above 0."""
    x, y = np.asarray(x, dtype="float64"), np.asarray(y, dtype="float64")
    used = (x > 0.0) & (y > 0.0) & np.isfinite(y)
    if len(set(x[used].tolist())) < 2:
        return None
    return float(np.polyfit(np.log(x[used]), np.log(y[used]), 1)[0])
