import sys

import numpy as np
import pytest

from mlpxp import Network, OutputError, RangeError, initialize
from mlpxp.plotting import save_figure
from mlpxp.textbook import plot_convexity, plot_swap
from mlpxp.textbook.teaching.convexity import swapped_minima, try_convexity
from mlpxp.textbook.teaching.segments import cost_surface

Figure = pytest.importorskip("matplotlib.figure").Figure

X, Y = [[-2.0, -1.0, 0.5, 1.0, 3.0]], [[0.0, 0.0, 1.0, 0.0, 1.0]]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
def test_segments_above_their_chords_are_marked(loss, tmp_path):
    network = Network((1, 1), output="sigmoid", loss=loss)
    found = try_convexity(network, X, Y)
    surface = cost_surface(network, initialize(network, seed=0, scheme="zeros"), X, Y, resolution=21)
    figure = plot_convexity(found, surface, title="one neuron")
    left, right, _ = figure.axes
    drawn = left.lines[:-1]  # the last one is the axis
    assert len(drawn) == 40
    for line, segment in zip(drawn, found.segments, strict=False):
        assert np.array_equal(line.get_ydata(), segment.cost - segment.chord)
        assert (line.get_linestyle() == "--") == (not segment.convex)
    assert sorted(legend(left)) == (["above somewhere: not convex", "never above"] if loss == "mse" else ["never above"])
    assert (right.get_xlabel(), right.get_ylabel()) == ("w", "b")
    lowest = np.unravel_index(np.argmin(surface.cost), surface.cost.shape)
    assert right.collections[-1].get_offsets().tolist() == [[surface.right[lowest[1]], surface.up[lowest[0]]]]
    save_figure(figure, tmp_path / "c.png")


def test_without_a_surface_there_is_one_panel():
    assert len(plot_convexity(try_convexity(Network((1, 1), output="identity"), X, Y, points=5, segments=3)).axes) == 1


def test_the_hill_between_two_minima(tmp_path):
    figure = plot_swap(swapped_minima(), title="XOR")
    (axes,) = figure.axes
    chord, cost = axes.lines
    assert np.array_equal(cost.get_ydata(), swapped_minima().cost)
    assert np.all(chord.get_ydata() == 0.0)
    assert [text.get_text() for text in axes.texts] == ["0", "0.844", "0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["one network", "half-way", "two units swapped"]
    save_figure(figure, tmp_path / "s.png")


def test_axes_that_are_given():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_swap(swapped_minima(), ax=right) is figure
    assert (len(left.lines), len(right.lines)) == (0, 2)


def test_what_can_t_be_drawn():
    segment = swapped_minima()
    with pytest.raises(RangeError, match="wanted a Convexity and a Surface or None, got Segment, NoneType"):
        plot_convexity(segment)
    with pytest.raises(RangeError, match="needs a Segment, got list"):
        plot_swap([segment])


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    segment = swapped_minima()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for plot in (plot_swap, plot_convexity):
        with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
            plot(segment)
