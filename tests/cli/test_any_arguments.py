"""Whatever stands on the command line: a network whose score plain NumPy confirms, or one line and exit code 2."""

import csv
import json

import numpy as np
import pytest
from hypothesis import strategies as st
from safetensors.numpy import load_file
from soak.cases import cases

WORDS = st.sampled_from(
    ["", "0", "-1", "1e400", "nan", "inf", "é☃", "None", "[]", "--", "\t", "2**3", "1" * 400, "0x10", "true", "../..", "a\nb"]
)
NUMBERS = st.sampled_from(["0.5", "1", "2", "3", "0.001", "1e-3", "10"])
OPTIONS = {
    "--hidden": st.sampled_from(["none", "3", "4,2", " 5 ", "0,1", "9" * 15]),
    "--activation": st.sampled_from(["relu", "tanh", "softplus", "softmax"]),
    "--optimizer": st.sampled_from(["adam", "adamw", "sgd"]),
    "--learning-rate": NUMBERS,
    "--schedule": st.sampled_from(["cosine", "constant"]),
    "--momentum": NUMBERS,
    "--penalty": NUMBERS,
    "--batch-size": NUMBERS,
    "--patience": NUMBERS,
    "--tolerance": NUMBERS,
    "--seed": NUMBERS,
    "--dtype": st.sampled_from(["float32", "float64", "float16", "int8"]),
    "--target": st.sampled_from(["kind", "length", "colour", "id"]),
    "--task": st.sampled_from(["classification", "regression"]),
    "--drop": st.sampled_from(["id", "id,colour", "length"]),
    "--missing": st.sampled_from(["mean", "drop"]),
}
CHOSEN = st.dictionaries(st.sampled_from(sorted(OPTIONS)), st.booleans(), max_size=4)
WHAT = (
    st.builds(dict, *[])
    if False
    else CHOSEN.flatmap(
        lambda chosen: st.fixed_dictionaries({name: WORDS if odd and name != "--seed" else OPTIONS[name] for name, odd in chosen.items()})
    )
)


@pytest.fixture
def flowers(tmp_path):
    """A table of numbers with a class and a quantity."""
    random = np.random.default_rng(0)
    rows = [(i, round(float(p), 3), round(float(q), 3), "ab"[int(p > q)]) for i, (p, q) in enumerate(random.normal(size=(24, 2)))]
    path = tmp_path / "flowers.csv"
    path.write_text("id,length,width,kind\n" + "".join(f"{i},{p},{q},{kind}\n" for i, p, q, kind in rows), encoding="utf-8")
    return path


@cases(
    60, options=WHAT, command=st.sampled_from(["train", "train", "train", "evaluate", "predict", "show"]), stray=st.one_of(st.none(), WORDS)
)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_a_command_does_what_it_says_or_says_in_one_line_why_not(run, flowers, options, command, stray):
    arguments = [f"{name}={value}" for name, value in options.items()] + ([] if stray is None else [stray])
    model = flowers.with_name("m.safetensors")
    if command != "train":
        if not model.exists():
            assert run("train", flowers, "--target=kind", "--epochs=1", f"--output={model}").code == 0
        answer = run(command, model, *([] if command == "show" else [flowers]), "--json", *arguments)
    else:
        target = [] if "--target" in options else ["--target=kind"]
        answer = run(command, flowers, *target, "--epochs=2", "--test=0", "--validation=0", f"--output={model}", "--json", *arguments)
    if answer.code != 0:
        assert answer.code == 2
        assert answer.err.startswith("mlpxp: error: ")
        assert answer.err.count("\n") == 1
        assert len(answer.err) < 2000
        assert answer.out == ""
        return
    said = json.loads(answer.out)
    if command == "train":
        confirm(said, flowers, model, options)
        model.unlink()


def confirm(said, flowers, model, options):
    """Compute the score that was printed from the table and the file's tensors."""
    target = options.get("--target", "kind")
    dropped = {name.strip() for name in options.get("--drop", "").split(",")}
    rows = list(csv.DictReader(flowers.read_text(encoding="utf-8").splitlines()))
    columns = [name for name in ("id", "length", "width", "kind") if name != target and name not in dropped]
    inputs = []
    for name in columns:
        if name == "kind":
            inputs += [np.array([float(row["kind"] == kind) for row in rows]) for kind in "ab"]
        else:
            values = np.array([float(row[name]) for row in rows])
            inputs.append((values - values.mean()) / values.std())
    tensors, A, number = load_file(model), np.stack(inputs), 1
    hidden = {"relu": lambda Z: np.maximum(Z, 0), "tanh": np.tanh, "softplus": lambda Z: np.logaddexp(Z, 0)}[
        options.get("--activation", "relu")
    ]
    while True:
        Z = tensors[f"layers.{number}.W"].astype(float) @ A + tensors[f"layers.{number}.b"]
        number += 1
        if f"layers.{number}.W" not in tensors:
            break
        A = hidden(Z)
    record = said.get("training", said)
    if record["task"] == "classification":
        labels = sorted({row[target] for row in rows}, key=lambda label: float(label) if target != "kind" else label)
        wanted = np.array([labels.index(row[target]) for row in rows])
        guessed = (Z[0] > 0).astype(int) if len(labels) == 2 else Z.argmax(axis=0)
        unsure = np.abs(Z[0]) < 1e-3 if len(labels) == 2 else np.ptp(np.sort(Z, axis=0)[-2:], axis=0) < 1e-3
        score, slack = float(np.mean(guessed == wanted)), float(unsure.mean())
    else:
        values = np.array([float(row[target]) for row in rows])
        guessed = Z[0] * values.std() + values.mean()
        score, slack = float(1 - ((values - guessed) ** 2).sum() / ((values - values.mean()) ** 2).sum()), 0.0
    assert abs(record["scores"]["train"] - score) <= slack + 1e-4 * max(1.0, abs(score))
