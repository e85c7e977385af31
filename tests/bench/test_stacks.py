"""Stacks: who is timed has learnt what the members learn alone, and each time is of one network's step."""

from dataclasses import replace

import numpy as np
import pytest

from mlpxp import Layer, get_backend, initialize
from mlpxp.arrays.standard import tree_leaves
from mlpxp.bench import stacks
from mlpxp.bench._timing import Timing
from mlpxp.bench.plan import Plan
from mlpxp.bench.problems import classifier
from mlpxp.bench.record import Record, from_json, to_json
from mlpxp.bench.rivals import products
from mlpxp.bench.stacks import BATCH, BATCHES, IN_A_ROW, SIZES, Stacked, measure, objection_to_stack, run, task_of
from mlpxp.bench.tasks import Training, operands

PLAN = Plan(("numpy",), quick=True, seconds=0.01)


@pytest.fixture
def members():
    return initialize(classifier(SIZES, "tanh"), seed=range(5))


def test_a_stack_s_members_learn_what_they_learn_alone(backend, members):
    assert objection_to_stack(Training(task_of(members, 5), backend), members, 5) is None
    assert objection_to_stack(Training(task_of(members, 1), backend), members, 1) is None


def test_who_learns_something_else_is_refused(members):
    other = replace(task_of(members, 3), rate=0.02)
    library = get_backend("numpy")
    assert objection_to_stack(Training(other, library), members, 3).startswith(
        "member 0 did not learn what it learns alone: its parameters"
    )
    mixed = replace(task_of(members, 3), start=tuple(Layer(layer.W[[0, 2, 1]], layer.b[[0, 2, 1]]) for layer in members))
    assert objection_to_stack(Training(mixed, library), members, 3).startswith("member 1 ")


def test_the_first_k_are_a_stack_and_the_first_is_a_network(members):
    assert [leaf.shape for leaf in tree_leaves(task_of(members, 3).start)] == [(3, 16, 2), (3, 16, 1), (3, 2, 16), (3, 2, 1)]
    assert [leaf.shape for leaf in tree_leaves(task_of(members).start)] == [(16, 2), (16, 1), (2, 16), (2, 1)]
    assert (task_of(members, 3).members, task_of(members).members) == (3, 1)


def test_the_products_are_those_of_a_step_of_every_member(backend, members):
    task = task_of(members, 3)
    up, down = [(3, 16, BATCH), (3, 2, BATCH)], [(3, 16, 2), (3, 2, 16), (3, 16, BATCH)]
    assert [(A @ B).shape for A, B in operands(task)] == up + down
    for product, (A, B) in zip(products(task, backend)(), operands(task), strict=True):
        np.testing.assert_allclose(backend.to_numpy(product), A @ B, rtol=1e-5, atol=1e-5)


def test_a_section_of_a_row_for_each_k(monkeypatch):
    monkeypatch.setattr(stacks, "QUICK", (1, 3))
    monkeypatch.setattr(stacks, "NAMED", 3)
    told = []
    section = run(PLAN, lambda *one: told.append(one))
    assert from_json(to_json(Record({}, ("stacks",), PLAN, (section,)))).sections == (section,)
    (grid,), (figure,) = section.grids, section.figures
    assert [row[:2] for row in grid.rows] == [("numpy", 1), ("numpy", 3)]
    for _, _, ours, alone, ratio, floor, multiple in grid.rows:
        assert min(ours, alone, floor) > 0
        assert (ratio, multiple) == (alone / ours, ours / floor)
    assert [series.name for series in figure.series] == [
        "numpy, as a stack",
        "numpy, one by one",
        "numpy.matmul, the products alone",
    ]
    assert [point.y for point in figure.series[0].points] == [row[2] for row in grid.rows]
    assert section.notes[0].startswith("numpy: 3 networks as one stack take ")
    assert [share for _, share in told] == [0.0, 0.5]


def test_the_times_are_of_one_network_and_step():
    one = Stacked(
        "numpy",
        alone={1000: Timing((1e-3 * BATCHES * IN_A_ROW,), 0.0)},
        epochs={1000: Timing((1e-1 * BATCHES,), 0.0)},
        products={1000: Timing((5e-2,), 0.0)},
    )
    assert stacks._rows([one]) == [("numpy", 1000, 100.0, 1000.0, 10.0, 50.0, 2.0)]
    (said,) = stacks._ratios([one])
    assert said == (
        "numpy: 1,000 networks as one stack take 100 microseconds each a step, one by one 1,000: 10 times as long. "
        "Its products alone take 50: no more than 20 times is there to gain with them."
    )


def test_what_fails_is_said_and_what_was_measured_before_is_kept(monkeypatch, members):
    class Small(Training):
        def __init__(self, task, library, device=None):
            if task.members > 2:
                raise MemoryError("no room\nhere")
            super().__init__(task, library, device)

    monkeypatch.setattr(stacks, "Training", Small)
    found = measure(PLAN, "numpy", members, (1, 2, 4, 5), lambda *_: None)
    assert list(found.epochs) == [1, 2]
    assert found.notes == ["numpy: not measured from k = 4 on: no room here."]


def test_who_errs_is_not_timed(monkeypatch, members):
    monkeypatch.setattr(stacks, "objection_to_stack", lambda stack, members, k: "it is lazy" if k == 2 else None)
    found = measure(PLAN, "numpy", members, (1, 2, 4), lambda *_: None)
    assert list(found.epochs) == list(found.alone) == list(found.products) == [1, 4]
    assert found.notes == ["numpy: not timed at k = 2: it is lazy."]
