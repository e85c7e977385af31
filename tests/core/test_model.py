"""A trained network as one value: what it answers, how it shows itself, and who takes it."""

import pickle
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

import mlpxp
from mlpxp import (
    Adam,
    DtypeError,
    GradientDescent,
    MissingLibraryError,
    MLPClassifier,
    MLPRegressor,
    Model,
    Network,
    Rows,
    ShapeError,
    initialize,
    load,
    save,
    stack,
    to_backend,
    to_torch,
    train,
)
from mlpxp.exchange import export_onnx

NETWORK = Network((3, 4, 2), hidden="tanh", output="softmax", loss="cross_entropy")
RANDOM = np.random.default_rng(0)
X, LABELS = RANDOM.normal(size=(3, 30)), RANDOM.integers(0, 2, 30)
Y, WEIGHTS = np.eye(2)[:, LABELS], RANDOM.uniform(size=30)
OPTIONS = {"optimizer": Adam(0.05), "epochs": 4}
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning")


def by_hand(parameters, X):
    """tanh and softmax of one network, written out."""
    first, last = parameters
    Z = last.W @ np.tanh(first.W @ X + first.b) + last.b
    return np.exp(Z) / np.exp(Z).sum(axis=-2, keepdims=True)


# --------------------------------------------------------------------------------------------------- what it answers


def test_a_model_predicts_and_evaluates(backend):
    parameters = initialize(NETWORK, seed=1, dtype="float64")
    model = Model(NETWORK, initialize(NETWORK, seed=1, dtype="float64", backend=backend))
    A = by_hand(parameters, X)
    for size in (None, 7):
        got = model.predict(backend.asarray(X), batch_size=size)
        np.testing.assert_allclose(backend.to_numpy(got), A, rtol=1e-12)
    losses, hits = -np.log(A[LABELS, np.arange(30)]), A.argmax(axis=0) == LABELS
    cost, score = model.evaluate(backend.asarray(X), backend.asarray(Y), backend.asarray(WEIGHTS))
    assert cost == pytest.approx(np.average(losses, weights=WEIGHTS), rel=1e-12)
    assert score == pytest.approx(np.average(hits, weights=WEIGHTS), rel=1e-12)
    assert model.evaluate(backend.asarray(X), backend.asarray(Y)).score == pytest.approx(hits.mean())


def test_a_model_checks_what_comes_in():
    model = Model(NETWORK, initialize(NETWORK, seed=0, dtype="float64"))
    with pytest.raises(ShapeError, match=r"^X must have shape \(3, m\), got \(30, 3\)"):
        model.predict(X.T)
    with pytest.raises(mlpxp.RangeError, match="batch_size must be a whole number from 1"):
        model.predict(X, batch_size=0)
    with pytest.raises(ShapeError, match="one-hot"):
        model.evaluate(X, LABELS)


def test_models_of_earlier_pickles_are_found_where_they_were():
    assert mlpxp.Model is __import__("mlpxp.files._model_file", fromlist=["Model"]).Model is mlpxp.files.Model
    model = pickle.loads(pickle.dumps(Model(NETWORK, initialize(NETWORK, seed=0))))
    assert model.network == NETWORK


# ----------------------------------------------------------------------------------------------- how it shows itself


def test_a_model_is_shown_in_a_line():
    model = Model(NETWORK, initialize(NETWORK, seed=0), metadata={"training": {}}, arrays={"scale": np.ones(3)})
    assert repr(model) == f"Model({NETWORK!r}, float32, numpy on cpu, with scale, training)"
    members = Model(NETWORK, initialize(NETWORK, seed=range(1000), dtype="float64"))
    assert repr(members) == f"Model({NETWORK!r}, 1000 networks, float64, numpy on cpu)"


def test_a_model_names_the_library_and_the_device(backend):
    shown = repr(Model(NETWORK, initialize(NETWORK, seed=0, backend=backend)))
    library = {"strict": "array_api_strict"}.get(backend.name, backend.name)
    assert f"float32, {library} on " in shown
    assert "\n" not in shown
    assert "[" not in shown.replace("[device", "")


