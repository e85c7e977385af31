import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mlpxp import DataError, Network, OutputError, RangeError, ShapeError, UnknownNameError, initialize, predict
from mlpxp.arrays.standard import device_of, namespace
from mlpxp.plotting import plot_decision_boundary, save_figure

Figure = pytest.importorskip("matplotlib.figure").Figure

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 0] > 1)  # 0, 1, 2


class Softmax:
    """A classifier with scikit-learn's attributes; it remembers what it was handed."""

    def __init__(self, W, classes):
        self.W, self.classes_, self.n_features_in_ = np.asarray(W, dtype=float), np.asarray(classes), len(W)
        self.handed = []

    def predict_proba(self, X):
        self.handed.append(X)
        Z = np.exp(np.asarray(X) @ self.W)
        return Z / Z.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Slope:
    """A regressor."""

    def predict(self, X):
        return np.asarray(X)[:, 0] * 2.0


TWO = Softmax([[1.0, -1.0], [0.5, 0.0]], ["no", "yes"])
THREE = Softmax([[1.0, -1.0, 0.0], [0.5, 0.0, 1.0]], [0, 1, 2])


def texts(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def grid(axes, g):
    """The points that the pixels of the image stand for, row by row from the lowest."""
    assert axes.images[0].origin == "lower"
    left, right, bottom, top = axes.images[0].get_extent()
    half = (right - left) / g / 2, (top - bottom) / g / 2
    return np.linspace(left + half[0], right - half[0], g), np.linspace(bottom + half[1], top - half[1], g)


def test_two_classes_are_shades_of_the_probability():
    labels = np.where(y > 0, "yes", "no")
    (axes,) = plot_decision_boundary(TWO, X, labels, grid_resolution=30, title="two").axes
    shares = axes.images[0].get_array()
    across, up = grid(axes, 30)
    for row, column in ((0, 0), (7, 21), (29, 29), (13, 4)):
        assert shares[row, column] == pytest.approx(TWO.predict_proba([[across[column], up[row]]])[0, 1], abs=1e-12)
    assert axes.images[0].get_clim() == (0.0, 1.0)
    (line,) = (artist for artist in axes.collections if hasattr(artist, "levels"))
    on_it = np.concatenate(line.get_paths()[0].to_polygons(closed_only=False))
    np.testing.assert_allclose(TWO.predict_proba(on_it)[:, 1], 0.5, atol=0.01)
    assert (axes.get_xlim(), axes.get_ylim()) == ((across[0], pytest.approx(across[-1])), (pytest.approx(up[0]), pytest.approx(up[-1])))
    assert across[0] < X[:, 0].min()
    assert up[-1] > X[:, 1].max()
    assert texts(axes) == ["no", "yes"]
    assert axes.child_axes[0].get_ylabel() == "probability of yes"
    assert (axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()) == ("two", "feature 0", "feature 1")


def test_the_examples_are_on_top_class_by_class():
    (axes,) = plot_decision_boundary(THREE, X, y, grid_resolution=5).axes
    points = [artist for artist in axes.collections if not hasattr(artist, "levels")]
    for label, drawn in enumerate(points):
        np.testing.assert_array_equal(drawn.get_offsets(), X[y == label])
    assert len({tuple(drawn.get_facecolors()[0]) for drawn in points}) == 3
    (axes,) = plot_decision_boundary(THREE, X, grid_resolution=5).axes
    (drawn,) = (artist for artist in axes.collections if not hasattr(artist, "levels"))
    np.testing.assert_array_equal(drawn.get_offsets(), X)
    assert texts(axes) == ["0", "1", "2"]


def test_of_more_classes_the_hue_is_the_winner_and_its_strength_the_probability():
    from matplotlib.colors import to_rgb

    (axes,) = plot_decision_boundary(THREE, X, y, grid_resolution=25).axes
    hues = [to_rgb(handle.get_facecolor()[0]) for handle in axes.get_legend().legend_handles]
    across, up = grid(axes, 25)
    image, seen = axes.images[0].get_array(), set()
    for row in range(0, 25, 3):
        for column in range(0, 25, 3):
            (shares,) = THREE.predict_proba([[across[column], up[row]]])
            winner = shares.argmax()
            np.testing.assert_allclose(1.0 - image[row, column], 0.55 * shares[winner] * (1.0 - np.asarray(hues[winner])), atol=1e-12)
            seen.add(winner)
    assert seen == {0, 1, 2}


def test_a_classifier_without_probabilities():
    judge = SimpleNamespace(classes_=np.asarray(["b", "a"]), predict=lambda X: np.where(X[:, 0] > 0, "a", "b"))
    (axes,) = plot_decision_boundary(judge, X, grid_resolution=10).axes
    assert sorted(set(axes.images[0].get_array().ravel().tolist())) == [0.0, 1.0]
    assert axes.images[0].get_array()[0, -1] == 1.0
    assert texts(axes) == ["b", "a"]
    assert axes.child_axes == []


def test_a_class_everywhere_has_no_line():
    sure = SimpleNamespace(classes_=[0, 1], predict=lambda X: np.zeros(len(X)))
    (axes,) = plot_decision_boundary(sure, X, grid_resolution=4).axes
    assert not any(hasattr(artist, "levels") for artist in axes.collections)


@pytest.mark.parametrize("n", [1, 8, 30])
def test_any_number_of_classes(tmp_path, n):
    estimator = Softmax(RNG.normal(size=(2, n)), [f"class ${index}" for index in range(n)])
    figure = plot_decision_boundary(estimator, X, grid_resolution=20)
    assert len(texts(figure.axes[0])) == n
    save_figure(figure, tmp_path / "b.png")


def test_a_regressor_is_a_filled_contour():
    (axes,) = plot_decision_boundary(Slope(), X, X[:, 0] * 2.0, grid_resolution=40).axes
    contour, points = axes.collections
    low, high = contour.levels[0], contour.levels[-1]
    assert low <= 2.0 * axes.get_xlim()[0]
    assert high >= 2.0 * axes.get_xlim()[1]
    for at, (lower, upper) in enumerate(zip(contour.levels, contour.levels[1:], strict=False)):
        vertices = np.concatenate([*contour.get_paths()[at].to_polygons(), np.empty((0, 2))])
        assert np.all((2.0 * vertices[:, 0] >= lower - 1e-9) & (2.0 * vertices[:, 0] <= upper + 1e-9))
    assert points.get_array().tolist() == (X[:, 0] * 2.0).tolist()
    assert points.get_clim() == contour.get_clim() == (low, high)
    assert axes.child_axes[0].get_ylabel() == "prediction"
    assert axes.get_legend() is None


def test_a_constant_prediction_can_be_drawn(tmp_path):
    flat = SimpleNamespace(predict=lambda X: np.full((len(X), 1), 3.0))
    save_figure(plot_decision_boundary(flat, X, np.full((60, 1), 3.0)), tmp_path / "flat.svg")


@pytest.mark.parametrize(("n", "note"), [(3, "at feature 1 = 7"), (40, "the other 38 features at their medians")])
def test_other_features_are_held_at_their_medians(n, note):
    wide = np.full((5, n), 7.0)
    wide[:, 1], wide[:, 2], wide[:, 0] = [1.0, 2.0, 7.0, 8.0, 90.0], range(5), range(5, 10)
    estimator = Softmax(np.ones((n, 2)), [0, 1])
    (axes,) = plot_decision_boundary(estimator, wide, features=(2, 0), grid_resolution=3, title="wide").axes
    handed = estimator.handed[-1]
    assert handed.shape == (9, n)
    assert np.all(handed[:, [1, *range(3, n)]] == 7.0)
    margin = 0.08 * 4
    assert np.unique(handed[:, 2]).tolist() == pytest.approx([-margin, 2.0, 4.0 + margin])
    assert np.unique(handed[:, 0]).tolist() == pytest.approx([5.0 - margin, 7.0, 9.0 + margin])
    assert axes.get_title(loc="left") == f"wide\n{note}"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("feature 2", "feature 0")


def test_many_features_are_handed_over_in_parts():
    estimator = Softmax(np.zeros((30_000, 2)), [0, 1])
    examples = np.zeros((2, 30_000))
    (axes,) = plot_decision_boundary(estimator, examples, grid_resolution=20).axes
    handed = estimator.handed[1:]  # the first is a trial
    assert sum(len(rows) for rows in handed) == 400
    assert len(handed) > 1
    assert axes.images[0].get_array().shape == (20, 20)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(library):
    columns = {"length": X[:, 0], "kind": np.arange(60) % 2, "width": X[:, 1]}
    frame = pytest.importorskip(library).DataFrame(columns)
    estimator = Softmax(RNG.normal(size=(3, 2)), [0, 1])
    (axes,) = plot_decision_boundary(estimator, frame, frame["kind"], features=("width", "length"), grid_resolution=4).axes
    assert all(type(handed) is type(frame) and list(handed.columns) == list(columns) for handed in estimator.handed)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width", "length")
    assert axes.get_title(loc="left") == "at kind = 0.5"
    _, first, _ = sorted(axes.collections, key=lambda artist: not hasattr(artist, "levels"))
    np.testing.assert_array_equal(first.get_offsets(), X[::2, ::-1])


def test_the_grid_lives_where_the_examples_live(backend, to_host):
    network = Network((2, 4, 3), output="softmax", loss="cross_entropy")
    examples = backend.asarray(X.tolist(), dtype="float32")
    parameters = initialize(network, seed=1, backend=backend, device=device_of(examples))

    class Ours:
        classes_ = (0, 1, 2)

        def predict_proba(self, rows):
            assert namespace(rows) is namespace(examples)
            assert (rows.dtype, device_of(rows)) == (examples.dtype, device_of(examples))
            return predict(network, parameters, rows.mT).mT

        def predict(self, rows):
            return namespace(rows).argmax(self.predict_proba(rows), axis=-1)

    labels = backend.asarray(y.tolist())
    (axes,) = plot_decision_boundary(Ours(), examples, labels, grid_resolution=9).axes
    across, up = grid(axes, 9)
    column = backend.asarray([[across[2]], [up[5]]], dtype="float32")
    winner = to_host(predict(network, parameters, column)).max()
    drawn = 1.0 - axes.images[0].get_array()[5, 2]
    assert drawn.max() / 0.55 == pytest.approx(winner * max(1.0 - part for part in _hue(axes, drawn)), abs=1e-5)


def _hue(axes, drawn):
    """The hue of the legend that a colour is a mixture of."""
    from matplotlib.colors import to_rgb

    hues = [to_rgb(handle.get_facecolor()[0]) for handle in axes.get_legend().legend_handles]
    return min(hues, key=lambda hue: np.ptp(drawn / (1.0 - np.asarray(hue) + 1e-9)))


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_whole_numbers_of_any_library(library):
    xp = pytest.importorskip(library)
    estimator = Softmax(np.ones((2, 2)), [0, 1])
    (axes,) = plot_decision_boundary(estimator, xp.asarray([[0, 1], [2, 3]]), [0, 1], grid_resolution=3).axes
    assert str(estimator.handed[-1].dtype).endswith("float32")
    assert axes.get_xlim() == pytest.approx((-0.16, 2.16))


def test_scikit_learn_s_estimators_and_pipelines():
    pytest.importorskip("sklearn")
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = pytest.importorskip("pandas").DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 0]})
    options = {"hidden_layer_sizes": (4,), "solver": "lbfgs", "max_iter": 2000, "random_state": 0, "alpha": 1.0}
    scaled = make_pipeline(StandardScaler(), MLPClassifier(**options)).fit(frame, y == 1)
    (axes,) = plot_decision_boundary(scaled, frame, y == 1, features=(0, 1), grid_resolution=6).axes
    across, up = grid(axes, 6)
    row = frame.iloc[:1].assign(a=across[4], b=up[1], c=frame["c"].median())
    assert axes.images[0].get_array()[1, 4] == pytest.approx(scaled.predict_proba(row)[0, 1], abs=1e-9)
    assert texts(axes) == ["False", "True"]
    regressor = MLPRegressor(**options).fit(X, X[:, 0])
    assert len(plot_decision_boundary(regressor, X, grid_resolution=6).axes[0].collections) == 2
    for unfitted in (MLPClassifier(), MLPRegressor()):
        with pytest.raises(RangeError, match=rf"needs a fitted estimator, got {type(unfitted).__name__}: call fit"):
            plot_decision_boundary(unfitted, X)
    several = MLPClassifier(**options).fit(X, np.stack([y > 0, X[:, 0] > 0], axis=1))
    with pytest.raises(ShapeError, match=r"shows one target, got predictions of shape \(200, 2\)"):
        plot_decision_boundary(several, X)


