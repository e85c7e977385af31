import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mlpxp import Adam, History, Network, OutputError, RangeError, ShapeError, train
from mlpxp.plotting import plot_loss_curve, save_figure

Figure = pytest.importorskip("matplotlib.figure").Figure

WATCHED = History(cost=(1.0, 0.5, 0.01), validation_cost=(1.1, 0.4, 0.6), validation_score=(0.5, 0.9, 0.8), seconds=(1, 2, 3))


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_curves_are_the_history():
    upper, lower = plot_loss_curve(WATCHED, title="a run", score_name="accuracy").axes
    training, validation, best = upper.lines
    assert training.get_ydata().tolist() == [1.0, 0.5, 0.01]
    assert validation.get_ydata().tolist() == [1.1, 0.4, 0.6]
    assert training.get_xdata().tolist() == [1, 2, 3]
    assert best.get_xdata() == [2, 2]
    assert labels(upper) == ["training", "validation", "lowest validation cost, epoch 2"]
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


def test_axes_that_are_given_hold_the_cost_alone():
    figure = Figure()
    part, _ = figure.subfigures(1, 2)
    left, right = part.subplots(1, 2)
    assert plot_loss_curve(WATCHED, ax=right) is figure
    assert len(right.lines) == 3
    assert (len(left.lines), len(figure.axes), right.get_xlabel(), right.get_ylabel()) == (0, 2, "epoch", "cost")


def test_the_curves_of_an_estimator():
    fitted = SimpleNamespace(loss_curve_=[1.0, 0.5], validation_loss_curve_=[1.2, 0.7], validation_scores_=[0.1, 0.9])
    upper, lower = plot_loss_curve(fitted).axes
    assert [line.get_ydata().tolist() for line in upper.lines[:2]] == [[1.0, 0.5], [1.2, 0.7]]
    assert lower.lines[0].get_ydata().tolist() == [0.1, 0.9]
    assert lower.get_ylabel() == "validation R²"
    fitted.classes_ = np.asarray([0, 1])
    assert plot_loss_curve(fitted).axes[1].get_ylabel() == "validation accuracy"


def test_the_curves_of_scikit_learn_s_estimators():
    neural_network = pytest.importorskip("sklearn.neural_network")
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    options = {"max_iter": 5, "random_state": 0, "hidden_layer_sizes": (4,), "tol": 0.0}
    with pytest.warns(UserWarning, match="Maximum iterations"):
        plain = neural_network.MLPRegressor(**options).fit(X, y)
    (axes,) = plot_loss_curve(plain).axes
    assert axes.lines[0].get_ydata().tolist() == plain.loss_curve_
    with pytest.warns(UserWarning, match="Maximum iterations"):
        watched = neural_network.MLPClassifier(early_stopping=True, **options).fit(X, y)
    upper, lower = plot_loss_curve(watched).axes
    best = 1 + int(np.argmax(watched.validation_scores_))
    assert labels(upper) == ["training", f"highest validation score, epoch {best}"]
    assert lower.lines[0].get_ydata().tolist() == watched.validation_scores_
    assert lower.lines[1].get_xdata() == [best, best]
    exact = neural_network.MLPClassifier(solver="lbfgs", hidden_layer_sizes=(2,), random_state=0, max_iter=1000, alpha=1.0).fit(X, y)
    with pytest.raises(RangeError, match=r"needs the loss_curve_ .* got MLPClassifier without: its solver keeps none"):
        plot_loss_curve(exact)
    with pytest.raises(RangeError, match=r"needs the loss_curve_ of a fitted estimator, got MLPClassifier .* call fit\(X, y\) first"):
        plot_loss_curve(neural_network.MLPClassifier())


def test_runs_that_can_t_be_drawn():
    with pytest.raises(RangeError, match="at least one epoch"):
        plot_loss_curve(History())
    with pytest.raises(ShapeError, match="a stack of 2"):
        plot_loss_curve(History(cost=((1.0, 2.0),)))
    with pytest.raises(ShapeError, match="got a stack of 3: draw one of its estimators_"):
        plot_loss_curve(SimpleNamespace(coefs_=[np.zeros((3, 2, 1))], loss_curve_=[1.0]))
    with pytest.raises(RangeError, match=r"ax must be axes of matplotlib's, .* got Figure"):
        plot_loss_curve(WATCHED, ax=Figure())


def test_pyplot_is_never_touched():
    assert "matplotlib.pyplot" not in sys.modules or __import__("matplotlib.pyplot").pyplot.get_fignums() == []


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_loss_curve(WATCHED)
