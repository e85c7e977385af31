import sys

import numpy as np
import pytest

from mlpxp import OutputError, RangeError
from mlpxp.plotting import save_figure
from mlpxp.textbook import plot_saturation
from mlpxp.textbook.teaching.saturation import saturated_network, saturated_neuron

pytest.importorskip("matplotlib")


def test_the_curves_are_what_was_learnt(tmp_path):
    learnings = saturated_neuron(5.0, epochs=20)
    figure = plot_saturation(learnings, title="a neuron")
    wrong, signal, slope = figure.axes
    for number, learning in enumerate(learnings):
        for axes, values in ((wrong, learning.error), (signal, learning.signal), (slope, learning.slope[:, 0, 0])):
            assert np.array_equal(axes.lines[number].get_ydata(), values)
            assert axes.lines[number].get_xdata().tolist() == list(range(21))
    assert [text.get_text() for text in wrong.get_legend().get_texts()] == ["mean squared error", "cross-entropy"]
    assert wrong.lines[0].get_color() != wrong.lines[1].get_color()
    assert wrong.lines[0].get_linestyle() != wrong.lines[1].get_linestyle()  # told apart without colours too
    assert (signal.get_yscale(), wrong.get_title(loc="left")) == ("log", "a neuron")
    save_figure(figure, tmp_path / "s.png")


def test_a_signal_that_is_zero_throughout_is_drawn_on_a_plain_axis(tmp_path):
    figure = plot_saturation(saturated_neuron(60.0, epochs=3)[:1])
    assert [axes.get_yscale() for axes in figure.axes] == ["linear"] * 3
    save_figure(figure, tmp_path / "s.png")


def test_a_network_s_slope_is_the_mean_over_the_examples():
    learnings = saturated_network(epochs=5)
    assert plot_saturation(learnings).axes[2].lines[1].get_ydata()[0] == learnings[1].slope[0].mean()


def test_what_can_t_be_drawn():
    for wrong in ((), [1.0]):
        with pytest.raises(RangeError, match="learnings must be what saturated_neuron or saturated_network returns"):
            plot_saturation(wrong)


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_saturation(())
