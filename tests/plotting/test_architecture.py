import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mlpxp import Layer, Network, OutputError, RangeError, ShapeError, initialize
from mlpxp.plotting import plot_architecture, save_figure

Figure = pytest.importorskip("matplotlib.figure").Figure

SMALL = Network((2, 3, 1), hidden="tanh")


def lines_of(axes):
    from matplotlib.collections import LineCollection

    return [artist for artist in axes.collections if isinstance(artist, LineCollection)]


def circles_of(axes):
    """The places of the units; what the size of a point is tells them from the dots."""
    return [artist.get_offsets() for artist in axes.collections if artist not in lines_of(axes) and artist.get_sizes()[0] > 50]


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_a_network_without_weights():
    (axes,) = plot_architecture(SMALL, title="small").axes
    assert [len(circles) for circles in circles_of(axes)] == [2, 3, 1]
    assert [len(lines.get_segments()) for lines in lines_of(axes)] == [6, 3]
    assert words(axes) == ["input\n2 units", "hidden\n3 units\ntanh", "output\n1 unit\nsigmoid"]
    assert axes.get_legend() is None
    assert axes.get_title(loc="left") == "small"
    bottom, top = axes.get_ylim()
    assert all(np.all((bottom < circles[:, 1]) & (circles[:, 1] < top)) for circles in circles_of(axes))


def test_lines_join_the_units_and_show_the_weights(backend):
    W = np.asarray([[0.5, -1.0], [0.0, 0.25], [2.0, -2.0]])
    parameters = tuple(Layer(W=backend.asarray(values), b=None) for values in (W, np.asarray([[1.0, -3.0, 0.0]])))
    (axes,) = plot_architecture(SMALL, parameters=parameters).axes
    (inputs, hidden, _), (first, second) = circles_of(axes), lines_of(axes)
    drawn = {}
    for segment, width, colour in zip(first.get_segments(), first.get_linewidths(), first.get_colors(), strict=True):
        left = int(np.flatnonzero((inputs == segment[0]).all(axis=1))[0])
        right = int(np.flatnonzero((hidden == segment[1]).all(axis=1))[0])
        drawn[right, left] = (width, tuple(colour[:3]))
    assert len(drawn) == 6
    positive, negative = tuple(handle.get_c() for handle in axes.get_legend().legend_handles)
    from matplotlib.colors import to_rgb

    for (right, left), (width, colour) in drawn.items():
        assert width == pytest.approx(0.3 + 2.3 * abs(W[right, left]) / 2.0)
        assert colour == to_rgb(negative if W[right, left] < 0 else positive)
    assert max(second.get_linewidths()) == pytest.approx(2.6)
    assert list(first.get_linewidths()) == sorted(first.get_linewidths())  # the strongest are on top


def test_large_layers_are_shortened_and_say_how_many_they_are(tmp_path):
    network = Network((784, 256, 128, 10), hidden="relu", output="softmax", loss="cross_entropy")
    figure = plot_architecture(network, parameters=initialize(network, seed=0))
    (axes,) = figure.axes
    assert [len(circles) for circles in circles_of(axes)] == [11, 11, 11, 10]
    assert [len(lines.get_segments()) for lines in lines_of(axes)] == [121, 121, 110]
    dots = [artist.get_offsets() for artist in axes.collections if len(artist.get_offsets()) == 3]
    assert len(dots) == 3
    for circles, gap in zip(circles_of(axes), dots, strict=False):
        assert np.all(gap[:, 0] == circles[0, 0])
        assert np.all((gap[:, 1] < circles[5, 1]) & (gap[:, 1] > circles[6, 1]))
    assert words(axes)[0] == "input\n784 units"
    assert words(axes)[2] == "hidden 2\n128 units\nrelu"
    save_figure(figure, tmp_path / "a.png")


def test_the_units_that_are_left_are_the_first_and_the_last():
    W = np.zeros((1, 9))
    W[0, [1, 8]] = [-1.0, 2.0]
    network = Network((9, 1), output="identity")
    (axes,) = plot_architecture(network, parameters=(Layer(W=W, b=np.zeros((1, 1))),), max_units=4).axes
    (inputs, _), (lines,) = circles_of(axes), lines_of(axes)
    assert len(inputs) == 3  # 0, 1 and 8
    ordered = sorted(zip(lines.get_segments(), lines.get_linewidths(), strict=True), key=lambda line: -line[0][0, 1])
    assert [width for _, width in ordered] == pytest.approx([0.3, 0.3 + 2.3 / 2, 2.6])


