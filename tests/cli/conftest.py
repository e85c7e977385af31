"""What the tests of the command line share: the program in this process, and files to run it on."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from mlpxp.cli._app import app

IDX = Path(__file__).parents[1] / "data" / "idx"


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs ``mlpxp`` with these arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLPXP_BACKEND", raising=False)

    def program(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="mlpxp")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Run(result.exit_code, result.stdout, result.stderr)

    return program


@pytest.fixture
def files(tmp_path):
    """What is in the folder that the program runs in, by name."""
    return lambda: {path.name: path.stat().st_size for path in tmp_path.iterdir()}


@pytest.fixture
def pets(tmp_path):
    """A CSV file with text columns, and a gap in two of the columns."""
    random = np.random.default_rng(0)
    kind = random.choice(["cat", "dog", "[red]fish[/red]"], 120)
    weight = np.select([kind == "cat", kind == "dog"], [4.0, 20.0], 0.2) + random.normal(0, 0.1, 120)
    colour = random.choice(["black", "white", "brown"], 120)
    weights = [None if index == 7 else float(value) for index, value in enumerate(weight)]
    colours = [None if index == 11 else str(value) for index, value in enumerate(colour)]
    path = tmp_path / "pets.csv"
    pl.DataFrame({"id": range(120), "weight": weights, "colour": colours, "kind": kind}).write_csv(path)
    return path


@pytest.fixture
def idx():
    """The folder with the sample of handwritten digits in MNIST's format."""
    return IDX
