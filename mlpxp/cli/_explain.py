"""``mlpxp explain``: one forward pass, one backward pass and one update of a small network, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpxp.core.network import Network
    from mlpxp.textbook.teaching.operations import OperationCounts
    from mlpxp.textbook.teaching.walkthrough import Step, Walkthrough

__all__ = ["explain"]

MOST_PARAMETERS = 1_000
MOST_SHOWN = 12  # rows and columns of a matrix
_OUTPUTS = {"mse": "sigmoid", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}


def explain(
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The examples: textbook (two of three features, for a network 3-2-1) or the table of and, or, xor."
        ),
    ] = "textbook",
    hidden: Annotated[str, typer.Option(metavar="WIDTHS", help="Of the hidden layers: 4,3 or none.")] = "2",
    activation: Annotated[str, typer.Option(metavar="NAME", help="Of the hidden layers: sigmoid, tanh, relu, gelu, ...")] = "sigmoid",
    loss: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="mse or binary_cross_entropy, with a sigmoid output, or cross_entropy, with a softmax of two classes."
        ),
    ] = "mse",
    learning_rate: Annotated[float, typer.Option(metavar="ETA", help="Of the update.")] = 1.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the first weights.")] = 0,
    example: Annotated[
        int | None, typer.Option(metavar="N", help="Only what one example has to do with it: its columns, its terms.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Work through one pass of a small network: every Z, A, delta and gradient with its equation, as numbers."""
    from mlpxp.core.network import initialize
    from mlpxp.textbook.teaching.operations import operation_counts
    from mlpxp.textbook.teaching.walkthrough import walk_through

    network, X, Y = _problem(data, hidden, activation, loss)
    parameters = initialize(network, seed=seed, dtype="float64")
    walk = walk_through(network, parameters, X, Y, learning_rate=learning_rate)
    steps = walk.steps if example is None else _of_example(walk, example)
    counts = operation_counts(network, parameters, X, Y)
    if as_json:
        _print_json(walk, steps, counts, data, example)
    else:
        _print(walk, steps, counts, data, example)


def _problem(data: str, hidden: str, activation: str, loss: str) -> tuple[Network, Any, Any]:
    """The network and its examples; with the cross-entropy an output for each of the two classes."""
    import numpy as np

    from mlpxp.cli._options import widths
    from mlpxp.core.network import Network
    from mlpxp.errors import RangeError, UnknownNameError
    from mlpxp.textbook.teaching.examples import examples

    if loss not in _OUTPUTS:
        raise UnknownNameError(f"loss must be one of {', '.join(_OUTPUTS)}, got {loss!r}")
    X, Y = examples(data)
    if loss == "cross_entropy":
        Y = np.concatenate([1.0 - Y, Y])
    network = Network((len(X), *widths(hidden), len(Y)), hidden=activation, output=_OUTPUTS[loss], loss=loss)
    if network.n_parameters > MOST_PARAMETERS:
        raise RangeError(f"a network to look into must have at most {MOST_PARAMETERS:,} parameters, got {network.n_parameters:,}")
    return network, X, Y


def _of_example(walk: Walkthrough, number: int) -> tuple[Step, ...]:
    from mlpxp.errors import RangeError

    m = walk.X.shape[-1]
    if not 1 <= number <= m:
        raise RangeError(f"example must be a whole number from 1 to {m}, got {number}")
    return walk.example(number - 1)


def _print_json(walk: Walkthrough, steps: Sequence[Step], counts: OperationCounts, data: str, example: int | None) -> None:
    from dataclasses import asdict

    from mlpxp.cli._wording import print_json
    from mlpxp.files.networks import described

    found = {
        "data": data,
        "example": example,
        "network": described(walk.network),
        "X": walk.X,
        "Y": walk.Y,
        "parameters": [layer._asdict() for layer in walk.parameters],
        "steps": [
            {"name": one.name, "tag": one.tag, "equation": one.equation, "layer": one.layer, "shape": one.shape, "values": one.values}
            for one in steps
        ],
        "operations": asdict(counts),
    }
    print_json(found)


def _print(walk: Walkthrough, steps: Sequence[Step], counts: OperationCounts, data: str, example: int | None) -> None:
    from mlpxp.cli._report import Report, architecture

    shown = slice(None) if example is None else slice(example - 1, example)
    given: list[tuple[str, str, Any]] = [("F2", "A_0 = X", walk.X[:, shown]), ("", "Y", walk.Y[:, shown])]
    for l, layer in enumerate(walk.parameters, start=1):
        given += [("F3", f"W_{l}", layer.W), ("F3", f"b_{l}", layer.b)]
    parts: dict[str, list[tuple[str, str, Any]]] = {"given": given, "forward": [], "backward": [], "update": []}
    for step in steps:
        part = {"F": "forward", "C": "forward", "B": "backward", "G": "update"}[step.tag[0]]
        parts[part].append((step.tag, step.equation, step.values))
    m = walk.X.shape[-1]
    which = f"{m} examples of {data}, η = {walk.learning_rate:g}" if example is None else f"example {example} of {data}'s {m}"
    report = Report()
    report.walkthrough(
        f"{architecture(walk.network)}, {walk.network.loss.name}; {which}",
        {
            name: [(tag, equation, str(tuple(values.shape)), _text(values)) for tag, equation, values in rows]
            for name, rows in parts.items()
            if rows
        },
    )
    report.note(
        f"backpropagation took {counts.backpropagation:,} operations for the {counts.n_parameters} derivatives; moving each parameter by "
        f"itself (central differences, {2 * counts.n_parameters} forward passes) took {counts.naive:,}"
    )


def _text(values: Any) -> str:
    """A matrix, a row a line, four significant digits; the middle of a large one is left out."""
    if not values.ndim:
        return f"{float(values):.4g}"
    rows = _shortened([_shortened([f"{value + 0.0:.4g}" for value in row], "...") for row in values.tolist()], None)
    columns = len(values.tolist()[0]) if len(values.tolist()[0]) <= MOST_SHOWN else MOST_SHOWN + 1
    filled = [["..."] * columns if row is None else row for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*filled, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in filled)


def _shortened(values: list[Any], gap: Any) -> list[Any]:
    half = MOST_SHOWN // 2
    return values if len(values) <= MOST_SHOWN else [*values[:half], gap, *values[-half:]]
