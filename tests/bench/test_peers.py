"""Rivals: whoever is timed has computed the same, and whoever is missing, fails or cheats is named and left out."""

import sys
from dataclasses import replace

import numpy as np
import pytest

import mlpxp
from mlpxp.arrays.standard import tree_leaves, tree_map
from mlpxp.bench import peers
from mlpxp.bench._peers_tables import Case, Measured, grids
from mlpxp.bench._timing import Timing
from mlpxp.bench.agreement import Reached, objection, reach
from mlpxp.bench.peers import measure, run
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Record, from_json, to_json
from mlpxp.bench.rivals import Rival, ours, products, rivals
from mlpxp.bench.tasks import OPTIMIZERS, Training, make_task, operands

PLAN = Plan(("numpy",), quick=True, seconds=0.01)
SHAPES = (((2, 3, 2), 4, 6, "tanh"), ((5, 7, 6, 3), 8, 4, "relu"))
numpy = mlpxp.get_backend("numpy")


@pytest.fixture
def task():
    return make_task(*SHAPES[1])


@pytest.fixture
def wanted(task):
    return reach(ours(task, numpy), task)


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_an_epoch_is_an_epoch_of_train(backend, rule):
    """To the last bit: what is timed is what train does."""
    task = make_task(*SHAPES[1], optimizer=rule)
    training = Training(task, backend)
    costs = [training.epoch(1), training.epoch(2)]
    result = mlpxp.train(
        task.network,
        backend.asarray(task.X).mT,
        backend.asarray(task.one_hot).mT,
        optimizer=OPTIMIZERS[rule][0](task.rate),
        epochs=2,
        batch_size=task.size,
        start=tree_map(backend.asarray, task.start),
    )
    assert costs == list(result.history.cost)
    for got, leaf in zip(training.parameters(), tree_leaves(result.parameters), strict=True):
        np.testing.assert_array_equal(got, backend.to_numpy(leaf))


def test_a_step_is_an_epoch_of_one_batch(backend):
    task = make_task((5, 7, 3), 8, 1)
    step, epoch = Training(task, backend), Training(task, backend)
    step.step()
    epoch.epoch(1)  # the same batch in another order
    for got, wanted in zip(step.parameters(), epoch.parameters(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-7)
    assert not np.array_equal(step.parameters()[0], task.start[0].W)


@pytest.mark.parametrize("shape", SHAPES, ids=["2-3-2", "5-7-6-3"])
@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize(("library", "package"), [("sklearn", "sklearn"), ("torch", "torch"), ("jax", "jax")])
def test_every_rival_reaches_what_we_reach(library, package, shape, rule):
    pytest.importorskip(package)
    task = make_task(*shape, optimizer=rule)
    wanted = reach(ours(task, numpy), task)
    backend = mlpxp.get_backend("numpy" if library == "sklearn" else library)
    names = []
    for make in rivals(library, task, backend):
        if len(names) == 2 and library == "torch":
            continue  # compiled: it takes long, and a compiler
        rival = make()
        names.append(rival.name)
        assert objection(reach(rival, task), wanted, task) is None, rival.name
    assert len(names) == {"sklearn": 1, "torch": 2, "jax": 4}[library]
    assert len(set(names)) == len(names)


def test_float32_stays_float32(task):
    pytest.importorskip("sklearn")
    (make,) = rivals("sklearn", task, numpy)
    rival = make()
    rival.epoch(1)
    assert {array.dtype for array in rival.parameters()} == {np.dtype("float32")}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rate": 0.011}, "its parameters differ after a step"),
        ({"rate": 1e-9}, "its parameters differ after a step"),
        ({"labels": np.zeros(32, dtype=np.int64)}, "its parameters differ after a step"),
        (
            {"hidden": "tanh", "network": mlpxp.Network((5, 7, 6, 3), "tanh", "softmax", "cross_entropy")},
            "its parameters differ after a step",
        ),
    ],
    ids=["rate", "lazy", "labels", "activation"],
)
def test_who_does_something_else_is_refused(task, wanted, change, says):
    cheat = replace(task, **change)
    assert says in objection(reach(ours(cheat, numpy), cheat), wanted, task)


@pytest.mark.parametrize("change", [{"rate": 0.00105}, {"optimizer": "sgd"}], ids=["rate", "rule"])
def test_who_does_something_else_than_adam_is_refused(change):
    task = make_task(*SHAPES[1], optimizer="adam")
    wanted, cheat = reach(ours(task, numpy), task), replace(task, **change)
    assert "its parameters differ after a step" in objection(reach(ours(cheat, numpy), cheat), wanted, task)


def test_what_else_is_refused(task, wanted):
    assert objection(wanted, wanted, task) is None
    nowhere = np.full_like(wanted.step, np.nan)
    assert "after a step" in objection(replace(wanted, step=nowhere), wanted, task)
    assert "after an epoch" in objection(replace(wanted, epoch=wanted.step), wanted, task)
    assert "its cost of an epoch is" in objection(replace(wanted, cost=1.01 * wanted.cost), wanted, task)
    assert "its cost of an epoch is nan" in objection(replace(wanted, cost=float("nan")), wanted, task)
    assert "parameters, not" in objection(Reached(wanted.step[1:], wanted.epoch[1:], wanted.cost), wanted, task)


