"""How an epoch is cut into batches, and batches into folds. Planned on the host; nothing here is an array of a backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp import draws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Batches", "Fold", "in_order"]

_INTEGER = np.int32  # half as much to move to a device


@dataclass(frozen=True)
class Fold:
    """Batches of one size that run as one fold.

    Attributes
    ----------
    rows : ndarray (n_batches, size), int32 where that is enough and int64 elsewhere, or None
        The examples of each batch; ``None`` is one batch of all of them.
    total : ndarray (n_batches,), float64
        What the examples of each batch weigh together.
    first : int
        How many of the epoch's batches come before.
    """

    rows: Any
    total: Any
    first: int


@dataclass(frozen=True)
class Batches:
    """The plan of every epoch: a function of the seed and of the epoch's number, and of nothing else.

    Parameters
    ----------
    m : int
        The number of examples.
    size : int or None
        Examples in a batch; ``None`` is all of them. A last batch that is smaller counts as what it is.
    seed : int
    longest : int
        How many batches a fold may have: between folds a run can be stopped.
    weights : ndarray (m,) or None
        A batch whose weights add up to zero is left out.
    order : callable or None
        ``order(number)``: the order in which an epoch visits the examples, (m,) of int; drawn from the seed if ``None``.
    """

    m: int
    size: int | None
    seed: int
    longest: int
    weights: Any = None
    order: Callable[[int], Any] | None = None

    @property
    def per_epoch(self) -> int:
        return 1 if self.size is None else -(-self.m // self.size)

    def epoch(self, number: int) -> Iterator[Fold]:
        """Yield the folds of epoch ``number`` (counted from 1)."""
        order = self._order(number)
        if self.size is None:
            yield Fold(None, np.asarray([self.m if self.weights is None else self.weights.sum()], dtype=np.float64), 0)
            return
        if self.size >= self.m:
            order = np.arange(self.m)  # one batch of all is the same in any order: that of the rows, where they have to be read
        order = order.astype(_INTEGER if self.m < 2**31 else np.int64)
        whole = self.m // self.size * self.size
        full = order[:whole].reshape(-1, self.size)
        for first in range(0, full.shape[0], self.longest):
            yield from self._fold(full[first : first + self.longest], first)
        if whole < self.m:
            yield from self._fold(order[None, whole:], full.shape[0])

    def pass_over(self, first: int, last: int) -> None:
        """Take it that epochs ``first`` to ``last`` are done: an order that is drawn anew each time is asked for theirs, in turn."""
        for number in range(first, last + 1) if self.order is not None else ():
            self._order(number)

    def _order(self, number: int) -> Any:
        """Return the order of an epoch; a given one is asked for even where all examples are one batch, as it may draw anew each time."""
        if self.order is not None:
            return self.order(number)
        return None if self.size is None else draws.batch_order(self.seed, number, self.m)

    def _fold(self, rows: np.ndarray, first: int) -> Iterator[Fold]:
        if self.weights is None:
            yield Fold(rows, np.full(rows.shape[0], rows.shape[1], dtype=np.float64), first)
            return
        total = self.weights[rows].sum(axis=-1)
        if (total > 0.0).any():
            yield Fold(rows[total > 0.0], total[total > 0.0], first)


def in_order(m: int, size: int) -> list[np.ndarray]:
    """Return the rows 0..m-1 in batches, as one array of whole batches and one of what is left, where there is any."""
    rows = np.arange(m, dtype=_INTEGER if m < 2**31 else np.int64)
    whole = m // size * size
    return [part for part in (rows[:whole].reshape(-1, size), rows[None, whole:]) if part.size]
