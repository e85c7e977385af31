"""How small a difference of two costs can be seen: float32 drops what is below 6e-8 of a cost, and a slow improvement with it.

What the layers make of the examples stays in their dtype. Only the losses, and their mean, are taken in float64, where the device has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import Array, device_of, dtype_name, namespace
from mlpxp.core.propagation import Passed, cost

if TYPE_CHECKING:
    from mlpxp.core.network import Network
    from mlpxp.core.propagation import Trace

__all__ = ["EPSILON", "cost_in_float64", "has_finer", "in_float64"]

EPSILON = 2.0**-24  # u of float32: half the distance between 1 and the next number


def has_finer(array: Array) -> bool:
    """Return whether ``array`` is float32, and its device has float64."""
    info = getattr(namespace(array), "__array_namespace_info__", None)
    return dtype_name(array) == "float32" and info is not None and "float64" in info().dtypes(device=device_of(array))


def in_float64(array: Any) -> Any:
    """Return an array as float64; ``None`` stays."""
    if array is None:
        return None
    xp = namespace(array)
    return xp.astype(array, xp.float64)


def cost_in_float64(network: Network, trace: Trace, Y: Array, weights: Array | None = None) -> Any:
    """Return :func:`mlpxp.core.propagation.cost` as float64, whatever dtype the layers have."""
    last = trace[-1]
    Z, A = (last.Z, None) if network.natural else (None, last.A)
    return cost(network, (Passed(None, in_float64(Z), in_float64(A)),), in_float64(Y), in_float64(weights))
