"""``mlpxp bench``: what it writes and says, what it refuses before it measures, and what it keeps when something goes wrong."""

import json
import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from mlpxp.bench.names import BENCHMARKS, EVERYWHERE
from mlpxp.bench.record import read_record, to_json
from mlpxp.errors import DataError, RangeError
from mlpxp.report.results import Figure, Grid, Point, Section, Series

pytest.importorskip("matplotlib")


def found(name, factor=1.0):
    """What a benchmark might find."""
    points = tuple(Point(x, factor * x, "measured") for x in (64.0, 128.0, 256.0))
    return Section(
        name,
        f"The title of {name}",
        "A claim.",
        (Figure("time", "Time", "width", "seconds", (Series("backward", points, 1.0, 0.987, 1.05, 64.0),)),),
        (Grid("table", "A table", ("network", "ms"), (("[red]2-3-1[/red]", 12.5 * factor),)),),
        (f"A note on {name}.",),
    )


@pytest.fixture(autouse=True)
def plans(monkeypatch):
    """The plans that were run; every benchmark takes no time."""
    seen = []

    def runs(name):
        def run(plan, tell):
            seen.append((name, plan))
            tell("measuring", 0.5)
            return found(name)

        return run

    for name, benchmark in BENCHMARKS.items():
        monkeypatch.setitem(sys.modules, benchmark.module, SimpleNamespace(run=runs(name)))
    return seen


def replaced(monkeypatch, name, error):
    def run(plan, tell):
        raise error

    monkeypatch.setitem(sys.modules, BENCHMARKS[name].module, SimpleNamespace(run=run))


def test_one_benchmark(run, plans, files, tmp_path):
    result = run("bench", "complexity", "--backend", "numpy")
    assert (result.code, result.err) == (0, "")
    assert [name for name, _ in plans] == ["complexity"]
    lines = [line.split() for line in result.out.splitlines()]
    assert ["backward", "256", "256", "measured", "1.00", "0.99", "to", "1.05"] in lines
    assert ["[red]2-3-1[/red]", "12.5"] in lines
    assert "A note on complexity." in result.out
    assert ["page", os.path.join("mlpxp-bench", "report.html")] in lines  # noqa: PTH118 - as it is printed
    assert files().keys() == {"mlpxp-bench"}
    assert {path.name for path in (tmp_path / "mlpxp-bench").iterdir()} == {"report.html", "report.json"}
    record = read_record(tmp_path / "mlpxp-bench" / "report.json")
    assert record.sections == (found("complexity"),)
    assert record.plan == plans[0][1]
    assert "The title of complexity" in (tmp_path / "mlpxp-bench" / "report.html").read_text(encoding="utf-8")


