"""``mlpxp lesson`` as a command: the page as a file, and what is refused."""

import sys

import pytest


def test_the_story_as_a_file(run, tmp_path, monkeypatch):
    """The page itself is tests/textbook/lesson/test_story.py's, and tests/house/test_readme.py runs this command with it."""
    monkeypatch.setattr("mlpxp.textbook.lesson.story_page", lambda: "<!DOCTYPE html>\nδ")
    done = run("lesson", "--html", "story.html")
    assert (done.code, done.err) == (0, "")
    assert "story.html" in done.out
    assert (tmp_path / "story.html").read_bytes() == "<!DOCTYPE html>\nδ".encode()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--html", "story.pdf"), "a page must be named .html"),
        (("--html", "nowhere/story.html"), "nowhere"),
        (("--port", "0"), "port"),
        (("--port", "65536"), "port"),
        (("--port", "x"), "port"),
    ],
)
def test_what_is_refused(run, files, arguments, says):
    done = run("lesson", *arguments)
    assert done.code == 2
    assert says in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert files() == {}


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "websockets"])
def test_a_library_that_is_missing(run, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    done = run("lesson")
    assert done.code == 2
    assert "pip install 'mlpxp[lesson]'" in done.err
