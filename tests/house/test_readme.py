"""What the README says is true: its equations stand where it says, its snippets and its commands run as written."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EQUATIONS = re.findall(r"^\| \*\*(\w+)\*\* \|.*\| `([^`]+)` \[([\w./]+):(\d+)\]\(([\w./]+)#L(\d+)\) \|$", README, re.MULTILINE)
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_table_has_every_equation_of_the_foundation():
    tags = {tag for tag, *_ in EQUATIONS}
    assert tags >= {"F1", "F2", "C1", "C2", "C3", "B1", "B2", "B3", "B4", "A1", "A2", "A3", "G1", "G2"}


@pytest.mark.parametrize(("tag", "code", "shown", "number", "path", "anchor"), EQUATIONS, ids=[tag for tag, *_ in EQUATIONS])
def test_an_equation_stands_on_the_line_that_the_table_names(tag, code, shown, number, path, anchor):
    line = (ROOT / path).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    assert code in line
    assert number == anchor
    assert Path(path).name == Path(shown).name


LINES = re.findall(r"^\|.*\| `((?:MLP|to_backend)[^`]+)` \|$", README, re.MULTILINE)  # of the table beside scikit-learn


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:overflow encountered:RuntimeWarning")
def test_the_lines_of_the_table_beside_scikit_learn_run(capsys):
    names: dict[str, object] = {}
    for snippet in SNIPPETS:
        if "MLPClassifier" in snippet or "absolute" in snippet:
            exec(snippet.replace("max_iter=100", "max_iter=3"), names)
    assert re.search(r"apart \de-1\d, accuracy 0\.\d+", capsys.readouterr().out)
    assert len(LINES) >= 15
    for line in LINES:
        exec(re.sub(r"(MLP\w+)\((\(64, 32\), )?", r"\1(\2max_iter=3, ", line), names)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_snippets_run_one_after_the_other(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    assert len(SNIPPETS) >= 3
    for snippet in SNIPPETS:
        if "cupy" not in snippet:  # needs a GPU; the lines after it run with NumPy's arrays
            exec(snippet, names)
    printed = capsys.readouterr().out
    assert float(re.search(r"cost ([\d.]+)", printed).group(1)) < 0.05
    assert "converged" in printed or "maximum" in printed
    assert "to the bit: True" in printed
    assert re.search(r"apart (\de-1\d|0e\+00), sklearn's", printed)
    assert "scaled alike: True" in printed
    assert {path.name for path in tmp_path.iterdir()} == {
        "digits.safetensors", "digits.onnx", "xor.onnx", "xor.safetensors", "run.ckpt", "run.ckpt.previous",
    }  # fmt: skip


def run(command, folder):
    """Run one of the README's commands in a folder, and make sure that it says of itself that it went well."""
    program, *arguments = command
    assert program == "mlpxp"
    done = subprocess.run(
        [sys.executable, "-c", "from mlpxp.cli import main; main()", *arguments],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (arguments, done.stderr)


def commands_of(heading):
    block = re.search(rf"## {heading}\n+```sh\n(.*?)```", README, re.DOTALL).group(1)
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def test_the_commands_for_a_class_run_as_written(tmp_path):
    page, *others = commands_of("In front of a class, and alone")
    assert page == ["mlpxp", "lesson"]  # which serves until it is stopped: tests/textbook/lesson/test_page.py
    for command in others:
        run(command, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"lesson.html", "half-planes.png", "error.png"}
    assert (tmp_path / "lesson.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_commands_run_as_written(tmp_path):
    (tmp_path / "mnist").mkdir()
    for file in (ROOT / "tests" / "data" / "idx").iterdir():
        shutil.copy(file, tmp_path / "mnist")
    rows = ["length,width,colour,species"]
    rows += [f"{i % 7 + (i % 3)},{i % 5},{'red' if i % 2 else 'blue'},{'abc'[i % 3]}" for i in range(120)]
    for name in ("table.csv", "held-out.csv", "new.csv"):
        (tmp_path / name).write_text("\n".join(rows) + "\n")
    commands = commands_of("The command line")
    # the model of the table has to be the one that predict is shown with, so the IDX folder's run goes elsewhere
    for command in commands:
        if "mnist/" in command:
            command += ["--output", "mnist.safetensors"]
    assert len(commands) >= 6
    for command in commands:
        run(command, tmp_path)
    assert (tmp_path / "curve.png").stat().st_size > 1000
    assert (tmp_path / "predictions.csv").read_text().count("\n") == 121
    assert (tmp_path / "model.onnx").stat().st_size > 1000
