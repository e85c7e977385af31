"""What is said about the machine."""

import json
import os
import platform
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

import mlpxp
from mlpxp.bench.machine import describe_machine


def test_it_says_where_with_what_and_when():
    before = datetime.now(UTC).replace(microsecond=0)
    machine = describe_machine(("numpy", "strict"))
    assert before <= datetime.fromisoformat(machine["date"]) <= datetime.now(UTC)
    assert machine["processor"]
    assert 1 <= machine["cores"] <= os.cpu_count()
    assert machine["python"] == platform.python_version()
    assert machine["devices"]["numpy"] == [machine["processor"]]
    assert len(machine["devices"]["strict"]) == len(mlpxp.get_backend("strict").devices())
    assert machine["versions"]["numpy"] == np.__version__
    assert None not in machine["versions"].values()
    assert json.loads(json.dumps(machine, allow_nan=False)) == machine


def test_it_names_the_library_of_the_products():
    pytest.importorskip("threadpoolctl")
    assert any("threads" in one for one in describe_machine(())["blas"])


def test_it_does_without_the_library_that_looks_at_threads(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert describe_machine(())["blas"] == []