def test_all_with_every_option(run, plans, tmp_path):
    options = ("--quick", "--yes", "--backend", "strict", "--backend", "numpy", "--output", "out/", "--json")
    result = run("bench", "all", *options)
    assert (result.code, result.err) == (0, "")
    assert [name for name, _ in plans] == list(EVERYWHERE)
    (plan,) = {plan for _, plan in plans}
    assert (plan.backends, plan.quick, plan.allow_long, plan.device) == (("strict", "numpy"), True, True, None)
    assert result.out == (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
    assert [section["name"] for section in result.json["sections"]] == list(EVERYWHERE)
    assert "mlpxp bench all --backend strict --backend numpy --quick --yes" in (tmp_path / "out" / "report.html").read_text(
        encoding="utf-8"
    )


def test_a_network_to_choose_for(run, plans, tmp_path):
    assert run("bench", "peers", "--for", "784,256,10", "--backend", "numpy").code == 0
    assert plans[0][1].sizes == (784, 256, 10)
    text = (tmp_path / "mlpxp-bench" / "report.html").read_text(encoding="utf-8")
    assert "mlpxp bench peers --backend numpy --for 784,256,10" in text
    plans.clear()
    assert run("bench", "peers", "--backend", "numpy").code == 0
    assert plans[0][1].sizes == ()


def test_a_device(run, plans):
    assert run("bench", "cost", "--backend", "strict", "--device", "device1").code == 0
    assert plans[0][1].device == "device1"


def test_without_a_backend_every_one_but_strict(run, plans):
    run("bench", "cost")
    assert "numpy" in plans[0][1].backends
    assert "strict" not in plans[0][1].backends


def test_the_environment_s_backends(run, plans, monkeypatch):
    monkeypatch.setenv("MLPXP_BACKEND", "numpy strict")
    from typer.testing import CliRunner

    from mlpxp.cli._app import app

    assert CliRunner().invoke(app, ["bench", "cost"], prog_name="mlpxp").exit_code == 0
    assert plans[0][1].backends == ("numpy", "strict")


def test_an_old_report_is_replaced(run, tmp_path):
    run("bench", "cost", "--backend", "numpy")
    run("bench", "memory", "--backend", "numpy")
    assert [one.name for one in read_record(tmp_path / "mlpxp-bench" / "report.json").sections] == ["memory"]


@pytest.mark.parametrize("arguments", [(), ("-h",), ("all", "-h"), ("compare", "--help")])
def test_help(run, arguments, plans):
    result = run("bench", *arguments)
    assert result.code == 0
    assert "Usage: mlpxp bench" in result.out
    assert not plans


@pytest.fixture
def refused(run, files, plans):
    """A function that asserts that the program ends in one line with these words, before anything is measured."""

    def check(*arguments, says):
        before = files()
        result = run("bench", *arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("mlpxp: error: ")
        assert result.err.count("\n") == 1
        assert says in result.err
        assert files() == before
        assert not plans

    return check


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("speed",), "No such command 'speed'"),
        (("complexity", "cost"), "unexpected extra argument"),
        (("all", "--slow"), "No such option"),
        (("cost", "--for", "2,3,1"), "No such option"),
        (("peers", "--for", "784"), "sizes must be those of a network from its inputs to its outputs, such as 784,256,10, got '784'"),
        (("peers", "--for", "784,a,10"), "got '784,a,10'"),
        (("peers", "--for", "784,0,10"), "a size must be a whole number from 1, got 0"),
        (("peers", "--for", "99999999,99999999,10"), "parameters: wanted at most"),
        (("all", "--backend", "abacus"), "backend must be auto or one of numpy"),
        (("all", "--device", "cuda:99"), "no backend has a device 'cuda:99' here"),
        (("all", "--backend", "numpy", "--device", "cuda"), "device must be one that backend 'numpy' has here, 'cpu', got 'cuda'"),
        (("all", "--output", "nowhere/out"), "does not exist"),
        (("all", "--output", "file"), "file is a file: wanted a folder"),
        (("all", "--output", "file/out"), "is not a folder"),
        (("all", "--output", "taken"), "is a folder"),
        (("all", "--output", ""), "needs a name"),
        (("all", "--output", "m" * 300), "can't be written"),
        (("compare",), "Missing argument"),
        (("compare", "a.json"), "Missing argument"),
        (("compare", "none.json", "a.json"), "none.json: no such file"),
        (("compare", "a.json", "none.json"), "none.json: no such file"),
        (("compare", "a.json", "."), ". is a folder"),
        (("compare", "file", "a.json"), "file is no record of mlpxp bench"),
        (("compare", "a.json", "newer.json"), "newer.json is of version 99"),
        (("compare", "a.json", "cut.json"), "cut.json is no record of mlpxp bench, or it is damaged or cut short"),
        (("compare", "a.json", "a.json", "--output", "page.txt"), "a page must be named .html"),
        (("compare", "a.json", "a.json", "--output", "nowhere/page.html"), "does not exist"),
        (("compare", "a.html", "a.html", "--output", "a.html"), "would overwrite a.html"),
    ],
)
def test_what_is_refused_before_anything_is_measured(refused, run, plans, tmp_path, arguments, says):
    (tmp_path / "file").write_text("hello")
    (tmp_path / "taken" / "report.html").mkdir(parents=True)
    run("bench", "cost", "--backend", "numpy", "--output", "a")
    plans.clear()
    text = (tmp_path / "a" / "report.json").read_text(encoding="utf-8")
    for name, content in (
        ("a.json", text),
        ("a.html", text),
        ("cut.json", text[:-20]),
        ("newer.json", text.replace('"format_version": 2', '"format_version": 99')),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
    refused(*arguments, says=says)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(refused, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    refused("all", "--output", "closed", says="Permission denied")


def test_matplotlib_that_is_not_there_is_missed_before_anything_is_measured(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused("all", "--backend", "numpy", says="pip install 'mlpxp[plot]'")


def test_one_that_fails_is_said_and_the_others_are_written(run, monkeypatch, tmp_path):
    replaced(monkeypatch, "devices", RangeError("it would take about 20 minutes: --yes goes on all the same"))
    result = run("bench", "all", "--backend", "numpy")
    assert result.code == 2
    assert result.err == "mlpxp: error: devices: it would take about 20 minutes: --yes goes on all the same\n"
    assert "without devices" in result.out
    assert "The title of accuracy" in result.out
    record = read_record(tmp_path / "mlpxp-bench" / "report.json")
    assert [one.name for one in record.sections] == [name for name in EVERYWHERE if name != "devices"]
    assert "Without devices" in (tmp_path / "mlpxp-bench" / "report.html").read_text(encoding="utf-8")


def test_the_only_one_that_fails_leaves_no_file(refused, monkeypatch):
    replaced(monkeypatch, "cost", DataError("two\nlines"))
    refused("cost", "--backend", "numpy", says="cost: two lines")


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_keeps_what_was_finished(run, monkeypatch, tmp_path, as_json):
    replaced(monkeypatch, "devices", KeyboardInterrupt())
    result = run("bench", "all", "--backend", "numpy", *(["--json"] if as_json else []))
    assert (result.code, result.err) == (130, "")
    record = read_record(tmp_path / "mlpxp-bench" / "report.json")
    assert [one.name for one in record.sections] == ["complexity", "cost"]
    assert {gap.reason for gap in record.gaps} == {"interrupted"}
    assert (tmp_path / "mlpxp-bench" / "report.html").exists()
    if as_json:
        assert result.out == to_json(record)
    else:
        assert ["without", "devices", "interrupted"] in [line.split() for line in result.out.splitlines()]


def test_ctrl_c_before_anything_was_finished(run, monkeypatch, files):
    replaced(monkeypatch, "complexity", KeyboardInterrupt())
    result = run("bench", "all", "--backend", "numpy")
    assert (result.code, result.out) == (130, "")
    assert result.err == "mlpxp: interrupted before the first benchmark ended: nothing was written\n"
    assert not files()


def test_what_was_finished_is_on_disk_while_the_next_one_runs(run, monkeypatch, tmp_path):
    seen = []

    def look(plan, tell):
        seen.extend(read_record(tmp_path / "mlpxp-bench" / "report.json").sections)
        return found("cost")

    monkeypatch.setitem(sys.modules, BENCHMARKS["cost"].module, SimpleNamespace(run=look))
    run("bench", "all", "--backend", "numpy")
    assert [one.name for one in seen] == ["complexity"]


def test_what_can_t_be_written_in_the_end_is_shown_all_the_same(run, monkeypatch, tmp_path):
    def remove(plan, tell):
        (tmp_path / "parent").rmdir()
        return found("cost")

    (tmp_path / "parent").mkdir()
    monkeypatch.setitem(sys.modules, BENCHMARKS["cost"].module, SimpleNamespace(run=remove))
    result = run("bench", "cost", "--backend", "numpy", "--output", "parent/out")
    assert result.code == 2
    assert "The title of cost" in result.out
    assert result.err == "mlpxp: error: parent/out can't be made: No such file or directory\n"


@pytest.fixture
def two(run, tmp_path):
    """The names of two records: the second took three times as long, and has a benchmark that the first lacks."""
    run("bench", "cost", "--backend", "numpy", "--output", "a")
    record = read_record(tmp_path / "a" / "report.json")
    (tmp_path / "b.json").write_text(to_json(replace(record, sections=(found("cost", 3.0), found("memory")))), encoding="utf-8")
    return os.path.join("a", "report.json"), "b.json"  # noqa: PTH118 - a name as the user writes it


def test_compare(run, two, files):
    before = files()
    result = run("bench", "compare", *two)
    assert (result.code, result.err) == (0, "")
    lines = [line.split() for line in result.out.splitlines()]
    assert ["file", *two] in lines
    assert ["backward", "3", "3", "3", "3", "1", "1"] in lines
    assert ["[red]2-3-1[/red]", "ms", "12.5", "37.5", "3"] in lines
    assert "Only in B: the benchmark memory." in result.out
    assert files() == before


def test_compare_as_json_and_as_a_page(run, two, tmp_path):
    result = run("bench", "compare", *two, "--json", "--output", "two.html")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["sections"][0]["grids"][0]["rows"] == [["backward", 3, 3.0, 3.0, 3.0, 1.0, 1.0]]
    assert "backward, B" in (tmp_path / "two.html").read_text(encoding="utf-8")
