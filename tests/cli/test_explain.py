"""``mlpxp explain``: the numbers on the screen are the library's."""

import re

import numpy as np
import pytest

from mlpxp import Network, backward, forward, initialize
from mlpxp.textbook.teaching.examples import examples


def test_by_default_it_is_the_notes_3_2_1(run):
    found = run("explain", "--json").json
    assert found["network"] == {"sizes": [3, 2, 1], "hidden": ["sigmoid"], "output": "sigmoid", "loss": "mse"}
    shapes = {step["name"]: tuple(step["shape"]) for step in found["steps"]}
    assert [np.shape(layer[name]) for layer in found["parameters"] for name in "Wb"] == [(2, 3), (2, 1), (1, 2), (1, 1)]
    assert [shapes[name] for name in ("∂C/∂W1", "∂C/∂b1", "∂C/∂W2", "∂C/∂b2")] == [(2, 3), (2, 1), (1, 2), (1, 1)]
    network = Network((3, 2, 1))
    parameters, (X, Y) = initialize(network, seed=0, dtype="float64"), examples("textbook")
    trace = forward(network, parameters, X)
    values = {step["name"]: step["values"] for step in found["steps"]}
    assert values["A2"] == trace[-1].A.tolist()
    for l, gradient in enumerate(backward(network, parameters, trace, Y), start=1):
        assert values[f"∂C/∂W{l}"] == gradient.W.tolist()
        assert values[f"∂C/∂b{l}"] == gradient.b.tolist()


def test_what_is_printed_is_what_json_holds(run):
    printed, found = run("explain", "--seed", 3), run("explain", "--seed", 3, "--json").json
    assert (printed.code, printed.err) == (0, "")
    assert "\x1b" not in printed.out
    assert printed.out.startswith("3-2-1, sigmoid, sigmoid, 11 parameters, mse; 2 examples of textbook, η = 1\n")
    lines = printed.out.splitlines()
    for step in found["steps"]:
        (at,) = [index for index, line in enumerate(lines) if step["equation"] in line]
        assert lines[at].split()[0] == step["tag"]
        assert str(tuple(step["shape"])) in lines[at]
        values = np.atleast_2d(step["values"])
        for row, line in zip(values, lines[at:], strict=False):
            assert [float(word) for word in line.split()[-len(row) :]] == pytest.approx(row, rel=6e-4)
    for part in ("given", "forward", "backward", "update"):
        assert re.search(rf"^ {part} +shape +values", printed.out, re.MULTILINE)
    counts = found["operations"]
    assert f"took {counts['backpropagation']:,} operations for the 11 derivatives" in printed.out
    assert printed.out.rstrip().endswith(f"22 forward passes) took {counts['naive']:,}")


@pytest.mark.parametrize("data", ["and", "or", "xor"])
@pytest.mark.parametrize(("loss", "n", "tag"), [("mse", 1, "C1"), ("binary_cross_entropy", 1, "C2"), ("cross_entropy", 2, "C3")])
def test_the_truth_tables_and_the_losses(run, data, loss, n, tag):
    found = run("explain", "--data", data, "--loss", loss, "--hidden", "4,3", "--activation", "tanh", "--json").json
    assert found["network"]["sizes"] == [2, 4, 3, n]
    assert found["X"] == examples(data)[0].tolist()
    assert found["Y"][-1] == examples(data)[1][0].tolist()
    assert np.sum(found["Y"], axis=0).tolist() == found["Y"][0] if n == 1 else [1.0] * 4
    assert tag in [step["tag"] for step in found["steps"]]


def test_one_example(run):
    whole, found = run("explain", "--data", "xor", "--json").json, run("explain", "--data", "xor", "--example", 3, "--json").json
    values = {step["name"]: np.asarray(step["values"]) for step in whole["steps"]}
    for step in found["steps"]:
        if step["tag"] in {"F1", "F2", "B1", "B2"}:
            assert step["values"] == values[step["name"]][:, [2]].tolist()
    assert "G1" not in [step["tag"] for step in found["steps"]]
    printed = run("explain", "--data", "xor", "--example", 3).out
    assert "example 3 of xor's 4" in printed
    assert "update" not in printed
    assert "ℓ = ½ ‖ŷ - y‖²" in printed


def test_the_middle_of_a_large_matrix_is_left_out(run):
    out = run("explain", "--hidden", "20,12").out
    row = next(line for line in out.splitlines() if "W_2" in line)
    assert row.split("W_2")[1].split().count("...") == 1
    assert len(row.split(")")[1].split()) == 13
    assert re.search(r"^ +\.\.\.( +\.\.\.){2} *$", out, re.MULTILINE)  # of W_1, (20, 3)


def test_no_hidden_layer(run):
    steps = run("explain", "--hidden", "none", "--json").json["steps"]
    assert [step["tag"] for step in steps] == [
        "F1",
        "F2",
        "C1",
        "B1",
        "B3",
        "B4",
        "G1",
        "G1",
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--data", "nand"), "the examples must be one of textbook, and, or, xor, got 'nand'"),
        (("--loss", "poisson"), "loss must be one of mse, binary_cross_entropy, cross_entropy, got 'poisson'"),
        (("--hidden", "wide"), "hidden must be the widths of the layers"),
        (("--hidden", "400"), "at most 1,000 parameters, got 2,001"),
        (("--activation", "swish"), "activation must be one of"),
        (("--activation", "softmax"), "softmax can only be the output"),
        (("--example", "0"), "example must be a whole number from 1 to 2, got 0"),
        (("--example", "3"), "example must be a whole number from 1 to 2, got 3"),
        (("--learning-rate", "nan"), "learning_rate must be a positive number"),
        (("--seed", "-1"), "seed must be a whole number from 0, got -1"),
        (("--seed", "one"), "see mlpxp explain --help"),
    ],
)
def test_bad_input_is_one_line(run, options, says):
    result = run("explain", *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("mlpxp: error: ")
    assert result.err.count("\n") == 1
    assert says in result.err
