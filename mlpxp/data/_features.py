"""From raw features to the network's inputs: numbers standardised, texts one-hot, by what the training rows showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._moments import as_float, moments, row_chunks
from mlpxp.data._table import Column, Matrix, Table
from mlpxp.data.wording import counted, did_you_mean, listed, shortened
from mlpxp.errors import DataError, ShapeError, UnknownNameError

__all__ = ["Block", "Features", "Number", "Text", "check_range", "encode", "learn_features", "matched", "n_inputs", "unseen"]


@dataclass(frozen=True)
class Number:
    """A numeric column: (x - mean) / scale. A missing value becomes the mean, that is 0."""

    name: str
    mean: float
    scale: float


@dataclass(frozen=True)
class Text:
    """A text column: one input for each category, 1 where it is this one. ``fill`` stands for a missing value."""

    name: str
    categories: tuple[str, ...]
    fill: str


@dataclass(frozen=True)
class Block:
    """A block of ``width`` numeric features: (x - mean) / scale, with one mean and scale for all (pixels) or one each."""

    width: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]


Features: TypeAlias = tuple[Number | Text, ...] | Block


def learn_features(table: Table) -> Features:
    """What the rows of ``table`` show. The features have been checked (see ``mlpxp.data.missing``)."""
    if isinstance(table.features, Matrix):
        mean, scale = moments(table.features.values, pooled=table.features.pixels)
        return Block(table.features.values.shape[1], tuple(mean.tolist()), tuple(scale.tolist()))
    return tuple(_text(column) if column.kind == "text" else _number(column) for column in table.features)


def n_inputs(features: Features) -> int:
    """How many inputs the features make."""
    if isinstance(features, Block):
        return features.width
    return sum(len(one.categories) if isinstance(one, Text) else 1 for one in features)


def matched(features: Features, table: Table) -> Table:
    """The table with exactly the features that were learnt from, in their order and of their kinds.

    Raises
    ------
    DataError
        A column of numbers in training holds text now.
    ShapeError
        A block is not as wide as in training.
    UnknownNameError
        A column is not there.
    """
    if isinstance(features, Block):
        return _with_features(table, _as_block(features, table))
    if isinstance(table.features, Matrix):
        texts = [one.name for one in features if isinstance(one, Text)]
        if texts or table.features.values.shape[1] != len(features):
            wanted = f"{counted(len(features), 'column')} ({listed(one.name for one in features)})"
            raise ShapeError(f"{table.name}: the model reads {wanted}, got a block of {table.features.values.shape[1]} numbers a row")
        values = table.features.values.T
        return _with_features(table, tuple(Column(one.name, row) for one, row in zip(features, values, strict=True)))
    columns = {column.name: column for column in table.features}
    for one in features:
        if one.name not in columns:
            hint = did_you_mean(one.name, table.feature_names)
            raise UnknownNameError(f"{table.name} has no column {one.name!r}, which the model reads; it has {listed(columns)}{hint}")
    return _with_features(table, tuple(_of_kind(one, columns[one.name], table) for one in features))


def encode(features: Features, table: Table, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The inputs of a ``matched`` and checked table, shape (m, n_inputs); computed in float64, returned as ``dtype``.

    Raises
    ------
    DataError
        A standardised value is beyond the range of ``dtype``.
    """
    out = np.zeros((len(table), n_inputs(features)), dtype=dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(features, Block) and isinstance(table.features, Matrix):
            mean, scale = np.asarray(features.mean), np.asarray(features.scale)
            for rows in row_chunks(*out.shape):
                block = table.features.values[rows].astype(np.float64)
                block -= mean
                block /= scale
                if table.features.values.dtype.kind == "f":
                    block[np.isnan(block)] = 0.0
                out[rows] = block
        elif not isinstance(features, Block):
            start = 0
            for one, column in zip(features, table.columns, strict=True):
                if isinstance(one, Number):
                    out[:, start] = np.where(column.missing(), 0.0, (as_float(column.values) - one.mean) / one.scale)
                else:
                    codes = _codes(one, column)
                    known = np.flatnonzero(codes >= 0)
                    out[known, start + codes[known]] = 1.0
                start += len(one.categories) if isinstance(one, Text) else 1
    check_range(out, table)
    return out


def unseen(features: Features, table: Table) -> tuple[str, ...]:
    """One sentence for each text column of a ``matched`` table with categories that training never saw."""
    notices = []
    for one, column in zip(features if not isinstance(features, Block) else (), table.columns, strict=False):
        if isinstance(one, Text):
            strange = (_codes(one, column) < 0) & ~column.missing()
            if strange.any():
                names = [column.categories[code] for code in np.unique(column.values[strange])]
                rows = counted(int(strange.sum()), "row")
                notices.append(
                    f"column {one.name!r}: {rows} with {listed(names, 5)}, never seen in training, taken as none of the known categories"
                )
    return tuple(notices)


def _number(column: Column) -> Number:
    (mean,), (scale,) = moments(column.values[:, None], pooled=True)
    return Number(column.name, float(mean), float(scale))


def _text(column: Column) -> Text:
    present = column.values[column.values >= 0]
    counts = np.bincount(present, minlength=len(column.categories))
    seen = tuple(column.categories[code] for code in np.flatnonzero(counts).tolist())
    return Text(column.name, seen, column.categories[int(counts.argmax())])


def _as_block(features: Block, table: Table) -> Matrix:
    names = [f"x{index}" for index in range(features.width)]
    columns = {column.name: column for column in table.columns} if not isinstance(table.features, Matrix) else {}
    if isinstance(table.features, Matrix) and table.features.values.shape[1] == features.width:
        return table.features
    if all(name in columns for name in names):
        numbers = [_of_kind(Number(name, 0.0, 1.0), columns[name], table) for name in names]
        return Matrix(np.stack([as_float(column.values) for column in numbers], axis=1))
    width = len(table.feature_names)
    got = f"a block of {width:,}" if isinstance(table.features, Matrix) else f"{counted(width, 'column')} ({listed(columns, 3)})"
    raise ShapeError(f"{table.name}: the model reads {features.width:,} numbers a row, got {got}")


def _of_kind(feature: Number | Text, column: Column, table: Table) -> Column:
    """The column as the kind that it had in training."""
    if column.refusal:
        raise DataError(f"{table.name}: {column.refusal}")
    if isinstance(feature, Number) and column.kind == "text":
        row = int(np.argmax(~column.missing()))
        got = shortened(column.categories[column.values[row]])
        raise DataError(f"{table.name}: column {feature.name!r} was numbers in training, got {got} in {table.where(row)}")
    if isinstance(feature, Text) and column.kind != "text":
        labels, codes = column.distinct()
        texts = sorted((str(label), code) for code, label in enumerate(labels))
        places = np.full(len(texts) + 1, -1, dtype=np.int64)
        places[[code for _, code in texts]] = np.arange(len(texts))
        return Column(feature.name, places[codes], "text", tuple(text for text, _ in texts))
    return column


def _codes(feature: Text, column: Column) -> NDArray[np.int64]:
    """Each row's place among the categories of training; -1 where it is none of them."""
    place = {category: index for index, category in enumerate(feature.categories)}
    lookup = np.array([*(place.get(category, -1) for category in column.categories), place[feature.fill]], dtype=np.int64)
    return np.asarray(lookup[column.values])  # a missing value, -1, reads the last place


def _with_features(table: Table, features: tuple[Column, ...] | Matrix) -> Table:
    return Table(table.name, features, table.target, rows=table.rows, first_line=table.first_line)


def check_range(out: NDArray[Any], table: Table) -> None:
    """Refuse standardised values that overflowed.

    Raises
    ------
    DataError
        Names the first row with one.
    """
    for rows in row_chunks(*out.shape):
        if not np.isfinite(out[rows]).all():
            row = rows.start + int(np.argmin(np.isfinite(out[rows]).all(axis=1)))
            raise DataError(
                f"{table.name}: {table.where(row)} is too far from the training rows: standardised, it is beyond the range of {out.dtype}"
            )
