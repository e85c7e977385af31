"""Missing and infinite values: found and named, or their rows dropped."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._table import Column, Table
from mlpxp.data.wording import counted
from mlpxp.errors import DataError

__all__ = ["check_features", "count_missing", "drop_missing", "refuse_useless"]


def check_features(table: Table, *, allow_missing: bool, remedy: str) -> None:
    """Refuse infinity in the features, and missing values unless they are allowed.

    Raises
    ------
    DataError
        Names the first such value's row and column, how many more there are, and the remedy.
    """
    infinite, missing = _infinite(table), None if allow_missing else _missing(table)
    if infinite is not None and infinite.any():
        raise DataError(
            f"{table.name}: {_places(table, infinite, 'infinity')}; infinite values can't be learnt from, correct or remove them"
        )
    if missing is not None and missing.any():
        raise DataError(f"{table.name}: {_places(table, missing, 'a missing value (empty or NaN)')}; {remedy}")


def refuse_useless(table: Table) -> None:
    """Refuse columns from which nothing can be learnt: those with a ``refusal``, and those without any value.

    Raises
    ------
    DataError
        Names the first such column and the remedy.
    """
    missing = _missing(table)
    empty = np.zeros(len(table.feature_names), dtype=np.bool_) if missing is None else np.all(missing, axis=0)
    for column, is_empty in zip(table.columns, empty, strict=True):
        if column.refusal:
            raise DataError(f"{table.name}: {column.refusal}")
        if is_empty:
            raise DataError(f"{table.name}: column {column.name!r} has no values at all; leave it out with --drop {column.name!r}")


def drop_missing(table: Table) -> tuple[Table, int]:
    """The table without the rows in which a feature or the target is missing.

    Returns
    -------
    table : Table
        With its test set, from which such rows are dropped too.
    n_dropped : int
        How many rows were dropped, those of the test set included.

    Raises
    ------
    DataError
        A column has no values at all, or a missing value stands in every row.
    """
    refuse_useless(table)
    missing = _missing(table)
    gone = np.zeros(len(table), dtype=np.bool_) if missing is None else missing.any(axis=1)
    if table.target is not None:
        gone = gone | table.target.missing()
    if gone.all():
        raise DataError(
            f"{table.name}: each of its {counted(len(table), 'row')} has a missing value, and none would be left; try --missing mean"
        )
    test, n_test = (None, 0) if table.test is None else drop_missing(table.test)
    kept = table if not gone.any() else table.take(np.flatnonzero(~gone))
    return dataclasses.replace(kept, test=test), int(gone.sum()) + n_test


def count_missing(table: Table) -> dict[str, int]:
    """How many values are missing, for each feature in which any are."""
    missing = _missing(table)
    if missing is None:
        return {}
    return {name: int(count) for name, count in zip(table.feature_names, missing.sum(axis=0), strict=True) if count}


def _missing(table: Table) -> NDArray[np.bool_] | None:
    """Where a feature is missing, (m, n); None where the dtype has no way to say so."""
    if not isinstance(table.features, tuple):
        values = table.features.values
        return np.isnan(values) if values.dtype.kind == "f" else None
    return np.stack([column.missing() for column in table.features], axis=1)


def _infinite(table: Table) -> NDArray[np.bool_] | None:
    if not isinstance(table.features, tuple):
        values = table.features.values
        return np.isinf(values) if values.dtype.kind == "f" else None
    return np.stack([_is_infinite(column) for column in table.features], axis=1)


def _is_infinite(column: Column) -> NDArray[Any]:
    return np.isinf(column.values) if column.values.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def _places(table: Table, wrong: NDArray[np.bool_], what: str) -> str:
    row, index = (int(one) for one in np.argwhere(wrong)[0])
    more = int(wrong.sum()) - 1
    place = f"{table.where(row)}, column {table.feature_names[index]!r} has {what}"
    return place + (f", and {counted(more, 'more value')}" if more else "")
