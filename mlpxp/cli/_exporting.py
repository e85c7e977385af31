"""``mlpxp export``: a model file as an ONNX file, from raw columns to labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlpxp.cli._serving import Served
    from mlpxp.exchange.graph import Graph, Port

__all__ = ["export", "graph_of_served"]


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file that mlpxp train or mlpxp.save has written.")],
    output: Annotated[str, typer.Argument(metavar="FILE.onnx", help="The ONNX file to write.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Write a model as an ONNX file, with its preparation: raw columns in, labels and probabilities or the prediction out.

    A column is an input (N, 1) of its own name: text, or numbers in float64, NaN where one is missing. Data without columns (images, npz)
    and fitted estimators are one input X. Where mlpxp predict would refuse a row, the probabilities are NaN.
    """
    from mlpxp.cli._options import check_outputs
    from mlpxp.cli._serving import INSTEAD, Served
    from mlpxp.errors import FileFormatError
    from mlpxp.exchange import load
    from mlpxp.exchange.onnx import check_name, graph_of, write_graph
    from mlpxp.files import kind_of, load_model

    check_name(output)
    check_outputs({"output": output}, read=(model,))
    kind = kind_of(model)
    if kind == "checkpoint":  # whose run may have had a preparation, without which its network says nothing of raw data
        raise FileFormatError(f"{model} holds {INSTEAD[kind]}")
    found = load(model) if kind == "estimator" else load_model(model)
    graph = graph_of_served(Served.of(found, model)) if "preparation" in getattr(found, "metadata", ()) else graph_of(found)
    outputs = write_graph(graph, output)
    if as_json:
        print(json.dumps({"model": model, "onnx": output, "inputs": _described(graph.inputs), "outputs": _described(outputs)}))
        return
    from mlpxp.cli._report import Report

    Report().exported(output, Path(output).stat().st_size, graph.inputs, outputs)


def graph_of_served(served: Served) -> Graph:
    """Return the graph of a network with its preparation."""
    from mlpxp.data.traced import answered, prepared, raw_columns
    from mlpxp.exchange.graph import Graph, Port, listed, outputs, parameters_on_host

    preparation, network = served.preparation, served.network
    parameters = parameters_on_host(network, served.parameters)
    columns = raw_columns(preparation)
    names = _input_names(tuple(columns))
    facts = {
        "network": repr(network),
        "task": preparation.task,
        "target": preparation.target_name,
        "features": listed(preparation.feature_names),
    }
    if preparation.classes:
        facts["classes"] = listed(preparation.classes)

    def function(arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        X, valid = prepared(preparation, {column: arrays[names[column]] for column in columns}, served.dtype)
        return answered(preparation, outputs(network, parameters, X).mT, valid)

    return Graph(
        inputs=tuple(Port(names[column], dtype, ("N", width)) for column, (dtype, width) in columns.items()),
        function=function,
        summary=f"{preparation.target_name} ({preparation.task}), {network!r}: raw data, one example a row",
        facts=facts,
    )


def _input_names(columns: tuple[str, ...]) -> dict[str, str]:
    """The columns' own names, with an underscore more where an output has the name."""
    taken = {"label", "probabilities", "prediction"}
    names = {}
    for column in columns:
        name = column
        while name in taken:
            name += "_"
        names[column] = name
        taken |= {name}
    return names


def _described(ports: Sequence[Port]) -> list[dict[str, Any]]:
    return [{"name": port.name, "dtype": port.dtype, "shape": list(port.shape)} for port in ports]
