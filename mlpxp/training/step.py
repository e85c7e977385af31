"""One update of training (G2): gather a batch, forward, backward, update. The same function on every backend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpxp.arrays.standard import namespace, tree_leaves, tree_map
from mlpxp.core.dropout import dropout_masks, with_dropout
from mlpxp.core.evaluation import gather
from mlpxp.core.network import Layer
from mlpxp.core.optimizers import is_pure
from mlpxp.core.propagation import backward, cost, forward
from mlpxp.core.resolution import cost_in_float64, in_float64

if TYPE_CHECKING:
    from mlpxp.core.network import Network, Parameters

__all__ = ["Inputs", "TrainingStep", "choose"]


class Inputs(NamedTuple):
    """What changes from step to step; in a fold each has the steps as its leading axis.

    Attributes
    ----------
    rows : array (size,) or None
        The examples of the batch; ``None`` is all.
    learning_rate : array () or (k, 1, 1)
        η.
    penalty : array () or None
        λ of the L2 penalty.
    keys : array (n_hidden, 2), int32, or None
        What the dropout masks are made of; see :mod:`mlpxp.core.dropout`.
    """

    rows: Any
    learning_rate: Any
    penalty: Any = None
    keys: Any = None


@dataclass(frozen=True)
class TrainingStep:
    """One update: gather a batch, forward, backward, update (G2).

    Parameters
    ----------
    network : Network
    optimizer : Optimizer
        What it does with a gradient; the learning rate comes with each step's input.
    dropout : tuple of float, default ()
        The rate of each hidden layer; ``()`` is none.
    clip_norm : float or None, default None
        The longest that a gradient, all layers' together, may be.
    finer : bool, default False
        Whether the cost is float64 where the parameters are float32.

    Attributes
    ----------
    pure : bool
        Whether all of its parts are built in or declared functions of their arguments alone, so that a backend may record or compile it.
    undeclared : tuple of str
        How to declare those that are not.
    """

    network: Network
    optimizer: Any
    dropout: tuple[float, ...] = ()
    clip_norm: float | None = None
    finer: bool = False

    @cached_property
    def undeclared(self) -> tuple[str, ...]:
        own = () if is_pure(self.optimizer) else (f"pure = True in the class {type(self.optimizer).__name__}",)
        return (*self.network.undeclared, *own)

    @property
    def pure(self) -> bool:
        return not self.undeclared

    def __call__(
        self, state: tuple[Parameters, Any], inputs: Inputs, X: Any, Y: Any, weights: Any, running: Any
    ) -> tuple[tuple[Parameters, Any], Any]:
        """Return the next parameters and optimizer state, and the cost before the update.

        X is (m, n_0), Y (m, n_L) and weights (m,), one example a row; ``running`` (k, 1, 1) says which members of a stack go on,
        ``None`` is all.
        """
        parameters, optimizer_state = state
        X, Y, weights = gather(inputs.rows, X, Y, weights)
        network = self.network
        if self.dropout:
            masks = dropout_masks(inputs.keys, network, Y.shape[-1], self.dropout, parameters[0].W)
            network = with_dropout(network, masks, self.dropout)
        trace = forward(network, parameters, X)
        C = (cost_in_float64 if self.finer else cost)(network, trace, Y, weights)
        gradients = backward(network, parameters, trace, Y, weights)
        if inputs.penalty is not None:
            C, gradients = _penalize(inputs.penalty, parameters, C, gradients)
        if self.clip_norm is not None:
            gradients = _clip(self.clip_norm, gradients)
        parameters, moved = self.optimizer.update(parameters, gradients, optimizer_state._replace(learning_rate=inputs.learning_rate))
        new = parameters, moved._replace(learning_rate=optimizer_state.learning_rate)  # it comes with each step: no need to carry it along
        return (new if running is None else choose(running, new, state)), C


def _penalize(penalty: Any, parameters: Parameters, C: Any, gradients: Parameters) -> tuple[Any, Parameters]:
    """Add ½λ Σ_l ‖W_l‖² to the cost, and λW_l to ∂C/∂W_l."""
    xp = namespace(C)
    penalized = []
    for layer, g in zip(parameters, gradients, strict=True):
        W = penalty * layer.W
        squares = W * layer.W
        C = C + 0.5 * xp.sum(squares if squares.dtype == C.dtype else in_float64(squares), axis=(-2, -1))
        W += g.W
        penalized.append(Layer(W, g.b))
    return C, tuple(penalized)


def _clip(limit: float, gradients: Parameters) -> Parameters:
    """g ← g · min(1, limit/‖g‖) with the norm over all layers, of each member of a stack (Pascanu, Mikolov and Bengio 2013)."""
    xp = namespace(gradients[0].W)
    squares: Any = sum(xp.sum(g * g, axis=(-2, -1), keepdims=True) for g in tree_leaves(gradients))
    factor = limit / xp.maximum(xp.sqrt(squares), limit)
    clipped: Parameters = tree_map(lambda g: g * factor, gradients)
    return clipped


def choose(these: Any, new: Any, old: Any) -> Any:
    """Return a tree with ``new`` where the mask (k, 1, 1) holds and ``old`` elsewhere; what is no stack is ``new``."""
    xp = namespace(these)
    return tree_map(lambda n, o: xp.where(these, n, o) if n.ndim >= these.ndim else n, new, old)
