"""Random numbers in the order in which scikit-learn draws them, so that an equal ``random_state`` gives equal weights and batches."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["draw_parameters", "shuffled"]


def draw_parameters(random: np.random.RandomState, sizes: Sequence[int], factors: Sequence[float]) -> list[tuple[Any, Any]]:
    """Return weights (n_in, n_out) and intercepts (n_out,) of each layer, float64.

    Both are uniform in ±√(factor/(n_in + n_out)): 6 is Glorot and Bengio's (2010), and scikit-learn's 2 goes with the logistic function.
    """
    layers = []
    for (fan_in, fan_out), factor in zip(pairwise(sizes), factors, strict=True):
        bound = math.sqrt(factor / (fan_in + fan_out))
        coefs = random.uniform(-bound, bound, (fan_in, fan_out))
        layers.append((coefs, random.uniform(-bound, bound, fan_out)))
    return layers


def shuffled(random: np.random.RandomState, m: int, *, shuffle: bool) -> Callable[[int], Any]:
    """Return the order of each epoch: that of the epoch before, shuffled again."""
    order = np.arange(m)

    def of_epoch(_: int) -> Any:
        nonlocal order
        if shuffle:
            permutation = np.arange(m)
            random.shuffle(permutation)
            order = order[permutation]
        return order

    return of_epoch
