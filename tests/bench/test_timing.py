"""How runs are timed, on a clock that the test moves: what is counted, in which order, and what is left out."""

from types import SimpleNamespace

import pytest

from mlpxp.bench._timing import Timing, time_in_turn


class Clock:
    """A clock that stands still until something takes time."""

    def __init__(self):
        self.now, self.calls = 0.0, []

    def taking(self, name, seconds, first=None):
        """A function that takes so long, its first call another time."""

        def function():
            self.now += seconds if first is None or name in self.calls else first
            self.calls.append(name)

        return function


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("mlpxp.bench._timing.time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_rivals_take_turns(clock):
    time_in_turn({"a": clock.taking("a", 1.0), "b": clock.taking("b", 3.0)}, seconds=12.0, least=1)
    assert clock.calls == ["a", "b"] * 5  # a warm-up, a round to see how long one takes, and 12 / 4


def test_the_warm_up_does_not_count(clock):
    timing = time_in_turn({"a": clock.taking("a", 1.0, first=100.0)}, seconds=7.0)["a"]
    assert timing.warm_up == 100.0
    assert timing.seconds == (1.0,) * 7


@pytest.mark.parametrize(("seconds", "runs"), [(0.0, 5), (4.0, 5), (8.0, 8), (1e9, 20)])
def test_how_often(clock, seconds, runs):
    timing = time_in_turn({"a": clock.taking("a", 1.0)}, seconds=seconds, least=5, most=20)["a"]
    assert len(timing.seconds) == runs
    assert len(clock.calls) == runs + 2


def test_queued_work_belongs_to_the_run_that_queued_it(clock):
    queue = [50.0]  # from before

    def wait():
        clock.now += sum(queue)
        queue.clear()

    timings = time_in_turn({"a": lambda: queue.append(2.0), "b": lambda: queue.append(5.0)}, wait=wait, seconds=0.0, least=3)
    assert timings["a"].warm_up == 2.0
    assert timings["a"].seconds == (2.0,) * 3
    assert timings["b"].seconds == (5.0,) * 3


def test_runs_are_sorted_and_summed_up(clock):
    times = iter((9.0, 9.0, 5.0, 1.0, 4.0, 2.0, 3.0))

    def function():
        clock.now += next(times)

    timing = time_in_turn({"a": function}, seconds=0.0, least=5)["a"]
    assert timing.seconds == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert timing.median == 3.0
    assert timing.quartiles == (1.5, 4.5)


def test_few_runs_have_their_extremes_for_quartiles():
    assert Timing((1.0, 2.0, 7.0), warm_up=0.0).quartiles == (1.0, 7.0)
