"""What training costs on this machine's CUDA GPU: ``make bench-gpu``.

Each part runs in a process of its own and has a time of its own, and what is known is in ``benchmarks/results/`` after each: a record
that ``mlpxp bench compare`` reads, and its page. The parts come in the order of what they are worth: the O(mP) claim on a card, training
beside the matrix products and beside others' training, the size from which on the card pays. Without a GPU it says so in one line and
exits with 2; where a part failed or had no time, with 1.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path

from mlpxp.bench.machine import describe_machine
from mlpxp.bench.names import BENCHMARKS
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Gap, Record, read_record, to_json
from mlpxp.bench.suite import run_suite
from mlpxp.errors import MlpxpError, OutputError
from mlpxp.files import write_atomically
from tests.on_gpu import card, limited
from tests.on_gpu.__main__ import ENVIRONMENT, ROOT

RESULTS = ROOT / "benchmarks" / "results"
SECONDS = 170.0  # of all parts: with what it takes to look around, three minutes
SMALL, LARGE = ((64, 100, 10), 200, 50, "relu"), ((784, 256, 128, 10), 4096, 10, "relu")
TINY = ((8, 16, 4), 16, 4, "relu")  # of a rehearsal


@dataclass(frozen=True)
class Part:
    """A benchmark as it is asked for here, and how long it may take.

    Attributes
    ----------
    benchmark : str
    most : float
        Seconds, imports and compilation and all; none begins that has not a third of it left.
    on_card : bool
        Whether it runs on the GPU alone; otherwise NumPy on the CPU is beside it.
    options : callable
        ``options(rehearse, plan)``: what the benchmark's ``run`` is given beside its plan.
    seconds : float
        About how long it should measure.
    """

    benchmark: str
    most: float
    on_card: bool
    options: Callable = lambda _rehearse, _plan: {}
    seconds: float = 6.0


def _peers(shape, optimizer):
    return lambda rehearse, _: {"shapes": [TINY if rehearse else shape], "optimizers": [optimizer]}


def _devices(rehearse, plan):
    from mlpxp.bench.devices import QUICK, Sizes, places

    sizes = (
        Sizes((8, 16), (8, 16), (1, 2), width=8, batch=16)
        if rehearse
        else replace(QUICK, widths=(32, 256, 1024, 4096), batches=(64, 1024, 8192), width=1024)
    )
    return {"sizes": sizes, "among": [place for place in places(plan) if place.on_gpu or place.library.name == "numpy"]}


def _stacks(rehearse, _):
    return {"sizes": (1, 3) if rehearse else (1, 100, 1000, 10000)}


def _gpu(rehearse, _):
    return {"shapes": [(TINY[0], TINY[1])], "everywhere": True} if rehearse else {}


PARTS = {
    "complexity": Part("complexity", 40.0, on_card=False),
    "cost": Part("cost", 25.0, on_card=False),
    "gpu": Part("gpu", 45.0, on_card=True, options=_gpu, seconds=12.0),
    "peers, small": Part("peers", 45.0, on_card=True, options=_peers(SMALL, "sgd")),
    "peers, large": Part("peers", 45.0, on_card=True, options=_peers(LARGE, "sgd")),
    "devices": Part("devices", 35.0, on_card=False, options=_devices, seconds=10.0),
    "stacks": Part("stacks", 25.0, on_card=True, options=_stacks),
    "peers, small, adam": Part("peers", 45.0, on_card=True, options=_peers(SMALL, "adam")),
    "peers, large, adam": Part("peers", 45.0, on_card=True, options=_peers(LARGE, "adam")),
}


def plan_of(part, backends, device, *, rehearse):
    """Return what a part's benchmark is asked for."""
    seconds = 0.1 if rehearse else part.seconds
    claim = part.benchmark in ("complexity", "cost")  # CuPy and NumPy: the others' compilers would take the time
    chosen = [name for name in backends if name == "cupy"] or backends[:1] if claim else backends
    if part.on_card:
        return Plan(tuple(chosen), device, quick=rehearse, seconds=seconds)
    return Plan((*chosen, "numpy"), None, quick=claim or rehearse, seconds=seconds)


def measure(name, path, backends, device, *, rehearse):
    """Run one part, in a process of its own, and write its record."""
    part = PARTS[name]
    plan = plan_of(part, backends, device, rehearse=rehearse)
    module = import_module(BENCHMARKS[part.benchmark].module)
    module.run = partial(module.run, **part.options(rehearse, plan))
    record = run_suite((part.benchmark,), plan)
    write_atomically(path, to_json(record).encode())


