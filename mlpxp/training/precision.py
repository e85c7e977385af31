"""What float32 has too few digits for: features of a large scale, and costs that hardly differ."""

from __future__ import annotations

import sys
import warnings
from numbers import Real
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.rows import Rows
from mlpxp.arrays.standard import Array, device_of
from mlpxp.core.evaluation import Evaluator
from mlpxp.core.resolution import EPSILON, has_finer
from mlpxp.errors import ScaleWarning

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters

__all__ = ["asks_for_finer_costs", "finest", "outside", "warn_of_scale"]

_TOO_FAR = 2.0**19  # in float32, see warn_of_scale
_LOOKED_AT = 2**16  # numbers, of at most 1024 examples

_EXAMPLES = 256
_MARGIN = 16.0  # a float32 mean is wrong by some last digits, not by half of one


def finest(*judges: Any) -> float | None:
    """Return the smallest difference of training costs that any of them acts upon, each its own or an object's attribute ``tolerance``."""
    asked = [judge if isinstance(judge, Real) else getattr(judge, "tolerance", None) for judge in judges]
    return min((float(each) for each in asked if isinstance(each, Real)), default=None)


def asks_for_finer_costs(
    network: Network, library: Backend, parameters: Parameters, examples: tuple[Any, Any], *, tolerance: float, penalty: float
) -> bool:
    """Return whether the costs of float32 parameters have to be float64 to show differences of ``tolerance``.

    How large they are is told by the first examples, and by a penalty ½λ Σ W² with every weight 1.

    Warns
    -----
    ScaleWarning
        They would have to be, and the device has no float64.
    """
    X, Y = examples
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


def warn_of_scale(library: Backend, X: Array | Rows) -> None:
    """Warn of a feature of float32 for whose scale that has too few digits; looks at up to 1024 examples, evenly spaced.

    A layer's z is a sum of w·x, where w begins near 1/√n and activations change over a distance of about 1 in z. In float32 a product is
    rounded by up to u = 2⁻²⁴ of itself, so a feature of size x moves z by u·x. From x = 2¹⁹ (524,288) on that is 1/32: three hundredths
    of the range over which a sigmoid changes are noise. What a feature says is how it varies, so the same holds of one that is stored
    as 2¹⁹ of its standard deviations: its own digits are gone. float64 has u = 2⁻⁵³, and nothing is said of it. Below these sizes bad
    scales make training slow, but it is not rounding that hinders it.

    Warns
    -----
    ScaleWarning
    """
    n, m = X.shape[-2:]
    step = max(1, -(-m // min(1024, max(2, _LOOKED_AT // max(1, n)))))
    values = X.take(slice(None, None, step)).T if isinstance(X, Rows) else library.to_numpy(X[..., ::step])
    values = values.astype("float64")
    reach = abs(values).max(axis=-1)
    spread = values.std(axis=-1)
    bad = (reach >= _TOO_FAR) | ((spread > 0.0) & (reach >= _TOO_FAR * spread))
    if not bad.any():
        return
    place = tuple(int(axis[0]) for axis in bad.nonzero())
    more = f", and {bad.sum() - 1:,} more" if bad.sum() > 1 else ""
    warnings.warn(
        f"feature {place[-1]} of X (counted from 0{more}) reaches {reach[place]:.3g} and has a standard deviation of {spread[place]:.3g}: "
        "float32 rounds away what is to be learnt from it; standardise it, (x - mean) / deviation, or train in float64",
        ScaleWarning,
        stacklevel=outside(),
    )


def outside() -> int:
    """Return the stack level, for a warning of the caller's, at which the library was entered (scikit-learn's wrappers count as inside)."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in {"mlpxp", "sklearn"}:
        level, frame = level + 1, frame.f_back
    return level
