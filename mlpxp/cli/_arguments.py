"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer

__all__ = ["BackendName", "Data", "DeviceName", "Json", "ModelFile", "option"]

DATA_HELP = (
    "A CSV file with a header (compressed too), a Parquet file, an .npz with X and y, IDX files (MNIST's format) or a folder of them, "
    "or a built-in set: xor, digits, iris, breast-cancer, wine, diabetes, moons, circles, spirals."
)
Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP)]
ModelFile = Annotated[str, typer.Argument(metavar="MODEL", help="A model file that mlpxp train has written.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
BackendName = Annotated[
    str,
    typer.Option(
        "--backend", envvar="MLPXP_BACKEND", metavar="NAME", help="The array library: numpy, cupy, torch, jax; see mlpxp backends."
    ),
]
DeviceName = Annotated[str | None, typer.Option("--device", metavar="NAME", help="Where it runs: cpu, cuda, cuda:1.")]


def option(metavar: str, text: str, panel: str) -> Any:
    """Return an option that stands under a heading of its own in the help."""
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)
