"""The benchmark against scikit-learn's estimators: whoever is timed has the same weights, and whoever hasn't is named."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier as Theirs

from mlpxp.bench import estimators
from mlpxp.bench.estimators import CASES, Case, objection, per_epoch, run
from mlpxp.bench.plan import Plan
from mlpxp.estimators import MLPClassifier

TINY = Case("tiny", 40, 3, 2, (4,), 20, 2)


@pytest.fixture
def section(monkeypatch):
    monkeypatch.setattr(estimators, "QUICK", (TINY, TINY))
    return run(Plan(("numpy", "strict"), quick=True, seconds=0.01), lambda *_: None)


def test_everybody_is_timed_and_weighed(section):
    epochs, parts, predict, memory = section.grids
    assert {(row[0], row[1], row[2]) for row in epochs.rows} == {
        ("tiny", dtype, who) for dtype in ("float64", "float32") for who in ("scikit-learn", "mlpxp, numpy", "mlpxp, strict")
    }
    assert all(row[3] > 0 and row[5] > 0 for row in epochs.rows)
    assert all(row[4] == 1.0 for row in epochs.rows if row[2] == "scikit-learn")
    assert [row[0] for row in parts.rows] == ["scikit-learn", "mlpxp, numpy", "mlpxp, numpy, 16 networks"]
    assert all(row[1] > 0 for row in parts.rows)
    assert all(row[2] == pytest.approx(row[1] / parts.rows[0][1]) for row in parts.rows)
    assert [row[0] for row in predict.rows] == ["scikit-learn", "mlpxp, numpy"]
    assert all(min(row[2:]) > 0 for row in memory.rows)
    assert len(section.notes) == 1


def test_who_computes_something_else_is_named_and_not_timed(monkeypatch):
    monkeypatch.setattr(estimators, "QUICK", (TINY, TINY))
    monkeypatch.setattr(estimators, "_ours", lambda _: [("another", lambda **options: MLPClassifier(**options | {"alpha": 1.0}))])
    section = run(Plan(("numpy",), quick=True, seconds=0.01), lambda *_: None)
    assert {row[2] for row in section.grids[0].rows} == {"scikit-learn"}
    assert any(note.startswith("another was not timed with tiny, float64: its weights differ by ") for note in section.notes)


def test_objections():
    X, y = TINY.data("float64")
    fitted = [estimators.quietly(make(**TINY.options(2)), X, y) for make in (MLPClassifier, Theirs)]
    assert objection(*fitted, "float64") is None
    fitted[0].coefs_ = [coefs.astype("float32") for coefs in fitted[0].coefs_]
    assert objection(*fitted, "float64") == "it has weights (3, 4) of float32, not (3, 4) of float64"
    fitted[0].coefs_ = [np.full_like(coefs, np.nan, dtype="float64") for coefs in fitted[0].coefs_]
    assert objection(*fitted, "float64") == "its weights differ by nan after 2 epochs"


def test_an_epoch_is_what_a_longer_fit_takes_longer(monkeypatch):
    monkeypatch.setattr(estimators, "_seconds", lambda options, *_: 3.0 + 0.5 * options["max_iter"])
    assert per_epoch({"": dict}, TINY, None, None, rounds=3)[""] == 0.5


def test_the_cases_are_what_the_claims_are_about():
    assert [(case.m, case.n_features, case.hidden, case.batch) for case in CASES] == [
        (150, 4, (100,), 150),
        (1797, 64, (100,), 200),
        (60_000, 784, (256, 128), 256),
    ]
