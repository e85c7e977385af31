import numpy as np
import pytest

from mlpxp import OutputError, RangeError
from mlpxp.plotting import save_figure
from mlpxp.textbook import plot_approximation, plot_interpolant
from mlpxp.textbook.approximation import Fitting, error_against_width, make_target, relu_interpolant, sigmoid_staircase

Figure = pytest.importorskip("matplotlib.figure").Figure
TARGET = make_target("sin(3*x)", (0, 2))


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_lines_are_the_function_and_its_approximants(tmp_path):
    staircase, interpolant = sigmoid_staircase(TARGET, 5), relu_interpolant(TARGET, 3)
    figure = plot_approximation(TARGET, staircase, interpolant)
    upper, lower = figure.axes
    x = upper.lines[0].get_xdata()
    np.testing.assert_array_equal(upper.lines[0].get_ydata(), np.sin(3 * x))
    for index, one in enumerate((staircase, interpolant)):
        np.testing.assert_array_equal(upper.lines[index + 1].get_ydata(), one(x))
        np.testing.assert_array_equal(lower.lines[index].get_ydata(), one(x) - np.sin(3 * x))
    assert labels(upper) == [
        "sin(3*x)",
        f"sigmoid staircase, 1-5-1: {staircase.max_error:.2g}",
        f"ReLU interpolant, 1-3-1: {interpolant.max_error:.2g}",
    ]
    assert upper.lines[1].get_linestyle() != upper.lines[2].get_linestyle()
    assert upper.get_title(loc="left") == "sin(3*x)"
    save_figure(figure, tmp_path / "a.png")


def test_of_a_stack_the_median_member_is_drawn():
    (stack,) = error_against_width(TARGET, (3,), fitting=Fitting(seeds=4, epochs=20)).trained
    upper, _ = plot_approximation(TARGET, stack).axes
    member = int(np.argsort(stack.max_error)[1])
    np.testing.assert_array_equal(upper.lines[1].get_ydata(), stack(upper.lines[1].get_xdata())[member])


def test_alone_and_in_axes_that_are_given():
    assert len(plot_approximation(TARGET).axes) == 1
    figure = Figure()
    axes = figure.subplots()
    assert plot_approximation(TARGET, relu_interpolant(TARGET, 3), ax=axes) is figure
    assert plot_interpolant(TARGET, 3, ax=axes) is figure
    assert figure.axes == [axes]


def test_the_interpolant_and_its_bound():
    upper, lower = plot_interpolant(TARGET, 4).axes
    knots = upper.lines[2]
    assert knots.get_xdata().tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    np.testing.assert_array_equal(knots.get_ydata(), np.sin(3 * knots.get_xdata()))
    assert labels(upper) == ["sin(3*x)", "ReLU network, 4 hidden units", "5 knots"]
    error, bound = lower.lines[0].get_ydata(), lower.lines[2].get_ydata()[0]
    assert 0.5 * bound < error.max() <= bound
    assert bound == pytest.approx(0.25 / 8 * 9)
    assert len(plot_interpolant(make_target(np.sin), 4).axes[1].get_legend().get_texts()) == 1


def test_what_can_t_be_drawn(monkeypatch):
    with pytest.raises(RangeError, match="a function of one variable, got x1\\*\\*2 - x2\\*\\*2 of 2"):
        plot_approximation(make_target("saddle"))
    with pytest.raises(RangeError, match="approximants must be of the target on"):
        plot_approximation(TARGET, relu_interpolant(make_target("sine"), 2))
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_interpolant(TARGET)


def test_what_is_no_function_and_no_network():
    for wrong in (lambda: plot_interpolant("sin(x)"), lambda: plot_approximation(None)):
        with pytest.raises(RangeError, match="target must be a Target, got"):
            wrong()
    with pytest.raises(RangeError, match="an approximant must be an Approximant, got float"):
        plot_approximation(make_target("x"), 1.0)
