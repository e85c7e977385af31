"""The examples of a lesson: points of the plane in two or more classes."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.data import BUILTINS, Preparation, Table, infer_task, load
from mlpxp.data.frames import read_csv
from mlpxp.data.wording import counted, listed
from mlpxp.errors import DataError, MlpxpError, UnknownNameError

__all__ = ["MOST_BYTES", "MOST_CLASSES", "MOST_POINTS", "Examples", "built_in", "from_csv"]

POINTS = 200  # of a built-in set of more
MOST_POINTS, MOST_CLASSES, MOST_BYTES = 2_000, 7, 200_000
YOURS = "your CSV"
_DROP = re.compile(r"[,;]? (or )?leave (it|the column) out with --drop .*", re.DOTALL)  # a remedy that the command line alone has


@dataclass(frozen=True, eq=False)
class Examples:
    """Points of the plane, as the network sees them.

    Attributes
    ----------
    X : ndarray, shape (2, m), float64
        Examples are columns.
    Y : ndarray, shape (1, m) or (n_classes, m), float64
        1 for the second of two classes; one-hot for more.
    classes : tuple of str
    features : tuple of str
        Names of the two, with what was done to them.
    target : str
    """

    X: NDArray[np.float64]
    Y: NDArray[np.float64]
    classes: tuple[str, ...]
    features: tuple[str, str]
    target: str

    @property
    def m(self) -> int:
        return int(self.X.shape[1])

    @property
    def codes(self) -> NDArray[Any]:
        """Which class each example has, (m,)."""
        codes: NDArray[Any] = np.argmax(self.Y, axis=0) if len(self.Y) > 1 else self.Y[0].astype(np.int64)
        return codes


def built_in(name: str) -> Examples:
    """Return a built-in set. XOR's numbers stay 0 and 1, as the textbook has them; others are standardised.

    Raises
    ------
    DataError
        scikit-learn, which makes moons and circles, is not installed.
    """
    table = BUILTINS[name]()
    table = table.take(np.arange(min(POINTS, len(table))))
    return _examples(table, standardised=name != "xor")


def from_csv(text: str, target: str | None = None) -> Examples:
    """Read a CSV text with a header: two columns of numbers, and one of classes.

    Parameters
    ----------
    text : str
    target : str, optional
        The column of classes; by default the last one.

    Raises
    ------
    DataError, UnknownNameError, FileFormatError
        The text can't be read as such a table; the message is one sentence.
    """
    raw = text.encode(errors="replace")  # JSON may hold half a surrogate pair
    if len(raw) > MOST_BYTES:
        raise DataError(f"{YOURS} must have at most {MOST_BYTES // 1000} kB, got {len(raw) // 1000} kB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "yours.csv"
        path.write_bytes(raw)
        try:
            return _examples(_checked(_read(path, target)))
        except MlpxpError as error:
            raise type(error)(_DROP.sub("", str(error).replace(str(path), YOURS))) from error


def _read(path: Path, target: str | None) -> Table:
    names = read_csv(path).feature_names
    if len(names) != 3:
        found = f"{counted(len(names), 'column')} ({listed(names)})"
        raise DataError(f"{path} must have three columns, two features for the plane and a class, got {found}")
    if target is not None and target not in names:
        raise UnknownNameError(f"{path} has no column {target!r}; it has {listed(names)}")
    return load(path, target=target or names[-1])


def _checked(table: Table) -> Table:
    """Refuse what can't be drawn as points of a plane in a few colours."""
    if not 2 <= len(table) <= MOST_POINTS:
        raise DataError(f"{table.name} must have 2 to {MOST_POINTS:,} rows, got {len(table):,}")
    for column in table.columns:
        if column.refusal:
            raise DataError(f"{table.name}: {column.refusal}")
        if column.kind == "text":
            raise DataError(f"{table.name}: the feature {column.name!r} must be numbers for a picture, got {column.categories[0]!r}")
    target = table.target
    assert target is not None  # it was asked for
    for column in (*table.columns, target):
        if column.missing().any():
            raise DataError(f"{table.name}: {column.name!r} has no value in {table.where(int(np.argmax(column.missing())))}: fill it in")
    for column in table.columns:
        infinite = np.isinf(column.values.astype(np.float64))
        if infinite.any():
            raise DataError(f"{table.name}: {column.name!r} is infinite in {table.where(int(np.argmax(infinite)))}: wanted finite numbers")
    task, why = infer_task(target)
    if task != "classification":
        raise DataError(f"{table.name}: the last column must hold classes, and {why}")
    labels, _ = target.distinct()
    if len(labels) > MOST_CLASSES:
        raise DataError(f"{table.name} must have 2 to {MOST_CLASSES} classes, got {len(labels)} in {target.name!r}")
    return table


def _examples(table: Table, *, standardised: bool = True) -> Examples:
    preparation = Preparation.fit(table, task="classification")
    first, second = table.feature_names
    inputs = preparation.inputs(table, dtype="float64") if standardised else np.stack([one.values for one in table.columns], axis=1)
    suffix = ", standardised" if standardised else ""
    return Examples(
        X=np.ascontiguousarray(np.asarray(inputs, dtype=np.float64).T),
        Y=np.ascontiguousarray(np.asarray(preparation.targets(table), dtype=np.float64).T),
        classes=tuple(str(label) for label in preparation.classes),
        features=(f"{first}{suffix}", f"{second}{suffix}"),
        target=preparation.target_name,
    )
