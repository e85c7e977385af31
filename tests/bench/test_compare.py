"""Two records side by side: ratios by hand, slopes, what differs and what only one has."""

from dataclasses import replace

import pytest

from mlpxp.bench.compare import compare_records, comparison_report
from mlpxp.report.results import Figure, Grid, Point, Section, Series


def figure(*series, name="time"):
    return Figure(name, "Time", "n", "seconds", series)


def line(name, *points, slope=None):
    return Series(name, tuple(Point(x, y, origin) for x, y, origin in points), slope)


def pair(record, a, b):
    return compare_records(*(replace(record, sections=(Section("cost", "t", "c", **parts),)) for parts in (a, b)))


def test_points_with_the_same_x_have_a_ratio(record):
    ours = line("step", (1, 2.0, "measured"), (2, 4.0, "measured"), (4, 8.0, "extrapolated"), (8, 1.0, "measured"), slope=1.0)
    theirs = line("step", (2, 1.0, "counted"), (4, 6.0, "counted"), (1, 3.0, "measured"), (16, 1.0, "measured"), slope=0.5)
    (section,) = pair(record, {"figures": (figure(ours),)}, {"figures": (figure(theirs),)}).sections
    both, ratio = section.figures
    assert [one.name for one in both.series] == ["step, A", "step, B"]
    assert both.series[0].points == ours.points
    points = ratio.series[0].points
    assert [(point.x, point.y, point.origin) for point in points] == [
        (1, 1.5, "measured"),
        (2, 0.25, "measured"),
        (4, 0.75, "extrapolated"),
    ]
    assert section.grids[0].rows == (("step", 3, 0.25, 0.75, 1.5, 1.0, 0.5),)


def test_what_is_the_same_in_both_has_no_picture_of_ratios(record):
    drawn = (figure(line("step", (1, 2.0, "counted"), (2, 4.0, "counted"))),)
    (section,) = pair(record, {"figures": drawn}, {"figures": drawn}).sections
    assert [one.name for one in section.figures] == ["time"]
    assert section.grids[0].rows[0][:5] == ("step", 2, 1.0, 1.0, 1.0)


def test_values_without_a_ratio(record):
    ours = line("step", (1, 0.0, "measured"), (2, float("nan"), "measured"), (4, 1e-300, "measured"))
    theirs = line("step", (1, 1.0, "measured"), (2, 1.0, "measured"), (4, 1e300, "measured"))
    (section,) = pair(record, {"figures": (figure(ours),)}, {"figures": (figure(theirs),)}).sections
    assert section.grids[0].rows == (("step", 0, None, None, None, None, None),)


def test_rows_are_found_by_their_key(record):
    ours = Grid("g", "t", ("network", "backend", "ms", "how", "old"), (("a", "x", 2.0, "fast", 1), ("b", "x", 1, "slow", 1)), keys=2)
    theirs = Grid("g", "t", ("network", "backend", "how", "ms", "new"), (("b", "x", "slow", 3, 1), ("a", "x", "slow", 5.0, 1)), keys=2)
    (section,) = pair(record, {"grids": (ours,)}, {"grids": (theirs,)}).sections
    (grid,) = section.grids
    assert grid.columns == ("network", "backend", "", "A", "B", "B/A")
    assert grid.rows == (("a", "x", "ms", 2.0, 5.0, 2.5), ("a", "x", "how", "fast", "slow", None), ("b", "x", "ms", 1, 3, 3.0))
    assert section.notes == ("Only in A: the column of g old.", "Only in B: the column of g new.")


def test_rows_of_one_key_are_paired_in_their_order(record):
    ours = Grid("g", "t", ("network", "ms"), (("a", 1.0), ("a", 2.0)))
    theirs = Grid("g", "t", ("network", "ms"), (("a", 3.0), ("a", 8.0), ("a", 9.0)))
    (section,) = pair(record, {"grids": (ours,)}, {"grids": (theirs,)}).sections
    assert [row[-1] for row in section.grids[0].rows] == [3.0, 4.0]
    assert section.notes == ("Only in B: the row a (number 3) of g.",)


def test_what_only_one_has_is_said(record, section):
    a = {"figures": (figure(line("x"), line("y")), figure(name="left")), "grids": (Grid("g", "t", ("k", "v"), (("a", 1), ("b", 1))),)}
    b = {"figures": (figure(line("x"), line("z")),), "grids": (Grid("g", "t", ("k", "v"), (("a", 1),)), Grid("h", "t", (), ()))}
    (found,) = pair(record, a, b).sections
    assert found.notes == (
        "Only in A: the figure left.",
        "Only in B: the table h.",
        "Only in A: the series of time y.",
        "Only in B: the series of time z.",
        "Only in A: the row b of g.",
    )
    assert [one.name for one in found.figures[0].series] == ["x, A", "x, B", "y, A", "z, B"]
    alone = compare_records(record, replace(record, sections=(replace(section, name="cost"),)))
    assert alone.sections == ()
    assert alone.notes == ("Only in A: the benchmark complexity.", "Only in B: the benchmark cost.")


def test_the_machines_differences_come_first(record):
    other = replace(
        record, machine={**record.machine, "processor": "Another", "versions": {"torch": "2"}}, plan=replace(record.plan, device="cuda")
    )
    comparison = compare_records(record, other, ("cpu/report.json", "gpu/report.json"))
    assert comparison.machines.rows == (
        ("file", "cpu/report.json", "gpu/report.json"),
        ("processor", "A Processor", "Another"),
        ("versions: numpy", "2.4", None),
        ("asked for: device", None, "cuda"),
        ("versions: torch", None, "2"),
    )


def test_the_page_of_a_comparison(record, section):
    pytest.importorskip("matplotlib")
    faster = Series("backpropagation", tuple(replace(point, y=point.y / 4) for point in section.figures[0].series[0].points))
    other = replace(section, figures=(figure(faster), Figure("<new>", "t", "x", "y", ())))
    comparison = compare_records(record, replace(record, sections=(other, replace(section, name="<memory>"))), ("a & b.json", "b.json"))
    page = comparison_report(comparison)
    assert comparison_report(comparison) == page
    for words in (
        "a &amp; b.json",
        "backpropagation, A: slope 1.00",
        "backpropagation, B",
        ">0.25<",
        "Only in B: the benchmark &lt;memory&gt;.",
    ):
        assert words in page
    assert "<new>" not in page
    assert page.count("<svg") == 2
