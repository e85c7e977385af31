"""CSV and Parquet files, read through polars into a table of columns."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpxp.data._columns import NULL_MARKERS, column_of
from mlpxp.data._optional import polars_for
from mlpxp.data._table import Rows, Table
from mlpxp.data._unpacking import check_regular, check_size, unpacked
from mlpxp.data.wording import counted, reason, shortened
from mlpxp.errors import DataError, FileFormatError

if TYPE_CHECKING:
    import polars

__all__ = ["read_csv", "read_parquet"]

MOST_COLUMNS = 1 << 16  # each costs polars about 5 KB and 100 µs
UNPACKS = (b"\x1f\x8b", b"x\x01", b"x\x9c", b"x\xda", b"\x28\xb5\x2f\xfd")  # gzip, zlib and zstandard, as polars tells them
BOM = b"\xef\xbb\xbf"


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
    pl = polars_for(f"reading {path}")
    raw = unpacked(path)
    before = len(raw) - len(raw.lstrip(b"\r\n"))
    blank_lines, raw = raw.count(b"\n", 0, before), raw[before:]
    if not raw.strip():
        raise DataError(f"{path} is empty: wanted a CSV file with a header line")
    if raw.startswith(UNPACKS):
        raw = BOM + raw  # polars would unpack it, to whatever size
    first = raw.split(b"\n", 1)[0]
    separator = "," if b"," in first else ";" if b";" in first else "\t" if b"\t" in first else ","
    options: dict[str, Any] = {"separator": separator, "null_values": list(NULL_MARKERS)}
    if (n_columns := 1 + first.count(separator.encode())) > MOST_COLUMNS:
        raise DataError(f"{path} has {n_columns:,} columns, at most {MOST_COLUMNS:,} are read: an .npz file holds wider tables")
    n_lines = raw.count(b"\n")  # polars fills lines that are too short
    check_size(8 * n_columns * n_lines, len(raw), f"{path}, {counted(n_columns, 'column')} of {counted(n_lines, 'line')},")
    try:
        head = pl.read_csv(raw, has_header=False, n_rows=1, infer_schema_length=0, separator=separator)
        names, unnamed = _header(head.row(0), path)
        frame = pl.read_csv(raw, has_header=True, infer_schema_length=None, **options)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _explained(raw, path, separator, error) from error
    if frame.height == 0:
        raise DataError(f"{path} has a header line and nothing beneath it: wanted at least one row of data")
    frame.columns = names
    n_lines += not raw.endswith(b"\n")
    first_line = blank_lines + 2 if n_lines == 1 + frame.height else None  # not where a quoted field spans lines
    rows: Rows | None = None
    if frame.width > 1:  # polars reads a blank line as a row without values
        blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        if blank.any():
            rows = (~blank).arg_true().to_numpy()
            frame = frame.filter(~blank)
    if frame.height == 0:
        raise DataError(f"{path} has a header line and only blank lines beneath it: wanted at least one row of data")
    table = _table(frame, Table(str(path), (), rows=rows, first_line=first_line), target)
    index = {name for name in unnamed if name != target}
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
    pl = polars_for(f"reading {path}")
    check_regular(path)
    raw = path.read_bytes()
    if not raw:
        raise DataError(f"{path} is empty: wanted a Parquet file")
    source = io.BytesIO(raw)
    try:
        with _silenced():
            schema = pl.read_parquet_schema(source)
            n_rows = pl.scan_parquet(source).select(pl.len()).collect().item()
            check_size(8 * n_rows * len(schema), len(raw), f"{path}, {counted(len(schema), 'column')} of {counted(n_rows, 'row')},")
            flat = [name for name, dtype in schema.items() if not dtype.is_nested()]  # a row of lists may hold any number of values
            frame = pl.read_parquet(source, columns=flat)
            letters = sum(int(one.str.len_bytes().sum()) for one in frame if one.dtype == pl.String)  # a text that repeats is stored once
            check_size(letters, len(raw), f"{path}, whose texts repeat,")
            frame = frame.select(name if name in flat else pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items())
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise FileFormatError(f"{path} is not a whole Parquet file: {reason(error)}") from error
    if frame.height == 0:
        raise DataError(f"{path} has {counted(frame.width, 'column')} and no rows: wanted at least one row of data")
    return _table(frame, Table(str(path), ()), target)


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Leave out what polars, in Rust, writes to stderr of a damaged file on its way to an error."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is what is needed
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _table(frame: polars.DataFrame, empty: Table, target: str | None) -> Table:
    columns = (column_of(series, empty.where, is_target=series.name == target) for series in frame)
    return dataclasses.replace(empty, features=tuple(columns))


def _header(fields: tuple[Any, ...], path: Path) -> tuple[list[str], tuple[str, ...]]:
    """The column names, and those among them that were made up for want of one (``column 1``)."""
    given = [(field or "").strip() for field in fields]
    numbers = [name for name in given if _is_number(name)]
    if 2 * len(numbers) > len(given) and numbers != [
        str(index) for index in range(len(numbers))
    ]:  # 0, 1, 2, ... are names that pandas gives
        raise DataError(f"{path} has no header line: its first line is {shortened(','.join(given))}; put the columns' names there")
    names = [name or f"column {index}" for index, name in enumerate(given, 1)]
    seen: dict[str, int] = {}
    for index, name in enumerate(names, 1):
        if seen.setdefault(name, index) != index:
            places = f"columns {seen[name]} and {index}"
            raise DataError(f"{path} has two columns named {shortened(name)} ({places}): every column needs a name of its own")
    return names, tuple(name for name, was in zip(names, given, strict=True) if not was)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _explained(raw: bytes, path: Path, separator: str, error: BaseException) -> FileFormatError | DataError:
    """What polars could not read, in one line that names the line of the file."""
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
