"""Files that were damaged: a clean error or a right answer, in bounded memory and time, and nothing executed.

``python -m tests.soak.fuzz --files 12000 --seed 0`` from the repository's root.
"""

import argparse
import contextlib
import faulthandler
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from mlpxp.errors import MlpxpError

from .lies import LIES
from .mutations import GOOD, several
from .reading import CHECKS

__all__ = ["fuzz", "in_a_process"]

LONGEST = 60.0  # seconds that one file may take before the process is ended with a traceback
MOST_MEMORY = 1 << 30  # bytes that a process may come to hold above what it had before the first damaged file
FORBIDDEN = {"pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "socket.connect"}
STORED = dict.fromkeys(("model", "result", "checkpoint", "estimator"), ".safetensors")
ENDINGS = STORED | {"idx": "-idx3-ubyte", "idx.gz": "-idx3-ubyte.gz", "lesson": ".csv"}  # others are their kind


def fuzz(kind, contents, folder):
    """Read files of a kind one after the other.

    Parameters
    ----------
    kind : str
        A key of ``GOOD``.
    contents : iterable of bytes
    folder : Path
        Where each is written and read.

    Returns
    -------
    Counter
        ``files``, ``errors`` (clean ones) and ``answers`` (right ones).

    Raises
    ------
    AssertionError
        An outcome is neither; the file is left in the folder.
    """
    path, tally = folder / f"damaged{ENDINGS.get(kind, f'.{kind}')}", Counter()
    for content in contents:
        path.write_bytes(content)
        tally["files"] += 1
        try:
            CHECKS[kind](path)
            tally["answers"] += 1
        except MlpxpError as error:
            text = str(error)
            assert "\n" not in text, f"{path}: the error has more than one line: {text[:300]!r}"
            assert len(text) < 1000, f"{path}: the error is {len(text)} letters long: {text[:300]!r}"
            tally["errors"] += 1
        except Exception as error:
            kept = path.with_name(f"failed-{kind}-{tally['files']}")
            kept.write_bytes(content)
            raise AssertionError(f"{kept} gives neither a clean error nor a right answer: {type(error).__name__}: {error}") from error
    return tally


def in_a_process(arguments, folder):
    """Run :func:`fuzz` in a process of its own, in whose memory nothing else is; returns its tally."""
    command = [sys.executable, "-m", __spec__.name, "--folder", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stderr[-3000:]}"
    return Counter(json.loads(done.stdout.splitlines()[-1]))


def _child(options):
    """What runs in the process: files of one kind, lies from the folder first if they are asked for, then so many damaged at random."""
    folder = Path(options.folder).resolve()
    os.chdir(folder)
    sys.dont_write_bytecode = True  # of a module that only an error imports
    tempfile.tempdir = str(folder)
    good = several(options.kind, 1, seed=0)
    with contextlib.suppress(MlpxpError):
        fuzz(options.kind, good, folder)  # imports what is needed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.addaudithook(lambda event, given: _refuse(event, given, folder))
    begun = time.perf_counter()
    tally = Counter()
    if options.lies:
        tally = fuzz(options.kind, _watched(path.read_bytes() for path in sorted(folder.glob("lie-*"))), folder)
        assert not tally["answers"], f"{tally['answers']} lies of {options.kind} were believed"
    tally += fuzz(options.kind, _watched(several(options.kind, options.files, options.seed)), folder)
    tally["milliseconds"] = int(1000 * (time.perf_counter() - begun))
    tally["bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    faulthandler.cancel_dump_traceback_later()
    assert tally["bytes"] < MOST_MEMORY, f"{tally['bytes']:,} bytes for {options.kind}"
    assert not (folder / "executed.txt").exists()
    print(json.dumps(tally))


def _watched(contents):
    for content in contents:
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        yield content


def _refuse(event, given, folder):
    writes = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    named = not isinstance(given[0], int)  # a descriptor was opened by name before
    outside = writes and named and not str(given[0]).startswith((str(folder), "/dev/null", "/dev/shm", "/dev/fd"))
    if event in FORBIDDEN or outside:
        print(f"executed: {event} {given}", file=sys.stderr)
        os._exit(3)


def main():
    """Run all kinds, and print a row of the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300.0, help="stop beginning new processes after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, default=12_000)
    parser.add_argument("--kind", choices=GOOD)
    parser.add_argument("--lies", action="store_true")
    parser.add_argument("--folder")
    options = parser.parse_args()
    if options.folder:
        _child(options)
        return
    begun, sums, peak, left = time.perf_counter(), Counter(), 0, []
    n_each = -(-options.files // len(GOOD))
    for kind in GOOD:
        if time.perf_counter() - begun > options.seconds:
            left.append(kind)
            continue
        with tempfile.TemporaryDirectory() as folder:
            for number, content in enumerate(LIES[kind](np.random.default_rng(options.seed))):
                Path(folder, f"lie-{number:02}").write_bytes(content)
            tally = in_a_process(["--kind", kind, "--lies", "--files", str(n_each), "--seed", str(options.seed)], folder)
            peak, sums = max(peak, tally.pop("bytes")), sums + tally
            print(f"{kind}: {dict(tally)}", file=sys.stderr)
    seconds = time.perf_counter() - begun
    print(
        f"| damaged files | {sums['files']:,} | {sums['errors']:,} clean errors, {sums['answers']:,} right answers, "
        f"at most {peak >> 20:,} MiB more{', no time for ' * bool(left)}{', '.join(left)} | {seconds:.0f} |"
    )


if __name__ == "__main__":
    main()
