"""The raw data as they were read: one example a row, nothing scaled or encoded yet."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import ShapeError

__all__ = ["Column", "Kind", "Label", "Matrix", "Rows", "Table"]

Label: TypeAlias = str | int | float | bool
Kind: TypeAlias = Literal["number", "integer", "boolean", "text"]
Rows: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Column:
    """One named column of numbers or of text.

    Attributes
    ----------
    name : str
        The column's name in the file.
    values : ndarray, shape (m,)
        Numbers of any real dtype, NaN where one is missing; or, for text, integer codes into ``categories``, -1 where one is missing.
    kind : {"number", "integer", "boolean", "text"}
        What the values are, whatever dtype holds them (integers with a gap among them are held as floats).
    categories : tuple of str
        The distinct texts, sorted; empty unless ``kind`` is "text".
    refusal : str
        Why nothing can be learnt from this column (it holds dates, say); empty if something can. It is an error only once the
        column is used, so that data to predict on may have any columns beside those that the model reads.
    """

    name: str
    values: NDArray[Any]
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    refusal: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> Column:
        """The column of these rows only."""
        return dataclasses.replace(self, values=self.values[rows])

    def missing(self) -> NDArray[np.bool_]:
        """Where a value is missing, shape (m,)."""
        if self.kind == "text":
            return np.asarray(self.values < 0)
        return np.isnan(self.values) if self.values.dtype.kind == "f" else np.zeros(len(self), dtype=np.bool_)

    def distinct(self) -> tuple[tuple[Label, ...], NDArray[np.int64]]:
        """The distinct values that are present, sorted, and each row's place among them.

        Returns
        -------
        labels : tuple of str, int, float or bool
            As ``kind`` says; a missing value is none of them.
        codes : ndarray of int64, shape (m,)
            Indices into ``labels``, -1 where the value is missing.
        """
        missing = self.missing()
        codes = np.full(len(self), -1, dtype=np.int64)
        present, codes[~missing] = np.unique(self.values[~missing], return_inverse=True)
        if self.kind == "text":
            return tuple(self.categories[code] for code in present.tolist()), codes
        as_label = {"integer": int, "boolean": bool, "number": float}[self.kind]
        return tuple(as_label(value) for value in present.tolist()), codes


@dataclass(frozen=True, eq=False)
class Matrix:
    """One block of numeric features without names of their own.

    Attributes
    ----------
    values : ndarray, shape (m, n)
        Any real dtype; it is kept as it is (uint8 images stay one byte a pixel).
    pixels : bool
        Whether all entries measure the same thing, so that one mean and one scale serve the whole block.
    """

    values: NDArray[Any]
    pixels: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> Matrix:
        """The block of these rows only."""
        return Matrix(self.values[rows], self.pixels)


@dataclass(frozen=True, eq=False)
class Table:
    """Examples, one a row: features, perhaps a target, perhaps a test set of their own.

    Attributes
    ----------
    name : str
        Where the data came from, for messages.
    features : tuple of Column, or Matrix
        Named columns of mixed kinds, or one numeric block.
    target : Column or None
        What is to be learnt.
    test : Table or None
        The test set that the data bring themselves.
    rows : ndarray of int, shape (m,), or None
        Which row of the source each example was, counted from 0; None means 0, 1, 2, ...
    first_line : int or None
        The line of the file on which row 0 stands, where the rows are lines.

    Raises
    ------
    ShapeError
        The features, the target and the row numbers are not equally long, or a block is not two-dimensional.
    """

    name: str
    features: tuple[Column, ...] | Matrix
    target: Column | None = None
    test: Table | None = None
    rows: Rows | None = None
    first_line: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.features, Matrix) and self.features.values.ndim != 2:
            raise ShapeError(f"{self.name}: a block of features must have shape (m, n), got {self.features.values.shape}")
        parts = [self.features] if isinstance(self.features, Matrix) else [*self.features]
        lengths = [len(part) for part in (*parts, self.target, self.rows) if part is not None]
        if len(set(lengths)) > 1:
            raise ShapeError(f"{self.name}: features, target and row numbers must be equally long, got lengths {sorted(set(lengths))}")

    def __len__(self) -> int:
        if isinstance(self.features, Matrix):
            return len(self.features)
        return len(self.features[0]) if self.features else len(self.target) if self.target is not None else 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The features as named columns (views); those of a block are named ``x0, x1, ...``."""
        if isinstance(self.features, Matrix):
            kind: Kind = "number" if self.features.values.dtype.kind == "f" else "integer"
            return tuple(Column(name, values, kind) for name, values in zip(self.feature_names, self.features.values.T, strict=True))
        return self.features

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns' names; ``x0, x1, ...`` for a block."""
        if isinstance(self.features, Matrix):
            return tuple(f"x{index}" for index in range(self.features.values.shape[1]))
        return tuple(column.name for column in self.features)

    def take(self, rows: Rows) -> Table:
        """The table of these rows only, which remember where they stood; a part has no test set.

        Parameters
        ----------
        rows : ndarray of int, shape (k,)
            Indices of examples, counted from 0.
        """
        features = self.features.take(rows) if isinstance(self.features, Matrix) else tuple(column.take(rows) for column in self.features)
        return Table(
            name=self.name,
            features=features,
            target=None if self.target is None else self.target.take(rows),
            rows=rows if self.rows is None else self.rows[rows],
            first_line=self.first_line,
        )

    def where(self, index: int) -> str:
        """``row 7 (line 8)``: where an example stands in the source, for messages."""
        row = index if self.rows is None else int(self.rows[index])
        return f"row {row + 1:,}" + ("" if self.first_line is None else f" (line {row + self.first_line:,})")
