"""``mlpxp predict``, ``evaluate`` and ``show``: what is done with a model file."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlpxp.cli._arguments import BackendName, Data, DeviceName, Json, ModelFile
from mlpxp.cli._wording import as_json_text, one_line, print_json

if TYPE_CHECKING:
    from mlpxp.cli._serving import Served
    from mlpxp.data import Table

__all__ = ["evaluate", "predict", "show"]


def predict(
    model: ModelFile,
    data: Data,
    output: Annotated[str | None, typer.Option(metavar="FILE", help="Write there instead of printing.")] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")] = False,
    backend: BackendName = "auto",
    device: DeviceName = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of CSV.")] = False,
) -> None:
    """Predict the target of raw data, as CSV; a target column among the data is ignored."""
    from mlpxp.cli._options import check_outputs
    from mlpxp.cli._serving import Served
    from mlpxp.data import load
    from mlpxp.files import write_atomically

    check_outputs({"output": output}, read=(model, data))
    served = Served.load(model, backend=backend, device=device)
    table = load(data, features_only=True)
    A = served.predict(table)
    predicted = served.preparation.decode(A)
    shares = served.preparation.probabilities(A) if probabilities else None
    notices = served.preparation.notices(table)
    if table.test is not None and Path(data).is_dir():
        notices = (*notices, f"{data} has a test set too, which is not predicted here: name its file to predict it")
    if as_json:
        found = {"predictions": predicted, "classes": list(served.preparation.classes), "probabilities": shares, "notices": notices}
        text = as_json_text(found) + "\n"
    else:
        for notice in notices:
            print(f"mlpxp: note: {one_line(notice)}", file=sys.stderr)
        text = _csv(predicted, shares, served.preparation.classes)
    if output is not None:
        write_atomically(output, text.encode())
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())  # the same bytes as in a file, whatever the terminal's encoding


def evaluate(
    model: ModelFile,
    data: Data,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to compare with; by default the one that was learnt.")
    ] = None,
    backend: BackendName = "auto",
    device: DeviceName = None,
    as_json: Json = False,
) -> None:
    """Compare predictions with what is known. Data that bring a test set of their own are tested on that."""
    from mlpxp.cli._report import Report
    from mlpxp.cli._serving import Served

    served = Served.load(model, backend=backend, device=device)
    table = _labelled(data, target, served)
    name, table = (table.name, table) if table.test is None else (f"the test set of {table.name}", table.test)
    verdict, notices = served.evaluate(table), served.preparation.notices(table)
    if as_json:
        found = {
            "model": model,
            "data": data,
            "rows": len(table),
            "task": served.preparation.task,
            "target": served.preparation.target_name,
            "metric": verdict.metric,
            "score": verdict.score,
            "cost": verdict.cost,
            "r2": verdict.score if verdict.metric == "r2" else None,
            "rmse": verdict.rmse,
            "classes": list(served.preparation.classes),
            "confusion_matrix": verdict.confusion_matrix,
            "notices": notices,
        }
        print_json(found)
        return
    report = Report()
    for notice in notices:
        report.note(notice)
    report.evaluated(name, len(table), verdict, served)


def show(model: ModelFile, as_json: Json = False) -> None:
    """Show what a model file holds: layers, classes, inputs, and how it was trained; or where the run of a checkpoint stands."""
    from mlpxp.cli._report import Report
    from mlpxp.cli._serving import Served
    from mlpxp.files import FORMAT_VERSION, kind_of, load_model
    from mlpxp.files.checkpoint_file import look_at_checkpoint
    from mlpxp.files.networks import described

    kind = kind_of(model)
    if kind == "checkpoint":
        stands = look_at_checkpoint(model)
        if as_json:
            print_json({"checkpoint": model, "format_version": FORMAT_VERSION, **dataclasses.asdict(stands)})
        else:
            Report().checkpoint(model, stands)
        return
    found = load_model(model)
    served = Served.of(found, model) if "preparation" in found.metadata else None
    if not as_json:
        Report().model(model, found, served, kind=kind)
        return
    preparation = None if served is None else served.preparation
    layers = zip(found.network.shapes, found.network.activations, strict=True)
    print_json(
        {
            "model": model,
            "format_version": FORMAT_VERSION,
            "kind": kind,
            "created": found.created,
            "versions": found.versions,
            "dtype": found.dtype,
            "network": described(found.network),
            "layers": [{"W": [n, n_in], "b": [n, 1], "activation": a.name, "parameters": n * n_in + n} for (n, n_in), a in layers],
            "parameters": found.network.n_parameters,
            "networks": found.networks,
            "task": None if preparation is None else preparation.task,
            "target": None if preparation is None else preparation.target_name,
            "classes": [] if preparation is None else list(preparation.classes),
            "features": [] if preparation is None else list(preparation.feature_names),
            "inputs": [] if preparation is None else list(preparation.input_names),
            "training": found.metadata.get("training"),
        }
    )


def _labelled(data: str, target: str | None, served: Served) -> Table:
    """The data with the target that was asked for, or the one that was learnt, or the one that they bring themselves."""
    from mlpxp.data import load
    from mlpxp.errors import DataError, UnknownNameError

    if target is not None:
        return load(data, target=target)
    try:
        return load(data, target=served.preparation.target_name)
    except UnknownNameError:
        with contextlib.suppress(DataError):
            return load(data)
        raise


def _csv(predicted: Any, shares: Any, classes: tuple[Any, ...]) -> str:
    import polars

    columns = {"prediction": predicted}
    if shares is not None:
        columns |= {f"probability_{label}": shares[:, index] for index, label in enumerate(classes)}
    return polars.DataFrame(columns).write_csv()
