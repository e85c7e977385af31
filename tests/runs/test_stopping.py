"""When a run has stopped improving."""

import math

import pytest

from mlpxp import Epoch
from mlpxp.runs.stopping import NEVER, Patience, Stop, Watched


def judged(costs, rule):
    """After each epoch: whether it improved, and whether patience has run out; and what is known at last."""
    told, watched = [], Watched.nothing(1)
    for number, cost in enumerate(costs, start=1):
        watched, (improved,), (exhausted,) = rule.see(number, [cost], watched, [True])
        told.append((improved, exhausted))
    return told, watched


def test_an_epoch_improves_if_it_is_better_than_the_best():
    told, watched = judged([3.0, 2.0, 2.5, 1.0], NEVER)
    assert [improved for improved, _ in told] == [True, True, False, True]
    assert watched == Watched((1.0,), (4,), (0,))


def test_equal_is_no_improvement():
    told, watched = judged([1.0, 1.0], Patience(2))
    assert told == [(True, False), (False, False)]
    assert watched.best_epoch == (1,)


def test_patience_counts_epochs_in_a_row():
    told, watched = judged([3.0, 4.0, 2.0, 4.0, 4.0], Patience(2))
    assert [exhausted for _, exhausted in told] == [False, False, False, False, True]
    assert watched.best_epoch == (3,)


def test_an_improvement_has_to_be_larger_than_the_tolerance():
    told, watched = judged([1.0, 0.75, 0.5, 0.25], Patience(2, 0.25))
    assert [improved for improved, _ in told] == [True, False, True, False]
    assert watched.best == (0.5,)


def test_with_every_gain_the_best_creeps_and_patience_runs_out_all_the_same():
    """scikit-learn's: an epoch counts unless its loss is above best - tol, and the best is the lowest of all."""
    costs, tolerance = [1.0, 0.75, 0.625, 0.5, 0.25], 0.25
    best, stale, wanted = math.inf, 0, []
    for cost in costs:
        stale = stale + 1 if cost > best - tolerance else 0
        wanted.append((cost < best, stale >= 2))
        best = min(best, cost)
    told, watched = judged(costs, Patience(2, tolerance, every_gain=True))
    assert told == wanted
    assert (watched.best, watched.best_epoch) == ((best,), (5,))
    assert [exhausted for _, exhausted in told] == [False, False, False, True, False]


def test_with_every_gain_an_equal_cost_is_no_new_best_but_not_stale():
    told, watched = judged([1.0, 1.0], Patience(1, every_gain=True))
    assert told == [(True, False), (False, False)]
    assert watched == Watched((1.0,), (1,), (0,))


def test_without_patience_it_never_ends():
    assert not any(exhausted for _, exhausted in judged([1.0] * 100, NEVER)[0])
    assert not any(exhausted for _, exhausted in judged([1.0] * 100, Patience(math.inf))[0])


@pytest.mark.parametrize("every_gain", [False, True])
@pytest.mark.parametrize("cost", [math.nan, math.inf])
def test_a_cost_that_is_not_finite_is_no_improvement(cost, every_gain):
    assert [improved for improved, _ in judged([cost, 1.0, math.nan], Patience(9, every_gain=every_gain))[0]] == [False, True, False]


def test_members_are_watched_each_on_its_own():
    rule = Patience(1)
    watched, _, _ = rule.see(1, [1.0, 1.0, 1.0], Watched.nothing(3), [True, True, True])
    watched, improved, exhausted = rule.see(2, [0.5, 2.0, 0.5], watched, [True, True, False])
    assert improved == [True, False, False]
    assert exhausted == [False, True, False]  # one that has stopped is not judged
    assert watched.best_epoch == (2, 1, 1)


def test_the_validation_cost_is_followed_where_there_is_one():
    told = {"last": 9, "validation_score": None, "seconds": 0.0, "learning_rate": 0.1, "parameters": ()}
    watched = Watched.nothing(2)
    assert Patience().judge(Epoch(1, cost=(1.0, 2.0), validation_cost=(3.0, 4.0), **told), watched, [True] * 2).watched.best == (3.0, 4.0)
    assert Patience().judge(Epoch(1, cost=(1.0, 2.0), validation_cost=None, **told), watched, [True] * 2).watched.best == (1.0, 2.0)
    assert Patience().judge(Epoch(1, cost=1.0, validation_cost=None, **told), Watched.nothing(1), [True]).watched.best == (1.0,)


def test_a_rule_says_by_which_differences_of_the_training_cost_it_judges():
    assert Patience(3, 0.5).resolution == 0.5
    assert Patience(3).resolution == 0.0
    assert NEVER.resolution is None
    assert Patience(3, 0.5, Stop.EARLY).resolution is None  # it looks at the validation data's


def test_past_epochs_are_gone_on_from():
    costs, rule = [3.0, 2.0, 2.5], Patience(5)
    over = rule.over(1, costs)
    assert over == judged(costs, rule)[1]
    assert over.stale == (1,)
    assert rule.over(1, costs[1:], before=1) == over


def test_past_epochs_of_a_stack():
    assert Patience(5).over(2, [(3.0, 1.0), (2.0, 2.0)]) == Watched((2.0, 1.0), (2, 1), (0, 1))


def test_what_had_stopped_gets_another_chance():
    assert Patience(2).over(1, [1.0, 2.0, 2.0]) == Watched((1.0,), (1,), (0,))


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
