"""Each activation σ beside its derivative σ'.

An :class:`Activation` is a value: a name and two functions. The derivative is computed from what the forward pass holds
(A4): from ``A`` where that is enough, from ``Z`` where it isn't, and only then is ``Z`` kept.

All functions take and return arrays of one shape and dtype, on any array library, and allocate what they return.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from mlpxp.arrays.standard import Array, namespace
from mlpxp.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "elu",
    "exp",
    "gelu",
    "identity",
    "leaky_relu",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


@dataclass(frozen=True, repr=False)
class Activation:
    """An activation function with its derivative.

    Parameters
    ----------
    name : str
        What it is called in tables, messages and files.
    function : callable
        σ: takes Z, returns A of the same shape and dtype.
    derivative : callable
        For an element-wise σ, ``derivative(Z, A)`` returns σ'(Z); ``Z`` is ``None`` unless ``needs_z``.
        If ``couples_units``, ``derivative(Z, A, error)`` returns the transposed Jacobian times the error instead.
    needs_z : bool, default False
        Whether σ' can't be had from A alone, so that the forward pass has to keep Z.
    values : {"real", "positive", "probability", "distribution"}, default "real"
        What A holds: any reals, numbers above 0 of any size, a probability in each unit, or one distribution over the units.
    couples_units : bool, default False
        Whether a unit's output depends on the other units (softmax), so that σ' is no element-wise factor.
    analytic : bool, default True
        Whether σ is one analytic function on the whole real line, however it is computed: softplus is, relu isn't, because
        of 0. What isn't can't be differentiated by the complex step.
    pure : bool, default False
        Whether σ and σ' are declared functions of their arguments alone: no number of their own changes, nothing is counted or drawn.
        A backend may then record or compile a step that calls them, and call them no more. The built-in ones are.

    Notes
    -----
    A user's own activation works wherever a built-in name does. Unless it is declared ``pure=True``, training calls it in each step, so
    that a number of its own may change; on NumPy that takes longer, the more so the smaller the network, and JAX, which can only compile
    a step, refuses it. ``dataclasses.replace`` copies the declaration with the rest.

    >>> from mlpxp import Activation, Network
    >>> def cube(Z):
    ...     return Z * Z * Z
    >>> def cube_derivative(Z, A):
    ...     return 3.0 * Z * Z
    >>> Network((2, 3, 1), hidden=Activation("cube", cube, cube_derivative, needs_z=True)).sizes
    (2, 3, 1)
    """

    name: str
    function: Callable[[Any], Any]
    derivative: Callable[..., Any]
    needs_z: bool = False
    values: Literal["real", "positive", "probability", "distribution"] = "real"
    couples_units: bool = False
    analytic: bool = True
    pure: bool = field(default=False, compare=False, kw_only=True)

    def pull_back(self, error: Array, Z: Array | None, A: Array) -> Any:
        """Turn the error ∂C/∂A into ∂C/∂Z: ``error ⊙ σ'(Z)``, the second factor of B1 and B2."""
        if self.couples_units:
            return self.derivative(Z, A, error)
        return error * self.derivative(Z, A)

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


def _identity(Z: Array) -> Any:
    return Z


def _identity_derivative(Z: Array | None, A: Array) -> Any:
    return namespace(A).ones_like(A)


def _sigmoid(Z: Array) -> Any:
    """A1: σ(z) = 1/(1 + e^{-z}); z is held above the point where e^{-z} would overflow and σ would be no normal number."""
    xp = namespace(Z)
    return 1.0 / (1.0 + xp.exp(-xp.maximum(Z, _lowest_exponent(xp, Z.dtype))))


def _sigmoid_derivative(Z: Array | None, A: Array) -> Any:
    return A * (1.0 - A)  # A1


def _tanh(Z: Array) -> Any:
    return namespace(Z).tanh(Z)


def _tanh_derivative(Z: Array | None, A: Array) -> Any:
    return 1.0 - A * A  # A2


def _relu(Z: Array) -> Any:
    return namespace(Z).maximum(Z, 0.0)  # A3


def _relu_derivative(Z: Array | None, A: Array) -> Any:
    return namespace(A).astype(A > 0.0, A.dtype)  # A3: 0 at z = 0


_LEAK = 0.01


def _leaky_relu(Z: Array) -> Any:
    """max(z, 0.01 z)."""
    return namespace(Z).maximum(Z, _LEAK * Z)


def _leaky_relu_derivative(Z: Array | None, A: Array) -> Any:
    xp = namespace(A)
    return xp.where(A > 0.0, xp.ones_like(A), _LEAK)


def _elu(Z: Array) -> Any:
    """z where z > 0, e^z - 1 elsewhere (Clevert, Unterthiner and Hochreiter 2015, with α = 1)."""
    xp = namespace(Z)
    A = xp.expm1(xp.minimum(Z, 0.0))
    A += xp.maximum(Z, 0.0)
    return A


