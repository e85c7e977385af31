"""The program as a process of its own: signals, pipes, terminals, encodings."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from mlpxp.cli._app import app
from mlpxp.files import load_model

# SIGINT may be ignored where the tests run (as under nohup), and a child inherits that
PROGRAM = [
    sys.executable, "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from mlpxp.cli import main; main()",
]  # fmt: skip
# the same, with a file that is there as soon as there is something to keep
BEGUN = """
from pathlib import Path
from mlpxp.cli import _fitting as fitting
train = fitting.train
fitting.train = lambda *data, callbacks, **options: train(*data, callbacks=(*callbacks, lambda _: Path("begun").touch()), **options)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals as POSIX has them")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"MLPXP_BACKEND", "FORCE_COLOR", "COLUMNS", "TERM"}}


@pytest.fixture
def start(tmp_path):
    """A function that runs ``mlpxp`` as a process, to its end."""

    def process(*arguments, check=True, environment=(), **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"} | options
        done = subprocess.run(
            [*PROGRAM, *arguments], cwd=tmp_path, env=ENVIRONMENT | dict(environment), timeout=120, check=False, **options
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return process


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a CSV file whose texts are not ASCII, and a model of it."""
    folder = tmp_path_factory.mktemp("trained")
    rows = "".join(f"{index % 7},{'é☃'[index % 2]}\n" for index in range(80))
    (folder / "t.csv").write_text("x,naïve\n" + rows, encoding="utf-8")
    arguments = ["train", str(folder / "t.csv"), "--target", "naïve", "--epochs", "2", "--output", str(folder / "m.safetensors")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    return folder


def test_a_round_trip(start, tmp_path):
    trained = start("train", "iris", "--plot", "curve.png")
    assert trained.stderr == ""  # no progress in a pipe
    assert "accuracy" in trained.stdout
    assert "\x1b" not in trained.stdout
    assert "\r" not in trained.stdout
    assert (tmp_path / "curve.png").stat().st_size > 1000
    (tmp_path / "new.csv").write_text(
        "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm),species\n5,3.5,1.4,0.2,setosa\n"
    )
    predicted = start("predict", "model.safetensors", "new.csv")
    assert (predicted.stdout, predicted.stderr) == ("prediction\nsetosa\n", "")
    assert json.loads(start("evaluate", "model.safetensors", "new.csv", "--json").stdout)["score"] == 1.0
    assert "1,027 parameters" in start("show", "model.safetensors").stdout


def test_an_error_in_a_process(start, tmp_path):
    done = start("train", "nowhere.csv", "--target", "y", check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("mlpxp: error: ")
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_keeps_what_was_learnt(tmp_path, as_json):
    """From a CSV file: the library that reads it may have a handler for SIGINT of its own."""
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{index % 7},{'ab'[index % 2]}\n" for index in range(500)))
    options = ["--target", "y", "--epochs", "1000000", "--patience", "1000000", "--plot", "c.png", *(["--json"] if as_json else [])]
    long = ["train", "t.csv", *options]
    with subprocess.Popen(
        [PROGRAM[0], "-c", BEGUN + PROGRAM[2], *long],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        while process.poll() is None and not (tmp_path / "begun").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err == ""
    training = load_model(tmp_path / "model.safetensors").metadata["training"]
    assert training["stop"] == "interrupted"
    assert training["epochs"] >= 1
    if as_json:
        assert json.loads(out)["stop"] == "interrupted"
        assert json.loads(out)["model"] == "model.safetensors"
    else:
        assert "interrupted" in out
        assert "model.safetensors" in out
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", "begun", "model.safetensors", "c.png"}


@posix
@pytest.mark.parametrize(("columns", "term", "seen"), [(80, "xterm-256color", True), (40, "xterm", True), (80, "dumb", False)])
def test_progress_on_a_terminal(start, columns, term, seen):
    shown, done = _on_a_terminal(start, columns, {"TERM": term})
    assert done.returncode == 0
    assert ("epoch" in shown) is seen
    assert ("left" in shown) is seen
    assert " left" not in done.stdout


@posix
def test_json_has_no_progress_on_a_terminal_either(start):
    shown, done = _on_a_terminal(start, 80, {"TERM": "xterm"}, "--json")
    assert shown == ""
    assert json.loads(done.stdout)["task"] == "classification"


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"COLUMNS": "40"},
        {"COLUMNS": "1"},
        {"NO_COLOR": "1"},
        {"FORCE_COLOR": "1"},
        {"TERM": "dumb"},
    ],
    ids=lambda environment: "=".join(*environment.items()),
)
def test_terminals_of_every_kind(start, trained, environment):
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    for command in ("evaluate", "predict"):
        done = start(command, trained / "m.safetensors", trained / "t.csv", environment=environment, encoding=None)
        assert done.returncode == 0
        assert done.stderr == b""
        text = done.stdout.decode("utf-8" if command == "predict" else encoding)  # predictions are UTF-8, as in a file
        assert "accuracy" in text if environment == {"COLUMNS": "1"} and command == "evaluate" else "☃" in text or "\\u2603" in text


@posix
def test_a_closed_pipe_ends_it_quietly(trained):
    command = f'"{PROGRAM[0]}" -c "from mlpxp.cli import main; main()"'
    for arguments in ("predict m.safetensors t.csv --probabilities", "show m.safetensors", "train --help"):
        line = f"{command} {arguments} | true"
        piped = subprocess.run(line, shell=True, cwd=trained, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
        assert piped.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is always full")  # noqa: PTH110 - a device
def test_a_full_disk_behind_stdout_is_an_error_of_one_line(start, trained):
    for command in ("predict", "show"):
        data = (trained / "t.csv",) if command == "predict" else ()
        with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
            done = start(command, trained / "m.safetensors", *data, check=False, stdout=full)
        assert done.returncode == 2
        assert done.stderr == "mlpxp: error: the output can't be written: No space left on device\n"


def test_help_and_version(start):
    assert "Usage: mlpxp" in start("train", "--help", environment={"PYTHONIOENCODING": "ascii", "COLUMNS": "30"}).stdout
    assert start("--version").stdout.startswith("mlpxp ")


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), (), ("train", "-h"), ("predict", "-h"), ("evaluate", "-h"), ("show", "-h")])
def test_help(run, arguments):
    result = run(*arguments)
    assert result.code == 0
    assert "Usage: mlpxp" in result.out


def test_help_imports_nothing_heavy():
    heavy = ("matplotlib", "polars", "sklearn", "scipy", "safetensors", "jax", "torch", "mlpxp.data", "mlpxp.cli._fitting")
    code = f"import sys; from mlpxp.cli._app import app; print(*(one for one in {heavy} if one in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("library", ["typer", "rich", "safetensors", "polars"])
def test_a_library_that_is_not_there_is_named(trained, library):
    code = f"import sys; sys.modules['{library}'] = None; from mlpxp.cli import main; main()"
    arguments = ["train", "t.csv", "--target", "naïve"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=trained, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("mlpxp: error: ")
    assert done.stderr.count("\n") == 1
    assert library in done.stderr
    assert "pip install 'mlpxp[cli]'" in done.stderr
    assert not (trained / "model.safetensors").exists()


def _on_a_terminal(start, columns, environment, *options):
    """Run a training whose stderr is a terminal; return what that showed, and the process."""
    import fcntl
    import pty
    import struct
    import termios
    import threading

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    seen = bytearray()

    def read():
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:
                return
            if not data:
                return
            seen.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    done = start("train", "xor", "--epochs", "2000", *options, environment=environment, stderr=theirs)
    os.close(theirs)
    reader.join(timeout=10)
    os.close(ours)
    return seen.decode(), done


def test_no_time_at_all_writes_no_untrained_model(tmp_path):
    done = subprocess.run(
        [*PROGRAM, "train", "xor", "--max-seconds", "0"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("mlpxp: error: --max-seconds was over before the first epoch ended")
    assert list(tmp_path.iterdir()) == []
