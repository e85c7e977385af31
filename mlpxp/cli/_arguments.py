"""Arguments and options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

__all__ = ["BackendName", "Data", "DeviceName", "Json", "ModelFile", "option", "takes"]

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


def takes(options: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of a dataclass as its own options: it is called with a value of that class, and its other options."""

    def command(function: Callable[..., None]) -> Callable[..., None]:
        fields = [field.replace(kind=Parameter.KEYWORD_ONLY) for field in signature(options, eval_str=True).parameters.values()]
        own = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in signature(function, eval_str=True).parameters.values()][1:]

        @wraps(function)
        def called(**given: Any) -> None:
            function(options(**{field.name: given.pop(field.name) for field in fields}), **given)

        called.__signature__ = signature(function).replace(parameters=[*fields, *own])  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in (*fields, *own)}
        return called

    return command