@pytest.mark.parametrize("max_units", [3, 12])
def test_an_estimator_names_both_ends(max_units):
    fitted = SimpleNamespace(
        coefs_=[np.ones((4, 2)), np.ones((2, 5)), np.ones((5, 3))],
        activation="relu",
        out_activation_="softmax",
        feature_names_in_=np.asarray(["a", "b", "c", "$d"], dtype=object),
        classes_=np.asarray(["x", "y", "z"]),
    )
    (axes,) = plot_architecture(fitted, max_units=max_units).axes
    layers = ["input\n4 units", "hidden 1\n2 units\nrelu", "hidden 2\n5 units\nrelu", "output\n3 units\nsoftmax"]
    inputs = ["a", "b", "c", r"\$d"] if max_units == 12 else ["a", r"\$d"]
    assert words(axes) == [*layers, *inputs, "x", "y", "z"]


def test_a_single_output_is_the_second_of_two_classes():
    fitted = SimpleNamespace(
        coefs_=[np.ones((2, 1))], activation=Network((1, 1)).output, out_activation_="logistic", classes_=np.asarray([False, True])
    )
    (axes,) = plot_architecture(fitted).axes
    assert words(axes) == ["input\n2 units", "output\n1 unit\nlogistic", "True"]


def test_scikit_learn_s_estimators():
    neural_network = pytest.importorskip("sklearn.neural_network")
    X = np.random.default_rng(0).normal(size=(40, 3))
    options = {"hidden_layer_sizes": (4, 2), "solver": "lbfgs", "max_iter": 2000, "random_state": 0, "alpha": 1.0}
    classifier = neural_network.MLPClassifier(**options).fit(X, np.arange(40) % 3)
    (axes,) = plot_architecture(classifier).axes
    assert words(axes)[1:] == ["hidden 1\n4 units\nrelu", "hidden 2\n2 units\nrelu", "output\n3 units\nsoftmax", "0", "1", "2"]
    regressor = neural_network.MLPRegressor(**options).fit(X, X[:, 0])
    (axes,) = plot_architecture(regressor).axes
    assert words(axes)[-1] == "output\n1 unit\nidentity"
    with pytest.raises(RangeError, match=r"needs the coefs_ of a fitted estimator, got MLPClassifier without: is it fitted\?"):
        plot_architecture(neural_network.MLPClassifier())


def test_axes_that_are_given():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_architecture(SMALL, ax=left) is figure
    assert (len(lines_of(left)), len(lines_of(right))) == (2, 0)


def test_weights_that_are_all_zero(tmp_path):
    figure = plot_architecture(SMALL, parameters=initialize(SMALL, seed=0, scheme="zeros"))
    assert list(lines_of(figure.axes[0])[0].get_linewidths()) == pytest.approx([0.3] * 6)
    save_figure(figure, tmp_path / "zero.svg")


def test_what_can_t_be_drawn():
    with pytest.raises(ShapeError, match=r"weights of shapes \(\(3, 2\), \(1, 3\)\), got \(\(4, 2\), \(1, 4\)\)"):
        plot_architecture(SMALL, parameters=initialize(Network((2, 4, 1)), seed=0))
    with pytest.raises(ShapeError, match=r"got a stack of 5: draw one of unstack\(parameters\)"):
        plot_architecture(SMALL, parameters=initialize(SMALL, seed=range(5)))
    with pytest.raises(ShapeError, match="got a stack of 3: draw one of its estimators_"):
        plot_architecture(SimpleNamespace(coefs_=[np.zeros((3, 2, 1))]))
    with pytest.raises(RangeError, match="parameters go with a Network, got them with SimpleNamespace"):
        plot_architecture(SimpleNamespace(), parameters=initialize(SMALL, seed=0))
    for wrong in (2, 3.0, "12"):
        with pytest.raises(RangeError, match="max_units must be a whole number from 3"):
            plot_architecture(SMALL, max_units=wrong)


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_architecture(SMALL)
