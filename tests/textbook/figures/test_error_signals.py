import sys

import numpy as np
import pytest

from mlpxp import OutputError, RangeError
from mlpxp.plotting import save_figure
from mlpxp.textbook import plot_error_signals
from mlpxp.textbook.teaching.error_signals import error_signals

pytest.importorskip("matplotlib")


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_for_each_activation_and_depth_and_a_line_for_each_initialisation(tmp_path):
    signals = [
        error_signals(activation, scheme=scheme, scale=scale, depth=depth, width=4, seeds=range(3))
        for activation in ("sigmoid", "relu")
        for scheme, scale in (
            ("glorot_uniform", 1.0),
            ("he_uniform", 1.0),
            ("glorot_uniform", 4.0),
            ("he_normal", 2.0),
            ("lecun_normal", 1.0),
        )
        for depth in (3, 5)
    ]
    figure = plot_error_signals(signals, title="by depth")
    assert len(figure.axes) == 4
    assert legend(figure) == ["Glorot", "He", "too large", "2 × he normal", "lecun normal"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["sigmoid", "relu", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == ["‖delta‖, 3 layers", "", "‖delta‖, 5 layers", ""]
    relu_of_five = figure.axes[3].lines
    wanted = [one for one in signals if one.network.hidden[0].name == "relu" and one.depth == 5]
    for line, one in zip(relu_of_five, wanted, strict=True):
        assert line.get_xdata().tolist() == [1, 2, 3, 4, 5]
        assert np.array_equal(line.get_ydata(), np.median(one.norms, axis=0))
    assert all(axes.get_yscale() == "log" for axes in figure.axes)
    save_figure(figure, tmp_path / "e.png")


def test_signals_of_zero_are_left_out(tmp_path):
    figure = plot_error_signals([error_signals("tanh", scheme="zeros", depth=4)])
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [4]
    assert legend(figure) == ["zeros"]
    save_figure(figure, tmp_path / "e.png")


def test_what_can_t_be_drawn():
    for wrong in ((), [1.0]):
        with pytest.raises(RangeError, match="signals must be what error_signals returns, at least one"):
            plot_error_signals(wrong)


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_error_signals(())