def test_a_result_tells_how_far_it_came_and_why_it_stopped():
    result = train(NETWORK, X, Y, validation=(X, Y), patience=2, **OPTIONS)
    history = result.history
    assert repr(result) == (
        f"TrainingResult({NETWORK!r}, float64, numpy on cpu:\n"
        f"  4 epochs, cost {history.cost[-1]:.4g}, validation cost {history.validation_cost[-1]:.4g}, "
        f"best epoch {result.best_epoch}, whose parameters these are, maximum of epochs reached)"
    )
    once = train(NETWORK, X, Y, optimizer=Adam(0.05), epochs=1)
    assert repr(once).endswith(f"\n  1 epoch, cost {once.history.cost[0]:.4g}, best epoch 1, maximum of epochs reached)")
    none = train(NETWORK, X, Y, max_seconds=0.0, **OPTIONS)
    assert "  0 epochs, time is up)" in repr(none)


def test_a_result_of_a_stack_tells_the_least_and_the_largest():
    seen = []
    start = initialize(NETWORK, seed=range(300), dtype="float64")
    result = train(NETWORK, X, Y, start=start, callbacks=[seen.append, lambda epoch: [True] + [False] * 299], **OPTIONS)
    costs, shown = result.history.cost[-1], repr(result)
    assert f"300 networks, float64, numpy on cpu:\n  4 epochs, cost {min(costs):.4g} to {max(costs):.4g}, best epoch " in shown
    assert shown.endswith("1 x stopped by a callback, 299 x maximum of epochs reached)")
    assert len(shown) < 400
    first = seen[0]
    assert repr(first).startswith(f"Epoch(1 of 4, cost={min(first.cost):.4g} to {max(first.cost):.4g}, learning_rate=0.05, seconds=")
    assert len(repr(first)) < 100


def test_a_member_that_diverged_hides_nothing_of_the_others():
    network = Network((3, 4, 2), hidden="relu", output="identity")
    good = initialize(network, seed=1, dtype="float64")
    huge = tuple(type(layer)(layer.W * 1e200, layer.b) for layer in good)
    result = train(network, X, Y, optimizer=GradientDescent(0.1), epochs=2, start=stack([huge, good]))
    shown = repr(result)
    assert "1 x diverged, 1 x maximum of epochs reached" in shown
    assert "nan" not in shown


def test_an_epoch_is_shown_without_its_parameters():
    seen = []
    train(NETWORK, X, Y, validation=(X, Y), callbacks=[seen.append], **OPTIONS)
    epoch = seen[2]
    assert repr(epoch) == (
        f"Epoch(3 of 4, cost={epoch.cost:.4g}, validation_cost={epoch.validation_cost:.4g}, "
        f"validation_score={epoch.validation_score:.4g}, learning_rate=0.05, seconds={epoch.seconds:.4g})"
    )


# ------------------------------------------------------------------------------------------------------ who takes it


def every_kind():
    """A trained network in each form that there is, with the A_L of its rows."""
    result = train(NETWORK, X, Y, start=initialize(NETWORK, seed=0, dtype="float64"), **OPTIONS)
    classifier = MLPClassifier((4,), max_iter=4, random_state=0).fit(X.T, RANDOM.integers(0, 3, 30))
    A = by_hand(result.parameters, X).T
    return {
        "model": (Model(NETWORK, result.parameters), A),
        "result": (result, A),
        "pair": ((NETWORK, result.parameters), A),
        "estimator": (classifier, classifier.predict_proba(X.T)),
    }


