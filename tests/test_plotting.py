import sys
import warnings
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mlpxp import Adam, History, Network, OutputError, RangeError, ShapeError, UnknownNameError, train
from mlpxp.plotting import check_picture, plot_confusion_matrix, plot_loss_curve, save_figure

pytest.importorskip("matplotlib")

WATCHED = History(cost=(1.0, 0.5, 0.01), validation_cost=(1.1, 0.4, 0.6), validation_score=(0.5, 0.9, 0.8), seconds=(1, 2, 3))
BEGINS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def test_the_curves_are_the_history():
    upper, lower = plot_loss_curve(WATCHED, title="a run", score_name="accuracy").axes
    training, validation, best = upper.lines
    assert training.get_ydata().tolist() == [1.0, 0.5, 0.01]
    assert validation.get_ydata().tolist() == [1.1, 0.4, 0.6]
    assert training.get_xdata().tolist() == [1, 2, 3]
    assert best.get_xdata() == [2, 2]
    assert [text.get_text() for text in upper.get_legend().get_texts()] == ["training", "validation", "lowest validation cost, epoch 2"]
    assert lower.lines[0].get_ydata().tolist() == [0.5, 0.9, 0.8]
    assert lower.get_ylabel() == "validation accuracy"
    assert upper.get_title(loc="left") == "a run"
    assert upper.get_yscale() == "log"


def test_without_validation_there_is_one_panel_and_no_best_epoch():
    (axes,) = plot_loss_curve(History(cost=(1.0, 0.9))).axes
    assert len(axes.lines) == 1
    assert axes.get_yscale() == "linear"


@pytest.mark.parametrize("cost", [(0.0, 0.0), (1.0,), (float("nan"), 1.0), (float("nan"),), (1e-300, 1e300)])
def test_odd_costs_can_be_drawn(tmp_path, cost):
    history = History(cost=cost, validation_cost=cost[::-1], validation_score=(float("nan"),) * len(cost))
    figure = plot_loss_curve(history)
    assert len(figure.axes) == 1
    save_figure(figure, tmp_path / "c.png")


def test_a_history_as_training_gives_it(tmp_path):
    X, Y = np.random.default_rng(0).normal(size=(2, 50)), np.zeros((1, 50))
    result = train(Network((2, 1), output="identity"), X, Y, optimizer=Adam(0.1), epochs=5, validation=(X, Y + 1.0))
    save_figure(plot_loss_curve(result.history), tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 1000


def test_histories_that_can_t_be_drawn():
    with pytest.raises(RangeError, match="at least one epoch"):
        plot_loss_curve(History())
    with pytest.raises(ShapeError, match="a stack of 2"):
        plot_loss_curve(History(cost=((1.0, 2.0),)))


@pytest.mark.parametrize("n", [2, 10, 30, 31, 200])
def test_a_confusion_matrix_of_any_size(tmp_path, n):
    matrix = np.diag(np.arange(n))
    figure = plot_confusion_matrix(matrix, [f"class {index}" for index in range(n)], title="t")
    assert len(figure.axes[0].texts) == (n * n if n <= 30 else 0)
    save_figure(figure, tmp_path / "m.png")


def test_a_confusion_matrix_of_another_shape():
    with pytest.raises(ShapeError, match=r"must have shape \(2, 2\), got \(3, 3\)"):
        plot_confusion_matrix(np.zeros((3, 3)), ["a", "b"])


def test_labels_are_drawn_letter_by_letter(tmp_path):
    labels = ["$x^2$", "$", r"\frac{", "a\nb\x1b", "漢字", "x" * 500, 3, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(plot_confusion_matrix(np.eye(8), labels, title="100 $ for 漢字 $"), tmp_path / "m.svg")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_of_each_kind(tmp_path, kind):
    path = tmp_path / f"C.{kind.upper()}"
    assert check_picture(path) == kind
    save_figure(plot_loss_curve(WATCHED), path)
    assert path.read_bytes().startswith(BEGINS[kind])
    assert list(tmp_path.iterdir()) == [path]
    if kind == "svg":
        ET.fromstring(path.read_text())


@pytest.mark.parametrize("name", ["c.gif", "c", "png", "c.png.txt", ""])
def test_pictures_of_unknown_kinds(tmp_path, name):
    with pytest.raises(UnknownNameError, match=r"must be named .png, .svg, .pdf"):
        save_figure(plot_loss_curve(WATCHED), tmp_path / name if name else name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_t_be_written(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        save_figure(plot_loss_curve(WATCHED), tmp_path / "nowhere" / "c.png")


def test_pyplot_is_never_touched():
    assert "matplotlib.pyplot" not in sys.modules or __import__("matplotlib.pyplot").pyplot.get_fignums() == []


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (lambda: plot_loss_curve(WATCHED), lambda: plot_confusion_matrix(np.eye(2), "ab"), lambda: check_picture("c.png")):
        with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
            draw()
