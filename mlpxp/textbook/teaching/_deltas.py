"""The error signals that backpropagation passes from layer to layer, kept instead of used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.core import propagation
from mlpxp.core.shapes import check_shapes

if TYPE_CHECKING:
    from mlpxp.arrays.standard import Array
    from mlpxp.core.network import Network, Parameters
    from mlpxp.core.propagation import Trace

__all__ = ["error_signals_of"]


def error_signals_of(network: Network, parameters: Parameters, trace: Trace, Y: Array) -> tuple[Any, ...]:
    """Return delta_1, ..., delta_L, delta_l = ∂C/∂Z_l: the numbers with which :func:`mlpxp.backward` makes its gradients.

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
        One network, or a stack of k.
    trace : tuple of Passed
        What :func:`mlpxp.forward` returned.
    Y : array, shape (n_L, m) or (k, n_L, m)

    Returns
    -------
    tuple of array, shapes (n_l, m) or (k, n_l, m)
        Each example's with its share 1/m of the mean.

    Raises
    ------
    ShapeError, DtypeError, BackendError
        Arrays that don't fit the network or each other.
    """
    check_shapes(network, parameters, trace[0].A_in, Y)
    return tuple(reversed(list(propagation.error_signals(network, parameters, trace, Y))))