@pytest.mark.parametrize("kind", ["model", "result", "pair", "estimator"])
def test_all_doors_take_the_same_values(kind, tmp_path):
    torch = pytest.importorskip("torch")
    value, wanted = every_kind()[kind]
    save(tmp_path / "model.safetensors", value)
    again = load(tmp_path / "model.safetensors")
    moved = to_backend(value, "torch")
    assert type(moved) is type(value)
    for each in (again, to_backend(moved, "numpy")):
        each = Model(*each) if kind == "pair" and isinstance(each, tuple) else each  # noqa: PLW2901 - the same, to be asked
        got = each.predict_proba(X.T) if kind == "estimator" else mlpxp.predict(each.network, each.parameters, X).T
        np.testing.assert_allclose(got, wanted, rtol=1e-9)
    for each in (value, moved):
        np.testing.assert_allclose(to_torch(each)(torch.tensor(X.T)).detach().numpy(), wanted, rtol=1e-9)
    pytest.importorskip("onnxruntime")
    export_onnx(value, tmp_path / "model.onnx")
    from onnxruntime import InferenceSession

    outputs = InferenceSession(tmp_path / "model.onnx").run(None, {"X": X.T})
    np.testing.assert_allclose(outputs[-1], wanted, rtol=1e-9)


WRONG = {
    "number": 3,
    "class": MLPClassifier,
    "network": NETWORK,
    "rows": Rows(X.T),
    "list": [1.0],
    "text": "model",
    "no pair": (initialize(NETWORK, seed=0), NETWORK),
    "three": (NETWORK, initialize(NETWORK, seed=0), 1),
    "none": None,
}


@pytest.mark.parametrize("what", WRONG)
def test_all_doors_refuse_the_same_values_in_the_same_words(what, tmp_path):
    takes = "a Model, a TrainingResult, a fitted MLPClassifier or MLPRegressor, or (network, parameters), got "
    asked = {
        "save takes ": lambda value: save(tmp_path / "model.safetensors", value),
        "export_onnx takes ": lambda value: export_onnx(value, tmp_path / "model.onnx"),
        "to_torch takes ": to_torch,
        "to_backend takes arrays, tuples of them such as parameters, ": lambda value: to_backend(value, "numpy"),
    }
    for begins, ask in asked.items():
        if what == "none" and begins.startswith("to_backend"):
            continue  # an empty place in a tree
        with pytest.raises(DtypeError) as caught:
            ask(WRONG[what])
        assert str(caught.value).startswith(begins + takes)
        assert isinstance(caught.value, TypeError)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_estimators_that_are_not_fitted_are_refused_everywhere(tmp_path):
    for ask in (
        lambda value: save(tmp_path / "model.safetensors", value),
        lambda value: export_onnx(value, tmp_path / "model.onnx"),
        to_torch,
        lambda value: to_backend(value, "numpy"),
    ):
        with pytest.raises(mlpxp.estimators.errors.NotFittedError, match="call fit"):
            ask(MLPRegressor())


@pytest.mark.parametrize("name", [3, None, b"model.onnx", ["model.onnx"], Model(NETWORK, initialize(NETWORK, seed=0))])
def test_what_is_no_name_of_a_file_is_refused_everywhere(name):
    model = Model(NETWORK, initialize(NETWORK, seed=0))
    for ask in (lambda: save(name, model), lambda: save(name, "model.safetensors"), lambda: load(name), lambda: export_onnx(model, name)):
        with pytest.raises(DtypeError, match=rf"^path must be the name of a file, a str or a Path, got {type(name).__name__}$"):
            ask()


# ------------------------------------------------------------------------------------------------ labels in Y's place


@pytest.mark.parametrize("labels", [LABELS, LABELS[None, :], LABELS.astype("float64"), LABELS.astype("int8")])
def test_labels_in_the_place_of_distributions_are_told_to_be_one_hot(labels):
    parameters = initialize(NETWORK, seed=0, dtype="float64")
    trace = mlpxp.forward(NETWORK, parameters, X)
    for name, ask in (
        ("Y", lambda: train(NETWORK, X, labels, **OPTIONS)),
        ("Y", lambda: train(NETWORK, X, labels.tolist(), **OPTIONS)),
        ("Y", lambda: train(NETWORK, Rows(X.T), labels, **OPTIONS)),
        ("validation Y", lambda: train(NETWORK, X, Y, validation=(X, labels), **OPTIONS)),
        ("Y", lambda: mlpxp.evaluate(NETWORK, parameters, X, labels)),
        ("Y", lambda: mlpxp.cost_and_gradients(NETWORK, parameters, X, labels)),
        ("Y", lambda: mlpxp.backward(NETWORK, parameters, trace, labels)),
        ("Y", lambda: mlpxp.cost(NETWORK, trace, labels)),
        ("Y", lambda: mlpxp.naive_gradients(NETWORK, parameters, X, labels)),
    ):
        with pytest.raises(ShapeError, match=rf"^{name} must have shape \(2, 30\), a distribution a column, got .*one-hot, ") as caught:
            ask()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(30,), (1, 30)])
