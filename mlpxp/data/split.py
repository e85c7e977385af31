"""Which rows to keep apart, for testing or for validation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._optional import needed_for
from mlpxp.data._table import Table
from mlpxp.data.targets import Task, checked_target
from mlpxp.data.wording import counted, listed, shortened
from mlpxp.errors import DataError, RangeError

__all__ = ["split"]


def split(table: Table, fraction: float, *, seed: int, task: Task) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw a part of the rows; for classification every class is in it in proportion (stratified).

    Parameters
    ----------
    table : Table
        With its target.
    fraction : float
        How much of the rows, in [0, 1); 0 leaves everything in the first part.
    seed : int
        0 to 2**32 - 1. The same seed draws the same rows.
    task : {"classification", "regression"}
        Whether the target is classes.

    Returns
    -------
    rest, part : ndarray of int64
        Sorted indices of rows, for ``Table.take``.

    Raises
    ------
    DataError
        There are too few rows, or too few of a class, to put some on either side; or the target is missing in a row.
    RangeError
        ``fraction`` or ``seed`` is out of range.
    """
    if not 0 <= fraction < 1:  # NaN too
        raise RangeError(f"the fraction of rows to set apart must be in [0, 1), got {fraction}")
    if not 0 <= seed < 2**32:
        raise RangeError(f"seed must be in 0 .. 2**32 - 1, got {seed}")
    everything = np.arange(len(table), dtype=np.int64)
    if fraction == 0:
        return everything, everything[:0]
    remedy = "get more rows, or say 0 to set none apart"
    n_part = math.ceil(fraction * len(table))
    if not 0 < n_part < len(table):
        raise DataError(f"{table.name} has {counted(len(table), 'row')}: too few to set {fraction:g} of them apart; {remedy}")
    classes = None
    if task == "classification":
        labels, classes = checked_target(table).distinct()
        counts = np.bincount(classes, minlength=len(labels))
        if counts.min() < 2:
            single = [label for label, count in zip(labels, counts, strict=True) if count < 2]
            row = table.where(int(np.argmax(classes == labels.index(single[0]))))
            found = f"{table.name}: the class {shortened(single[0])} has one example, in {row}"
            others = f" (so have {listed(single[1:], 5)})" if len(single) > 1 else ""
            raise DataError(f"{found}{others}: it can't be on both sides of a split; {remedy}, or remove the class")
        if min(n_part, len(table) - n_part) < len(labels):
            sides = f"{counted(len(table) - n_part, 'row')} and {counted(n_part, 'row')}"
            raise DataError(
                f"{table.name}: a split into {sides} has no room for each of {len(labels)} classes; {remedy}, or another fraction"
            )
    with needed_for("setting rows apart", "scikit-learn"):
        from sklearn.model_selection import train_test_split as draw
    rest, part = draw(everything, test_size=fraction, random_state=seed, stratify=classes)
    return np.sort(rest), np.sort(part)
