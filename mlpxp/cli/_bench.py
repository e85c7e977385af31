"""``mlpxp bench``: a command for each benchmark, ``all`` of them, and ``compare``."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mlpxp.bench.names import BENCHMARKS, EVERYWHERE
from mlpxp.cli._running import BAD_INPUT, INTERRUPTED, interruptions_ignored
from mlpxp.cli._wording import one_line

__all__ = ["bench"]

PAGE, DATA = "report.html", "report.json"

bench = typer.Typer(
    help="Count and measure what training costs, and how exact it is.", context_settings={"help_option_names": ["-h", "--help"]}
)

Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend",
        envvar="MLPXP_BACKEND",
        metavar="NAME",
        help="An array library; may be repeated. Every one that can be used, by default.",
    ),
]
DeviceName = Annotated[str | None, typer.Option("--device", metavar="NAME", help="Where it runs: cpu, cuda, cuda:1.")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer and smaller sizes: all of them in about a minute.")]
Yes = Annotated[bool, typer.Option("--yes", help="Go on even if it takes long.")]
Output = Annotated[str, typer.Option("--output", metavar="DIR", help=f"The folder for {PAGE} and {DATA}; made if it isn't there.")]
Sizes = Annotated[
    str | None,
    typer.Option("--for", metavar="SIZES", help="Of your network: 784,256,10. Which backend, dtype and batch is the fastest for it."),
]
Json = Annotated[bool, typer.Option("--json", help=f"Print what is in {DATA}, and nothing else.")]
File = Annotated[str, typer.Argument(help=f"A {DATA} that mlpxp bench has written.", show_default=False)]


@bench.callback(invoke_without_command=True)
def program(context: typer.Context) -> None:
    """Count and measure what training costs, and how exact it is."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def _command(names: tuple[str, ...]) -> Callable[..., None]:
    """A command that runs these benchmarks."""

    def command(
        backend: Backends = None,
        device: DeviceName = None,
        quick: Quick = False,
        output: Output = "mlpxp-bench",
        yes: Yes = False,
        as_json: Json = False,
    ) -> None:
        _measure(names, output, backends=backend or (), device=device, quick=quick, allow_long=yes, as_json=as_json)

    return command


def _peers(
    backend: Backends = None,
    device: DeviceName = None,
    quick: Quick = False,
    sizes: Sizes = None,
    output: Output = "mlpxp-bench",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    from mlpxp.cli._options import sizes_of

    named = () if sizes is None else sizes_of(sizes)
    _measure(("peers",), output, backends=backend or (), device=device, quick=quick, allow_long=yes, sizes=named, as_json=as_json)


def _measure(
    names: tuple[str, ...],
    output: str,
    *,
    backends: Sequence[str],
    device: str | None,
    quick: bool,
    allow_long: bool,
    sizes: Sequence[int] = (),
    as_json: bool,
) -> None:
    """Check what was asked for, run it, and write and show what came out."""
    from mlpxp.bench.plan import make_plan
    from mlpxp.bench.suite import run_suite
    from mlpxp.cli._progress import measuring
    from mlpxp.report.pictures import check_pictures

    check_pictures()
    _check_folder(output)
    with measuring() as tell:
        tell("looking for backends", 0.0)
        plan = make_plan(backends, device=device, quick=quick, allow_long=allow_long, sizes=sizes)
        record = run_suite(names, plan, tell, keep=lambda record: _keep(record, output))
    with interruptions_ignored():
        _finish(record, output, as_json=as_json)


for _name, _benchmark in BENCHMARKS.items():
    bench.command(_name, help=_benchmark.question)(_peers if _name == "peers" else _command((_name,)))
bench.command("all", help="All of them, in one report.")(_command(EVERYWHERE))


@bench.command()
def compare(
    a: File,
    b: File,
    output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Write a page too: two.html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Put two runs side by side: two machines, a CPU and a GPU, two versions."""
    from dataclasses import asdict

    from mlpxp.bench.compare import compare_records, comparison_report
    from mlpxp.bench.record import read_record
    from mlpxp.cli._options import check_outputs
    from mlpxp.cli._report import Report
    from mlpxp.cli._wording import print_json
    from mlpxp.errors import OutputError
    from mlpxp.files import write_atomically

    if output is not None and not output.lower().endswith((".html", ".htm")):
        raise OutputError(f"a page must be named .html, got {output!r}")
    check_outputs({"output": output}, read=(a, b))
    comparison = compare_records(read_record(a), read_record(b), (a, b))
    if as_json:
        print_json(asdict(comparison))
    else:
        Report().comparison(comparison)
    if output is not None:
        write_atomically(output, comparison_report(comparison).encode())
        if not as_json:
            Report().written({"page": output})


def _check_folder(folder: str) -> None:
    """Find out whether the report can be written, before anything is measured; nothing is made yet."""
    from mlpxp.errors import OutputError
    from mlpxp.files import check_writable

    if folder and Path(folder).is_dir():
        for name in (PAGE, DATA):
            check_writable(os.path.join(folder, name))  # noqa: PTH118 - a name as the user wrote it
    elif os.path.lexists(folder):
        raise OutputError(f"{folder} is a file: wanted a folder to write {PAGE} and {DATA} into")
    else:
        check_writable(folder.rstrip("/" + os.sep))


def _keep(record: Any, folder: str) -> None:
    """Write what is finished so far, without its page; a disk that is full now is said at the end."""
    from mlpxp.errors import OutputError

    with contextlib.suppress(OutputError):
        _write_data(record, folder)


def _write(record: Any, folder: str) -> dict[str, str]:
    """Write the record and its page; return where they are."""
    from mlpxp.bench.report import report
    from mlpxp.files import write_atomically

    data, page = _write_data(record, folder), str(Path(folder) / PAGE)
    write_atomically(page, report(record).encode())
    return {"page": page, "data": data}


def _write_data(record: Any, folder: str) -> str:
    from mlpxp.bench.record import to_json
    from mlpxp.errors import OutputError
    from mlpxp.files import write_atomically

    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} can't be made: {error.strerror or error}") from error
    path = str(Path(folder) / DATA)
    write_atomically(path, to_json(record).encode())
    return path


def _finish(record: Any, folder: str, *, as_json: bool) -> None:
    """Write and show what was finished, and leave with an exit code that says whether that is everything."""
    from mlpxp.bench.record import to_json
    from mlpxp.bench.suite import INTERRUPTED as BY_CTRL_C
    from mlpxp.cli._report import Report

    interrupted = any(gap.reason == BY_CTRL_C for gap in record.gaps)
    if record.sections:
        if as_json:
            print(to_json(record), end="")
        else:
            Report().benchmarks(record)
        paths = _write(record, folder)
        if not as_json:
            Report().written(paths)
    elif interrupted:
        print("mlpxp: interrupted before the first benchmark ended: nothing was written", file=sys.stderr)
    for gap in record.gaps:
        if gap.reason != BY_CTRL_C:
            print(f"mlpxp: error: {gap.benchmark}: {one_line(gap.reason)}", file=sys.stderr)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if record.gaps:
        raise typer.Exit(BAD_INPUT)
