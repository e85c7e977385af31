"""One network on everything that is here: what is said of the fastest follows from what was measured, and who errs is not timed."""

from dataclasses import replace

import numpy as np
import pytest

import mlpxp
from mlpxp.bench import choice, peers
from mlpxp.bench._timing import Timing
from mlpxp.bench.choice import Way, batches_of_an_epoch, enough, measure, paid_after
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Record, from_json, to_json
from mlpxp.bench.tasks import Training, make_task

PLAN = Plan(("numpy", "strict"), quick=True, seconds=0.01, sizes=(5, 4, 3))


def way(who="numpy", dtype="float32", batch=16, training=1e-6, start=0.0, predicting=1e-7):
    epoch = Timing((training * 100,), 0.0)
    return Way(who, dtype, batch, 100, start + training * 100, epoch, Timing((predicting * batch,), 0.0))


@pytest.fixture
def section(monkeypatch):
    pytest.importorskip("array_api_strict")
    monkeypatch.setattr(choice, "QUICK", (2, 8))
    monkeypatch.setattr(choice, "EXAMPLES_QUICK", 16)
    return peers.run(PLAN, lambda *_: None)


def test_a_section_of_every_backend_dtype_and_batch(section):
    assert from_json(to_json(Record({}, ("peers",), PLAN, (section,)))).sections == (section,)
    assert (section.name, section.title) == ("choice", "Which backend, dtype and batch for 5-4-3")
    best, start, everything = section.grids
    ways = {(who, dtype) for who in ("numpy", "strict") for dtype in ("float32", "float64")}
    assert {row[:2] for row in best.rows} == {row[:2] for row in start.rows} == ways
    assert {row[:3] for row in everything.rows} == {(*one, batch) for one in ways for batch in (2, 8)}
    times = [row[3] for row in everything.rows]
    assert times == sorted(times)
    assert best.rows[0][:3] == (*everything.rows[0][:2], times[0])
    who, dtype, batch, *_ = everything.rows[0]
    assert section.claim.startswith(f"5-4-3 trains fastest here on {who} in {dtype} with batches of {batch}: ")
    (figure,) = section.figures
    assert {series.name for series in figure.series} == {f"{who}, {dtype}" for who, dtype in ways}
    assert all([point.x for point in series.points] == [2, 8] for series in figure.series)
    assert "it never chooses by speed" in section.notes[0]


def test_one_output_is_a_network_too(monkeypatch):
    monkeypatch.setattr(choice, "QUICK", (2,))
    monkeypatch.setattr(choice, "EXAMPLES_QUICK", 16)
    section = peers.run(replace(PLAN, backends=("numpy",), sizes=(3, 1)), lambda *_: None)
    assert [row[:3] for row in section.grids[2].rows if row[1] == "float64"] == [("numpy", "float64", 2)]
    assert not [note for note in section.notes if "not timed" in note or "not measured:" in note]


def test_what_makes_a_batch_large_enough():
    assert enough({1: 10.0, 16: 2.0, 64: 1.05, 256: 1.0, 1024: 1.2}) == 64
    assert enough({1: 10.0, 16: 2.0, 64: 1.0, 256: 0.9}) == 256  # a tenth is a gain
    assert enough({1: 1.0, 16: 1.0, 64: 0.5}) == 64  # not where it is flat for a while
    assert enough({1: 1.0}) == 1


def test_when_a_start_has_paid():
    late, soon = way("jax", training=1e-6, start=2.0), way(training=3e-6, start=1.0)
    assert paid_after(late, soon) == pytest.approx(500_000)
    assert paid_after(soon, late) is None  # it starts sooner
    assert paid_after(way(training=5e-6, start=2.0), soon) is None  # it is slower
    assert paid_after(soon, soon) is None


