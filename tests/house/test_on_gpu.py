"""``make test-gpu`` and ``make bench-gpu``: their limits, records and merging, and a rehearsal on a card that is pretended to be there."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from benchmarks import on_gpu as bench
from mlpxp import BackendStatus, Device
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Gap, Record, read_record, to_json
from mlpxp.report.results import Figure, Grid, Point, Section, Series
from tests.on_gpu import __main__ as conformance
from tests.on_gpu import card, limited, outcomes

ROOT = Path(__file__).parents[2]
CARD = Device("cuda:0", "A Fast Card", 2**36)
CPU = BackendStatus("numpy", "2", (Device("cpu", "a"),))
GOOD = {"in_time": True, "exit_codes": [0], "passed": 3, "failed": 0, "skipped": 1, "failures": {}, "skips": {"why": 1}, "unfinished": []}
GOOD |= {"seconds": 1.0, "not_reached": [], "warnings": {}}


@pytest.fixture
def with_cards(monkeypatch, tmp_path):
    """A card that torch, jax and cupy can use; records go to a folder of the test's."""
    found = (CPU, *(BackendStatus(name, "3", (CARD,)) for name in ("torch", "jax", "cupy")))
    monkeypatch.setattr(card.mlpxp, "backends", lambda: found)
    monkeypatch.setattr(conformance, "RESULTS", tmp_path)
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    return tmp_path


def python(program):
    """Run a program in a process of its own, from the checkout."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends"), str(ROOT / "tests")])
    around = os.environ | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False, cwd=ROOT, env=around)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# ------------------------------------------------------------------------------------------------------------------ limits
def child(program):
    return [sys.executable, "-c", program]


def test_what_is_done_in_time_has_its_exit_code_and_what_is_not_is_ended():
    began = time.monotonic()
    codes = limited.run([child("raise SystemExit(3)"), child("import time; time.sleep(100)")], 2.0)
    assert codes == [3, None]
    assert time.monotonic() - began < 50


def test_what_does_not_listen_is_killed_with_its_own_children(monkeypatch, tmp_path):
    monkeypatch.setattr(limited, "GRACE", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); open({!r}, 'w').close(); time.sleep(100)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {deaf.format(str(tmp_path / 'grandchild'))!r}])"
    began = time.monotonic()
    assert limited.run([child(deaf.format(str(tmp_path / "one"))), child(parent)], 3.0) == [None, None]
    assert {path.name for path in tmp_path.iterdir()} == {"one", "grandchild"}
    assert time.monotonic() - began < 50


def test_a_child_sees_the_checkout_and_what_it_is_told(tmp_path):
    said = tmp_path / "said"
    program = f"import os, mlpxp, mlpxp_backends, pathlib; pathlib.Path({str(said)!r}).write_text(os.environ['FOR_JAX'])"
    assert limited.run([child(program)], 60.0, environment={"FOR_JAX": "highest"}) == [0]
    assert said.read_text() == "highest"


# ---------------------------------------------------------------------------------------------------------------- outcomes
TESTS = """
    import warnings
    import pytest

    @pytest.mark.parametrize("n", [0, 1, 2])
    def test_a(n):
        assert n != 1, "one is too many"

    def test_b():
        warnings.warn("an old way", DeprecationWarning)
        pytest.skip("no such thing here")

    @pytest.fixture
    def broken():
        yield
        raise OSError("in the end")

    def test_c(broken):
        pass

    def test_never():
        import os
        os._exit(9)

    def test_d():
        pass
