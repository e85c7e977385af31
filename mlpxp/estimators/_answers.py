"""What a fitted estimator says, from what its last layer holds: of one network or of an ensemble's stack, in the arrays' own library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import device_of, namespace
from mlpxp.estimators.errors import InvalidParameterError

if TYPE_CHECKING:
    from mlpxp.core.network import Network
    from mlpxp.estimators._state import Fitted, Labels

__all__ = [
    "answers",
    "averaged",
    "check_probabilities",
    "chosen",
    "columns_of_classes",
    "log_probabilities",
    "numbers",
    "spread",
]

_OFF = 1e-3  # a sum of probabilities that is further from 1 has not been rounded, but is none


def answers(fitted: Fitted, A: Any) -> dict[str, Any]:
    """Return what an estimator says, by name, where its last layer's A is (n_L, m), or a stack of that, by array code alone.

    It looks at no number, so that arrays which only write down what is done to them can be asked, too.

    Returns
    -------
    dict of str to array
        Of a regressor ``prediction``, see :func:`numbers`. Of a classifier ``chosen``, see :func:`chosen`, and ``probabilities``
        (m, n_classes), unless the output activation doesn't promise any.
    """
    A, labels, network = averaged(A), fitted.labels, fitted.network
    if labels is None:
        return {"prediction": numbers(A, network.sizes[-1])}
    found = {"chosen": chosen(A, labels)}
    if network.output.values in ({"distribution"} if labels.kind == "multiclass" else {"probability", "distribution"}):
        found["probabilities"] = columns_of_classes(A, sharing=labels.sharing)
    return found


def averaged(A: Any) -> Any:
    """Return the mean over an ensemble's members."""
    return A if A.ndim == 2 else namespace(A).mean(A, axis=0)


def spread(A: Any) -> Any:
    """Return the standard deviation over an ensemble's members; zero for one network."""
    xp = namespace(A)
    return xp.zeros_like(A) if A.ndim == 2 else xp.std(A, axis=0)


def numbers(A: Any, n_outputs: int) -> Any:
    """Return the predicted numbers (m,), or (m, n_outputs) where there are several."""
    return A[0, ...] if n_outputs == 1 else A.mT


def chosen(A: Any, labels: Labels) -> Any:
    """Return the number of the most probable class of each example (m,), or each label's presence (m, n_classes)."""
    xp = namespace(A)
    if labels.kind == "multiclass":
        return xp.argmax(A, axis=-2)
    if sharing := labels.sharing:
        positive = xp.astype(A[0, ...] > 0.5, _integer(A))
        return positive if sharing > 1 else positive * 0
    return xp.astype((A > 0.5).mT, _integer(A))


def _integer(like: Any) -> Any:
    """Return the default integer dtype of an array's library: JAX has int64 only where it was asked for."""
    xp: Any = namespace(like)
    return xp.__array_namespace_info__().default_dtypes(device=device_of(like))["integral"]


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


def columns_of_classes(A: Any, *, sharing: int, is_spread: bool = False) -> Any:
    """Return (m, n_classes) of (n_L, m).

    ``sharing`` is how many classes have but one output, 0 where each has its own: of two it is the second's, and what is left is the
    first's; one class alone is certain.
    """
    if not sharing:
        return A.mT
    xp, p = namespace(A), A[0, ...]
    if sharing == 1:
        return (xp.zeros_like(p) if is_spread else xp.ones_like(p))[..., None]
    return xp.stack([p if is_spread else 1.0 - p, p], axis=-1)


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
