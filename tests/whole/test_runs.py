"""A hundred runs with options and ways in drawn at random; ``python -m tests.soak.runs`` has thousands."""

from collections import Counter
from pathlib import Path

import pytest
from soak.runs import check, libraries

N, PARTS = 100, 5  # of which each is a test, so that processes share them


@pytest.mark.parametrize("first", range(0, N, N // PARTS))
def test_every_library_learns_what_a_plain_loop_learns_and_every_way_in_gives_the_same_bits(tmp_path, first):
    others, seen = libraries(), Counter()
    for number in range(first, first + N // PARTS):
        try:
            seen += check(number, 1, others[number % 2 :][:1], tmp_path)
        except Exception as error:
            error.add_note(f"python -m tests.soak.runs --seed 1 --first {number} --cases 1")
            raise
    assert {"plain", "strict", "other way in", "resumed"} <= set(seen)
    assert not list(Path(tmp_path).glob("run.ckpt*"))