"""


def test_what_became_of_each_test_is_there_even_if_the_process_died(tmp_path):
    file, lines = tmp_path / "test_some.py", tmp_path / "lines.jsonl"
    file.write_text(dedent(TESTS))
    program = f"""
        import pytest
        from tests.on_gpu.outcomes import Outcomes
        pytest.main(["-p", "no:cacheprovider", "-q", "-c", "/dev/null", {str(file)!r}], plugins=[Outcomes({str(lines)!r})])
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    around = os.environ | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, check=False, cwd=tmp_path, env=around)
    assert done.returncode == 9
    with lines.open("a") as end:
        end.write('{"test": "cut sh')
    found = outcomes.read([lines, tmp_path / "of a process that never began"])
    assert (found["passed"], found["failed"], found["skipped"]) == (2, 2, 1)
    assert [test.partition("::")[2] for test in found["failures"]] == ["test_a[1]", "test_c"]
    first, second = found["failures"].values()
    assert first.startswith("AssertionError: one is too many")
    assert "test_some.py, line" in first
    assert second.startswith("OSError: in the end")
    assert found["skips"] == {"no such thing here": 1}
    assert [test.partition("::")[2] for test in found["unfinished"]] == ["test_never"]
    assert [test.partition("::")[2] for test in found["not_reached"]] == ["test_never", "test_d"]
    assert found["warnings"] == {"DeprecationWarning: an old way": 1}


def test_what_cant_be_collected_is_a_failure_with_a_reason(tmp_path):
    (tmp_path / "test_bad.py").write_text("import a_package_that_nobody_has\n")
    lines = tmp_path / "lines.jsonl"
    python(f"""
        import pytest
        from tests.on_gpu.outcomes import Outcomes
        pytest.main(["-q", "-c", "/dev/null", {str(tmp_path / "test_bad.py")!r}], plugins=[Outcomes({str(lines)!r})])
    """)
    ((_, reason),) = outcomes.read([lines])["failures"].items()
    assert "a_package_that_nobody_has" in reason


# ------------------------------------------------------------------------------------------------------------ make test-gpu
@pytest.mark.parametrize("main", [conformance.main, bench.main])
def test_without_a_gpu_it_says_so_in_one_line(main, monkeypatch, capsys):
    monkeypatch.setattr(card.mlpxp, "backends", lambda: (CPU, BackendStatus("cupy", problem="no driver")))
    assert main([]) == 2
    assert capsys.readouterr().out.splitlines() == ["no CUDA GPU is here that CuPy, PyTorch or JAX can use: mlpxp backends says why"]


def test_every_backend_has_its_turn_and_its_time_and_the_record_is_there_after_each(with_cards, monkeypatch, capsys):
    asked, there = [], []

    def run(backend, device, tests, *, seconds, rehearse):
        asked.append((backend, device, seconds, rehearse))
        there.append([list(json.loads(path.read_text())["backends"]) for path in with_cards.iterdir()])
        assert "tests/backends/test_every_backend.py" in tests
        assert ("tests/core/test_activations.py" in tests) is (backend != "jax")
        return GOOD

    monkeypatch.setattr(conformance, "run", run)
    assert conformance.main([]) == 0
    assert [(name, device, rehearse) for name, device, _, rehearse in asked] == [(name, "cuda:0", False) for name in card.ORDER]
    assert sum(seconds for _, _, seconds, _ in asked) < 300
    assert there == [[], [["cupy"]], [["cupy", "torch"]]]
    (path,) = with_cards.iterdir()
    assert path.name.startswith("conformance-a-fast-card-2")
    record = json.loads(path.read_text())
    assert record["pretended"] is False
    assert record["backends"]["torch"] == {"version": "3", "device": "A Fast Card", "memory": 2**36, **GOOD}
    assert "torch: 3 passed, 0 failed, 1 skipped in 1.0 s" in capsys.readouterr().out


BAD = [
    {"failed": 1, "failures": {"x": "y"}},
    {"in_time": False, "exit_codes": [0, None], "not_reached": ["z"], "unfinished": ["z"]},
    {"exit_codes": [0, -11]},
    {"passed": 0},
]


@pytest.mark.parametrize("change", BAD)
def test_a_failure_a_lack_of_time_a_crash_or_no_test_at_all_is_exit_code_1(with_cards, monkeypatch, change):
    monkeypatch.setattr(conformance, "run", lambda backend, *_, **__: GOOD | (change if backend == "torch" else {}))
    assert conformance.main([]) == 1


