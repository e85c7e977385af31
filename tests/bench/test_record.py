"""A record in JSON: what comes back is what went in, and nothing else is believed."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlpxp.bench.record import from_json, read_record, to_json
from mlpxp.errors import DataError, FileFormatError
from mlpxp.report.results import Figure, Grid, Point, Section, Series


def test_a_record_comes_back_as_it_was(record):
    assert from_json(to_json(record)) == record


def test_a_record_of_the_first_version_names_no_network(record):
    content = json.loads(to_json(record)) | {"format_version": 1}
    del content["plan"]["sizes"]
    assert from_json(json.dumps(content)) == record


def test_the_recorded_runs_can_be_read():
    files = sorted((Path(__file__).parents[2] / "benchmarks" / "results").glob("*.json"))
    assert files
    assert all(read_record(path).sections for path in files)


def test_whole_numbers_stay_whole_in_a_table_and_become_floats_in_a_figure(record):
    again = from_json(to_json(record)).sections[0]
    assert [type(cell) for cell in again.grids[0].rows[0]] == [str, int, float]
    assert type(again.figures[1].series[0].points[0].x) is float


def test_what_is_not_finite_is_null(record):
    points = (Point(1.0, math.nan, "measured", math.inf, -math.inf),)
    section = Section(
        "cost", "t", "c", (Figure("f", "t", "x", "y", (Series("s", points, math.nan),)),), (Grid("g", "t", ("a",), ((math.inf,),)),)
    )
    text = to_json(replace(record, sections=(section,)))
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["sections"][0]
    series = content["figures"][0]["series"][0]
    assert series["points"] == [{"x": 1.0, "y": None, "origin": "measured", "low": None, "high": None}]
    assert series["slope"] is None
    assert content["grids"][0]["rows"] == [[None]]
    again = from_json(text).sections[0]
    assert math.isnan(again.figures[0].series[0].points[0].y)
    assert again.figures[0].series[0].slope is None


def test_numbers_of_numpy_are_numbers(record):
    section = Section("cost", "t", "c", grids=(Grid("g", "t", ("a", "b"), ((np.float32(0.5), np.int64(3)),)),))
    assert from_json(to_json(replace(record, sections=(section,)))).sections[0].grids[0].rows == ((0.5, 3),)


def damaged(content, path, value):
    *way, last = path
    for step in way:
        content = content[step]
    if value is ...:
        del content[last]
    else:
        content[last] = value


FIGURE = ("sections", 0, "figures", 0)
POINT = (*FIGURE, "series", 0, "points", 0)
GRID = ("sections", 0, "grids", 0)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("format",), "other", "is no record of mlpxp bench"),
        (("format",), ..., "is no record of mlpxp bench"),
        (("format_version",), 3, "a newer mlpxp is needed"),
        (("format_version",), True, "format_version must be a whole number from 1, got true"),
        (("format_version",), "1", "format_version must be a whole number"),
        (("machine",), [], "machine must be an object, got []"),
        (("benchmarks",), "all", "benchmarks must be a list, got all"),
        (("benchmarks", 0), 7, "benchmarks[0] must be a text, got 7"),
        (("plan", "quick"), 1, "plan.quick must be true or false, got 1"),
        (("plan", "device"), 1, "plan.device must be a text or null, got 1"),
        (("plan", "seconds"), ..., "plan must have"),
        (("sections", 0, "extra"), 1, "sections[0] must have"),
        (("sections", 0, "notes"), {}, "sections[0].notes must be a list"),
        ((*POINT, "origin"), "guessed", "must be one of counted, measured, sampled, extrapolated, got guessed"),
        ((*POINT, "x"), "64", "must be a number, got 64"),
        ((*POINT, "y"), True, "must be a number, got true"),
        ((*POINT, "low"), [], "must be a number or null"),
        ((*POINT, "y"), 10**400, "must be a finite number"),
        ((*FIGURE, "name"), "count", "figures of complexity must have different names"),
        ((*FIGURE, "series", 1, "name"), "backpropagation", "series of time must have different names"),
        ((*GRID, "keys"), 4, "keys of the table factor must be from 0 to 3, got 4"),
        ((*GRID, "rows", 0), ["2-3-1"], "rows of the table factor must have 3 cells, got 1"),
        ((*GRID, "rows", 0, 0), True, "must be a text or a number or a whole number or null, got true"),
    ],
)
def test_what_does_not_belong_there_is_refused(record, path, value, says):
    content = json.loads(to_json(record))
    damaged(content, path, value)
    with pytest.raises(FileFormatError) as caught:
        from_json(json.dumps(content), "a.json")
    assert str(caught.value).startswith("a.json ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_not_a_number_is_refused_wherever_it_is(record):
    with pytest.raises(FileFormatError, match="NaN is not JSON"):
        from_json(to_json(record).replace("17179869184", "NaN"))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"format": NaN}', "[" * 100_000, "hello"])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(FileFormatError, match=r"a\.json is no record of mlpxp bench"):
        from_json(text, "a.json")


def test_a_record_that_is_cut_short_is_refused_wherever_it_is_cut(record):
    text = to_json(record).rstrip()
    for end in range(0, len(text), 37):
        with pytest.raises(FileFormatError, match="cut short"):
            from_json(text[:end])


def test_files_that_can_t_be_read(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_record(tmp_path / "none.json")
    with pytest.raises(DataError, match="is a folder"):
        read_record(tmp_path)
    with pytest.raises(DataError, match="can't be read"):
        read_record("a\0b")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match=r"binary\.json is no record of mlpxp bench: it is not text"):
        read_record(tmp_path / "binary.json")


def test_a_file_is_read(record, tmp_path):
    (tmp_path / "a.json").write_text(to_json(record), encoding="utf-8")
    assert read_record(tmp_path / "a.json") == record
