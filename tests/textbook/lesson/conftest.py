"""What the tests of the page share: the server as a process."""

import os
import re
import signal
import subprocess
import sys

import pytest

PROGRAM = [
    sys.executable, "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from mlpxp.cli import main; main()",
]  # fmt: skip


@pytest.fixture(scope="session")
def story_html():
    """The story as a page, which takes seconds to compute: once for all tests of a process."""
    from mlpxp.textbook.lesson import story_page

    return story_page()


@pytest.fixture(scope="module")
def start():
    """A function that starts ``mlpxp lesson`` and returns the process, its address, and what it said before."""
    for library in ("starlette", "uvicorn", "websockets"):
        pytest.importorskip(library)
    processes = []

    def program(*arguments, **environment):
        process = subprocess.Popen(
            [*PROGRAM, "lesson", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        )
        processes.append(process)
        said = []
        while not said or "the lesson is at" not in said[-1]:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said.append(line)
        return process, re.search(r"http://\S+", said[-1]).group(), "".join(said)

    yield program
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        process.stdout.close()
        process.stderr.close()
