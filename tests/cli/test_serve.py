"""predict, evaluate and show."""

import io

import numpy as np
import polars as pl
import pytest

from mlpxp import Adam, MLPRegressor, Model, Network, initialize, save, train
from mlpxp.files import save_model


@pytest.fixture
def iris(run, tmp_path):
    """A model of the irises, and their raw rows as a CSV file."""
    from sklearn.datasets import load_iris

    assert run("train", "iris", "--output", "iris.safetensors", "--seed", 1).code == 0
    bunch = load_iris()
    frame = pl.DataFrame({name: bunch.data[:, index] for index, name in enumerate(bunch.feature_names)})
    frame.write_csv(tmp_path / "raw.csv")
    frame.with_columns(species=bunch.target_names[bunch.target]).write_csv(tmp_path / "labelled.csv")
    return "iris.safetensors"


def test_predictions_are_csv(run, iris):
    result = run("predict", iris, "raw.csv")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "prediction"
    assert len(lines) == 151
    assert set(lines[1:]) == {"setosa", "versicolor", "virginica"}


def test_predictions_don_t_need_the_target_and_ignore_it(run, iris):
    assert run("predict", iris, "raw.csv").out == run("predict", iris, "labelled.csv").out


def test_predictions_go_to_a_file(run, iris, tmp_path):
    result = run("predict", iris, "raw.csv", "--output", "p.csv", "--probabilities")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert (tmp_path / "p.csv").read_text() == run("predict", iris, "raw.csv", "--probabilities").out


def test_probabilities_stand_beside_the_predictions(run, iris):
    frame = pl.read_csv(io.StringIO(run("predict", iris, "raw.csv", "--probabilities").out))
    assert frame.columns == ["prediction", "probability_setosa", "probability_versicolor", "probability_virginica"]
    shares = frame.drop("prediction").to_numpy()
    assert np.allclose(shares.sum(axis=1), 1.0, atol=1e-6)
    names = np.array(["setosa", "versicolor", "virginica"])
    assert (names[shares.argmax(axis=1)] == frame["prediction"].to_numpy()).all()


def test_predictions_as_json(run, iris):
    found = run("predict", iris, "raw.csv", "--json", "--probabilities").json
    assert len(found["predictions"]) == len(found["probabilities"]) == 150
    assert found["classes"] == ["setosa", "versicolor", "virginica"]


def test_an_evaluation_agrees_with_the_predictions(run, iris):
    found = run("evaluate", iris, "labelled.csv", "--json").json
    assert found["score"] > 0.9
    predicted = run("predict", iris, "raw.csv").out.splitlines()[1:]
    wanted = ["setosa"] * 50 + ["versicolor"] * 50 + ["virginica"] * 50
    assert found["score"] == pytest.approx(np.mean([one == other for one, other in zip(predicted, wanted, strict=True)]))
    assert np.trace(found["confusion_matrix"]) == round(150 * found["score"])
    assert run("evaluate", iris, "labelled.csv", "--target", "species", "--json").json == found


def test_an_evaluation_for_people(run, iris):
    result = run("evaluate", iris, "iris")
    assert result.code == 0
    for text in ("accuracy", "virginica", "150"):
        assert text in result.out


def test_an_evaluation_of_the_rows_tested_on_in_training_is_as_it_was(run):
    trained = run("train", "xor", "--json").json
    evaluated = run("evaluate", "model.safetensors", "xor", "--json").json
    assert evaluated["score"] == trained["scores"]["test"]
    assert evaluated["cost"] == pytest.approx(trained["costs"]["test"])


def test_a_folder_is_evaluated_on_its_test_set(run, idx):
    trained = run("train", idx, "--epochs", 5, "--json").json
    evaluated = run("evaluate", "model.safetensors", idx, "--json").json
    assert evaluated["score"] == trained["scores"]["test"]
    assert evaluated["rows"] == trained["rows"]["test"]
    images = next(idx.glob("t10k-images*"))
    predicted = run("predict", "model.safetensors", images)
    assert len(predicted.out.splitlines()) == 1 + evaluated["rows"]
    assert "not predicted" in run("predict", "model.safetensors", idx).err


def test_data_with_a_target_of_another_name(run, tmp_path):
    from sklearn.datasets import load_digits

    bunch = load_digits()
    np.savez(tmp_path / "d.npz", X=bunch.data.astype(np.uint8), y=bunch.target)
    run("train", "digits", "--epochs", 10)
    assert run("evaluate", "model.safetensors", "d.npz", "--json").json["score"] > 0.95


