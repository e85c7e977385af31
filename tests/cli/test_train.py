import json

import numpy as np
import polars as pl
import pytest

from mlpxp.files import load_model

PNG = b"\x89PNG\r\n"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits_are_learnt_by_the_defaults(run, seed):
    result = run("train", "digits", "--json", "--seed", seed)
    assert result.code == 0
    assert result.err == ""
    assert result.json["scores"]["test"] >= 0.97
    assert result.json["rows"] == {"train": 1293, "validation": 144, "test": 360}
    assert np.sum(result.json["confusion_matrix"]) == 360


def test_the_json_object_says_what_was_done(run):
    found = run("train", "iris", "--json", "--epochs", 20, "--hidden", "8,4", "--plot", "curve.svg", "--seed", 3).json
    assert found["task"] == "classification"
    assert found["task_because"] == "the target 'species' is text with 3 values; --task overrides"
    assert set(found["scores"]) == {"train", "validation", "test"}
    assert found["classes"] == ["setosa", "versicolor", "virginica"]
    assert found["network"] == {"sizes": [4, 8, 4, 3], "hidden": ["relu", "relu"], "output": "softmax", "loss": "cross_entropy"}
    assert (found["epochs"], found["stop"], found["seed"]) == (20, "maximum of epochs reached", 3)
    assert (found["model"], found["plot"]) == ("model.safetensors", "curve.svg")
    assert len(found["history"]["cost"]) == 20
    assert found["confusion_matrix_of"] == "test"
    assert found["r2"] is None
    assert found["seconds"] > 0


def test_the_report_names_what_people_look_for(run):
    result = run("train", "iris", "--epochs", 5, "--output", "flowers.safetensors", "--plot", "curve.png")
    assert result.code == 0
    for text in (
        "classification: the target 'species'",
        "validation",
        "accuracy",
        "5 epochs",
        "maximum of epochs",
        "flowers.safetensors",
        "virginica",
    ):
        assert text in result.out
    assert result.err == ""


def test_the_files_are_written(run, tmp_path):
    assert run("train", "iris", "--epochs", 3, "--plot", "curve.png").code == 0
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "curve.png"}
    model = load_model(tmp_path / "model.safetensors")
    assert model.network.sizes == (4, 128, 3)
    assert model.metadata["training"]["epochs"] == 3


def test_the_same_seed_gives_the_same_model(run, tmp_path):
    for name in ("a", "b"):
        run("train", "wine", "--epochs", 5, "--output", f"{name}.safetensors", "--seed", 7)
    first, second = (load_model(tmp_path / f"{name}.safetensors") for name in ("a", "b"))
    assert all(np.array_equal(one.W, other.W) for one, other in zip(first.parameters, second.parameters, strict=True))


def test_two_classes_have_one_output(run):
    found = run("train", "breast-cancer", "--json", "--epochs", 10).json
    assert found["network"]["output"] == "sigmoid"
    assert found["network"]["loss"] == "binary_cross_entropy"
    assert found["scores"]["test"] > 0.9


def test_xor_is_learnt_from_its_four_rows(run):
    found = run("train", "xor", "--json").json
    assert found["scores"] == {"train": 1.0, "validation": None, "test": 1.0}
    assert found["confusion_matrix"] == [[2, 0], [0, 2]]


def test_regression_is_inferred_and_scored_in_the_targets_unit(run):
    found = run("train", "diabetes", "--json").json
    assert found["task"] == "regression"
    assert found["network"]["output"] == "identity"
    assert found["r2"] == found["scores"]["test"]
    assert 0 < found["r2"] < 1
    assert 40 < found["rmse"]["test"] < 80
    assert found["confusion_matrix"] is None
    assert found["classes"] == []
    assert "RMSE" in run("train", "diabetes", "--epochs", 2).out


def test_the_task_can_be_overridden(run):
    found = run("train", "wine", "--task", "classification", "--json", "--epochs", 2).json
    assert found["task_because"] == "--task says so"
    assert run("train", "digits", "--task", "regression", "--json", "--epochs", 2).json["metric"] == "r2"


def test_a_table_with_texts_and_gaps(run, pets):
    found = run("train", pets, "--target", "kind", "--drop", "id", "--missing", "mean", "--json").json
    assert found["scores"]["test"] > 0.9
    assert found["classes"] == ["[red]fish[/red]", "cat", "dog"]
    assert any("replaced by the training mean" in notice for notice in found["notices"])
    found = run("train", pets, "--target", "kind", "--drop", "id", "--missing", "drop", "--json").json
    assert sum(found["rows"].values()) == 118
    assert found["notices"] == ["2 rows with missing values left out"]


def test_class_names_are_not_taken_for_markup(run, pets):
    result = run("train", pets, "--target", "kind", "--missing", "mean", "--epochs", 2)
    assert "[red]fish[/red]" in result.out


def test_parquet_and_npz(run, tmp_path):
    random = np.random.default_rng(1)
    X = random.normal(size=(200, 3))
    y = (X[:, 0] > 0).astype(int)
    pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "sign": y}).write_parquet(tmp_path / "t.parquet")
    np.savez(tmp_path / "t.npz", X=X, y=y)
    assert run("train", "t.parquet", "--target", "sign", "--json").json["scores"]["test"] > 0.9
    assert run("train", "t.npz", "--json").json["scores"]["test"] > 0.9


