"""export: from raw columns to labels in one ONNX file."""

import json

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest

from mlpxp import MLPClassifier, Network, initialize, predict, save
from mlpxp.files import save_model

TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


@pytest.fixture
def onnx_of(run, tmp_path):
    """A function that exports the model and returns what runs it on a data frame, one input a column."""

    def export(model="model.safetensors"):
        assert run("export", model, "model.onnx", "--json").code == 0
        onnx.checker.check_model(tmp_path / "model.onnx", full_check=True)
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
        names = [output.name for output in session.get_outputs()]

        def answer(frame):
            columns = {
                one.name: frame[one.name].to_numpy().astype(object if one.type == "tensor(string)" else np.float64)[:, None]
                for one in session.get_inputs()
            }
            return dict(zip(names, session.run(None, columns), strict=True))

        return answer

    return export


def assert_classified_alike(found, predicted, dtype="float32"):
    assert found["label"].tolist() == predicted["predictions"]
    np.testing.assert_allclose(found["probabilities"], predicted["probabilities"], rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_irises_raw_measurements_go_in_and_names_and_probabilities_come_out(run, onnx_of, tmp_path, dtype):
    from sklearn.datasets import load_iris

    run("train", "iris", "--epochs", 5, "--dtype", dtype)
    bunch = load_iris()
    frame = pl.DataFrame({name: bunch.data[:, index] for index, name in enumerate(bunch.feature_names)})
    frame.write_csv(tmp_path / "raw.csv")
    answer = onnx_of()
    predicted = run("predict", "model.safetensors", "raw.csv", "--json", "--probabilities").json
    assert_classified_alike(answer(frame), predicted, dtype)
    one = answer(frame[3:4])
    assert (one["label"].tolist(), one["probabilities"].shape) == (predicted["predictions"][3:4], (1, 3))
    assert answer(frame[:0])["label"].shape == (0,)


def test_text_and_missing_values_are_prepared_as_in_training(run, onnx_of, pets, tmp_path):
    run("train", pets, "--target", "kind", "--missing", "mean", "--drop", "id", "--epochs", 5)
    weights, colours = [4.1, None, 20.0, 0.2, 0.0], ["black", "white", "green", None, ""]
    pl.DataFrame({"weight": weights, "colour": colours}).write_csv(tmp_path / "new.csv")
    predicted = run("predict", "model.safetensors", "new.csv", "--json", "--probabilities").json
    assert "never seen" in predicted["notices"][0]  # green
    given = pl.DataFrame({"weight": [4.1, np.nan, 20.0, 0.2, 0.0], "colour": ["black", "white", "green", "NA", ""]})
    assert_classified_alike(onnx_of()(given), predicted)


@pytest.mark.parametrize(("weight", "colour"), [(np.nan, "black"), (4.0, ""), (np.inf, "black"), (-np.inf, "white"), (1e300, "white")])
def test_a_row_that_predict_refuses_has_no_probabilities(run, onnx_of, pets, tmp_path, weight, colour):
    run("train", pets, "--target", "kind", "--missing", "drop", "--drop", "id", "--epochs", 2)
    found = onnx_of()(pl.DataFrame({"weight": [weight, 4.0], "colour": [colour, "black"]}))
    assert np.isnan(found["probabilities"][0]).all()
    assert np.isfinite(found["probabilities"][1]).all()
    (tmp_path / "new.csv").write_text(f"weight,colour\n{'' if np.isnan(weight) else weight},{colour}\n4.0,black\n")
    assert run("predict", "model.safetensors", "new.csv").code == 2


def test_columns_keep_their_order_and_two_classes_their_type(run, onnx_of, tmp_path):
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "a": random.normal(5, 3, 60),
            "text": random.choice(["x", "y", "z"], 60),
            "b": random.integers(0, 9, 60),
            "c": random.normal(size=60) > 0,
            "more text": random.choice(["ä", "[b]"], 60),
            "label": random.normal(0, 100, 60),
            "label_": random.normal(0, 0.01, 60),
            "y": random.integers(0, 2, 60),
        }
    )
    frame.write_csv(tmp_path / "d.csv")
    run("train", "d.csv", "--target", "y", "--epochs", 3, "--dtype", "float64")
    predicted = run("predict", "model.safetensors", "d.csv", "--json", "--probabilities").json
    answer = onnx_of()
    found = answer(frame.rename({"label_": "label__"}).rename({"label": "label_"}))
    assert_classified_alike(found, predicted, "float64")
    assert found["label"].dtype == np.int64
    shapes = {one["name"]: one["shape"] for one in run("export", "model.safetensors", "model.onnx", "--json").json["outputs"]}
    assert shapes == {"label": ["N"], "probabilities": ["N", 2]}