def merged(records):
    """Return sections of several records as one each name: a figure's series and a table's rows follow each other, no row twice."""
    sections = {}
    for section in (one for record in records for one in record.sections):
        sections[section.name] = _joined(sections[section.name], section) if section.name in sections else section
    return tuple(sections.values())


def _joined(one, other):
    return replace(
        one,
        figures=_each(one.figures, other.figures, lambda a, b: replace(a, series=_each(a.series, b.series, _longer))),
        grids=_each(one.grids, other.grids, lambda a, b: replace(a, rows=tuple(dict.fromkeys((*a.rows, *b.rows))))),
        notes=tuple(dict.fromkeys((*one.notes, *other.notes))),
    )


def _longer(one, other):
    """Return a series with the points of both; a slope was fitted to one of them alone."""
    return replace(
        one, points=tuple(dict.fromkeys((*one.points, *other.points))), slope=None, slope_low=None, slope_high=None, fitted_from=None
    )


def _each(ours, theirs, join):
    """Join what has the same name."""
    names = {one.name: one for one in ours}
    for one in theirs:
        names[one.name] = join(names[one.name], one) if one.name in names else one
    return tuple(names.values())


def report(record, path):
    """Write what is known so far: the record, and its page where matplotlib is there to draw it."""
    from mlpxp.bench.report import report as page

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(str(path), to_json(record).encode())
    try:
        write_atomically(str(path.with_suffix(".html")), page(record).encode())
    except OutputError as error:
        print(f"no page: {error}")


def run(found, names, path, *, seconds, rehearse):
    """Run parts one after the other for so many seconds at most, and write what is known after each; return the record."""
    backends, device = [status.name for status in found], card.gpus(found[0])[0].name
    plan = Plan((*backends, "numpy"), device, quick=True, seconds=seconds)
    record = Record({**describe_machine(plan.backends), "card": card.gpus(found[0])[0].description}, tuple(names), plan)
    until, records = time.monotonic() + seconds, []
    for name in names:
        part, left = PARTS[name], until - time.monotonic()
        if left < part.most / 3:
            record = replace(record, gaps=(*record.gaps, Gap(name, f"{max(left, 0):.0f} s were left, it may take {part.most:.0f}")))
            continue
        print(f"{name} ...", end=" ", flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder) / "part.json"
            options = ["--backends", ",".join(backends), "--device", device, *(["--rehearse"] if rehearse else [])]
            (code,) = limited.run(
                [limited.python("benchmarks.on_gpu", "--part", name, "--out", own, *options)], min(left, part.most), environment=ENVIRONMENT
            )
            try:
                records.append(read_record(own))
                gaps = [Gap(name, gap.reason) for gap in records[-1].gaps]
            except MlpxpError:
                gaps = [Gap(name, f"its process ended with {code}")]
            if code is None:
                gaps = [Gap(name, f"not done in {min(left, part.most):.0f} s")]
        record = replace(record, sections=merged(records), gaps=(*record.gaps, *gaps))
        report(record, path)
        print("; ".join(gap.reason for gap in gaps) or f"done in {time.monotonic() - began:.0f} s", flush=True)
    return record


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="make bench-gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=tuple(PARTS), help="this part (repeatable; all, by default)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for all parts together (default {SECONDS:.0f})")
    parser.add_argument("--rehearse", action="store_true", help="on a card that is pretended to be there, tiny; the record is in build/")
    for hidden in ("--part", "--out", "--backends", "--device"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments=None):
    asked = parsed(arguments)
    if asked.rehearse:
        from tests.on_gpu import pretended

        pretended.install()
    if asked.part:
        measure(asked.part, asked.out, asked.backends.split(","), asked.device, rehearse=asked.rehearse)
        return 0
    found = card.here()
    if not found:
        print("no CUDA GPU is here that CuPy, PyTorch or JAX can use: mlpxp backends says why")
        return 2
    results = ROOT / "build" / "rehearsal" if asked.rehearse else RESULTS
    path = results / f"gpu-{card.short(found)}-{time.strftime('%Y-%m-%d', time.gmtime())}.json"
    record = run(found, asked.only or list(PARTS), path, seconds=asked.seconds, rehearse=asked.rehearse)
    print(f"\nwritten to {path}")
    return int(bool(record.gaps))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
