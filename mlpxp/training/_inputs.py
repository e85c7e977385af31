"""What the updates of a fold are given: their rows, η, λ and the keys of their dropout masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.draws import dropout_keys
from mlpxp.arrays.standard import device_of, maker_like
from mlpxp.core.optimizers import rate_at
from mlpxp.training.step import Inputs

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.optimizers import LearningRate
    from mlpxp.training.batches import Batches, Fold

__all__ = ["NO_PENALTY", "Feed", "Penalty"]


@dataclass(frozen=True)
class Penalty:
    """The L2 penalty: ½λ Σ_l ‖W_l‖² on the mean of the losses, or on their sum, of which a batch's mean gets its share."""

    strength: float = 0.0
    on: str = "mean"


NO_PENALTY = Penalty()


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
