"""``make test-gpu``, with and without a GPU that is pretended to be there."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlpxp import BackendStatus, Device

SCRIPT = Path(__file__).parent / "run_on_gpu.py"


@pytest.fixture
def script(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("run_on_gpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return module


def test_without_a_gpu_it_says_so_in_one_line(script, monkeypatch, capsys):
    found = (BackendStatus("numpy", "2", (Device("cpu", "a"),)), BackendStatus("cupy", problem="no driver"))
    monkeypatch.setattr(script.mlpxp, "backends", lambda: found)
    assert script.main() == 2
    assert capsys.readouterr().out.splitlines() == ["no CUDA GPU is here that CuPy, PyTorch or JAX can use: mlpxp backends says why"]


@pytest.mark.parametrize("code", [0, 1])
def test_with_one_it_runs_every_backend_that_has_it_and_writes_what_came_out(script, monkeypatch, capsys, code):
    card = Device("cuda:0", "A Fast Card", 2**36)
    found = (BackendStatus("numpy", "2", (Device("cpu", "a"),)), BackendStatus("torch", "3", (Device("cpu", "a"), card)))
    monkeypatch.setattr(script.mlpxp, "backends", lambda: found)
    asked = []
    monkeypatch.setattr(script.pytest, "main", lambda arguments, plugins: asked.append(arguments) or code)
    assert script.main() == code
    (arguments,) = asked
    assert arguments[arguments.index("--backend") : arguments.index("--backend") + 4] == ["--backend", "torch", "--device", "cuda:0"]
    (path,) = script.RESULTS.iterdir()
    assert path.name.startswith("conformance-a-fast-card-2")
    record = json.loads(path.read_text())["backends"]
    assert list(record) == ["torch"]
    assert (record["torch"]["device"], record["torch"]["exit_code"], record["torch"]["failed"]) == ("A Fast Card", code, 0)
    assert "torch 3 on cuda:0, A Fast Card" in capsys.readouterr().out


def test_only_the_tests_that_a_backend_takes_part_in_are_chosen():
    arguments = ("--collect-only", "-q", "--conformance", "--backend", "numpy", str(SCRIPT.parent / "test_losses.py"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], capture_output=True, text=True, check=True, cwd=SCRIPT.parent.parent
    )
    tests = [line for line in done.stdout.splitlines() if "::" in line]
    assert tests
    assert all("numpy" in test for test in tests)
