"""The program: its commands and what they have in common."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from mlpxp.cli._approximate import approximate
from mlpxp.cli._arguments import Json
from mlpxp.cli._bench import bench
from mlpxp.cli._explain import explain
from mlpxp.cli._exporting import export
from mlpxp.cli._lesson import lesson
from mlpxp.cli._running import Program
from mlpxp.cli._separate import separate
from mlpxp.cli._train import train
from mlpxp.cli._use import evaluate, predict, show
from mlpxp.cli._wording import print_json
from mlpxp.cli._xor import xor

__all__ = ["app"]

app = typer.Typer(
    cls=Program,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    help="Multi-layer perceptrons on tables, images and built-in data sets.",
)


def _version(asked: bool) -> None:
    if asked:
        from mlpxp import __version__

        print(f"mlpxp {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Multi-layer perceptrons on tables, images and built-in data sets."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def backends(as_json: Json = False) -> None:
    """Show every array library that mlpxp knows, its devices, and why one can't be used."""
    from mlpxp.arrays.survey import backends as look
    from mlpxp.cli._progress import busy
    from mlpxp.cli._report import Report

    with busy() as tell:
        found = look(lambda name: tell(f"looking at {name}"))
    if as_json:
        print_json({"backends": [{**dataclasses.asdict(status), "usable": status.usable} for status in found]})
    else:
        Report().backends(found)


for _command in (train, predict, evaluate, show, backends, export, lesson, xor, separate, explain, approximate):
    app.command()(_command)
app.add_typer(bench, name="bench")
