"""Devices: where a crossover is, which places there are, what is left out and said."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import mlpxp
from mlpxp.arrays.placing import Place
from mlpxp.bench import devices
from mlpxp.bench.devices import OPERATIONS, Sizes, crossover, measure, places, run, transfer_times
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Record, from_json, to_json

TINY = Sizes((2, 4, 8), (2, 4), (1, 2), width=3, batch=2)
PLAN = Plan(("numpy",), quick=True, seconds=0.01, allow_long=True)
numpy = mlpxp.get_backend("numpy")


@pytest.mark.parametrize(
    ("times", "reference", "wanted"),
    [
        ({16: 3.0, 32: 2.0, 64: 1.0}, {16: 1.0, 32: 2.5, 64: 3.0}, 32),
        ({16: 0.5, 32: 0.5}, {16: 1.0, 32: 1.0}, 16),
        ({16: 2.0, 32: 2.0}, {16: 1.0, 32: 1.0}, None),
        ({16: 0.5, 32: 2.0, 64: 0.5}, {16: 1.0, 32: 1.0, 64: 1.0}, 64),  # faster once, slower again: it doesn't count
        ({16: 0.5, 32: 2.0}, {16: 1.0, 32: 1.0}, None),
        ({16: 1.0, 32: 1.0}, {16: 1.0, 32: 1.0}, None),  # as fast is not faster
        ({16: 2.0, 32: 0.5, 64: 9.0}, {16: 1.0, 32: 1.0}, 32),  # what only one has says nothing
        ({64: 0.5, 16: 2.0, 32: 0.5}, {32: 1.0, 16: 1.0, 64: 1.0}, 32),  # in any order
        ({16: 1.0}, {32: 1.0}, None),
        ({}, {}, None),
    ],
)
def test_the_size_from_which_on_it_is_faster(times, reference, wanted):
    assert crossover(times, reference) == wanted


def library(name, *found):
    return SimpleNamespace(name=name, devices=lambda: tuple(SimpleNamespace(name=one) for one in found))


def test_the_first_device_of_each_kind(monkeypatch):
    there = {
        "numpy": library("numpy", "cpu"),
        "torch": library("torch", "cpu", "cuda:0", "cuda:1"),
        "jax": library("jax", "cuda:0", "cpu:0"),
    }
    monkeypatch.setattr(devices, "get_backend", there.__getitem__)
    names = [(place.name, place.on_gpu) for place in places(Plan(("numpy", "torch", "jax")))]
    assert names == [("numpy, cpu", False), ("torch, cpu", False), ("torch, cuda:0", True), ("jax, cuda:0", True), ("jax, cpu:0", False)]
    assert [place.name for place in places(Plan(("torch", "jax"), device="cuda"))] == ["torch, cuda", "jax, cuda"]


def test_a_section_of_numpy_alone(monkeypatch):
    monkeypatch.setattr(devices, "QUICK", TINY)
    told = []
    section = run(PLAN, lambda *one: told.append(one))
    assert from_json(to_json(Record({}, ("devices",), PLAN, (section,)))).sections == (section,)
    grown = ["growth-width", "growth-depth", "growth-batch"]
    assert [figure.name for figure in section.figures] == grown + [f"{what}-{axis}" for axis in ("width", "batch") for what in OPERATIONS]
    for figure in section.figures:
        (series,) = figure.series
        assert series.name == "numpy, cpu"
        if figure.name == "growth-width":
            assert [point.x for point in series.points] == [42, 90, 234]  # parameters
        else:
            assert [point.x for point in series.points] == list(TINY.along(figure.name.rpartition("-")[2]))
        assert all(math.isfinite(point.y) and 0.0 < point.low <= point.y <= point.high for point in series.points)
    ranked, depths, moved = section.grids
    assert (ranked.name, depths.name, moved.name) == ("fastest", "depth", "moved")
    assert [row[:4] for row in ranked.rows] == [
        ("parameters P", 42, 234, "numpy, cpu"),
        ("hidden layers", 1, 2, "numpy, cpu"),
        ("examples in a batch", 2, 4, "numpy, cpu"),
    ]
    assert all(row[-1] is None for row in ranked.rows)  # there is no next
    assert [row[:4] for row in depths.rows] == [("numpy, cpu", 1, 311, 100_152), ("numpy, cpu", 2, 221, 100_344)]
    assert [row[:2] for row in moved.rows] == [("numpy, cpu", width) for width in TINY.widths]
    assert any(note.startswith("No GPU here") for note in section.notes)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] < 1.0


def test_crossovers_are_named_for_everybody_but_the_reference(monkeypatch):
    pytest.importorskip("array_api_strict")
    monkeypatch.setattr(devices, "QUICK", TINY)
    plan = Plan(("numpy", "strict"), quick=True, seconds=0.01, allow_long=True)
    monkeypatch.setattr(devices, "places", lambda _: (Place(numpy, "cpu"), Place(mlpxp.get_backend("strict"), "CPU_DEVICE")))
    section = run(plan, lambda *_: None)
    assert from_json(to_json(Record({}, ("devices",), plan, (section,)))).sections == (section,)
    (crossovers,) = [grid for grid in section.grids if grid.name == "crossover"]
    assert [(row[0], row[2], row[4]) for row in crossovers.rows] == [
        ("strict, CPU_DEVICE", axis, largest) for axis, largest in (("width", 8), ("batch", 4)) for _ in OPERATIONS
    ]


def test_without_numpy_there_is_nothing_to_compare_with(monkeypatch):
    pytest.importorskip("array_api_strict")
    monkeypatch.setattr(devices, "QUICK", TINY)
    section = run(Plan(("strict",), device="CPU_DEVICE", quick=True, seconds=0.01, allow_long=True), lambda *_: None)
    assert [grid.name for grid in section.grids] == ["fastest", "depth", "moved"]
    assert "NumPy on the CPU was not asked for: there is nothing to name a crossover against." in section.notes


def test_what_would_take_too_long_is_said_and_left_out(monkeypatch):
    monkeypatch.setattr(devices, "LONGEST", 1e-9)
    sweep = measure(replace(PLAN, allow_long=False), Place(numpy, "cpu"), "width", TINY, lambda *_: None)
    assert [list(found) for found in sweep.times.values()] == [[2]] * 4  # the first one is always measured
    (note,) = sweep.notes
    assert note.startswith("numpy, cpu: not measured from width 4 on: an epoch would take about")
    longer = measure(PLAN, Place(numpy, "cpu"), "width", TINY, lambda *_: None)
    assert [list(found) for found in longer.times.values()] == [[2, 4, 8]] * 4  # by permission
    assert longer.notes == []


def test_no_room_is_said_and_what_was_measured_before_is_kept(monkeypatch):
    make = devices.make_problem

    def make_problem(network, m, **options):
        if network.sizes[0] == 4 and options:
            raise mlpxp.OutOfMemoryError("cpu has too little memory: 16.0 TiB asked for", None, None)
        return make(network, m, **options)

    monkeypatch.setattr(devices, "make_problem", make_problem)
    sweep = measure(PLAN, Place(numpy, "cpu"), "width", TINY, lambda *_: None)
    assert [list(found) for found in sweep.times.values()] == [[2]] * 4
    assert sweep.notes == ["numpy, cpu: not measured from width 4 on: cpu has too little memory: 16.0 TiB asked for."]


@pytest.mark.parametrize(("wrong", "says"), [({"dtype": "float64"}, "its data are float64, not float32"), ({}, "its cost is")])
def test_what_is_not_comparable_is_not_timed(monkeypatch, wrong, says):
    make = devices.make_problem

    def make_problem(network, m, **options):
        problem = make(network, m, **options, **(wrong if options else {}))
        if options and not wrong:
            problem.X[...] = 7.0
        return problem

    monkeypatch.setattr(devices, "make_problem", make_problem)
    sweep = measure(PLAN, Place(numpy, "cpu"), "batch", TINY, lambda *_: None)
    assert [list(found) for found in sweep.times.values()] == [[]] * 4
    assert len(sweep.notes) == 2
    assert all(says in note for note in sweep.notes)


def test_what_is_moved_arrives_and_is_waited_for(backend):
    calls = []

    class Watched:
        name = backend.name

        def asarray(self, values, *, device):
            calls.append("there")
            return backend.asarray(values, device=device)

        def synchronize(self):
            calls.append("waited")
            backend.synchronize()

        def to_numpy(self, array):
            calls.append("back")
            np.testing.assert_array_equal(backend.to_numpy(array), np.ones((3, 4), dtype="float32"))

    to_device, back = transfer_times(Place(Watched(), None), np.ones((3, 4), dtype="float32"))
    assert to_device > 0.0
    assert back >= 0.0
    assert calls[-3:] == ["there", "waited", "back"]
    assert calls.count("back") == 7
