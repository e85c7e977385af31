"""What is added to the cost, and what is done to its gradients before an optimizer has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.core.network import Layer
from mlpxp.core.resolution import in_float64

if TYPE_CHECKING:
    from mlpxp.core.network import Parameters

__all__ = ["NO_PENALTY", "ClipNorm", "Penalty", "Transform", "penalized"]


@dataclass(frozen=True)
class Penalty:
    """The L2 penalty: ½λ Σ_l ‖W_l‖² on the mean of the losses, or on their sum, of which a batch's mean gets its share."""

    strength: float = 0.0
    on: str = "mean"


NO_PENALTY = Penalty()


def penalized(penalty: Any, parameters: Parameters, C: Any, gradients: Parameters) -> tuple[Any, Parameters]:
    """Return the cost with ½λ Σ_l ‖W_l‖², and the gradients with λW_l in ∂C/∂W_l."""
    xp = namespace(C)
    summed = []
    for layer, g in zip(parameters, gradients, strict=True):
        W = penalty * layer.W
        squares = W * layer.W
        C = C + 0.5 * xp.sum(squares if squares.dtype == C.dtype else in_float64(squares), axis=(-2, -1))
        W += g.W
        summed.append(Layer(W, g.b))
    return C, tuple(summed)


class Transform(Protocol):
    """Turns gradients into others, one after the other in a tuple, as optax chains them; with ``pure = True`` as an optimizer has it."""

    def __call__(self, gradients: Parameters) -> Parameters: ...


@dataclass(frozen=True)
class ClipNorm:
    """g ← g · min(1, limit/‖g‖) with the norm over all layers, of each member of a stack (Pascanu, Mikolov and Bengio 2013)."""

    limit: float
    pure: ClassVar[bool] = True

    def __call__(self, gradients: Parameters) -> Parameters:
        xp = namespace(gradients[0].W)
        squares: Any = sum(xp.sum(g * g, axis=(-2, -1), keepdims=True) for g in tree_leaves(gradients))
        factor = self.limit / xp.maximum(xp.sqrt(squares), self.limit)
        clipped: Parameters = tree_map(lambda g: g * factor, gradients)
        return clipped