def test_a_quantity_comes_out_in_its_own_unit(run, onnx_of, tmp_path):
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    frame = pl.DataFrame({name: bunch.data[:, index] for index, name in enumerate(bunch.feature_names)})
    frame.with_columns(progress=bunch.target).write_csv(tmp_path / "d.csv")
    run("train", "d.csv", "--target", "progress", "--epochs", 3, "--dtype", "float64")
    predicted = run("predict", "model.safetensors", "d.csv", "--json").json["predictions"]
    answer = onnx_of()
    np.testing.assert_allclose(answer(frame)["prediction"], predicted, rtol=1e-12)
    assert np.isnan(answer(frame[:2].with_columns(bmi=pl.Series([np.nan, 1.0])))["prediction"]).tolist() == [True, False]


def test_data_without_columns_are_one_input(run, tmp_path):
    from sklearn.datasets import load_digits

    run("train", "digits", "--epochs", 2)
    predicted = run("predict", "model.safetensors", "digits", "--json", "--probabilities").json
    assert run("export", "model.safetensors", "digits.onnx").code == 0
    session = onnxruntime.InferenceSession(tmp_path / "digits.onnx")
    label, probabilities = session.run(["label", "probabilities"], {"X": load_digits().data})
    assert_classified_alike({"label": label, "probabilities": probabilities}, predicted)


def test_a_model_without_a_preparation_is_exported_as_a_network(run, tmp_path):
    network = Network((2, 3, 1), hidden="tanh")
    parameters = initialize(network, seed=0)
    save_model(tmp_path / "bare.safetensors", network, parameters)
    assert run("export", "bare.safetensors", "bare.onnx").code == 0
    X = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    (A,) = onnxruntime.InferenceSession(tmp_path / "bare.onnx").run(["A"], {"X": X})
    np.testing.assert_allclose(A, predict(network, parameters, X.T).T, atol=1e-6)


@pytest.mark.parametrize("n_networks", [1, 3])
def test_a_fitted_estimator_s_file_gives_labels_and_probabilities(run, tmp_path, n_networks):
    X = np.random.default_rng(0).normal(size=(9, 2))
    estimator = MLPClassifier((3,), max_iter=2, random_state=0, n_networks=n_networks, n_iter_no_change=np.inf)
    estimator.partial_fit(X, np.asarray(["no", "yes", "maybe"] * 3), classes=["maybe", "no", "yes"])
    save(tmp_path / "fitted.safetensors", estimator)
    assert run("export", "fitted.safetensors", "fitted.onnx").code == 0
    label, probabilities = onnxruntime.InferenceSession(tmp_path / "fitted.onnx").run(["label", "probabilities"], {"X": X})
    assert label.tolist() == estimator.predict(X).tolist()
    np.testing.assert_allclose(probabilities, estimator.predict_proba(X), rtol=0, atol=1e-12)


def test_it_is_said_what_goes_in_and_out(run, pets):
    run("train", pets, "--target", "kind", "--missing", "mean", "--drop", "id", "--epochs", 1)
    result = run("export", "model.safetensors", "pets.onnx")
    assert result.code == 0
    for text in ("pets.onnx", "weight", "float64", "colour", "text", "(N, 1)", "label", "(N,)", "probabilities", "(N, 3)"):
        assert text in result.out
    found = run("export", "model.safetensors", "pets.onnx", "--json").json
    assert found["inputs"] == [
        {"name": "weight", "dtype": "float64", "shape": ["N", 1]},
        {"name": "colour", "dtype": "str", "shape": ["N", 1]},
    ]
    assert found["outputs"] == [
        {"name": "label", "dtype": "str", "shape": ["N"]},
        {"name": "probabilities", "dtype": "float32", "shape": ["N", 3]},
    ]


def test_the_file_says_what_it_predicts(run, pets, tmp_path):
    run("train", pets, "--target", "kind", "--missing", "mean", "--drop", "id", "--epochs", 1)
    run("export", "model.safetensors", "pets.onnx")
    facts = {one.key: one.value for one in onnx.load(tmp_path / "pets.onnx").metadata_props}
    assert (facts["target"], facts["task"]) == ("kind", "classification")
    assert json.loads(facts["classes"]) == run("show", "model.safetensors", "--json").json["classes"]
    assert json.loads(facts["features"]) == ["weight", "colour"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model.safetensors", "model.bin"), "must be named .onnx, got 'model.bin'"),
        (("model.safetensors", "nowhere/model.onnx"), "the folder"),
        (("nothing.safetensors", "model.onnx"), "no such file"),
        (("model.onnx", "model.onnx"), "would overwrite model.onnx"),
        (("model.safetensors",), "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run, tmp_path, arguments, message):
    network = Network((2, 1))
    save_model(tmp_path / "model.safetensors", network, initialize(network, seed=0))
    (tmp_path / "model.onnx").write_text("old")
    result = run("export", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert (tmp_path / "model.onnx").read_text() == "old"
