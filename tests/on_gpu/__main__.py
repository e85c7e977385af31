"""The conformance suite on every GPU backend of this machine: ``make test-gpu``.

It needs what such a machine has (one or more of CuPy, PyTorch and JAX, pytest), array-api-compat and lazy-loader, and no
network; what needs a package that is missing is skipped.
Each backend has a time of its own, in processes of its own, and what was run, on which card, with
what result and why not is in ``benchmarks/results/`` as soon as the backend is done. Without a GPU it says so in one line and exits with
2; with failures, or with tests that there was no time for, with 1.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import mlpxp
from mlpxp.bench.machine import driver
from tests.on_gpu import card, limited, outcomes

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results"
ROOMS = ("core/test_*.py", "training/test_*.py", "backends/test_*.py")
COMPILED = (  # JAX compiles for each shape of each test
    *(f"core/test_{name}.py" for name in ("evaluation", "gradients", "losses", "optimizers", "propagation")),
    *("training/test_train.py", "backends/test_every_backend.py", "backends/test_jax.py"),
)
SECONDS = {"cupy": 110.0, "torch": 80.0, "jax": 100.0}  # 5 minutes, with what it takes to look around
PROCESSES = max(1, min(4, (os.cpu_count() or 1) // 2))
ENVIRONMENT = {
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",  # it multiplies in TF32 otherwise
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # it takes three quarters of the card otherwise, from those beside it
    "OMP_NUM_THREADS": "2",
}


def files(backend):
    """Return the files whose tests a backend takes part in: all of them, or a part where each test compiles."""
    patterns = COMPILED if backend == "jax" else ROOMS
    return sorted({str(path.relative_to(ROOT)) for pattern in patterns for path in (ROOT / "tests").glob(pattern)})


def shares(names, n):
    """Cut files, or the names of tests, into n shares of about the same size: the longest file first, to who has least."""
    sizes = {name: (ROOT / name).stat().st_size if (ROOT / name).exists() else 1 for name in names}
    cut = [[] for _ in range(min(n, len(sizes)))]
    for name in sorted(sizes, key=sizes.get, reverse=True):
        min(cut, key=lambda share: sum(sizes[one] for one in share)).append(name)
    return cut


def run(backend, device, tests, *, seconds, rehearse=False):
    """Run tests with a backend in a few processes, for so many seconds at most; return what came out."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        cut = shares(tests, PROCESSES)
        paths = [Path(folder) / f"{number}.jsonl" for number in range(len(cut))]
        options = ("--backend", backend, "--device", device, *(["--rehearse"] if rehearse else []))
        commands = [
            limited.python("tests.on_gpu.child", *options, "--outcomes", path, *share) for path, share in zip(paths, cut, strict=True)
        ]
        codes = limited.run(commands, seconds, environment=ENVIRONMENT)
        found = outcomes.read(paths)
    return {"seconds": round(time.monotonic() - began, 1), "in_time": None not in codes, "exit_codes": codes, **found}


def is_good(one):
    """Whether a backend's tests all passed, or were skipped: nothing failed, nothing is missing, no process broke down."""
    return bool(one["passed"] and one["in_time"] and not one["failed"] and not one["not_reached"] and set(one["exit_codes"]) <= {0, 5})


def again(before, found):
    """Return what is known after the tests that had failed, or were not reached, were run again."""
    done = sum(found[outcome] for outcome in ("passed", "failed", "skipped"))
    return {
        **before,
        **{name: found[name] for name in ("in_time", "exit_codes", "failures", "unfinished", "not_reached", "failed")},
        "passed": before["passed"] + found["passed"],
        "skipped": before["skipped"] + found["skipped"],
        "skips": {**before["skips"], **found["skips"]},
        "again": done,
    }


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="make test-gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=card.ORDER, help="this backend (repeatable; all that have a GPU, by default)")
    parser.add_argument("--failed", action="store_true", help="only what failed, or was not reached, in today's record")
    parser.add_argument("--seconds", type=float, help="for each backend")
    parser.add_argument("--rehearse", action="store_true", help="on a card that is pretended to be there; the record is in build/")
    parser.add_argument("files", nargs="*", help="these files' tests alone")
    return parser.parse_args(arguments)


def main(arguments=None):
    asked = parsed(arguments)
    results = RESULTS
    if asked.rehearse:
        from tests.on_gpu import pretended

        pretended.install()
        results = ROOT / "build" / "rehearsal"
    found = card.here(asked.only or ())
    if not found:
        print("no CUDA GPU is here that CuPy, PyTorch or JAX can use: mlpxp backends says why")
        return 2
    now = datetime.now(UTC)
    path = results / f"conformance-{card.short(found)}-{now:%Y-%m-%d}.json"
    before = json.loads(path.read_text(encoding="utf-8"))["backends"] if path.exists() else {}
    record = {
        "mlpxp": mlpxp.__version__,
        "python": platform.python_version(),
        "date": now.isoformat(timespec="seconds"),
        "driver": driver(),
        "pretended": asked.rehearse,
        "backends": before,
    }
    for status in found:
        one = card.gpus(status)[0]
        earlier = before.get(status.name)
        tests = [*earlier["failures"], *earlier["not_reached"]] if asked.failed and earlier else asked.files or files(status.name)
        if not tests:
            continue
        print(f"\n{status.name} {status.version} on {one.name}, {one.description}", flush=True)
        came = run(status.name, one.name, tests, seconds=asked.seconds or SECONDS[status.name], rehearse=asked.rehearse)
        came = again(earlier, came) if asked.failed and earlier else came
        record["backends"][status.name] = {"version": status.version, "device": one.description, "memory": one.memory, **came}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        print(said(status.name, came), flush=True)
    print(f"\nwritten to {path}")
    return int(not all(is_good(one) for one in record["backends"].values()))


def said(name, one):
    """Return what a person wants to know of a backend, the failures first."""
    lines = [f"  FAILED {test}: {reason}" for test, reason in one["failures"].items()]
    lines += [f"  time ran out in {test}" for test in one["unfinished"]]
    rest = f", {len(one['not_reached'])} not reached" if one["not_reached"] else ""
    return "\n".join(
        [*lines, f"{name}: {one['passed']} passed, {one['failed']} failed, {one['skipped']} skipped{rest} in {one['seconds']} s"]
    )


if __name__ == "__main__":
    sys.exit(main())
