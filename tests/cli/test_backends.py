"""``mlpxp backends``, and the options that choose a backend and a device."""

import sys

import pytest

import mlpxp
from mlpxp import BackendStatus, Device
from mlpxp.arrays.backend import known_backends


def test_the_table_has_a_row_for_each_device_and_a_reason_for_each_problem(run, monkeypatch):
    found = (
        BackendStatus("numpy", "2.4.0", (Device("cpu", "A Processor", memory=2**35, free=2**30),), "step by step"),
        BackendStatus("mine", "1.0", (Device("a:0", "One", float64=False), Device("a:1", "[bold]Two[/bold]")), "somehow"),
        BackendStatus("cupy", "14.2.0", (), "fused", "backend 'cupy' needs a CUDA GPU, and no NVIDIA driver is loaded"),
    )
    monkeypatch.setattr("mlpxp.arrays.survey.backends", lambda tell: found)
    result = run("backends")
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines() if line.strip()]
    assert ["numpy", "2.4.0", "cpu", "A", "Processor", "32.0", "GiB", "yes", "step", "by", "step"] in lines
    assert ["mine", "1.0", "a:0", "One", "-", "no", "somehow"] in lines
    assert ["a:1", "[bold]Two[/bold]", "-", "yes", "somehow"] in lines
    assert "no NVIDIA driver is loaded" in " ".join(result.out.split())


def test_json_is_what_the_function_returns(run):
    found = run("backends", "--json")
    assert found.code == 0
    assert found.err == ""
    listed = found.json["backends"]
    assert tuple(one["name"] for one in listed) == known_backends()
    numpy = listed[0]
    assert numpy["usable"] is True
    assert numpy["problem"] is None
    assert numpy["devices"][0]["name"] == "cpu"
    assert numpy["devices"][0]["float64"] is True
    for one in listed:
        assert one["usable"] == (one["problem"] is None) == bool(one["devices"])


def test_a_backend_that_is_not_installed_is_explained(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setitem(sys.modules, "array_api_compat.cupy", None)
    monkeypatch.delitem(sys.modules, "mlpxp_backends.cupy", raising=False)
    mlpxp.arrays.backend._load.cache_clear()
    assert "pip install 'mlpxp[cupy]'" in " ".join(run("backends").out.split())
    refused = run("train", "iris", "--backend", "cupy")
    assert refused.code == 2
    assert refused.err.endswith("pip install 'mlpxp[cupy]'\n")
    mlpxp.arrays.backend._load.cache_clear()


@pytest.mark.parametrize("device", ["cuda:1", "abacus"])
def test_a_device_that_is_not_there(run, files, device):
    result = run("train", "iris", "--device", device)
    assert (result.code, result.out) == (2, "")
    assert result.err == f"mlpxp: error: device must be one that backend 'numpy' has here, 'cpu', got {device!r}; see mlpxp backends\n"
    assert not files()


def test_a_model_is_trained_and_served_where_it_was_asked_for(run):
    trained = run("train", "iris", "--epochs", 3, "--backend", "strict", "--device", "no_float64", "--json").json
    assert trained["backend"] == "strict"
    assert "no_float64" in trained["device"]
    here = run("evaluate", "model.safetensors", "iris", "--json").json
    there = run("evaluate", "model.safetensors", "iris", "--json", "--backend", "strict", "--device", "device2").json
    assert there["score"] == here["score"]
    assert run("predict", "model.safetensors", "iris", "--backend", "strict", "--device", "device1").out.startswith("prediction\n")
    refused = run("train", "iris", "--backend", "strict", "--device", "no_float64", "--dtype", "float64")
    assert refused.code == 2
    assert "float32" in refused.err