def test_one_alone_leaves_what_is_known_of_the_others_and_what_failed_is_run_again(with_cards, monkeypatch):
    asked = []
    bad = GOOD | {"failed": 1, "failures": {"tests/test_a.py::test_x[torch]": "off"}, "not_reached": ["tests/test_a.py::test_y[torch]"]}
    outcomes_of = {"cupy": GOOD, "torch": bad, "jax": GOOD}

    def run(backend, device, tests, **_):
        asked.append((backend, tests))
        return outcomes_of[backend]

    monkeypatch.setattr(conformance, "run", run)
    assert conformance.main([]) == 1
    outcomes_of["torch"] = GOOD | {"passed": 2, "skipped": 0, "skips": {}}
    assert conformance.main(["--only", "torch", "--failed"]) == 0
    assert asked[-1] == ("torch", ["tests/test_a.py::test_x[torch]", "tests/test_a.py::test_y[torch]"])
    (path,) = with_cards.iterdir()
    record = json.loads(path.read_text())["backends"]
    assert list(record) == ["cupy", "torch", "jax"]
    assert {name: record["torch"][name] for name in ("passed", "failed", "skipped", "failures", "not_reached", "again")} == {
        "passed": 5, "failed": 0, "skipped": 1, "failures": {}, "not_reached": [], "again": 2,
    }  # fmt: skip
    before = len(asked)
    assert conformance.main(["--failed"]) == 0
    assert len(asked) == before  # nothing was left to be run again


def test_the_shares_of_the_processes_hold_every_file_once_and_are_about_as_long():
    names = conformance.files("cupy")
    cut = conformance.shares(names, 4)
    assert sorted(name for share in cut for name in share) == names
    sizes = [sum((ROOT / name).stat().st_size for name in share) for share in cut]
    assert max(sizes) - min(sizes) <= max((ROOT / name).stat().st_size for name in names)
    assert conformance.shares(["a"], 4) == [["a"]]


def selected(*options):
    arguments = ["--collect-only", "-q", "--conformance", *options, "tests/core/test_losses.py", "tests/backends/test_cupy.py"]
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], capture_output=True, text=True, check=True, cwd=ROOT)
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_only_the_tests_that_a_backend_takes_part_in_are_chosen():
    tests = selected("--backend", "numpy")
    assert tests
    assert all("test_losses" in test and "numpy" in test for test in tests)  # a GPU's own tests are in its own backend's round


def test_a_gpus_own_tests_are_in_the_round_of_their_backend():
    pytest.importorskip("cupy")
    assert any("test_every_kernel_computes_what_numpy_computes_on_a_gpu" in test for test in selected("--backend", "cupy"))


def test_what_needs_a_package_that_is_missing_is_skipped_test_by_test():
    """As on a bare machine: nothing fails to be collected, and what stands beside the tests that need it is there."""
    out = python("""
        import sys
        gone = ("hypothesis", "polars", "sklearn", "mparray", "mpmath", "array_api_strict", "pandas", "matplotlib", "onnx", "typer", "rich")

        class Gone:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in gone:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Gone())
        import importlib.util
        real = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if name.partition(".")[0] in gone else real(name, *more)
        import pytest
        from tests.on_gpu import __main__ as conformance
        from tests.on_gpu.child import OPTIONS, OTHER_MACHINE

        class Count:
            def pytest_collection_finish(self, session):
                print("collected", len(session.items), sum("stretches" in item.nodeid for item in session.items))

            def pytest_collectreport(self, report):
                if report.failed:
                    print("error", report.nodeid, str(report.longrepr)[-500:])

        options = [one for one in (*OPTIONS, *OTHER_MACHINE) if one != "--conformance"]
        pytest.main([*options, "-p", "no:hypothesispytest", "--collect-only", "-qq", *conformance.files("numpy")], plugins=[Count()])
        some = ["tests/backends/test_stretches.py", "tests/core/test_losses.py"]
        pytest.main([*options, "-p", "no:hypothesispytest", *some], plugins=[Count()])
    """)
    lines = out.splitlines()
    assert not [line for line in lines if line.startswith("error")]
    collected, stretches = next(line for line in lines if line.startswith("collected")).split()[1:]
    assert int(collected) > 2000
    assert int(stretches) > 3
    (ended,) = [line for line in lines if " passed" in line]
    passed, skipped = re.match(r"(\d+) passed, (\d+) skipped(?:, \d+ warnings?)? in", ended).groups()
    assert int(passed) > 3
    assert int(skipped) >= 1


