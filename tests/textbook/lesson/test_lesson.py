"""A lesson is the library's training, one step at a time."""

import numpy as np
import pytest

import mlpxp
from mlpxp import Adam, GradientDescent, RangeError, UnknownNameError
from mlpxp.arrays.standard import tree_leaves
from mlpxp.textbook.lesson._choices import Choices, changed
from mlpxp.textbook.lesson._examples import built_in
from mlpxp.textbook.lesson._lesson import advance, begin, choose, gradient, operations, step


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(tree_leaves(first), tree_leaves(second), strict=True))


@pytest.fixture
def xor():
    return begin(Choices(), built_in("xor"))


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
@pytest.mark.parametrize("batch_size", [0, 1, 64])
def test_epochs_are_those_of_train_to_the_bit(optimizer, batch_size):
    choices = Choices("moons", (3, 2), optimizer=optimizer, learning_rate=0.1, batch_size=batch_size, seed=7)
    lesson = advance(begin(choices, built_in("moons")), 3)
    run = mlpxp.train(
        lesson.network,
        lesson.examples.X,
        lesson.examples.Y,
        optimizer={"gradient_descent": GradientDescent, "adam": Adam}[optimizer](0.1),
        epochs=3,
        batch_size=batch_size or None,
        seed=7,
    )
    assert equal(lesson.parameters, run.parameters)
    np.testing.assert_allclose(lesson.costs, run.history.cost, rtol=1e-14)


def test_an_epoch_is_so_many_steps(xor):
    lesson = begin(Choices("moons", batch_size=64), built_in("moons"))
    assert lesson.steps == 4  # 64, 64, 64 and 8
    stepped = lesson
    for taken in range(3):
        stepped = step(stepped)
        assert (len(stepped.partial), stepped.costs) == (taken + 1, ())
    stepped = step(stepped)
    assert (stepped.partial, len(stepped.costs)) == ((), 1)
    assert equal(stepped.parameters, advance(lesson).parameters)
    assert lesson.costs == ()  # as it was
    assert xor.steps == 1


def test_two_hidden_units_learn_xor_and_none_cannot(xor):
    assert advance(xor, 100).right == 4
    perceptron = begin(Choices(widths=()), built_in("xor"))
    assert max(advance(perceptron, epochs).right for epochs in (0, 1, 10, 100)) <= 3


def test_a_naive_step_is_the_same_but_for_rounding_and_costs_more(xor):
    quick, naive = (step(choose(xor, {"method": method}, xor.examples)) for method in ("backpropagation", "naive"))
    for a, b in zip(tree_leaves(quick.parameters), tree_leaves(naive.parameters), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)
    assert not equal(quick.parameters, naive.parameters)
    assert naive.counted > 5 * quick.counted


@pytest.mark.parametrize("method", ["backpropagation", "naive"])
def test_what_is_counted_is_what_the_counting_instrument_counts(xor, method):
    lesson = advance(choose(xor, {"method": method}, xor.examples), 3)
    counted = mlpxp.count_operations(gradient, lesson.network, lesson.parameters, lesson.examples.X, lesson.examples.Y, method)
    assert operations(lesson.network, 4, method) == counted.total
    assert lesson.counted == 3 * counted.total


def test_backpropagations_products_are_those_of_the_formula(xor):
    """K2: forward 2mΣ n_l n_{l-1}, backward as much for the gradients, and again without layer 1."""
    counted = mlpxp.count_operations(gradient, xor.network, xor.parameters, xor.examples.X, xor.examples.Y, "backpropagation")
    assert counted.matmul == 2 * 4 * (2 * (2 * 2 + 2 * 1) + 2 * 1)


def test_the_learning_rate_and_the_method_change_on_the_way(xor):
    lesson = advance(xor, 5)
    other = choose(lesson, {"learning_rate": 0.5, "method": "naive"}, lesson.examples)
    assert other.parameters is lesson.parameters
    assert other.costs == lesson.costs
    assert choose(lesson, {"activation": "relu"}, lesson.examples).costs == ()


def test_a_run_that_diverges_says_so_and_stays_where_it_was():
    lesson = advance(begin(Choices("moons", (4,), "relu", learning_rate=1000.0), built_in("moons")), 3000)
    assert "smaller learning rate" in lesson.trouble
    assert all(np.isfinite(array).all() for array in tree_leaves(lesson.parameters))
    assert step(lesson) is lesson
    assert not choose(lesson, {"learning_rate": 0.1}, lesson.examples).trouble


def test_advance_stops_when_the_time_is_over(xor):
    assert len(advance(xor, 1000, seconds=0.0).costs) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"data": "mnist"}, UnknownNameError),
        ({"data": ["xor"]}, UnknownNameError),
        ({"widths": (17,)}, RangeError),
        ({"widths": (0,)}, RangeError),
        ({"widths": (2.5,)}, RangeError),
        ({"widths": (True,)}, RangeError),
        ({"widths": (1, 1, 1, 1, 1)}, RangeError),
        ({"widths": "2"}, RangeError),
        ({"activation": "softmax"}, UnknownNameError),
        ({"activation": {"name": "tanh"}}, UnknownNameError),
        ({"loss": "poisson"}, UnknownNameError),
        ({"optimizer": None}, UnknownNameError),
        ({"learning_rate": 0}, RangeError),
        ({"learning_rate": 1e9}, RangeError),
        ({"learning_rate": "0.1"}, RangeError),
        ({"learning_rate": True}, RangeError),
        ({"learning_rate": float("nan")}, RangeError),
        ({"learning_rate": float("inf")}, RangeError),
        ({"learning_rate": 10**400}, RangeError),  # no float is that large
        ({"batch_size": 3}, UnknownNameError),
        ({"batch_size": True}, UnknownNameError),
        ({"seed": -1}, RangeError),
        ({"seed": 2**32}, RangeError),
        ({"method": "eval"}, UnknownNameError),
        ({"__class__": 1}, UnknownNameError),
    ],
)
def test_what_cannot_be_chosen(changes, error):
    with pytest.raises(error) as raised:
        changed(Choices(), changes)
    assert "got" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200