def test_cheats_and_failures_are_named_and_not_timed(task, wanted, monkeypatch):
    def failing():
        raise RuntimeError("no compiler\nhere")

    cheat = ours(replace(task, rate=0.02), numpy, name="cheat")
    honest = ours(task, numpy, name="honest")
    monkeypatch.setattr(peers, "rivals", lambda *_, **__: [lambda: cheat, failing, lambda: honest])
    found = measure(PLAN, task, "numpy", wanted, seconds=0.001)
    assert list(found.steps) == list(found.epochs) == ["mlpxp", "honest"]
    refused, failed = found.notes
    assert refused.startswith("cheat with numpy was not timed at 5-7-6-3: its parameters differ")
    assert failed == "numpy: one way was not timed at 5-7-6-3: RuntimeError: no compiler here."


def test_a_rival_that_is_not_installed_is_a_note(task, wanted, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.neural_network", None)
    monkeypatch.delitem(sys.modules, "mlpxp.bench._rivals_in_sklearn", raising=False)
    monkeypatch.delattr(mlpxp.bench, "_rivals_in_sklearn", raising=False)
    found = measure(PLAN, task, "numpy", wanted, seconds=0.001)
    assert list(found.steps) == ["mlpxp"]
    assert found.notes == ["sklearn is not installed: it was not measured against."]


def test_a_backend_that_is_not_installed_is_a_note(task, wanted, monkeypatch):
    def missing(name):
        raise mlpxp.BackendError(f"backend {name!r} needs it, which is not installed")

    monkeypatch.setattr(peers, "get_backend", missing)
    found = measure(PLAN, task, "torch", wanted, seconds=0.001)
    assert found.notes == ["torch: not measured: backend 'torch' needs it, which is not installed."]
    assert (found.products, found.steps, found.epochs) == (None, {}, {})


def test_the_products_are_those_of_a_gradient(backend, task):
    pairs = operands(task)
    wanted = [(7, 8), (6, 8), (3, 8), (7, 5), (6, 7), (3, 6), (7, 8), (6, 8)]  # up, weights, errors: none below layer 1
    assert sorted((A @ B).shape for A, B in pairs) == sorted(wanted)
    got = products(task, backend)()
    for product, (A, B) in zip(got, pairs, strict=True):
        np.testing.assert_allclose(backend.to_numpy(product), A @ B, rtol=1e-5, atol=1e-5)


def test_a_section_with_a_row_for_everybody(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(peers, "QUICK", SHAPES)
    monkeypatch.setattr(peers, "RIVALS", {"numpy": "sklearn"})
    told = []
    section = run(PLAN, lambda *one: told.append(one))
    assert from_json(to_json(Record({}, ("peers",), PLAN, (section,)))).sections == (section,)
    assert [grid.name for grid in section.grids] == ["against", "step", "epoch", "products", "adam"]
    against, step, epoch, floors, adam = section.grids
    names = ("2-3-2", 4), ("5-7-6-3", 8)
    assert [row[:5] for row in against.rows] == [
        (*name, rule, "numpy", what) for name in names for rule in ("sgd", "adam") for what in ("step", "epoch")
    ]
    assert [row[4] for row in step.rows] == ["mlpxp", "scikit-learn"] * 4
    assert [row[:4] for row in adam.rows] == [(*name, "numpy", who) for name in names for who in ("mlpxp", "scikit-learn")]
    assert all(row[-1] == row[-2] / row[-3] > 0 for row in adam.rows)
    for row, floor in zip(epoch.rows[::2], floors.rows, strict=True):
        assert row[-1] == row[-2] / (row[-3] * floor[-1])
    assert [[series.name for series in figure.series] for figure in section.figures] == [["mlpxp on numpy", "scikit-learn"]] * 2
    assert all(point.y > 0 and np.isfinite(point.y) for figure in section.figures for series in figure.series for point in series.points)
    assert [share for _, share in told] == [0.0, 0.25, 0.5, 0.75]


def test_only_what_is_on_the_same_kind_of_device_is_a_floor(task):
    found = [
        Measured("numpy", products=Timing((2.0,), 0.0)),
        Measured("torch", products=Timing((1.0,), 0.0)),
        Measured("cupy", on_gpu=True, products=Timing((0.1,), 0.0)),
        Measured("jax"),
    ]
    assert Case(task, 4, found).floor(on_gpu=False) == 1.0
    assert Case(task, 4, found).floor(on_gpu=True) == 0.1


def test_the_fastest_of_ours_and_of_theirs(task):
    times = {"mlpxp": Timing((2.0,), 0.0), "mlpxp, compiled": Timing((1.0,), 0.0), "JAX, rows": Timing((3.0,), 0.0)}
    against, *_ = grids([Case(task, 4, [Measured("jax", products=Timing((0.5,), 0.0), steps=times)])])
    assert against.rows == (("5-7-6-3", 8, "sgd", "jax", "step", "mlpxp, compiled", 1.0, "JAX, rows", 3.0, 1.0 / 3.0),)
    del times["JAX, rows"]
    against, step, *_ = grids([Case(task, 4, [Measured("jax", products=Timing((0.5,), 0.0), steps=times)])])
    assert (against.rows, len(step.rows)) == ((), 2)


def test_a_rival_is_a_name_and_three_functions(task):
    rival = ours(task, numpy, name="we")
    assert isinstance(rival, Rival)
    assert rival.name == "we"
    assert sum(array.size for array in rival.parameters()) == task.network.n_parameters