# ----------------------------------------------------------------------------------------------------------- make bench-gpu
FIRST = (Point(1, 2.0, "measured"),)


def section(name="peers", rows=((1, 2.0),), points=FIRST, notes=("a note",), slope=None):
    figures = (Figure("f", "t", "x", "y", (Series("s", points, slope=slope), Series(f"own {rows}", points))),)
    return Section(name, "t", "c", figures, (Grid("g", "t", ("n", "s"), rows),), notes)


def record_of(*sections):
    return Record({}, tuple(one.name for one in sections), Plan(("numpy",)), sections)


def test_what_two_records_say_of_one_benchmark_is_one_section():
    one = section(slope=1.0)
    other = section(rows=((2, 3.0), (1, 2.0)), points=(Point(2, 4.0, "measured"),), notes=("a note", "another"))
    merged = bench.merged([record_of(section("cost")), record_of(one), record_of(other)])
    assert [section.name for section in merged] == ["cost", "peers"]
    together = merged[1]
    assert together.grids[0].rows == ((1, 2.0), (2, 3.0))
    assert together.notes == ("a note", "another")
    assert [series.name for series in together.figures[0].series] == ["s", f"own {((1, 2.0),)}", f"own {((2, 3.0), (1, 2.0))}"]
    assert [point.x for point in together.figures[0].series[0].points] == [1, 2]
    assert together.figures[0].series[0].slope is None  # it was of one part alone
    assert merged[0] == section("cost")


