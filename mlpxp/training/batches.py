"""How an epoch is cut into batches, and batches into folds. Planned on the host; nothing here is an array of a backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays import draws
from mlpxp.arrays.rows import integer_for, row_numbers
from mlpxp.errors import RangeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Batches", "Fold"]


@dataclass(frozen=True)
class Fold:
    """Batches of one size that run as one fold.

    Attributes
    ----------
    rows : ndarray (n_batches, size), int32 where that is enough and int64 elsewhere, or None
        The examples of each batch; ``None`` is one batch of all of them.
    total : ndarray (n_batches,), float64
        What the examples of each batch weigh together.
    places : sequence of int
        Which of the epoch's batches they are, counted from 0; one that weighs nothing is left out and keeps its place.
    """

    rows: Any
    total: Any
    places: Sequence[int]


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
        How many batches a fold may have: between folds a run can be stopped. Nothing else depends on it.
    weights : ndarray (m,) or None
        A batch whose weights add up to zero is left out.
    order : callable or None
        ``order(number)``: the examples that an epoch visits, in their order, (m,) of int; drawn from the seed if ``None``.
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

    def epoch(self, number: int, done: int = 0) -> Iterator[Fold]:
        """Yield the folds of epoch ``number`` (counted from 1), without its first ``done`` batches.

        Raises
        ------
        RangeError, ShapeError, DtypeError
            What ``order`` returns is no order, or visits only examples that weigh nothing.
        """
        order = self._order(number)
        if self.size is None and (self.order is None or _visits_each_once(order)):  # one batch of all is the same in any order
            if not done:
                yield Fold(None, np.asarray([self.m if self.weights is None else self.weights.sum()], dtype=np.float64), range(1))
            return
        order = order.astype(integer_for(self.m))
        size = self.size or self.m
        whole = self.m // size
        if self.order is not None and self.weights is not None and not self.weights[order].any():
            raise RangeError(f"order({number}) must visit an example that weighs something: there would be nothing to learn from")
        for first, rows in ((0, order[: whole * size].reshape(-1, size)), (whole, order[None, whole * size :])):
            if rows.size:
                yield from self._folds(rows, first, done)

    def pass_over(self, first: int, last: int) -> None:
        """Take it that epochs ``first`` to ``last`` are done: an order that is drawn anew each time is asked for theirs, in turn."""
        for number in range(first, last + 1) if self.order is not None else ():
            self._order(number)

    def _order(self, number: int) -> Any:
        """Return the order of an epoch; a given one is asked for even where all examples are one batch, as it may draw anew each time."""
        if self.order is not None:
            return row_numbers(f"order({number})", self.order(number), self.m, length=self.m)
        return None if self.size is None else draws.batch_order(self.seed, number, self.m)

    def _folds(self, rows: np.ndarray, first: int, done: int) -> Iterator[Fold]:
        """Yield batches of one size, the first of them the epoch's ``first``, as folds."""
        n, size = rows.shape
        if self.weights is None:
            for i in range(max(done - first, 0), n, self.longest):
                part = rows[i : i + self.longest]
                yield Fold(part, np.full(len(part), size, dtype=np.float64), range(first + i, first + i + len(part)))
            return
        total = self.weights[rows].sum(axis=-1)
        weighty = np.flatnonzero(total > 0.0)
        weighty = weighty[weighty >= done - first]
        for i in range(0, len(weighty), self.longest):
            here = weighty[i : i + self.longest]
            yield Fold(rows[here], total[here], (first + here).tolist())


def _visits_each_once(order: np.ndarray) -> bool:
    return int(np.count_nonzero(np.bincount(order))) == len(order)