def test_axes_that_are_given():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_decision_boundary(TWO, X, ax=right, grid_resolution=4) is figure
    assert (len(left.images), len(right.images), len(figure.axes)) == (0, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"X": X[:, :1]}, ShapeError, r"at least one example and two features, got \(60, 1\)"),
        ({"X": X[0]}, ShapeError, r"got \(2,\)"),
        ({"X": X[:0]}, ShapeError, r"got \(0, 2\)"),
        ({"X": np.ones((4, 3))}, ShapeError, r"X must have shape \(m, 2\), got \(4, 3\): Softmax was fitted on 2 features"),
        ({"X": [["a", "b"]]}, DataError, "X must hold numbers: .*'a'"),
        ({"X": [[0.0, 1.0], [0.0, np.nan]]}, DataError, "got nan in feature 1 of example 1"),
        ({"y": y[:5]}, ShapeError, r"y must have shape \(60,\), one for each example of X, got \(5,\)"),
        ({"y": y + 1}, DataError, "classes that the estimator was fitted on, got 3"),
        ({"features": (0, 2)}, RangeError, r"indices from 0 to 1 or names, got 2: X has 2 features"),
        ({"features": (-1, 0)}, RangeError, "got -1"),
        ({"features": (0, 1.5)}, RangeError, "got 1.5"),
        ({"features": (1, 1)}, RangeError, r"two different ones, got \(1, 1\)"),
        ({"features": (0, 1, 2)}, RangeError, r"two indices or names, such as \(0, 1\), got \(0, 1, 2\)"),
        ({"features": "ab"}, RangeError, "got 'ab'"),
        ({"features": ("feature 0", "width")}, UnknownNameError, "among feature 0, feature 1, got 'width'"),
        ({"grid_resolution": 1}, RangeError, "grid_resolution must be a whole number from 2, got 1"),
        ({"grid_resolution": 2.5}, RangeError, "got 2.5"),
        ({"ax": "axes"}, RangeError, "got str"),
    ],
)
def test_what_can_t_be_drawn(arguments, error, says):
    with pytest.raises(error, match=says):
        plot_decision_boundary(THREE, **{"X": X, "y": None, "grid_resolution": 3} | arguments)


def test_estimators_that_can_t_be_drawn():
    stack = SimpleNamespace(coefs_=[np.zeros((3, 2, 1))], predict=lambda X: np.zeros((3, len(X))))
    with pytest.raises(ShapeError, match="got a stack of 3: draw one of its estimators_"):
        plot_decision_boundary(stack, X)
    stack.predict = lambda X: np.zeros(len(X))  # one prediction of them all is one
    assert len(plot_decision_boundary(stack, X, grid_resolution=3).axes) == 1
    with pytest.raises(DataError, match="y must hold numbers where a regressor is drawn"):
        plot_decision_boundary(Slope(), X, ["a"] * 60)
    with pytest.raises(DataError, match="finite targets and predictions"):
        plot_decision_boundary(Slope(), X, [np.inf] * 60)
    narrow = SimpleNamespace(classes_=[0, 1, 2], predict=lambda X: np.zeros(len(X)), predict_proba=lambda X: np.ones((len(X), 1)))
    with pytest.raises(ShapeError, match=r"a column for each of 3 classes, got shape \(m, 1\)"):
        plot_decision_boundary(narrow, X)


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        plot_decision_boundary(TWO, X)
