import sys

import numpy as np
import pytest

from mlpxp import Layer, Network, OutputError, RangeError, ShapeError, initialize
from mlpxp.plotting import save_figure
from mlpxp.textbook import plot_half_planes
from mlpxp.textbook.teaching.examples import examples
from mlpxp.textbook.teaching.half_planes import half_planes

pytest.importorskip("matplotlib")

X, Y = examples("xor")
y = Y[0].astype(int)


def of(k, **options):
    network = Network((2, k, 1), **{"hidden": "tanh", "output": "sigmoid", "loss": "binary_cross_entropy"} | options)
    return half_planes(network, initialize(network, seed=1, backend="numpy", dtype="float64"), X)


def drawn_lines(axes):
    """The lines through the whole plane, as w · x + b = 0 up to a factor."""
    found = []
    for line in axes.lines:
        if type(line).__name__ == "AxLine":
            (x1, y1), (x2, y2) = line.get_xy1(), line.get_xy2()
            found.append((y1 - y2, x2 - x1, x1 * y2 - x2 * y1))
    return found


def test_every_hidden_unit_has_its_line_and_every_region_its_sides(tmp_path):
    found = of(3)
    figure = plot_half_planes(found, y, features=("left", "right"), title="three lines")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("left", "right", "three lines")
    for drawn, wanted in zip(drawn_lines(axes), found.lines, strict=True):
        assert np.allclose(np.cross(drawn, wanted), 0.0, atol=1e-9)  # one is a multiple of the other
    marks = [text.get_text() for text in axes.texts if set(text.get_text()) <= set("+\N{MINUS SIGN}\N{THIN SPACE}") and text.get_text()]
    assert len(set(marks)) == len(marks) > 1
    save_figure(figure, tmp_path / "a.png")


@pytest.mark.parametrize(("size", "offset"), [(1e-200, 0.0), (1e20, 0.0), (2.0**40, 2.0**60)])
def test_numbers_of_any_size_are_drawn(size, offset, tmp_path):
    network = Network((2, 2, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    first = Layer(W=np.asarray([[1.0, 1.0], [1.0, -1.0]]) / size, b=np.asarray([[-1.5 - 2.0 * offset / size], [0.0]]))
    found = half_planes(network, (first, Layer(np.ones((1, 2)), np.zeros((1, 1)))), X * size + offset)
    figure = plot_half_planes(found, y)
    (one, other) = ((np.asarray([line.get_xy1(), line.get_xy2()]) - offset) / size for line in figure.axes[0].lines[:2])
    assert np.allclose(one.sum(axis=1), 1.5)
    assert np.allclose(other[:, 0], other[:, 1])
    save_figure(figure, tmp_path / "a.png")


def test_of_two_hidden_units_the_output_has_a_plane_and_a_line_of_its_own(tmp_path):
    found = of(2)
    figure = plot_half_planes(found, y)
    lower = next(axes for axes in figure.axes if axes.get_xlabel() == "hidden unit 1")
    shown = np.concatenate([points.get_offsets() for points in lower.collections if len(points.get_offsets()) > 1])
    assert np.allclose(np.sort(shown, axis=0), np.sort(found.hidden().T, axis=0))
    save_figure(figure, tmp_path / "a.svg")
    assert not [axes for axes in plot_half_planes(of(3), y).axes if axes.get_xlabel() == "hidden unit 1"]


def test_an_output_that_is_no_probability_and_examples_without_classes(tmp_path):
    save_figure(plot_half_planes(of(2, output="identity", loss="mse"), Y[0]), tmp_path / "a.png")
    save_figure(plot_half_planes(of(2)), tmp_path / "b.png")
    save_figure(plot_half_planes(of(40), np.array(["no", "yes"])[y]), tmp_path / "c.png")


def test_what_can_t_be_drawn(monkeypatch):
    with pytest.raises(RangeError, match="half_planes must be what"):
        plot_half_planes([])
    with pytest.raises(ShapeError, match="y must have shape"):
        plot_half_planes(of(2), y[:3])
    with pytest.raises(ShapeError, match="a column for each of 4 classes"):
        plot_half_planes(of(2), np.arange(4))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_half_planes(of(2))