def test_the_advice_for_labels_makes_what_is_wanted(backend, shape):
    labels = backend.asarray(LABELS.reshape(shape))
    with pytest.raises(ShapeError) as caught:
        train(NETWORK, backend.asarray(X), labels, **OPTIONS)
    advice = str(caught.value).rpartition("one-hot, ")[2]
    made = eval(advice, {"xp": backend.namespace, "labels": labels, "X": backend.asarray(X)})
    np.testing.assert_array_equal(backend.to_numpy(made), Y)


def test_where_a_distribution_is_not_wanted_labels_are_as_before():
    network = Network((3, 1), output="sigmoid", loss="binary_cross_entropy")
    train(network, X, LABELS[None, :].astype("float64"), **OPTIONS)
    with pytest.raises(ShapeError, match=r"^Y must have shape \(1, m\), got \(30,\)"):
        train(network, X, LABELS.astype("float64"), **OPTIONS)
    with pytest.raises(DtypeError, match=r"convert it with xp\.astype"):
        train(network, X, LABELS[None, :], **OPTIONS)
    with pytest.raises(DtypeError, match=r"convert it with xp\.astype"):
        train(NETWORK, X, Y.astype("int64"), **OPTIONS)


# --------------------------------------------------------------------------------------------------------- the bar


@pytest.fixture
def terminal(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as rich can see
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")


def test_a_bar_goes_to_stderr_and_leaves_nothing(terminal, capsys):
    result = train(NETWORK, X, Y, validation=(X, Y), progress=True, **OPTIONS)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4/4" in err
    assert f"cost {result.history.cost[-1]:.6g}, validation {result.history.validation_cost[-1]:.6g}" in err
    assert err.rstrip().endswith("\x1b[2K")  # the line is erased
    assert train(NETWORK, X, Y, validation=(X, Y), **OPTIONS).history.cost == result.history.cost
    assert capsys.readouterr() == ("", "")


def test_a_bar_of_a_stack_shows_the_mean(terminal, capsys):
    result = train(NETWORK, X, Y, start=initialize(NETWORK, seed=range(3), dtype="float64"), progress=True, **OPTIONS)
    assert f"cost {np.mean(result.history.cost[-1]):.6g}" in capsys.readouterr().err


def test_a_bar_counts_on_after_an_interruption(terminal, capsys, tmp_path):
    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    kept = {"checkpoint": tmp_path / "run.ckpt", "resume": True, "progress": True} | OPTIONS
    first = train(NETWORK, X, Y, callbacks=[interrupt], every=1, **kept)
    assert str(first.stop) == "interrupted"
    shown = capsys.readouterr().err
    assert "1/4" in shown
    assert shown.rstrip().endswith("\x1b[2K")
    again = train(NETWORK, X, Y, every=1, **kept)
    assert "4/4" in capsys.readouterr().err
    assert again.history.cost == train(NETWORK, X, Y, **OPTIONS).history.cost
    train(NETWORK, X, Y, start=again, progress=True, **OPTIONS)
    assert "8/8" in capsys.readouterr().err


def test_a_bar_without_rich_is_refused_before_anything_is_written(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(MissingLibraryError, match=r"^progress=True needs rich, .* pip install"):
        train(NETWORK, X, Y, progress=True, checkpoint=tmp_path / "run.ckpt", **OPTIONS)
    assert not list(tmp_path.iterdir())
    for bad in (1, "yes", None):
        with pytest.raises(mlpxp.RangeError, match=r"^progress must be True or False"):
            train(NETWORK, X, Y, progress=bad, **OPTIONS)