def test_what_is_said_of_the_fastest():
    found = [way(batch=16, training=2e-6), way(batch=64, training=1e-6), way("jax", batch=64, training=4e-7, predicting=2e-7)]
    assert "numpy in float32 with batches of 64: 1 microseconds an example; a larger batch gains 10% or more up to" in choice._sentence(
        "2-1", found[:2]
    )
    assert choice._sentence("2-1", found) == (
        "2-1 trains fastest here on jax in float32 with batches of 64: 0.4 microseconds an example; no other batch was measured. "
        "It predicts fastest on numpy in float32 with batches of 16: 0.1 microseconds an example."
    )
    found.append(way("jax", batch=16, training=4.1e-7))
    assert "; from batches of 16 on a larger one gains less than 10%." in choice._sentence("2-1", found)
    assert choice._auto(found).endswith("NumPy here: at its best it takes 2.5 times the fastest's time: name the backend.")
    assert choice._auto(found[:2]).endswith("NumPy here: it is the fastest.")
    assert choice._auto(found[2:]) == choice.AUTO


@pytest.mark.parametrize("what", ["training", "outputs"])
def test_who_computes_something_else_is_not_timed(monkeypatch, what):
    class Cheat(Training):
        def __init__(self, task, library, device=None):
            super().__init__(task if library.name == "numpy" else replace(task, rate=0.02), library, device)

    pytest.importorskip("array_api_strict")
    if what == "training":
        monkeypatch.setattr(choice, "Training", Cheat)
    else:
        monkeypatch.setattr(choice, "_prediction", lambda *_: lambda: np.zeros((3, 2)))
    notes = []
    assert measure(PLAN, 2, 4, "strict", notes, seconds=0.001) == []
    assert [note.partition(", batch 2: not timed: ")[0] for note in notes] == ["strict, float32", "strict, float64"]
    assert all(("its parameters differ after an epoch" if what == "training" else "its outputs differ by") in note for note in notes)


def test_who_can_t_is_named(monkeypatch):
    def missing(plan, backend):
        yield "abacus", None

    monkeypatch.setattr(choice, "_libraries", missing)
    notes = []
    assert measure(PLAN, 2, 4, "numpy", notes, seconds=0.001) == []
    assert [note.partition(": not measured: ")[0] for note in notes] == ["abacus, float32", "abacus, float64"]


def test_an_epoch_is_long_enough_and_not_too_long(monkeypatch):
    assert batches_of_an_epoch(PLAN, 512)[0] == choice.LEAST
    monkeypatch.setattr(choice, "LONGEST", 1e9)
    assert batches_of_an_epoch(PLAN, 2)[0] == choice.EXAMPLES_QUICK // 2
    assert batches_of_an_epoch(replace(PLAN, quick=False), 2)[0] == choice.EXAMPLES // 2
    monkeypatch.setattr(choice, "MOST_BYTES", 8 * 2 * 5 * 7)
    assert batches_of_an_epoch(PLAN, 2)[0] == 7


def test_batches_that_take_too_long_are_left_out_and_said(monkeypatch):
    monkeypatch.setattr(choice, "QUICK", (2, 8))
    monkeypatch.setattr(choice, "batches_of_an_epoch", lambda plan, size: (4, 1e-6 if size == 2 else 10.0))
    plan = replace(PLAN, backends=("numpy",))
    section = choice.run(plan, lambda *_: None)
    assert {row[2] for row in section.grids[2].rows} == {2}
    assert "Not measured from batch 8 on: 4 batches would take about 40 s (--yes)." in section.notes
    section = choice.run(replace(plan, allow_long=True), lambda *_: None)
    assert {row[2] for row in section.grids[2].rows} == {2, 8}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_task_has_its_dtype_and_the_same_numbers(backend, dtype):
    task, other = make_task((5, 4, 3), 4, 2, dtype=dtype), make_task((5, 4, 3), 4, 2)
    np.testing.assert_array_equal(task.X, other.X)
    np.testing.assert_array_equal(task.one_hot, other.one_hot)
    assert {str(array.dtype) for array in (task.X, task.one_hot, task.start[0].W)} == {dtype}
    training = Training(task, backend)
    training.epoch(1)
    assert {str(array.dtype) for array in training.parameters()} == {dtype}
    assert mlpxp.Network((5, 4, 3), "relu", "softmax", "cross_entropy") == task.network
