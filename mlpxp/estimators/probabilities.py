"""A classifier's probabilities and their logarithms, from what the last layer holds: of one network or of an ensemble's stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import namespace
from mlpxp.estimators.errors import InvalidParameterError

if TYPE_CHECKING:
    from mlpxp.core.network import Network

__all__ = ["check_probabilities", "columns_of_classes", "log_probabilities", "promises_probabilities"]

_OFF = 1e-3  # a sum of probabilities that is further from 1 has not been rounded, but is none


def promises_probabilities(network: Network, *, multiclass: bool) -> bool:
    """Return whether the output activation gives probabilities, whatever it is given."""
    return network.output.values in ({"distribution"} if multiclass else {"probability", "distribution"})


def check_probabilities(network: Network, A: Any, *, multiclass: bool) -> None:
    """Refuse outputs (..., n_L, m) that are no probabilities, which only an activation or a loss of the user's can give.

    Raises
    ------
    InvalidParameterError
    """
    if network.natural and network.output.values in {"probability", "distribution"}:
        return
    xp = namespace(A)
    good = xp.all((A >= 0.0) & (A <= 1.0))
    if multiclass:
        good = good & xp.all(xp.abs(xp.sum(A, axis=-2) - 1.0) < _OFF)
    if not good:
        wanted = "softmax" if multiclass else "sigmoid"
        raise InvalidParameterError(
            f"predict_proba needs outputs that are probabilities, from 0 to 1{' and adding up to 1' * multiclass}, and those of the output "
            f"activation {network.output.name!r} are not: use output_activation={wanted!r}, or predict alone"
        )


def columns_of_classes(A: Any, *, sharing: int, spread: bool = False) -> Any:
    """Return (m, n_classes) of (n_L, m).

    ``sharing`` is how many classes have but one output, 0 where each has its own: of two it is the second's, and what is left is the
    first's; one class alone is certain.
    """
    if not sharing:
        return A.mT
    xp, p = namespace(A), A[0, ...]
    if sharing == 1:
        return (xp.zeros_like(p) if spread else xp.ones_like(p))[..., None]
    return xp.stack([p if spread else 1.0 - p, p], axis=-1)


def log_probabilities(network: Network, Z: Any, A: Any, *, sharing: int) -> Any:
    """Return the logarithms of the probabilities (m, n_classes) from the logits Z of a natural pairing, so that none is -∞.

    See :func:`columns_of_classes`.
    """
    xp = namespace(Z)
    if network.output.name == "softmax":
        Z = Z - xp.max(Z, axis=-2, keepdims=True)
        return _log_mean(Z - xp.log(xp.sum(xp.exp(Z), axis=-2, keepdims=True))).mT
    likely = -(xp.maximum(-Z, 0.0) + xp.log1p(xp.exp(-xp.abs(Z))))  # ln σ(z), and ln σ(-z) = ln σ(z) - z
    if sharing == 1:
        return xp.zeros_like(_log_mean(likely).mT)
    if sharing:
        return _log_mean(xp.concat([likely - Z, likely], axis=-2)).mT
    return _log_mean(xp.where(A > 0.5, xp.log(A), likely)).mT  # labels whose probabilities round to 1 are equally likely


def _log_mean(logarithms: Any) -> Any:
    """Return ln(Σ_i e^{l_i}/k), the logarithm of the mean over an ensemble's members; one network's logarithms stay as they are."""
    if logarithms.ndim == 2:
        return logarithms
    xp = namespace(logarithms)
    largest = xp.max(logarithms, axis=0)
    return largest + xp.log(xp.mean(xp.exp(logarithms - largest), axis=0))
