"""A few hundred damaged files of each kind; ``python -m tests.soak.fuzz`` has thousands."""

import numpy as np
import pytest
from soak.fuzz import fuzz, in_a_process
from soak.lies import LIES
from soak.mutations import GOOD, several


@pytest.mark.parametrize("kind", GOOD)
def test_a_damaged_file_gives_a_clean_error_or_a_right_answer(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # where a pickle, were it loaded, would leave its mark
    tally = fuzz(kind, several(kind, 60, seed=1), tmp_path)
    assert tally["files"] == tally["errors"] + tally["answers"] == 60
    assert tally["answers"] >= 1, "the first is whole"
    assert not (tmp_path / "executed.txt").exists()


@pytest.mark.parametrize("kind", ["model", "checkpoint", "estimator"])
def test_lies_are_refused_in_little_memory_and_nothing_is_executed(tmp_path, kind):
    for number, content in enumerate(LIES[kind](np.random.default_rng(0))):
        (tmp_path / f"lie-{number:02}").write_bytes(content)
    tally = in_a_process(["--kind", kind, "--lies", "--files", "0"], tmp_path)
    assert tally["files"] == tally["errors"] > 5
    assert tally["bytes"] < 300e6
