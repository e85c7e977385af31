"""A user's own loss is looked at once, before it is trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import device_of, dtype_name
from mlpxp.core.losses import LOSSES
from mlpxp.core.propagation import predict
from mlpxp.errors import DtypeError, RangeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters

__all__ = ["check_custom_loss", "on_host"]

_EXAMPLES = 64
_STEP = 1e-6  # of a central difference in float64: its error is of the order of 1e-10
_AGREED = 1e-4


def check_custom_loss(network: Network, parameters: Parameters, X: Any, targets: Any, size: int) -> None:
    """Compare the derivative of a loss that is not built in with difference quotients of its value, on the first batch, in float64.

    X is as train has it, (n_0, m) or :class:`mlpxp.Rows`; the targets are (m, n_L).

    Raises
    ------
    RangeError
        They disagree for more than a tenth of the examples (at a kink such as |ŷ - y| they may), or a shape is wrong.
    """
    loss = network.loss
    if LOSSES.get(loss.name) == loss:
        return
    m, like = min(size, len(targets), _EXAMPLES), parameters[0].W
    library = backend_of(like)
    columns = X.take(slice(0, m)).T if isinstance(X, Rows) else X[..., :m]
    columns = library.asarray(columns, dtype=dtype_name(like), device=device_of(like))
    A = library.to_numpy(predict(network, parameters, columns)).astype("float64")
    A = A[0] if A.ndim > 2 else A
    Y = np.ascontiguousarray(targets[:m].T, dtype="float64")
    direction = np.random.default_rng(0).choice((-1.0, 1.0), A.shape)
    step = (
        _STEP * np.maximum(1.0, np.abs(A))
        if loss.expects == "real"
        else _STEP * np.minimum(A, np.abs(1.0 - A) + (loss.expects == "positive"))
    )
    value, derivative = (on_host(function, library, device_of(like)) for function in (loss.value, loss.derivative))
    up, down = value(A + step * direction, Y), value(A - step * direction, Y)
    slope = derivative(A, Y)
    if np.shape(up) != (m,) or np.shape(slope) != A.shape:
        raise RangeError(
            f"loss {loss.name!r} must return a value of shape (m,) = ({m},) and a derivative of shape {A.shape}, "
            f"got {np.shape(up)} and {np.shape(slope)}"
        )
    wanted, got = (up - down) / 2.0, np.sum(slope * direction * step, axis=-2)
    wrong = ~(np.abs(wanted - got) <= _AGREED * np.maximum(np.abs(wanted), np.abs(got)) + 1e-15 * np.maximum(np.abs(up), 1.0))
    if wrong.mean() > 0.1:
        i = int(wrong.argmax())
        raise RangeError(
            f"the derivative of loss {loss.name!r} must be that of its value, but along one direction it gives {got[i]:.6g} where a "
            f"difference quotient gives {wanted[i]:.6g} (example {i} of the first batch)"
        )


def on_host(function: Callable[[Any, Any], Any], library: Backend, device: Any) -> Callable[[Any, Any], Any]:
    """Return a function of NumPy's arrays that calls a user's with those it is trained on, or with NumPy's where there is no float64."""

    def call(A: Any, Y: Any) -> Any:
        try:
            given = [library.asarray(each, dtype="float64", device=device) for each in (A, Y)]
        except DtypeError:
            return function(A, Y)
        return library.to_numpy(function(*given))

    return call
