"""The one door for data: a file, a folder or a name in, a ``Table`` out."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from mlpxp.data._archive import load_npz
from mlpxp.data._builtin import BUILTINS
from mlpxp.data._idx import is_idx, load_folder, load_pair
from mlpxp.data._table import Matrix, Table
from mlpxp.data.frames import read_csv, read_parquet
from mlpxp.data.wording import did_you_mean, listed
from mlpxp.errors import DataError, UnknownNameError

__all__ = ["FILE_KINDS", "load"]

FILE_KINDS = (
    "a CSV file (.csv, .csv.gz, .csv.zst, .csv.bz2, .csv.xz), .parquet, .npz with X and y, IDX files (MNIST's format) or a folder of them"
)
COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz")


def load(source: str | os.PathLike[str], *, target: str | None = None, drop: Sequence[str] = (), features_only: bool = False) -> Table:
    """Read data.

    Parameters
    ----------
    source : str or path
        A CSV file with a header (plain or compressed), a Parquet file, an ``.npz`` with X and y, a folder of IDX files in MNIST's
        naming, an IDX images file (its labels are found beside it) or ``images,labels``; or the name of a built-in set.
    target : str, optional
        The column to learn; needed for CSV and Parquet. An ``.npz`` has y, IDX files ``label``, built-in sets one of their own.
    drop : sequence of str
        Columns to leave out.
    features_only : bool
        The features are all that is wanted: the target may be absent, and is left out if it is there.

    Returns
    -------
    Table
        Columns from which nothing can be learnt (dates, numbers with a text among them, too many distinct texts) carry the reason
        in ``Column.refusal``; it is raised once they are used, by ``Preparation.fit``.

    Raises
    ------
    UnknownNameError
        The source is neither a built-in name nor a file of a known kind; there is no such column (the message suggests the nearest).
    DataError
        There is no such file, it can't be opened, there is nothing in it, the target can't be learnt, or a library is not installed.
    FileFormatError
        The file is damaged, cut short or not UTF-8 text.
    ShapeError, DtypeError
        The arrays in the file don't fit together.
    """
    text = os.fspath(source)
    try:
        table = _read(text, target, features_only=features_only, may_be_name=isinstance(source, str))
    except OSError as error:
        raise DataError(f"{text} can't be read: {error.strerror or error}") from error
    return _chosen(table, target, tuple(drop), features_only=features_only)


def _read(text: str, target: str | None, *, features_only: bool, may_be_name: bool) -> Table:
    """Everything that the source holds."""
    if may_be_name and text in BUILTINS:
        return BUILTINS[text]()
    path = Path(text)
    if not text:
        raise _not_found(text)
    if path.is_dir():
        return load_folder(path, features_only=features_only)
    if not path.exists():
        images, comma, labels = text.partition(",")
        if not (comma and Path(images).is_file()):
            raise _not_found(text)
        if not Path(labels).is_file():
            raise DataError(f"{labels!r}, the labels of {images}: no such file")
        return load_pair(Path(images), Path(labels), features_only=features_only)
    if is_idx(path):
        return load_pair(path, None, features_only=features_only)
    *_, ending = ["", *(suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSIONS)]
    if ending == ".npz":
        return load_npz(path, target=target, features_only=features_only)
    if ending in (".parquet", ".pq"):
        return read_parquet(path, target=target)
    if ending in (".csv", ".tsv", ".txt"):
        return read_csv(path, target=target)
    raise UnknownNameError(f"{text} is a file of an unknown kind: wanted {FILE_KINDS}")


def _not_found(text: str) -> DataError | UnknownNameError:
    path = Path(text)
    if path.suffix or os.sep in text or "/" in text:
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        return DataError(f"{text}: no such file or folder{did_you_mean(path.name, beside)}")
    hint = did_you_mean(text, list(BUILTINS))
    return UnknownNameError(
        f"{text!r} is neither a file nor one of the built-in sets {', '.join(BUILTINS)}{hint or ';'} a file may be {FILE_KINDS}"
    )


def _chosen(table: Table, target: str | None, drop: tuple[str, ...], *, features_only: bool) -> Table:
    """The table whose target is the one asked for and whose features are the rest, without those to drop."""
    own = () if table.target is None else (table.target.name,)
    if isinstance(table.features, Matrix):
        if not features_only:
            _check_known(table.name, "target", () if target is None else (target,), own)
            _check_known(table.name, "column to drop", drop, ())
        return table if not features_only else dataclasses.replace(table, target=None)
    columns = {column.name: column for column in (*table.features, *(() if table.target is None else (table.target,)))}
    left = [name for name in columns if name not in drop]
    wanted = target or next(iter(own), None)
    if not features_only:
        _check_known(table.name, "column to drop", drop, tuple(columns))
        if wanted is None:
            raise DataError(f"{table.name}: which column is to be learnt? Say --target COLUMN; the columns are {listed(left)}")
        _check_known(table.name, "target column", (wanted,), left)
        if columns[wanted].refusal:
            raise DataError(f"{table.name}: the target can't be learnt: {columns[wanted].refusal}")
    features = tuple(columns[name] for name in left if name != wanted)
    if not features:
        raise DataError(f"{table.name} has no columns to learn from beside the target; its columns are {listed(columns)}")
    learnt = None if features_only or wanted is None else columns[wanted]
    test = None if table.test is None else _chosen(table.test, target, drop, features_only=features_only)
    return dataclasses.replace(table, features=features, target=learnt, test=test)


def _check_known(source: str, what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            has = f"it has {listed(known)}" if known else "its features are one block without names"
            raise UnknownNameError(f"{source} has no {what} {name!r}; {has}{did_you_mean(name, known)}")