def test_regression_predicts_in_the_targets_unit(run):
    run("train", "diabetes")
    values = [float(line) for line in run("predict", "model.safetensors", "diabetes").out.splitlines()[1:]]
    assert 100 < np.mean(values) < 200
    found = run("evaluate", "model.safetensors", "diabetes", "--json").json
    assert found["r2"] == found["score"] > 0.3
    assert "RMSE" in run("evaluate", "model.safetensors", "diabetes").out


def test_categories_never_seen_are_noticed_on_stderr(run, pets, tmp_path):
    run("train", pets, "--target", "kind", "--missing", "mean", "--drop", "id", "--epochs", 3)
    (tmp_path / "new.csv").write_text("weight,colour\n4.1,green\n,black\n")
    result = run("predict", "model.safetensors", "new.csv")
    assert len(result.out.splitlines()) == 3
    assert "never seen in training" in result.err
    assert "replaced by the training mean" in result.err


def test_a_model_is_shown(run, iris):
    result = run("show", iris)
    assert result.code == 0
    for text in (
        "1,027 parameters",
        "relu",
        "softmax",
        "cross_entropy",
        "species",
        "virginica",
        "petal length (cm)",
        "adam",
        "seed 1",
        "accuracy",
    ):
        assert text in result.out.replace("\n", " ")
    found = run("show", iris, "--json").json
    assert found["parameters"] == 4 * 128 + 128 + 128 * 3 + 3
    assert found["layers"][0] == {"W": [128, 4], "b": [128, 1], "activation": "relu", "parameters": 640}
    assert found["training"]["seed"] == 1
    assert found["classes"] == ["setosa", "versicolor", "virginica"]


def test_a_model_without_a_preparation_can_be_shown_but_not_used(run, tmp_path):
    network = Network((2, 3, 1), hidden="tanh")
    save_model(tmp_path / "bare.safetensors", network, initialize(network, seed=0), metadata={"training": {"scores": 3, "epochs": []}})
    assert "13 parameters" in run("show", "bare.safetensors").out
    assert run("show", "bare.safetensors", "--json").json["task"] is None
    result = run("predict", "bare.safetensors", "xor")
    assert result.code == 2
    assert "without a preparation" in result.err


def test_files_of_other_kinds_are_shown_as_what_they_are_and_not_served(run, tmp_path):
    network = Network((2, 3, 1), hidden="tanh")
    save(tmp_path / "stack.safetensors", Model(network, initialize(network, seed=[0, 1])))
    save(
        tmp_path / "fitted.safetensors",
        MLPRegressor(hidden_layer_sizes=(3,), solver="sgd").partial_fit([[0.0, 1.0], [1.0, 0.0]], [0.5, 2.0]),
    )
    X, Y = np.zeros((2, 4)), np.ones((1, 4))
    save(tmp_path / "result.safetensors", train(network, X, Y, optimizer=Adam(), epochs=1))
    assert "stack.safetensors: a stack of 2 networks of 13 parameters, float32" in run("show", "stack.safetensors").out
    assert run("show", "stack.safetensors", "--json").json["networks"] == 2
    for name, what in (("fitted", "a fitted estimator"), ("result", "a training result")):
        assert f"{name}.safetensors: {what}, 13 parameters, float64" in run("show", f"{name}.safetensors").out
        for command in ("predict", "evaluate"):
            result = run(command, f"{name}.safetensors", "xor")
            assert result.code == 2
            assert f"{name}.safetensors holds {what}, which takes arrays and no raw data" in result.err
            assert result.err.count("\n") == 1
    assert run("show", "fitted.safetensors", "--json").json["kind"] == "estimator"


@pytest.mark.parametrize(
    "training", [[], 3, {"metric": [], "rows": {"train": "many"}, "scores": {"test": {}}, "optimizer": 5, "stop": {"[red]": 1}}]
)
def test_a_record_of_nonsense_is_shown_as_far_as_it_goes(run, iris, tmp_path, training):
    from mlpxp.files import load_model

    model = load_model(tmp_path / iris)
    save_model(
        tmp_path / "odd.safetensors", model.network, model.parameters, metadata=model.metadata | {"training": training}, arrays=model.arrays
    )
    assert run("show", "odd.safetensors").code == 0
    assert run("show", "odd.safetensors", "--json").json["training"] == training
