"""What a column of a file holds: numbers, true and false, text, or something that nothing can be learnt from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mlpxp.data._optional import polars_for
from mlpxp.data._table import Column
from mlpxp.data.wording import shortened

if TYPE_CHECKING:
    import polars

__all__ = ["NULL_MARKERS", "column_of"]

NULL_MARKERS = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")
MOST = 0.8  # a text column of which so much is numbers (or dates) was meant to be one of numbers (or dates)
MAX_CATEGORIES = 1_000
DATE = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T].*)?$"


def column_of(series: polars.Series, where: Callable[[int], str], *, is_target: bool = False) -> Column:
    """Turn a polars column into a ``Column``.

    Parameters
    ----------
    series : polars.Series, length m
        As polars typed it; text that turns out to be numbers (blanks around them) becomes numbers.
    where : callable
        From the index of a row to its place in the file, for messages.
    is_target : bool
        A target may have any number of distinct texts, and a few labels of which most look like numbers.

    Returns
    -------
    Column
        With a ``refusal`` if nothing can be learnt from it.
    """
    pl = polars_for("reading a table")
    dtype = series.dtype
    if dtype == pl.Null:
        return _nothing_known(series)
    if dtype == pl.Boolean:
        return Column(series.name, _numbers(series.cast(pl.UInt8)), "boolean")
    if dtype.is_integer():
        native = dtype in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
        return Column(series.name, _numbers(series if native else series.cast(pl.Float64)), "integer")
    if dtype.is_numeric():
        return Column(series.name, _numbers(series if dtype == pl.Float32 else series.cast(pl.Float64)))
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return _from_text(series.cast(pl.String), where, is_target=is_target)
    if dtype.is_temporal():
        return _refused(series, _dates(series.name))
    return _refused(
        series, f"column {series.name!r} holds {dtype} values: wanted numbers or text; leave it out with --drop {series.name!r}"
    )


def _from_text(series: polars.Series, where: Callable[[int], str], *, is_target: bool) -> Column:
    pl = polars_for("reading a table")
    name = series.name
    series = series.str.strip_chars()
    series = series.set(series.is_in(NULL_MARKERS), None)
    present = series.drop_nulls()
    if len(present) == 0:
        return _nothing_known(series)
    numbers = series.cast(pl.Float64, strict=False)
    parsed = len(series) - numbers.null_count()
    if parsed == len(present):
        whole = series.cast(pl.Int64, strict=False)
        return Column(name, _numbers(whole), "integer") if whole.null_count() == series.null_count() else Column(name, _numbers(numbers))
    lower = present.str.to_lowercase()
    if lower.is_in(["true", "false"]).all():
        return Column(name, _numbers((series.str.to_lowercase() == "true").cast(pl.UInt8)), "boolean")
    if present.str.contains(DATE).sum() >= MOST * len(present):
        return _refused(series, _dates(name))
    distinct = present.unique().sort()
    labels = is_target and len(distinct) <= 20 and 5 * len(distinct) <= len(present) and (numbers.drop_nulls() % 1 == 0).all()
    if parsed >= MOST * len(present) and not labels:
        row = int((numbers.is_null() & series.is_not_null()).arg_true()[0])
        share = f"{int(100 * parsed / len(present))} % of the column's values are numbers"
        remedy = "correct it or leave it empty" + ("" if is_target else f", or leave the column out with --drop {name!r}")
        return _refused(series, f"column {name!r}, {where(row)}: {shortened(series[row])} is not a number, though {share}; {remedy}")
    if len(distinct) > MAX_CATEGORIES and not is_target:
        found = f"column {name!r} is text with {len(distinct):,} distinct values"
        return _refused(series, f"{found}: one-hot encoding takes at most {MAX_CATEGORIES:,}; leave it out with --drop {name!r}")
    codes = series.rank("dense").cast(pl.Int32).fill_null(0).to_numpy() - 1
    return Column(name, codes.astype(np.int32), "text", tuple(distinct.to_list()))


def _numbers(series: polars.Series) -> np.ndarray:
    """The values as NumPy holds them; where some are missing, as floats with NaN in their place."""
    pl = polars_for("reading a table")
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy() if series.null_count() else series.to_numpy()


def _nothing_known(series: polars.Series) -> Column:
    return Column(series.name, np.full(len(series), np.nan))


def _refused(series: polars.Series, reason: str) -> Column:
    return Column(series.name, np.zeros(len(series), dtype=np.int8), refusal=reason)


def _dates(name: str) -> str:
    return f"column {name!r} holds dates or times: turn it into numbers (days since, month, hour), or leave it out with --drop {name!r}"
