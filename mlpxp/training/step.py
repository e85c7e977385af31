"""One update of training (G2): what it is given, and gather, forward, backward, update. The same function on every backend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpxp.arrays.draws import dropout_keys
from mlpxp.arrays.standard import device_of, gather, maker_like, namespace, tree_map
from mlpxp.core.dropout import dropout_masks, with_dropout
from mlpxp.core.optimizers import is_pure, rate_at
from mlpxp.core.propagation import backward, cost, forward
from mlpxp.core.resolution import cost_in_float64
from mlpxp.core.transforms import penalized

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters
    from mlpxp.core.optimizers import LearningRate
    from mlpxp.core.transforms import Penalty, Transform
    from mlpxp.training.batches import Batches, Fold

__all__ = ["Feed", "Inputs", "TrainingStep", "choose"]


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
    transforms : tuple of Transform, default ()
        What is done to the gradients, one after the other.
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
    transforms: tuple[Transform, ...] = ()
    finer: bool = False

    @cached_property
    def undeclared(self) -> tuple[str, ...]:
        own = [f"pure = True in the class {type(one).__name__}" for one in (self.optimizer, *self.transforms) if not is_pure(one)]
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
            C, gradients = penalized(inputs.penalty, parameters, C, gradients)
        for transform in self.transforms:
            gradients = transform(gradients)
        parameters, moved = self.optimizer.update(parameters, gradients, optimizer_state._replace(learning_rate=inputs.learning_rate))
        new = parameters, moved._replace(learning_rate=optimizer_state.learning_rate)  # it comes with each step: no need to carry it along
        return (new if running is None else choose(running, new, state)), C


def choose(these: Any, new: Any, old: Any) -> Any:
    """Return a tree with ``new`` where the mask (k, 1, 1) holds and ``old`` elsewhere; what is no stack is ``new``."""
    xp = namespace(these)
    return tree_map(lambda n, o: xp.where(these, n, o) if n.ndim >= these.ndim else n, new, old)


class Feed:
    """Makes the inputs of each fold, as arrays like the parameters; rates and penalties that stay are moved once.

    Parameters
    ----------
    library : Backend
    like : array
        W_1: where the arrays belong.
    learning_rate : float, sequence of float, or Schedule
    batches : Batches
    penalty : Penalty
    hidden : int
        How many layers have dropout.
    """

    def __init__(self, library: Backend, like: Any, learning_rate: LearningRate, batches: Batches, penalty: Penalty, hidden: int) -> None:
        self.library, self.learning_rate, self.batches, self.penalty, self.hidden = library, learning_rate, batches, penalty, hidden
        self.array, self.device = maker_like(like), device_of(like)
        self.constants: dict[Any, Any] = {}

    def __call__(self, number: int, fold: Fold) -> Inputs:
        """Return the inputs of a fold of epoch ``number``."""
        return Inputs(fold.rows, self._rates(number, fold), self._penalties(fold), self._keys(number, fold))

    def _rates(self, number: int, fold: Fold) -> Any:
        """η of each update of a fold: (n,), or (n, k, 1, 1) for one each of a stack."""
        n, rate = fold.total.shape[0], self.learning_rate
        if callable(rate):
            epochs = [number - 1 + place / self.batches.per_epoch for place in fold.places]
            return _per_member(self.array([rate_at(rate, epoch) for epoch in epochs]))
        if n not in self.constants:
            self.constants[n] = _per_member(self.array([rate] * n))
        return self.constants[n]

    def _penalties(self, fold: Fold) -> Any:
        """λ of each update of a fold, (n,), or ``None``."""
        of, total = self.penalty, fold.total
        if not of.strength:
            return None
        values = tuple((of.strength / total).tolist()) if of.on == "sum" else (of.strength,) * len(total)
        if of.on == "sum" and self.batches.weights is not None:  # other batches, other shares
            return self.array(values)
        if values not in self.constants:
            self.constants[values] = self.array(values)
        return self.constants[values]

    def _keys(self, number: int, fold: Fold) -> Any:
        """What the masks of each update of a fold are made of, (n, n_hidden, 2), or ``None``."""
        if not self.hidden:
            return None
        first, n = fold.places[0], fold.places[-1] + 1 - fold.places[0]
        keys = dropout_keys(self.batches.seed, number, first, n, self.hidden)
        keys = keys if n == len(fold.places) else keys[[place - first for place in fold.places]]
        return self.library.asarray(keys, device=self.device)


def _per_member(rates: Any) -> Any:
    """(n, k) as (n, k, 1, 1), which spreads over the members' weights; (n,) stays."""
    return rates[..., None, None] if rates.ndim > 1 else rates
