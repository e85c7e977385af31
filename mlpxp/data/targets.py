"""From a raw target to what the network is to put out, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._moments import moments
from mlpxp.data._table import Column, Label, Table
from mlpxp.data.wording import counted, listed, shortened
from mlpxp.errors import DataError, ShapeError

__all__ = ["Classes", "Task", "Values", "checked_target", "infer_task", "learn_classes", "learn_values"]

Task: TypeAlias = Literal["classification", "regression"]
MAX_WHOLE = 20  # whole numbers of which there are more are taken as quantities


def infer_task(target: Column) -> tuple[Task, str]:
    """Classification or regression, and why, in a phrase to be read: ``the target 'species' is text with 3 values``.

    Text, true and false, and whole numbers with at most 20 distinct values are classes (if they repeat); other numbers are quantities.

    Raises
    ------
    DataError
        The target has no values.
    """
    labels, _ = target.distinct()
    if not labels:
        raise DataError(f"the target {target.name!r} has no values")
    n_values = counted(len(labels), "value")
    if target.kind == "text":
        return "classification", f"the target {target.name!r} is text with {n_values}"
    if target.kind == "boolean":
        return "classification", f"the target {target.name!r} is true or false"
    present = target.values[~target.missing()]
    if np.any(np.mod(present[np.isfinite(present)], 1) != 0):
        return "regression", f"the target {target.name!r} is numbers with fractions"
    if len(labels) > MAX_WHOLE:
        return "regression", f"the target {target.name!r} is numbers with {n_values}"
    if len(labels) > 2 and 2 * len(labels) > len(present):
        return "regression", f"the target {target.name!r} is whole numbers that hardly repeat"
    return "classification", f"the target {target.name!r} is whole numbers with {n_values}"


@dataclass(frozen=True)
class Classes:
    """A target of classes: with two, one output, 1 for the second; with more, one output each (one-hot).

    Attributes
    ----------
    labels : tuple of str, int, float or bool
        At least two, sorted.
    """

    labels: tuple[Label, ...]

    @property
    def n_outputs(self) -> int:
        """How many outputs the network needs."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    def encode(self, table: Table) -> NDArray[np.float64]:
        """The wanted outputs, shape (m, n_outputs)."""
        target = checked_target(table)
        labels, codes = target.distinct()
        place: dict[Label, int] = {label: index for index, label in enumerate(self.labels)}
        lookup = np.array([place.get(label, place.get(str(label), -1)) for label in labels], dtype=np.int64)
        classes = lookup[codes]
        if np.any(classes < 0):
            strange = [label for label, index in zip(labels, lookup, strict=True) if index < 0]
            row = table.where(int(np.argmax(classes < 0)))
            found = f"the target {target.name!r} has {listed(strange, 5)} (first in {row}), which training never saw"
            raise DataError(f"{table.name}: {found}; known are {listed(self.labels)}")
        if self.n_outputs == 1:
            return classes[:, None].astype(np.float64)
        out = np.zeros((len(table), len(self.labels)))
        out[np.arange(len(table)), classes] = 1.0
        return out

    def decode(self, A: NDArray[Any]) -> NDArray[Any]:
        """The label of each row, shape (m,): that of the largest output, or of one output above a half."""
        index = (A[:, 0] > 0.5).astype(np.int64) if self.n_outputs == 1 else np.argmax(A, axis=1)
        labels: NDArray[Any] = np.array(self.labels)[index]
        return labels

    def probabilities(self, A: NDArray[Any]) -> NDArray[Any]:
        """One column for each class, shape (m, n_classes)."""
        return np.concatenate([1.0 - A, A], axis=1) if self.n_outputs == 1 else A


@dataclass(frozen=True)
class Values:
    """A target of quantities: one output, (y - mean) / scale."""

    mean: float
    scale: float

    @property
    def n_outputs(self) -> int:
        """How many outputs the network needs: one."""
        return 1

    def encode(self, table: Table) -> NDArray[np.float64]:
        """The wanted outputs, shape (m, 1)."""
        values = _quantities(table)
        return ((values - self.mean) / self.scale)[:, None]

    def decode(self, A: NDArray[Any]) -> NDArray[Any]:
        """The values in the target's own unit, float64, shape (m,)."""
        return np.asarray(A[:, 0], dtype=np.float64) * self.scale + self.mean


def learn_classes(table: Table) -> Classes:
    """The classes of the training rows.

    Raises
    ------
    DataError
        A value is missing, there is one class only, or there are nearly as many classes as rows.
    """
    target = checked_target(table)
    labels, _ = target.distinct()
    if len(labels) == 1:
        raise DataError(f"{table.name}: the target {target.name!r} has one class only, {shortened(labels[0])}: wanted at least two")
    if len(labels) > MAX_WHOLE and 2 * len(labels) > len(table):
        found = f"{len(labels):,} classes in {counted(len(table), 'row')}"
        raise DataError(
            f"{table.name}: the target {target.name!r} has {found}, too few of each; is another column meant, or --task regression?"
        )
    return Classes(labels)


def learn_values(table: Table) -> Values:
    """Mean and standard deviation of the training rows' target (1 where it is constant).

    Raises
    ------
    DataError
        A value is missing or infinite, or the target is not numbers.
    """
    (mean,), (scale,) = moments(_quantities(table)[:, None], pooled=True)
    return Values(float(mean), float(scale))


def checked_target(table: Table) -> Column:
    """The target, if it is there and whole.

    Raises
    ------
    DataError
        There is no target, no row, or a value is missing.
    """
    if table.target is None:
        raise DataError(f"{table.name} has no target: wanted a column to learn; say --target COLUMN")
    if len(table) == 0:
        raise DataError(f"{table.name} has no rows: wanted at least one")
    missing = table.target.missing()
    if missing.any():
        more = int(missing.sum()) - 1
        others = f", and {counted(more, 'more row')}" if more else ""
        row = table.where(int(np.argmax(missing)))
        raise DataError(f"{table.name}: the target {table.target.name!r} is missing in {row}{others}; --missing drop leaves such rows out")
    return table.target


def check_outputs(A: NDArray[Any], n_outputs: int) -> NDArray[Any]:
    """The outputs as an array of shape (m, n_outputs).

    Raises
    ------
    ShapeError
        They have another shape.
    """
    A = np.asarray(A)
    if A.ndim != 2 or A.shape[1] != n_outputs:
        raise ShapeError(f"A must have shape (m, {n_outputs}), one row an example, got {A.shape}")
    return A


def _quantities(table: Table) -> NDArray[np.float64]:
    target = checked_target(table)
    if target.kind == "text":
        found = f"the target {target.name!r} is text ({shortened(target.categories[target.values[0]])} in {table.where(0)})"
        raise DataError(f"{table.name}: {found}: regression needs numbers; try --task classification")
    values: NDArray[np.float64] = target.values.astype(np.float64)
    if not np.isfinite(values).all():
        row = table.where(int(np.argmin(np.isfinite(values))))
        raise DataError(f"{table.name}: the target {target.name!r} is infinite in {row}: correct it or remove the row")
    return values
