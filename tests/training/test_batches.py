"""How an epoch is cut into batches and folds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpxp.arrays import draws
from mlpxp.arrays.rows import in_order
from mlpxp.training.batches import Batches


def flat(plan, epoch):
    """The rows of each batch of an epoch, whatever folds they come in."""
    return [rows.tolist() for fold in plan.epoch(epoch) for rows in fold.rows]


@given(m=st.integers(1, 60), size=st.integers(1, 70), longest=st.integers(1, 9), epoch=st.integers(1, 99))
def test_an_epoch_is_the_drawn_order_in_batches(m, size, longest, epoch):
    batches = flat(Batches(m=m, size=size, seed=5, longest=longest), epoch)
    order = draws.batch_order(5, epoch, m).tolist()
    assert batches == [order[i : i + size] for i in range(0, m, size)]
    assert len(batches) == Batches(m=m, size=size, seed=5, longest=longest).per_epoch


@given(m=st.integers(1, 60), size=st.integers(1, 70), longest=st.integers(1, 9))
def test_folds_hold_batches_of_one_size_and_know_their_place(m, size, longest):
    first = 0
    for fold in Batches(m=m, size=size, seed=0, longest=longest).epoch(1):
        assert fold.rows.ndim == 2
        assert 1 <= fold.rows.shape[0] <= longest
        assert list(fold.places) == list(range(first, first + fold.rows.shape[0]))
        assert fold.total.tolist() == [fold.rows.shape[1]] * fold.rows.shape[0]  # a smaller last batch counts as what it is
        first += fold.rows.shape[0]


def test_a_full_batch_is_not_gathered():
    (fold,) = Batches(m=7, size=None, seed=0, longest=3).epoch(1)
    assert fold.rows is None
    assert fold.total.tolist() == [7.0]
    assert Batches(m=7, size=None, seed=0, longest=3).per_epoch == 1


def test_a_full_batch_weighs_what_its_examples_weigh():
    (fold,) = Batches(m=3, size=None, seed=0, longest=3, weights=np.asarray([0.5, 0.0, 2.0])).epoch(1)
    assert fold.total.tolist() == [2.5]


def test_the_plan_is_a_function_of_seed_and_epoch():
    plan = Batches(m=20, size=6, seed=1, longest=2)
    later = flat(plan, 3)
    assert flat(plan, 1) != later
    assert flat(Batches(m=20, size=6, seed=1, longest=2), 3) == later
    assert flat(Batches(m=20, size=6, seed=2, longest=2), 3) != later


def test_batches_that_weigh_nothing_are_left_out():
    order = draws.batch_order(0, 1, 7)
    weights = np.ones(7)
    weights[order[2:4]] = 0.0  # the second batch
    weights[order[4]] = 0.0  # half of the third
    plan = Batches(m=7, size=2, seed=0, longest=10, weights=weights)
    assert flat(plan, 1) == [order[:2].tolist(), order[4:6].tolist(), order[6:].tolist()]
    assert [total for fold in plan.epoch(1) for total in fold.total.tolist()] == [2.0, 1.0, 1.0]


def test_a_last_batch_that_weighs_nothing_is_left_out():
    order = draws.batch_order(0, 1, 5)
    weights = np.ones(5)
    weights[order[4]] = 0.0
    assert flat(Batches(m=5, size=2, seed=0, longest=10, weights=weights), 1) == [order[:2].tolist(), order[2:4].tolist()]


@given(m=st.integers(1, 40), size=st.integers(1, 45), longest=st.integers(1, 9), seed=st.integers(0, 99), whole=st.booleans())
def test_a_batch_has_its_place_whatever_weighs_nothing_and_however_folds_are_cut(m, size, longest, seed, whole):
    weights = (np.random.default_rng(seed).random(m) < 0.3).astype(float)
    weights[seed % m] = 1.0
    order = np.random.default_rng(seed).permutation(m)
    plan = Batches(m=m, size=None if whole else size, seed=0, longest=longest, weights=weights, order=lambda number: order)
    size = m if whole else size
    wanted = {i: order[i * size : (i + 1) * size].tolist() for i in range(-(-m // size)) if weights[order[i * size : (i + 1) * size]].any()}
    for done in {0, 1, m // size // 2}:
        found = {}
        for fold in plan.epoch(1, done):
            assert len(fold.places) == len(fold.total) <= longest
            rows = [None] if fold.rows is None else fold.rows.tolist()
            found |= dict(zip(fold.places, rows, strict=True))
            for place, total in zip(fold.places, fold.total, strict=True):
                assert total == weights[wanted[place]].sum()
        assert found == {place: None if whole else rows for place, rows in wanted.items() if place >= done}


def test_an_order_with_repeats_is_followed_where_all_are_one_batch():
    for size, longest in ((None, 3), (None, 1), (4, 1), (9, 1)):
        (fold,) = Batches(m=4, size=size, seed=0, longest=longest, order=lambda number: [3, 0, 3, 3]).epoch(1)
        assert fold.rows.tolist() == [[3, 0, 3, 3]]
        assert fold.total.tolist() == [4.0]


@pytest.mark.parametrize(("m", "size", "shapes"), [(7, 3, [(2, 3), (1, 1)]), (6, 3, [(2, 3)]), (2, 3, [(1, 2)]), (1, 1, [(1, 1)])])
def test_rows_in_order(m, size, shapes):
    parts = in_order(m, size)
    assert [part.shape for part in parts] == shapes
    assert np.concatenate([part.ravel() for part in parts]).tolist() == list(range(m))
