"""What the tests of the benchmarks share: a section with a bit of everything, its record, and benchmarks that take no time."""

import sys
from types import SimpleNamespace

import pytest

from mlpxp.bench.names import BENCHMARKS
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Gap, Record
from mlpxp.report.results import Figure, Grid, Point, Section, Series


@pytest.fixture
def section():
    measured = tuple(Point(x, 2e-6 * x, "measured", 1.5e-6 * x, 3e-6 * x) for x in (64.0, 128.0, 256.0))
    slow = (Point(64, 1e-3, "measured"), Point(128, 4e-3, "measured"), Point(256, 1.6e-2, "extrapolated"))
    return Section(
        name="complexity",
        title="Backpropagation is as cheap as it is said to be",
        claim="Time grows as the number of parameters.",
        figures=(
            Figure(
                "time",
                "Time of a gradient",
                "parameters",
                "seconds",
                (Series("backpropagation", measured, 1.0, 0.9, 1.1, 64.0), Series("finite differences", slow)),
                "The lines part.",
            ),
            Figure("count", "Operations", "parameters", "operations", (Series("counted", (Point(64, 128, "counted"),)),)),
        ),
        grids=(Grid("factor", "The factor", ("network", "w", "ratio"), (("2-3-1", 13, 2.5), ("64-100-10", 7510, None))),),
        notes=("Measured on an idle machine.",),
    )


@pytest.fixture
def record(section):
    return Record(
        machine={
            "date": "2026-11-24T10:00:00+00:00",
            "processor": "A Processor",
            "cores": 2,
            "memory": 2**34,
            "versions": {"numpy": "2.4"},
        },
        benchmarks=("complexity", "peers"),
        plan=Plan(("numpy",), quick=True, seconds=8.0),
        sections=(section,),
        gaps=(Gap("peers", "it needs sklearn, which is not installed"),),
    )


@pytest.fixture
def register(monkeypatch):
    """A function that puts another ``run`` in the place of a benchmark's; all of them are refused until then."""

    def benchmark(name, run):
        monkeypatch.setitem(sys.modules, BENCHMARKS[name].module, SimpleNamespace(run=run))

    for name in BENCHMARKS:
        benchmark(name, lambda plan, tell: pytest.fail("a benchmark ran that should not have"))
    return benchmark