def test_each_part_is_written_as_it_comes_and_one_that_fails_costs_the_others_nothing(with_cards, monkeypatch, capsys):
    written, limits = [], []

    def run(commands, seconds, *, environment):
        assert environment["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
        (command,) = commands
        part, out, backends, device = (command[command.index(name) + 1] for name in ("--part", "--out", "--backends", "--device"))
        assert (backends, device) == ("cupy,torch,jax", "cuda:0")
        limits.append(seconds)
        written.append([[one.name for one in read_record(path).sections] for path in with_cards.glob("*.json")])
        if part == "cost":
            return [-11]
        whole = record_of(section(bench.PARTS[part].benchmark, rows=((part, 1.0),)))
        if part == "gpu":
            whole = replace(whole, sections=(), gaps=(Gap("gpu", "interrupted"),))
        if part != "devices":
            Path(out).write_text(to_json(whole))
        return [None if part in ("gpu", "devices") else 0]

    monkeypatch.setattr(bench, "describe_machine", lambda backends: {"versions": {}})
    monkeypatch.setattr(bench.limited, "run", run)
    monkeypatch.setattr(bench, "report", lambda record, path: path.write_text(to_json(record)))
    assert bench.main(["--seconds", "1000"]) == 1
    (path,) = with_cards.iterdir()
    assert path.name.startswith("gpu-a-fast-card-2")
    record = read_record(path)
    assert [one.name for one in record.sections] == ["complexity", "peers", "stacks"]
    assert [row[0] for row in record.sections[1].grids[0].rows] == [name for name in bench.PARTS if name.startswith("peers")]
    assert {gap.benchmark: gap.reason for gap in record.gaps} == {
        "cost": "its process ended with -11", "gpu": "not done in 45 s", "devices": "not done in 35 s",
    }  # fmt: skip
    assert record.machine["card"] == "A Fast Card"
    assert limits == [part.most for part in bench.PARTS.values()]
    assert written[1] == [["complexity"]]
    assert "cost ... its process ended with -11" in capsys.readouterr().out


def test_a_part_that_has_too_little_time_left_is_not_begun(with_cards, monkeypatch):
    monkeypatch.setattr(bench, "describe_machine", lambda backends: {})
    monkeypatch.setattr(bench.limited, "run", lambda *_, **__: pytest.fail("a part was begun"))
    assert bench.main(["--seconds", "5", "--only", "gpu"]) == 1


def test_what_is_asked_of_each_part():
    everybody = ["cupy", "torch", "jax"]
    claim = bench.plan_of(bench.PARTS["complexity"], everybody, "cuda:0", rehearse=False)
    assert (claim.backends, claim.device, claim.quick) == (("cupy", "numpy"), None, True)
    peers = bench.plan_of(bench.PARTS["peers, small"], everybody, "cuda:0", rehearse=False)
    assert (peers.backends, peers.device, peers.quick) == (("cupy", "torch", "jax"), "cuda:0", False)
    assert bench.PARTS["peers, large"].options(False, peers) == {"shapes": [bench.LARGE], "optimizers": ["sgd"]}
    assert bench.plan_of(bench.PARTS["cost"], ["torch", "jax"], "cuda:0", rehearse=False).backends == ("torch", "numpy")


# -------------------------------------------------------------------------------------------------------------- a rehearsal
def test_a_rehearsal_of_every_part(tmp_path):
    """The whole of what runs on a card, tiny, in one process: CuPy's backend over NumPy, PyTorch and JAX on the CPU under a card's name."""
    python(f"""
        import warnings
        from tests.on_gpu import pretended
        pretended.install()
        from benchmarks import on_gpu
        from tests.on_gpu import card
        found = card.here()
        device = card.gpus(found[0])[0].name
        for number, name in enumerate(name for name in on_gpu.PARTS if not name.endswith("adam")):
            on_gpu.measure(name, f"{tmp_path}/{{number}}.json", [one.name for one in found], device, rehearse=True)
    """)
    records = [read_record(tmp_path / f"{number}.json") for number in range(len(bench.PARTS) - 2)]  # Adam's are plain descent's
    assert [gap for record in records for gap in record.gaps] == []
    sections = {one.name: one for one in bench.merged(records)}
    assert list(sections) == ["complexity", "cost", "gpu", "peers", "devices", "stacks"]
    of_gpu = sections["gpu"]
    assert {row[0].partition(",")[0] for row in of_gpu.grids[0].rows} >= {"cupy"}
    assert {row[1] for row in of_gpu.grids[0].rows if row[0].startswith("cupy")} == {"float32", "TF32"}
    told = [note for one in sections.values() for note in one.notes if "not measured" in note or "not timed" in note]
    assert [note for note in told if "numpy: not measured: device must be one" not in note] == []
    assert any(series.name.startswith("cupy, cuda:0") for figure in sections["devices"].figures for series in figure.series)
    whole = Record({"card": "pretended"}, tuple(sections), Plan(("cupy",)), tuple(sections.values()))
    bench.report(whole, tmp_path / "page" / "gpu.json")
    assert read_record(tmp_path / "page" / "gpu.json").sections == whole.sections
    assert "<svg" in (tmp_path / "page" / "gpu.html").read_text()


def test_a_rehearsal_of_the_conformance_suite(tmp_path):
    """CuPy's backend on a pretended card, through the same door as a real one."""
    python(f"""
        from pathlib import Path
        from tests.on_gpu import __main__ as conformance
        conformance.ROOT, conformance.PROCESSES = Path({str(tmp_path)!r}), 1
        names = ["tests/core/test_propagation.py", "tests/training/test_train.py", "tests/backends/test_every_backend.py"]
        assert conformance.main(["--rehearse", "--only", "cupy", "--seconds", "250", *names]) == 0
    """)
    (path,) = (tmp_path / "build" / "rehearsal").iterdir()
    record = json.loads(path.read_text())
    assert record["pretended"] is True
    cupy = record["backends"]["cupy"]
    assert cupy["device"] == "A Pretended Card"
    assert cupy["passed"] > 100
    assert (cupy["failed"], cupy["not_reached"], cupy["in_time"]) == (0, [], True)
