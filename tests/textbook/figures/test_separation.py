import sys
from dataclasses import replace

import numpy as np
import pytest

from mlpxp import DataError, OutputError, RangeError, ShapeError, perceptron, separate
from mlpxp.plotting import save_figure
from mlpxp.plotting.style import figure_class
from mlpxp.textbook import plot_perceptron, plot_separation

pytest.importorskip("matplotlib")

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR, AND = [0, 1, 1, 0], [0, 0, 0, 1]


def lines(axes):
    return [(line.get_xy1(), line.get_xy2()) for line in axes.lines if type(line).__name__ == "AxLine"]


def test_the_line_and_its_margin_and_the_examples_that_it_touches(tmp_path):
    figure = plot_separation(SQUARE, AND)
    (axes,) = figure.axes
    on = [[2 * x + 2 * y - 3 for x, y in line] for line in lines(axes)]
    assert np.allclose(on, [[0, 0], [1, 1], [-1, -1]])
    assert axes.get_title(loc="left") == "a margin of 0.3536"
    rings = axes.collections[-1].get_offsets()
    assert sorted(map(tuple, rings.tolist())) == [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    save_figure(figure, tmp_path / "a.png")


def test_the_certificate_of_xor_is_two_diagonals_that_cross(tmp_path):
    figure = plot_separation(SQUARE, XOR, separate(SQUARE, XOR))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "no line: 4 examples contradict each other"
    first, second = (patch.get_xy()[:2].tolist() for patch in axes.patches)
    assert (sorted(first), sorted(second)) == ([[0, 0], [1, 1]], [[0, 1], [1, 0]])
    (shared,) = (points for points in axes.collections if points.get_label() == "in both hulls")
    assert shared.get_offsets().tolist() == [[0.5, 0.5]]
    assert [text.get_text() for text in axes.texts] == ["×1"] * 4
    save_figure(figure, tmp_path / "a.png")


@pytest.mark.parametrize("seed", range(5))
def test_the_point_in_both_hulls_is_in_both(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(40, 2)), random.integers(0, 2, 40)
    found = separate(X, y)
    assert not found.separable
    (axes,) = plot_separation(X, y, found).axes
    (shared,) = (points.get_offsets()[0] for points in axes.collections if points.get_label() == "in both hulls")
    for sign in (1, -1):
        counted = [one for one in found.constraints if one.sign == sign]
        total = sum(one.multiplicity for one in counted)
        assert np.allclose(sum(one.multiplicity / total * np.array(one.x) for one in counted), shared)


def test_one_point_in_two_classes_and_into_axes_of_one_s_own(tmp_path):
    axes = figure_class()().subplots()
    figure = plot_separation([[1.0, 2.0], [1.0, 2.0]], ["a", "b"], ax=axes, title="twins")
    assert axes.get_title(loc="left") == "twins"
    save_figure(figure, tmp_path / "a.png")


def test_a_perceptron_s_way_and_its_mistakes(tmp_path):
    run = perceptron(SQUARE, AND)
    figure = plot_perceptron(SQUARE, AND, run)
    left, right = figure.axes
    assert right.lines[0].get_ydata().tolist() == list(run.mistakes)
    w, b = np.array(run.w), run.b
    assert np.allclose([w @ np.array(point) + b for point in lines(left)[-1]], 0.0)
    assert left.get_title(loc="left") == f"converged after {sum(run.mistakes)} mistakes"
    save_figure(figure, tmp_path / "a.png")


@pytest.mark.parametrize(("size", "offset"), [(1e-250, 0.0), (1e20, 0.0), (1e300, 0.0), (2.0**40, 2.0**60)])
def test_numbers_of_any_size_are_drawn(size, offset, tmp_path):
    X = SQUARE * size + offset
    figure = plot_separation(X, AND)
    for line, wanted in zip(lines(figure.axes[0]), (1.5, 2.0, 1.0), strict=True):  # x1 + x2, from the first corner on, in units of the side
        assert np.allclose([sum((x - offset) / size for x in point) for point in line], wanted)
    save_figure(figure, tmp_path / "a.png")
    save_figure(plot_separation(X, XOR), tmp_path / "b.png")
    save_figure(plot_perceptron(X, AND, perceptron(X, AND, epochs=5)), tmp_path / "c.png")


def test_lines_beyond_floats(tmp_path):
    """Where the hyperplane is of Fractions, and where a perceptron's weights are infinite."""
    A, d = 1e300, 5e-324
    X, y = [[-A, 0.0], [A, d], [-A / 4, 0.0], [0.0, 0.0]], [1, 1, 0, 0]
    found = separate(X, y)
    save_figure(plot_separation(X, y, found), tmp_path / "a.png")
    save_figure(plot_perceptron(X, y, perceptron(X, y, epochs=5)), tmp_path / "b.png")
    run = replace(perceptron(SQUARE, AND), path=(((np.inf, 0.0), 2.0), ((5e-324, 0.0), 1.0), ((1.0, 1.0), -1.5)))
    assert len(lines(plot_perceptron(SQUARE, AND, run).axes[0])) == 1


@pytest.mark.parametrize("n", range(1, 32))
def test_any_number_of_mistakes_is_drawn(n):
    """The last line is as dark as can be, and no darker: 0.2 + 0.8 · 3 / 3 is above 1."""
    run = replace(perceptron(SQUARE, AND), path=tuple(((1.0, float(i)), -0.5) for i in range(n)))
    drawn = [line.get_alpha() for line in plot_perceptron(SQUARE, AND, run).axes[0].lines]
    assert len(drawn) == min(n, 30)
    assert drawn[-1] == 1.0
    assert drawn == sorted(drawn)


def test_a_circle_is_marked():
    left, right = plot_perceptron(SQUARE, XOR, perceptron(SQUARE, XOR)).axes
    assert left.get_title(loc="left") == "after epoch 1 it stands where it started"
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["what it repeats for ever"]
    (unfinished, _) = plot_perceptron(SQUARE, AND, perceptron(SQUARE, AND, epochs=1)).axes
    assert unfinished.get_title(loc="left") == "not converged yet"


def test_what_can_t_be_drawn(monkeypatch):
    with pytest.raises(ShapeError, match="a picture of two classes needs 2 features, got 3"):
        plot_separation(np.eye(3), [0, 1, 1])
    with pytest.raises(ShapeError, match="needs 2 features, got 1"):
        plot_perceptron([[0.0], [1.0]], [0, 1], perceptron([[0.0], [1.0]], [0, 1]))
    with pytest.raises(DataError, match="y must hold two classes"):
        plot_separation(SQUARE, [1, 1, 1, 1])
    with pytest.raises(DataError, match=r"numbers of at most 1e\+300 in size, got 1.7e\+308"):
        plot_separation(SQUARE * 1.7e308, AND)
    with pytest.raises(RangeError, match="separation must be what separate"):
        plot_separation(SQUARE, XOR, separate(SQUARE, AND))
    with pytest.raises(RangeError, match="run must be what perceptron"):
        plot_perceptron(SQUARE, XOR, None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (lambda: plot_separation(SQUARE, XOR), lambda: plot_perceptron(SQUARE, XOR, perceptron(SQUARE, XOR))):
        with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
            draw()
