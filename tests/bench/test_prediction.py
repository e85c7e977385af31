"""Prediction: everybody who is timed predicts the same, a part of the rows at a time too, and memory is what was held."""

import sys

import numpy as np
import pytest

from mlpxp import initialize, predict
from mlpxp.arrays.standard import tree_map
from mlpxp.bench import prediction
from mlpxp.bench._peak import peak
from mlpxp.bench.estimators import Case
from mlpxp.bench.plan import Plan
from mlpxp.bench.prediction import ROWS, in_chunks, rows_that_fit, run
from mlpxp.bench.problems import classifier
from mlpxp.bench.record import Record, from_json, to_json

PLAN = Plan(("numpy",), quick=True, seconds=0.01)
TINY = Case("tiny", 40, 5, 3, (4,), 20, 1)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(prediction, "QUICK", 50)
    monkeypatch.setattr(prediction, "CHUNKS_QUICK", (7, 50, 99))
    monkeypatch.setattr(prediction, "ONE", TINY)
    monkeypatch.setattr(prediction, "MANY", TINY)


def test_a_section_of_everybody():
    pytest.importorskip("sklearn")
    section = run(PLAN, lambda *_: None)
    assert from_json(to_json(Record({}, ("prediction",), PLAN, (section,)))).sections == (section,)
    one, many, chunks = section.grids
    everybody = ["mlpxp.predict, numpy", "mlpxp, MLPClassifier.predict", "scikit-learn, MLPClassifier.predict"]
    assert [row[0] for row in one.rows] == [*everybody, "the products alone, numpy"]
    assert all(row[1] > 0 for row in one.rows)
    assert [row[:2] for row in many.rows] == [
        ("mlpxp.predict, numpy", ROWS),
        *((who, 50) for who in everybody),
        ("the products alone, numpy", ROWS),
    ]
    assert [row[3] for row in many.rows] == [row[2] / many.rows[-1][2] for row in many.rows]
    assert all(row[4] > 0 for row in many.rows[:-1])
    assert [row[0] for row in chunks.rows] == [7, 50]
    assert [point.x for point in section.figures[0].series[0].points] == [7, 50]
    assert section.notes == (prediction.HOW,)


def test_without_scikit_learn_the_core_is_measured(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.neural_network", None)
    section = run(PLAN, lambda *_: None)
    assert [row[0] for row in section.grids[0].rows] == ["mlpxp.predict, numpy", "the products alone, numpy"]
    assert prediction.NO_ESTIMATORS in section.notes


def test_who_predicts_something_else_is_not_timed(monkeypatch):
    honest = prediction._placed

    def placed(plan, backend, network):
        library, parameters = honest(plan, backend, network)
        return library, tree_map(lambda leaf: 2.0 * leaf, parameters)

    monkeypatch.setattr(prediction, "_placed", placed)
    section = run(PLAN, lambda *_: None)
    assert "mlpxp.predict, numpy" not in [row[0] for row in section.grids[0].rows]
    assert [note.partition(": its outputs")[0] for note in section.notes[1:]] == [
        "mlpxp.predict, numpy: not timed with one row",
        "mlpxp.predict, numpy: not timed with many rows",
    ]


@pytest.mark.parametrize("rows", [1, 7, 20, 50])
def test_a_part_at_a_time_is_all_at_once(backend, rows):
    network = classifier((5, 4, 3), "relu")
    parameters = initialize(network, seed=0)
    X = np.random.default_rng(0).standard_normal((20, 5)).astype("float32")
    got = in_chunks(network, tree_map(backend.asarray, parameters), X, backend, rows)
    np.testing.assert_allclose(got, predict(network, parameters, X.T).T, rtol=1e-5, atol=1e-6)


def test_fewer_rows_at_a_time_hold_less():
    network = classifier((5, 400, 3), "relu")
    parameters, library = initialize(network, seed=0), prediction.get_backend("numpy")
    X = np.zeros((10_000, 5), dtype="float32")
    few, many = (peak(lambda rows=rows: in_chunks(network, parameters, X, library, rows)) for rows in (100, 10_000))
    outputs, hidden = 4 * 3 * 10_000, 4 * 400
    assert outputs <= few < 3 * outputs + 3 * 100 * hidden
    assert many >= 10_000 * hidden


def test_as_many_rows_as_there_is_memory_for():
    assert rows_that_fit(1000, None) == 1000
    assert rows_that_fit(1000, 10**12) == 1000
    assert rows_that_fit(1000, 4 * (5 + 4 * 4) * 70) == 70
    assert rows_that_fit(1000, 0) == 1


def test_too_little_memory_is_said(monkeypatch):
    monkeypatch.setattr(prediction, "rows_that_fit", lambda wanted, free: 20)
    section = run(PLAN, lambda *_: None)
    assert "There is memory for 20 rows only." in section.notes
    assert section.grids[1].title == "20 rows through 5-4-3"
