"""``mlpxp separate`` and ``mlpxp xor``."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from mlpxp import separate


def test_two_classes_and_the_proof(run, files):
    result = run("separate", "xor", "--plot", "a.png")
    assert (result.code, result.err) == (0, "")
    assert "example 4:  (1, 1) -> 0  asks w1 + w2 + b < 0  times 1" in result.out
    assert "Both can't hold." in result.out
    assert files()["a.png"] > 10_000


def test_more_classes_each_against_the_rest(run):
    result = run("separate", "iris")
    rows = {line.split()[0]: line.split()[1:] for line in result.out.splitlines() if line.strip()}
    assert rows["setosa"] == ["a", "hyperplane", "0.8176"]
    assert rows["virginica"][0] == "none"
    X, y = load_iris(return_X_y=True)
    told = run("separate", "iris", "--json").json
    assert (told["rows"], [one["class"] for one in told["answers"]]) == (150, ["setosa", "versicolor", "virginica"])
    for number, answer in enumerate(told["answers"]):
        labels = np.where(y == number, answer["class"], f"not {answer['class']}")
        found = separate(X, labels)
        assert (answer["separable"], answer["margin"]) == (found.separable, found.margin)
        assert answer["w"] == (None if found.w is None else list(found.w))
        if not found.separable:
            assert {int(i): n for i, n in answer["certificate"].items()} == {one.index: one.multiplicity for one in found.constraints}


def test_one_class_in_full(run):
    result = run("separate", "iris", "--class", "versicolor", "--most", 4)
    assert "No hyperplane separates 'not versicolor' from 'versicolor'." in result.out
    assert sum(line.startswith("  example ") for line in result.out.splitlines()) == 4
    assert "and 2 more examples" in result.out


def test_a_file_of_one_s_own(run, tmp_path):
    (tmp_path / "a.csv").write_text("id,height,name\n1,1.5,short\n2,2.5,tall\n3,1.25,short\n")
    told = run("separate", "a.csv", "--target", "name", "--drop", "id", "--json").json
    (answer,) = told["answers"]
    assert (answer["separable"], answer["margin"], answer["classes"]) == (True, 0.5, ["short", "tall"])


@pytest.mark.parametrize(
    ("table", "arguments", "says"),
    [
        ("x,y\n1,a\n2,b\n", (), "target"),
        ("x,c,y\n1,red,a\n2,blue,b\n", ("--target", "y"), "column 'c' holds text, and a hyperplane is of numbers"),
        ("x,y\n1,a\n,b\n", ("--target", "y"), "missing"),
        ("x,y\n1,a\n2,\n3,b\n", ("--target", "y"), "the target 'y' is missing in row 2 (line 3), one of 1"),
        ("x,y\n1,a\n2,a\n", ("--target", "y"), "must have two classes or more, got 1"),
        ("x,y\n9007199254740993,a\n2,b\n", ("--target", "y"), "column 'x' holds whole numbers above 2^53"),
        ("x,y\n1,a\n2,b\n", ("--target", "y", "--plot", "a.png"), "a picture of two classes needs 2 features, got 1"),
        ("x,y\n1,a\n2,b\n", ("--target", "y", "--class", "c"), "class must be one of a, b, got 'c'"),
        ("x,z,y\n1,2,a\n2,2,b\n3,1,c\n", ("--target", "y", "--plot", "a.png"), "choose one against the rest with --class LABEL"),
        ("x,y\n1,a\n2,b\n", ("--target", "y", "--plot", "a.txt"), "a.txt"),
    ],
)
def test_one_sentence_each(run, tmp_path, table, arguments, says):
    (tmp_path / "a.csv").write_text(table)
    result = run("separate", "a.csv", *arguments)
    assert (result.code, result.out) == (2, "")
    assert says in result.err
    assert result.err.count("\n") == 1


def test_a_number_is_no_class(run):
    result = run("separate", "diabetes")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "has 214 different values: wanted classes, 100 at most" in result.err


def test_xor_from_the_contradiction_to_the_half_planes(run, files):
    result = run("xor", "--plot", "a.png")
    assert (result.code, result.err) == (0, "")
    for said in (
        "Those of 1 add up to  w1 + w2 + 2 b > 0",
        "Those of 0 add up to  w1 + w2 + 2 b < 0",
        "Rosenblatt's rule cycled: after epoch 1 it stands where it started",
        "2-2-1, tanh, sigmoid, 9 parameters: after 500 epochs 4 of 4 are right",
        "A2 = sigmoid(",
    ):
        assert said in result.out
    assert files()["a.png"] > 10_000


def test_xor_as_json(run):
    told = run("xor", "--json").json
    assert told["certificate"] == told["perceptron"]["certificate"] == [1, 1, 1, 1]
    assert told["perceptron"]["cycle"] == [0, 1]
    assert [round(one) for one in told["outputs"]] == [0, 1, 1, 0]
    assert len(told["lines"]) == 2
    assert len(told["regions"]) in {3, 4}


def test_a_start_that_doesn_t_get_there_says_so(run):
    result = run("xor", "--seed", 3)
    assert "after 500 epochs 2 of 4 are right" in result.out
    assert "another --seed" in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--hidden", 0), "must"),
        (("--hidden", 65), "at most 64 units"),
        (("--activation", "cosine"), "cosine"),
        (("--learning-rate", -1), "learning_rate"),
        (("--epochs", 0), "epochs"),
        (("--plot", "no/where.png"), "no/where.png"),
    ],
)
def test_xor_bad_options(run, arguments, says):
    result = run("xor", *arguments)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert says in result.err
