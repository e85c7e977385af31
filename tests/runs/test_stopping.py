"""When a run has stopped improving."""

import math

import pytest

from mlpxp.runs.stopping import Stop, Watch


def watched(costs, *, tolerance=0.0, patience=2):
    """After each epoch: whether it improved, and whether patience has run out."""
    watch = Watch(1, tolerance, patience)
    return [(watch.see(epoch, [cost], [True])[0], watch.exhausted()[0]) for epoch, cost in enumerate(costs, start=1)], watch


def test_an_epoch_improves_if_it_is_better_than_the_best():
    seen, watch = watched([3.0, 2.0, 2.5, 1.0], patience=None)
    assert [improved for improved, _ in seen] == [True, True, False, True]
    assert (watch.best, watch.best_epoch, watch.stale) == ([1.0], [4], [0])


def test_equal_is_no_improvement():
    seen, watch = watched([1.0, 1.0])
    assert seen == [(True, False), (False, False)]
    assert watch.best_epoch == [1]


def test_patience_counts_epochs_in_a_row():
    seen, watch = watched([3.0, 4.0, 2.0, 4.0, 4.0], patience=2)
    assert [exhausted for _, exhausted in seen] == [False, False, False, False, True]
    assert watch.best_epoch == [3]


def test_an_improvement_has_to_be_larger_than_the_tolerance():
    seen, watch = watched([1.0, 0.75, 0.5, 0.25], tolerance=0.25)
    assert [improved for improved, _ in seen] == [True, False, True, False]
    assert watch.best == [0.5]


def test_without_patience_it_never_ends():
    assert not any(exhausted for _, exhausted in watched([1.0] * 100, patience=None)[0])


@pytest.mark.parametrize("cost", [math.nan, math.inf])
def test_a_cost_that_is_not_finite_is_no_improvement(cost):
    assert watched([cost, 1.0])[0] == [(False, False), (True, False)]


def test_members_are_watched_each_on_its_own():
    watch = Watch(3, 0.0, 1)
    watch.see(1, [1.0, 1.0, 1.0], [True, True, True])
    assert watch.see(2, [0.5, 2.0, 0.5], [True, True, False]) == [True, False, False]
    assert watch.exhausted() == [False, True, False]  # one that has stopped is not judged
    assert watch.best_epoch == [2, 1, 1]


def test_a_watch_over_past_epochs_goes_on_where_they_ended():
    costs = [3.0, 2.0, 2.5]
    over = Watch.over(1, 0.0, 5, costs)
    assert over == watched(costs, patience=5)[1]
    assert over.stale == [1]


def test_a_watch_over_a_stacks_past():
    over = Watch.over(2, 0.0, 5, [(3.0, 1.0), (2.0, 2.0)])
    assert (over.best, over.best_epoch, over.stale) == ([2.0, 1.0], [2, 1], [0, 1])


def test_what_had_stopped_gets_another_chance():
    over = Watch.over(1, 0.0, 2, [1.0, 2.0, 2.0])
    assert not over.exhausted()[0]
    assert over.best_epoch == [1]


def test_tolerance_may_be_left_out():
    assert Watch.over(1, None, 2, ()) == Watch(1, 0.0, 2)


def test_reasons_read_as_words():
    assert {str(stop) for stop in Stop} == {
        "converged",
        "stopped early",
        "maximum of epochs reached",
        "time is up",
        "stopped by a callback",
        "interrupted",
        "diverged",
        "no step lowers the cost",
    }
    assert all(Stop)  # a reason is true, and no reason is None