def _elu_derivative(Z: Array | None, A: Array) -> Any:
    return namespace(A).minimum(A, 0.0) + 1.0  # e^z = A + 1 where z < 0


def _softplus(Z: Array) -> Any:
    """ln(1 + e^z), written as max(z, 0) + ln(1 + e^{-|z|}) so that nothing overflows."""
    xp = namespace(Z)
    A = xp.log1p(xp.exp(-xp.abs(Z)))
    A += xp.maximum(Z, 0.0)
    return A


def _softplus_derivative(Z: Array | None, A: Array) -> Any:
    return -namespace(A).expm1(-A)  # σ(z) = 1 - e^{-ln(1 + e^z)}


def _exp(Z: Array) -> Any:
    return namespace(Z).exp(Z)


def _exp_derivative(Z: Array | None, A: Array) -> Any:
    return A  # (e^z)' = e^z


def _silu(Z: Array) -> Any:
    """z σ(z) (Elfwing, Uchibe and Doya 2018)."""
    A = _sigmoid(Z)
    A *= Z
    return A


def _silu_derivative(Z: Array, A: Array) -> Any:
    S = _sigmoid(Z)
    return S + A * (1.0 - S)  # (zσ)' = σ + zσ(1 - σ)


_GELU_SCALE = math.sqrt(8.0 / math.pi)
_GELU_CUBE = 0.044715


def _gelu(Z: Array) -> Any:
    """½z(1 + tanh(√(2/π)(z + 0.044715 z³))) (Hendrycks and Gimpel 2016; the standard has no erf for the exact form).

    Written as z σ(√(8/π)(z + 0.044715 z³)), since 1 + tanh loses its digits where z < 0.
    """
    return Z * _gelu_gate(Z)


def _gelu_derivative(Z: Array, A: Array) -> Any:
    S = _gelu_gate(Z)
    return S * (1.0 + Z * (1.0 - S) * (_GELU_SCALE * (1.0 + 3.0 * (_GELU_CUBE * Z * Z))))


def _gelu_gate(Z: Array) -> Any:
    return _sigmoid(_GELU_SCALE * (Z * (1.0 + _GELU_CUBE * Z * Z)))


def _softmax(Z: Array) -> Any:
    """e^{z_k} / Σ_j e^{z_j} over the units of a layer; the largest z is taken off first, so that nothing overflows."""
    xp = namespace(Z)
    E = xp.exp(Z - xp.max(Z, axis=-2, keepdims=True))
    return E / xp.sum(E, axis=-2, keepdims=True)


def _softmax_pull_back(Z: Array | None, A: Array, error: Array) -> Any:
    """Jᵀ error with J = diag(a) - a aᵀ for each example: a ⊙ (error - Σ_k a_k error_k)."""
    xp = namespace(A)
    return A * (error - xp.sum(A * error, axis=-2, keepdims=True))


@lru_cache(maxsize=64)
def _lowest_exponent(xp: Any, dtype: Any) -> float:
    """Return the lowest whole z at which both e^{-z} and its reciprocal are normal numbers: -87 in float32, -708 in float64."""
    return 1.0 - math.floor(math.log(float(xp.finfo(dtype).max)))


identity = Activation("identity", _identity, _identity_derivative, pure=True)
sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_derivative, values="probability", pure=True)
tanh = Activation("tanh", _tanh, _tanh_derivative, pure=True)
relu = Activation("relu", _relu, _relu_derivative, analytic=False, pure=True)
leaky_relu = Activation("leaky_relu", _leaky_relu, _leaky_relu_derivative, analytic=False, pure=True)
elu = Activation("elu", _elu, _elu_derivative, analytic=False, pure=True)
softplus = Activation("softplus", _softplus, _softplus_derivative, values="positive", pure=True)
exp = Activation("exp", _exp, _exp_derivative, values="positive", pure=True)
silu = Activation("silu", _silu, _silu_derivative, needs_z=True, pure=True)
gelu = Activation("gelu", _gelu, _gelu_derivative, needs_z=True, pure=True)
softmax = Activation("softmax", _softmax, _softmax_pull_back, values="distribution", couples_units=True, pure=True)

ACTIVATIONS = {a.name: a for a in (identity, sigmoid, tanh, relu, leaky_relu, elu, softplus, exp, silu, gelu, softmax)}


def find_activation(activation: str | Activation) -> Activation:
    """Return the activation of that name; an :class:`Activation` is returned as it is.

    Raises
    ------
    UnknownNameError
        No activation has that name.
    """
    if isinstance(activation, Activation):
        return activation
    try:
        return ACTIVATIONS[activation]
    except (KeyError, TypeError):
        raise UnknownNameError(f"activation must be one of {', '.join(ACTIVATIONS)} or an Activation, got {activation!r}") from None