def test_a_folder_of_idx_files_brings_its_test_set(run, idx):
    found = run("train", idx, "--json", "--hidden", "32", "--test", 0.5).json
    assert found["scores"]["test"] > 0.8
    assert found["network"]["sizes"][0] == 64
    assert any("test set of their own" in notice for notice in found["notices"])


def test_no_rows_for_testing_or_validation(run):
    found = run("train", "iris", "--test", 0, "--validation", 0, "--epochs", 2, "--json").json
    assert found["rows"] == {"train": 150, "validation": 0, "test": 0}
    assert found["scores"]["test"] is None
    assert found["confusion_matrix_of"] == "train"
    assert found["patience"] is None
    assert "the training set" in run("train", "iris", "--test", 0, "--validation", 0, "--epochs", 2).out


def test_the_default_validation_gives_way_where_a_class_is_too_rare(run, tmp_path):
    rows = ["x,y"] + [f"{index},{'a' if index % 2 else 'b'}" for index in range(200)] + ["1,rare", "2,rare"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    found = run("train", "t.csv", "--target", "y", "--epochs", 2, "--json").json
    assert found["rows"]["validation"] == 0
    assert any("no validation rows" in notice for notice in found["notices"])


@pytest.mark.parametrize("hidden", ["", "none"])
def test_no_hidden_layer(run, hidden):
    assert run("train", "iris", "--hidden", hidden, "--epochs", 2, "--json").json["network"]["sizes"] == [4, 3]


@pytest.mark.parametrize(
    "options",
    [
        ("--optimizer", "sgd", "--momentum", "0.9"),
        ("--optimizer", "sgd", "--learning-rate", "0.05", "--schedule", "constant"),
        ("--optimizer", "adamw", "--dtype", "float64"),
        ("--penalty", "0.001", "--tolerance", "0.001", "--activation", "tanh"),
        ("--batch-size", "1000", "--learning-rate", "0.05"),
    ],
)
def test_options_of_the_training(run, options):
    found = run("train", "iris", "--json", *options).json
    assert found["scores"]["test"] > 0.8


def test_a_time_limit(run):
    found = run("train", "digits", "--max-seconds", 0.2, "--epochs", 100_000, "--patience", 100_000, "--json", "--plot", "c.png").json
    assert found["stop"] == "time is up"
    assert found["seconds"] < 20


def test_another_backend_by_option_and_by_environment(run, monkeypatch):
    by_option = run("train", "iris", "--epochs", 3, "--backend", "strict", "--json").json
    assert by_option["backend"] == "strict"
    monkeypatch.setenv("MLPXP_BACKEND", "strict")
    by_environment = run("train", "iris", "--epochs", 3, "--json").json
    assert by_environment["backend"] == "strict"
    monkeypatch.delenv("MLPXP_BACKEND")
    assert run("train", "iris", "--epochs", 3, "--json").json["costs"]["test"] == pytest.approx(by_option["costs"]["test"], rel=1e-4)


def test_a_divergence_leaves_the_old_model_alone(run, tmp_path, files):
    (tmp_path / "model.safetensors").write_text("precious")
    result = run("train", "diabetes", "--optimizer", "sgd", "--learning-rate", "1e6", "--plot", "c.png")
    assert result.code == 2
    assert result.err.startswith("mlpxp: error: the cost stopped being finite in epoch")
    assert "no model was written" in result.err
    assert result.err.count("\n") == 1
    assert files() == {"model.safetensors": 8}


def test_the_old_model_is_replaced(run, tmp_path):
    (tmp_path / "model.safetensors").write_text("old")
    assert run("train", "iris", "--epochs", 1).code == 0
    assert load_model(tmp_path / "model.safetensors").network.sizes == (4, 128, 3)


def test_numbers_that_json_has_not_are_null(run, tmp_path):
    rows = ["x,y"] + [f"{index},{1.5 if index else 2.5}" for index in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    result = run("train", "t.csv", "--target", "y", "--task", "regression", "--epochs", 2, "--json", "--seed", 1)
    json.loads(result.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert None in result.json["scores"].values()


def test_asking_for_epochs_gives_them_all_and_keeps_the_last(run):
    asked = run("train", "iris", "--epochs", 400, "--json").json
    assert (asked["epochs"], asked["kept_epoch"], asked["patience"]) == (400, 400, None)
    left_open = run("train", "iris", "--json").json
    assert left_open["stop"] == "stopped early"
    assert left_open["kept_epoch"] == left_open["best_epoch"] < left_open["epochs"]
    both = run("train", "iris", "--epochs", 400, "--patience", 5, "--json").json
    assert both["epochs"] == both["kept_epoch"] + 5 < 400


def test_badly_scaled_columns_are_standardised_and_no_warning_is_due(run, tmp_path):
    rows = [f"{1e6 + 1e5 * (i % 7)},{i % 3},{'ab'[i % 7 > 3]}" for i in range(60)]
    (tmp_path / "large.csv").write_text("p,q,y\n" + "\n".join(rows) + "\n")
    result = run("train", "large.csv", "--target", "y", "--epochs", 40, "--hidden", "8", "--learning-rate", 0.02, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["scores"]["train"] == 1.0
