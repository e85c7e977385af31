"""CSV and Parquet files, read through polars into a table of columns."""

from __future__ import annotations

import bz2
import csv
import dataclasses
import gzip
import io
import lzma
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpxp.data.columns import NULL_MARKERS, column_of
from mlpxp.data.optional import require
from mlpxp.data.table import Rows, Table
from mlpxp.data.wording import counted, reason, shortened
from mlpxp.errors import DataError, FileFormatError

if TYPE_CHECKING:
    import polars

__all__ = ["read_csv", "read_parquet"]

OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ\x00": lzma.decompress}
ZSTD = b"\x28\xb5\x2f\xfd"
DAMAGE = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)


def read_csv(path: Path, *, target: str | None = None) -> Table:
    """Read a CSV file with a header line; plain, gzip, bzip2, xz or zstandard, told apart by their first bytes.

    The separator is a comma, or a semicolon or tab where the header has those and no comma. Blank lines are skipped.

    Parameters
    ----------
    path : Path
        The file.
    target : str, optional
        The column that will be the target; it may hold any number of distinct texts.

    Returns
    -------
    Table
        All columns as features, the target among them.

    Raises
    ------
    DataError
        The file is empty, has no header or nothing beneath it, repeats a column name, or polars is not installed.
    FileFormatError
        The file is damaged, is not UTF-8 text, or a line has too many fields.
    """
    pl = require("polars", f"reading {path}")
    raw = _unpacked(path)
    before = len(raw) - len(raw.lstrip(b"\r\n"))
    blank_lines, raw = raw.count(b"\n", 0, before), raw[before:]
    if not raw.strip():
        raise DataError(f"{path} is empty: wanted a CSV file with a header line")
    packed = raw.startswith(ZSTD)
    first = None if packed else raw.split(b"\n", 1)[0]
    separator = "," if first is None or b"," in first else ";" if b";" in first else "\t" if b"\t" in first else ","
    options: dict[str, Any] = {"separator": separator, "null_values": list(NULL_MARKERS)}
    try:
        head = pl.read_csv(raw, has_header=False, n_rows=1, infer_schema_length=0, separator=separator)
        names, unnamed = _header(head.row(0), path)
        frame = pl.read_csv(raw, has_header=True, infer_schema_length=None, **options)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _explained(raw, path, separator, error) from error
    if frame.height == 0:
        raise DataError(f"{path} has a header line and nothing beneath it: wanted at least one row of data")
    frame.columns = names
    first_line = None
    if not packed:
        lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
        first_line = blank_lines + 2 if lines == 1 + frame.height else None  # not where a quoted field spans lines
    rows: Rows | None = None
    if frame.width > 1:  # polars reads a blank line as a row without values
        blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        if blank.any():
            rows = (~blank).arg_true().to_numpy()
            frame = frame.filter(~blank)
    if frame.height == 0:
        raise DataError(f"{path} has a header line and only blank lines beneath it: wanted at least one row of data")
    table = _table(frame, Table(str(path), (), rows=rows, first_line=first_line), target)
    index = [name for name in unnamed if name != target]
    refusal = "{0} of {1} has no name (an index that pandas wrote?): name it, or leave it out with --drop {0!r}"
    features = (dataclasses.replace(one, refusal=refusal.format(one.name, path)) if one.name in index else one for one in table.columns)
    return dataclasses.replace(table, features=tuple(features))


def read_parquet(path: Path, *, target: str | None = None) -> Table:
    """Read a Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    target : str, optional
        The column that will be the target; it may hold any number of distinct texts.

    Returns
    -------
    Table
        All columns as features, the target among them.

    Raises
    ------
    DataError
        The file has no rows, or polars is not installed.
    FileFormatError
        The file is truncated, damaged or not Parquet.
    """
    pl = require("polars", f"reading {path}")
    raw = path.read_bytes()
    if not raw:
        raise DataError(f"{path} is empty: wanted a Parquet file")
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise FileFormatError(f"{path} is not a whole Parquet file: {reason(error)}") from error
    if frame.height == 0:
        raise DataError(f"{path} has {counted(frame.width, 'column')} and no rows: wanted at least one row of data")
    return _table(frame, Table(str(path), ()), target)


def _table(frame: polars.DataFrame, empty: Table, target: str | None) -> Table:
    columns = (column_of(series, empty.where, is_target=series.name == target) for series in frame)
    return dataclasses.replace(empty, features=tuple(columns))


def _unpacked(path: Path) -> bytes:
    raw = path.read_bytes()
    for magic, decompress in OPENERS.items():
        if raw.startswith(magic):
            try:
                return bytes(decompress(raw))
            except DAMAGE as error:
                raise FileFormatError(f"{path} is damaged or cut short: it can't be decompressed ({reason(error)})") from error
    return raw


def _header(fields: tuple[Any, ...], path: Path) -> tuple[list[str], tuple[str, ...]]:
    """The column names, and those among them that were made up for want of one (``column 1``)."""
    given = [(field or "").strip() for field in fields]
    numbers = [name for name in given if _is_number(name)]
    if 2 * len(numbers) > len(given) and numbers != [
        str(index) for index in range(len(numbers))
    ]:  # 0, 1, 2, ... are names that pandas gives
        raise DataError(f"{path} has no header line: its first line is {shortened(','.join(given))}; put the columns' names there")
    names = [name or f"column {index}" for index, name in enumerate(given, 1)]
    for index, name in enumerate(names):
        if name in names[:index]:
            places = f"columns {names.index(name) + 1} and {index + 1}"
            raise DataError(f"{path} has two columns named {name!r} ({places}): every column needs a name of its own")
    return names, tuple(name for name, was in zip(names, given, strict=True) if not was)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _explained(raw: bytes, path: Path, separator: str, error: BaseException) -> FileFormatError | DataError:
    """What polars could not read, in one line that names the line of the file."""
    if raw.startswith(ZSTD):
        if "utf-8" in str(error):
            return FileFormatError(f"{path} is not UTF-8 text: save it as UTF-8")
        return FileFormatError(f"{path} can't be read as CSV: {reason(error)}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        return FileFormatError(f"{path} is not UTF-8 text: byte 0x{raw[wrong.start]:02x} on line {line:,}; save it as UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = next(reader)
        for fields in reader:
            if len(fields) > len(header):
                found = f"{len(fields)} fields, the header has {len(header)}"
                return FileFormatError(f"{path}, line {reader.line_num:,}: {found}; a text with the separator {separator!r} needs quotes")
    except csv.Error as wrong:
        return FileFormatError(f"{path}, line {reader.line_num:,}: {wrong}; is a quote opened and never closed?")
    return FileFormatError(f"{path} can't be read as CSV: {reason(error)}")
