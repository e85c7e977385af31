"""The conformance suite on every GPU backend of this machine: ``make test-gpu``.

It needs what such a machine has (one or more of CuPy, PyTorch and JAX, pytest) and array-api-compat and array-api-strict, and no
network. What was run, on which card and with what result is written to ``benchmarks/results/``. Without a GPU it says so in one
line and exits with 2.
"""

import json
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mlpxp

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
CORE = ("activations", "evaluation", "gradients", "losses", "network", "optimizers", "propagation", "training*")
OPTIONS = (
    "--conformance",
    "-q",
    "-o",
    "addopts=--import-mode=importlib",
    "-W",
    "ignore::pytest.PytestConfigWarning",
    "-p",
    "no:cacheprovider",
)


class Outcomes:
    """How many tests passed, failed and were skipped, and which failed."""

    def __init__(self):
        self.counts = Counter()
        self.failed = []

    def pytest_collectreport(self, report):
        if report.failed:
            self.counts["failed"] += 1
            self.failed.append(report.nodeid)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
            if report.failed:
                self.failed.append(report.nodeid)


def gpus(status):
    """The GPUs that a backend can use."""
    return [device for device in status.devices if device.name.partition(":")[0] in {"cuda", "rocm"}]


def files():
    patterns = (*(f"test_{name}.py" for name in CORE), "backends/test_*.py")
    return sorted(str(path) for pattern in patterns for path in (ROOT / "tests").glob(pattern))


def main():
    found = [status for status in mlpxp.backends() if gpus(status)]
    if not found:
        print("no CUDA GPU is here that CuPy, PyTorch or JAX can use: mlpxp backends says why")
        return 2
    backends = {}
    for status in found:
        device = gpus(status)[0]
        print(f"\n{status.name} {status.version} on {device.name}, {device.description}", flush=True)
        outcomes = Outcomes()
        code = pytest.main([*OPTIONS, "--backend", status.name, "--device", device.name, *files()], plugins=[outcomes])
        backends[status.name] = {
            "version": status.version,
            "device": device.description,
            "memory": device.memory,
            "exit_code": int(code),
            **{outcome: outcomes.counts[outcome] for outcome in ("passed", "failed", "skipped")},
            "failures": outcomes.failed,
        }
    now = datetime.now(UTC)
    record = {
        "mlpxp": mlpxp.__version__,
        "python": platform.python_version(),
        "date": now.isoformat(timespec="seconds"),
        "backends": backends,
    }
    card = "-".join(gpus(found[0])[0].description.lower().split())
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"conformance-{card}-{now:%Y-%m-%d}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return int(any(one["exit_code"] for one in backends.values()))


if __name__ == "__main__":
    sys.exit(main())
