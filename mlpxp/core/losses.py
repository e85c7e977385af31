"""Each loss with its derivative in ŷ and its natural pairing on the logits.

A :class:`Loss` is a value: per-example functions of the prediction and the target. The cost is the mean over the examples
(the weighted mean where there are weights), which :func:`mlpxp.cost` takes; nothing here knows m.

With its natural output activation (sigmoid with C2, softmax with C3, identity with C1, exp with the Poisson loss) a loss is
computed from the logits Z and its derivative is A - Y: no probability is clipped and no logarithm sees a zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlpxp.arrays.standard import Array, namespace
from mlpxp.errors import RangeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOSSES", "Loss", "binary_cross_entropy", "cross_entropy", "mse", "poisson"]


@dataclass(frozen=True, repr=False)
class Loss:
    """A per-example loss with its derivative.

    Parameters
    ----------
    name : str
        What it is called in tables, messages and files.
    value : callable
        ``value(A, Y)``: predictions and targets (..., n_L, m) in, the loss of each example (..., m) out.
    derivative : callable
        ``derivative(A, Y)``: ∂loss/∂ŷ of each example, (..., n_L, m).
    expects : {"real", "positive", "probability", "distribution"}, default "real"
        What the output layer has to hold for the loss to make sense. ``"positive"`` is a number above 0 of any size: a probability
        is refused, since sigmoid, the default output, would silently let no prediction above 1.
    pairing : str or None, default None
        The name of the natural output activation: with it ∂loss/∂Z = A - Y.
    value_from_logits : callable or None, default None
        ``value_from_logits(Z, Y)``: the same loss from the natural activation's Z. Needed where ``pairing`` is given.
    analytic : bool, default True
        Whether it is one analytic function of ŷ; ``|ŷ - y|`` isn't. What isn't can't be differentiated by the complex step.
    pure : bool, default False
        Whether its functions are declared functions of their arguments alone, as an activation's may be; see :class:`Activation`.
    """

    name: str
    value: Callable[[Any, Any], Any]
    derivative: Callable[[Any, Any], Any]
    expects: Literal["real", "positive", "probability", "distribution"] = "real"
    pairing: str | None = None
    value_from_logits: Any = None
    analytic: bool = True
    pure: bool = field(default=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.pairing is not None and self.value_from_logits is None:
            raise RangeError(f"loss {self.name!r} has the pairing {self.pairing!r} and so needs value_from_logits, got None")

    def __repr__(self) -> str:
        return f"<loss {self.name}>"


def _mse(A: Array, Y: Array) -> Any:
    """C1: ½ ‖ŷ - y‖²."""
    E = A - Y
    return 0.5 * namespace(E).sum(E * E, axis=-2)


def _mse_derivative(A: Array, Y: Array) -> Any:
    return A - Y  # C1


def _binary_cross_entropy(A: Array, Y: Array) -> Any:
    """C2: -[y ln ŷ + (1-y) ln(1-ŷ)], added up over the outputs; ŷ strictly between 0 and 1."""
    xp = namespace(A)
    return -xp.sum(Y * xp.log(A) + (1.0 - Y) * xp.log1p(-A), axis=-2)


def _binary_cross_entropy_derivative(A: Array, Y: Array) -> Any:
    return (A - Y) / (A * (1.0 - A))  # C2


def _binary_cross_entropy_from_logits(Z: Array, Y: Array) -> Any:
    """C2 with ŷ = σ(z): ln(1 + e^z) - yz = max(z, 0) - yz + ln(1 + e^{-|z|})."""
    xp = namespace(Z)
    return xp.sum(xp.maximum(Z, 0.0) - Y * Z + xp.log1p(xp.exp(-xp.abs(Z))), axis=-2)


def _cross_entropy(A: Array, Y: Array) -> Any:
    """C3: -Σ_k y_k ln ŷ_k, ŷ a distribution without zeros."""
    xp = namespace(A)
    return -xp.sum(Y * xp.log(A), axis=-2)


def _cross_entropy_derivative(A: Array, Y: Array) -> Any:
    return -Y / A  # C3


def _cross_entropy_from_logits(Z: Array, Y: Array) -> Any:
    """C3 with ŷ = softmax(z): Σ_k y_k (ln Σ_j e^{z_j} - z_k), the largest z taken off first."""
    xp = namespace(Z)
    S = Z - xp.max(Z, axis=-2, keepdims=True)
    return xp.sum((xp.log(xp.sum(xp.exp(S), axis=-2, keepdims=True)) - S) * Y, axis=-2)  # a product is laid out as its first factor


def _poisson(A: Array, Y: Array) -> Any:
    """Half the Poisson deviance: y ln(y/ŷ) - y + ŷ, added up over the outputs, which is ŷ where y = 0; ŷ above zero where y is."""
    xp = namespace(A)
    counted = Y > 0.0  # elsewhere ln 1 stands in for ln 0
    return xp.sum(Y * xp.log(xp.where(counted, Y, 1.0) / xp.where(counted, A, 1.0)) - Y + A, axis=-2)


def _poisson_derivative(A: Array, Y: Array) -> Any:
    """1 - y/ŷ, which is 1 where y = 0."""
    A = namespace(A).where(Y > 0.0, A, 1.0)
    return (A - Y) / A


def _poisson_from_logits(Z: Array, Y: Array) -> Any:
    """The same with ŷ = e^z: y ln y - yz - y + e^z."""
    xp = namespace(Z)
    return xp.sum(xp.exp(Z) - Y + Y * (xp.log(xp.where(Y > 0.0, Y, 1.0)) - Z), axis=-2)


mse = Loss("mse", _mse, _mse_derivative, pairing="identity", value_from_logits=_mse, pure=True)
binary_cross_entropy = Loss(
    "binary_cross_entropy",
    _binary_cross_entropy,
    _binary_cross_entropy_derivative,
    expects="probability",
    pairing="sigmoid",
    value_from_logits=_binary_cross_entropy_from_logits,
    pure=True,
)
cross_entropy = Loss(
    "cross_entropy",
    _cross_entropy,
    _cross_entropy_derivative,
    expects="distribution",
    pairing="softmax",
    value_from_logits=_cross_entropy_from_logits,
    pure=True,
)

poisson = Loss(
    "poisson", _poisson, _poisson_derivative, expects="positive", pairing="exp", value_from_logits=_poisson_from_logits, pure=True
)

LOSSES = {loss.name: loss for loss in (mse, binary_cross_entropy, cross_entropy, poisson)}


def find_loss(loss: str | Loss) -> Loss:
    """Return the loss of that name; a :class:`Loss` is returned as it is.

    Raises
    ------
    UnknownNameError
        No loss has that name.
    """
    if isinstance(loss, Loss):
        return loss
    try:
        return LOSSES[loss]
    except (KeyError, TypeError):
        raise UnknownNameError(f"loss must be one of {', '.join(LOSSES)} or a Loss, got {loss!r}") from None
