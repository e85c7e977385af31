"""By which differences of costs a run is judged, and whether its dtype shows them."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import device_of, dtype_name
from mlpxp.core.evaluation import Evaluator
from mlpxp.core.resolution import EPSILON, has_finer
from mlpxp.errors import ScaleWarning
from mlpxp.training.checks import outside

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters

__all__ = ["asks_for_finer_costs", "finest"]

_EXAMPLES = 256
_MARGIN = 16.0  # a float32 mean is wrong by some last digits, not by half of one


def finest(*judges: Any) -> float | None:
    """Return the smallest difference of training costs that any of them acts upon, each its own or an object's attribute ``tolerance``."""
    asked = [judge if isinstance(judge, Real) else getattr(judge, "tolerance", None) for judge in judges]
    return min((float(each) for each in asked if isinstance(each, Real)), default=None)


def asks_for_finer_costs(
    network: Network, library: Backend, parameters: Parameters, examples: tuple[Any, Any], *, tolerance: float | None, penalty: float
) -> bool:
    """Return whether the costs of float32 parameters have to be float64 to show differences of ``tolerance``; ``None`` asks for nothing.

    How large they are is told by the first examples, and by a penalty ½λ Σ W² with every weight 1.

    Warns
    -----
    ScaleWarning
        They would have to be, and the device has no float64.
    """
    X, Y = examples
    if tolerance is None or dtype_name(Y) != "float32":
        return False
    finer = has_finer(Y)
    if tolerance == 0.0:
        return finer
    n = min(_EXAMPLES, int(Y.shape[-1]))
    some = library.asarray(X.take(slice(0, n)), dtype="float32", device=device_of(Y)).mT if isinstance(X, Rows) else X[..., :n]
    costs: Any = Evaluator.of(network, library, some, Y[..., :n], None)(parameters).cost
    resolved = EPSILON * (max(costs if isinstance(costs, list) else [costs]) + 0.5 * penalty * network.n_parameters)
    if finer:
        return not tolerance > _MARGIN * resolved
    if not tolerance > resolved:
        warnings.warn(
            f"improvements of {tolerance:g} don't show in a cost that float32 keeps to {resolved:.2g}, and this device has no float64: "
            "the run may stop where it still improves; standardise the targets, or take a larger tolerance",
            ScaleWarning,
            stacklevel=outside(),
        )
    return False
