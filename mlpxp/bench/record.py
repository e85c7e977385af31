"""A run of benchmarks as one value and as a JSON file; what comes from a file is believed only after it was checked."""

from __future__ import annotations

import json
import math
import os
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mlpxp.bench.plan import Plan
from mlpxp.errors import DataError, FileFormatError
from mlpxp.report.results import Section

__all__ = ["FORMAT", "FORMAT_VERSION", "Gap", "Record", "from_json", "read_record", "to_json"]

FORMAT, FORMAT_VERSION = "mlpxp-bench", 2
LONGEST = 60  # letters of a foreign value in a message


@dataclass(frozen=True)
class Gap:
    """A benchmark that was asked for and has no section, and why."""

    benchmark: str
    reason: str


@dataclass(frozen=True)
class Record:
    """What was asked for, where, and what came out.

    Attributes
    ----------
    machine : mapping
        As :func:`mlpxp.bench.machine.describe_machine` returns it.
    benchmarks : tuple of str
        The ones that were asked for.
    plan : Plan
    sections : tuple of Section
        Of those that were finished.
    gaps : tuple of Gap
        Those that were not.
    """

    machine: Mapping[str, Any]
    benchmarks: tuple[str, ...]
    plan: Plan
    sections: tuple[Section, ...] = ()
    gaps: tuple[Gap, ...] = ()


def to_json(record: Record) -> str:
    """Return the record as JSON: NaN and infinities, which JSON lacks, become null."""
    content = {"format": FORMAT, "format_version": FORMAT_VERSION} | asdict(record)
    return json.dumps(_finite(content), allow_nan=False, indent=1) + "\n"


def from_json(text: str, name: str = "the record") -> Record:
    """Return the record that a JSON text holds.

    Parameters
    ----------
    text : str
    name : str
        What an error calls it: the file.

    Raises
    ------
    FileFormatError
        It is cut short, foreign, of a newer version, or something in it is absent, unknown, of the wrong type or makes no sense.
    """
    try:
        content = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{name} is no record of mlpxp bench, or it is damaged or cut short: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FileFormatError(f"{name} is no record of mlpxp bench: wanted a JSON object whose format is {FORMAT!r}")
    version = content.get("format_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise FileFormatError(f"{name} is damaged: format_version must be a whole number from 1, got {_shortened(version)}")
    if version > FORMAT_VERSION:
        raise FileFormatError(f"{name} is of version {version}, this mlpxp reads version {FORMAT_VERSION}: a newer mlpxp is needed")
    if version == 1 and isinstance(content.get("plan"), dict):  # before a network could be named
        content["plan"].setdefault("sizes", [])
    try:
        record: Record = _read(Record, {key: one for key, one in content.items() if key not in ("format", "format_version")}, "it")
        _check_names("sections", [section.name for section in record.sections])
        for section in record.sections:
            _check_section(section)
    except _UnfitError as error:
        raise FileFormatError(f"{name} is a damaged or foreign record of mlpxp bench: {error}") from None
    return record


def read_record(path: str | os.PathLike[str]) -> Record:
    """Read a file that ``mlpxp bench`` has written.

    Raises
    ------
    DataError
        There is no such file, or it can't be opened.
    FileFormatError
        As :func:`from_json`.
    """
    name = os.fspath(path)
    if Path(name).is_dir():
        raise DataError(f"{name} is a folder: wanted a record such as {Path(name) / 'report.json'}")
    try:
        text = Path(name).read_bytes().decode()
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file: wanted a record, report.json, that mlpxp bench has written") from error
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{name} is no record of mlpxp bench: it is not text") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise DataError(f"{name} can't be read: {getattr(error, 'strerror', None) or error}") from error
    return from_json(text, name)


class _UnfitError(Exception):
    """A value in a file that is not what belongs there."""


def _check(valid: bool, wanted: str, got: Any) -> None:
    if not valid:
        raise _UnfitError(f"{wanted}, got {_shortened(got)}")


def _check_section(section: Section) -> None:
    """Names tell things apart, and rows are as long as their table is wide."""
    _check_names(f"figures of {section.name}", [figure.name for figure in section.figures])
    _check_names(f"tables of {section.name}", [grid.name for grid in section.grids])
    for figure in section.figures:
        _check_names(f"series of {figure.name}", [series.name for series in figure.series])
    for grid in section.grids:
        width = len(grid.columns)
        _check(0 <= grid.keys <= width, f"keys of the table {grid.name} must be from 0 to {width}", grid.keys)
        for row in grid.rows:
            _check(len(row) == width, f"rows of the table {grid.name} must have {width} cells", len(row))


def _check_names(what: str, names: list[str]) -> None:
    _check(len(set(names)) == len(names), f"the {what} must have different names", ", ".join(names))


def _read(wanted: Any, value: Any, where: str) -> Any:
    """The value as the type says, made of the dataclasses that it names."""
    if wanted is Any:
        return value
    if is_dataclass(wanted):
        _check(isinstance(value, dict), f"{where} must be an object", value)
        types_of = get_type_hints(wanted)
        names = {field.name for field in fields(wanted)}
        _check(set(value) == names, f"{where} must have {', '.join(sorted(names))}", ", ".join(sorted(value)) or "nothing")
        inside = "" if where == "it" else f"{where}."
        return wanted(**{name: _read(types_of[name], one, f"{inside}{name}") for name, one in value.items()})  # type: ignore[operator]
    kind, arguments = get_origin(wanted), get_args(wanted)
    if kind is tuple:
        _check(isinstance(value, list), f"{where} must be a list", value)
        return tuple(_read(arguments[0], one, f"{where}[{index}]") for index, one in enumerate(value))
    if kind is Literal:
        _check(value in arguments, f"{where} must be one of {', '.join(arguments)}", value)
        return value
    if kind in (Union, types.UnionType):
        return _read_union(arguments, value, where)
    if kind is Mapping:
        _check(isinstance(value, dict), f"{where} must be an object", value)
        return value
    if wanted is float:
        return math.nan if value is None else _number(value, where)
    _check(type(value) is wanted, f"{where} must be {_named(wanted)}", value)
    return value


def _read_union(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    """A simple value of one of the types."""
    if type(value) in choices and not isinstance(value, float):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    _check(number and float in choices, f"{where} must be {' or '.join(map(_named, choices))}", value)
    return _number(value, where)


def _number(value: Any, where: str) -> float:
    _check(isinstance(value, int | float) and not isinstance(value, bool), f"{where} must be a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    _check(math.isfinite(number), f"{where} must be a finite number", value)
    return number


def _named(kind: Any) -> str:
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}[kind]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if hasattr(value, "item") and not isinstance(value, str):  # a number of NumPy's
        return _finite(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _shortened(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
