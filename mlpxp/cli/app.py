"""The commands and their options."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlpxp.cli.approximate import approximate
from mlpxp.cli.bench import bench
from mlpxp.cli.checkpoints import check_checkpoint, checkpoint_told, how_to_go_on
from mlpxp.cli.explain import explain
from mlpxp.cli.exporting import export
from mlpxp.cli.lesson import lesson
from mlpxp.cli.running import INTERRUPTED, Program, interruptions_ignored
from mlpxp.cli.separate import separate
from mlpxp.cli.wording import finite, one_line
from mlpxp.cli.xor import xor

if TYPE_CHECKING:
    from mlpxp.cli.fitting import Fitted, Learnt, Plan
    from mlpxp.cli.serving import Served
    from mlpxp.data import Table

__all__ = ["app"]

app = typer.Typer(
    cls=Program,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    help="Multi-layer perceptrons on tables, images and built-in data sets.",
)

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


def _option(metavar: str, text: str, panel: str) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


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


@app.command()
def train(
    data: Data,
    target: Annotated[str | None, _option("COLUMN", "The column to learn; needed for CSV and Parquet.", "The data")] = None,
    task: Annotated[str | None, _option("TASK", "classification or regression; inferred by default.", "The data")] = None,
    drop: Annotated[list[str] | None, _option("COLUMNS", "Columns to leave out: id,date.", "The data")] = None,
    missing: Annotated[str | None, _option("mean|drop", "Fill missing values in, or leave their rows out.", "The data")] = None,
    test: Annotated[
        float | None, _option("SHARE", "Of rows to test on, if the data bring no test set; 0.2 by default.", "The data")
    ] = None,
    validation: Annotated[
        float | None, _option("SHARE", "Of rows to watch the training by; 0.1 by default, from 100 rows.", "The data")
    ] = None,
    hidden: Annotated[str, _option("WIDTHS", "Of the hidden layers: 64,32 or none.", "The network")] = "128",
    activation: Annotated[str, _option("NAME", "Of the hidden layers: relu, tanh, sigmoid, gelu, ...", "The network")] = "relu",
    optimizer: Annotated[str, _option("NAME", "adam, adamw or sgd.", "The training")] = "adam",
    learning_rate: Annotated[float | None, _option("ETA", "0.001 by default; sgd: 0.1 (1 - momentum).", "The training")] = None,
    schedule: Annotated[str, _option("NAME", "The learning rate: cosine (falls to 0) or constant.", "The training")] = "cosine",
    momentum: Annotated[float | None, _option("MU", "Of sgd, from 0 and below 1.", "The training")] = None,
    penalty: Annotated[float, _option("LAMBDA", "L2, on the weights.", "The training")] = 0.0,
    epochs: Annotated[int | None, _option("N", "At most; 100 by default, more if the data are small.", "The training")] = None,
    batch_size: Annotated[int | None, _option("N", "32 by default, 128 from 10,000 rows on.", "The training")] = None,
    patience: Annotated[
        int | None, _option("N", "Epochs without a better one until it stops; by default only if there is no --epochs.", "The training")
    ] = None,
    tolerance: Annotated[float | None, _option("C", "How much lower a cost must be to count as better.", "The training")] = None,
    max_seconds: Annotated[float | None, _option("S", "Stop after this time.", "The training")] = None,
    seed: Annotated[int, _option("N", "Of the split, the first weights and the batches.", "The training")] = 0,
    dtype: Annotated[str, _option("NAME", "float32 or float64.", "The training")] = "float32",
    backend: BackendName = "auto",
    device: DeviceName = None,
    output: Annotated[str, typer.Option(metavar="FILE", help="The model file to write.")] = "model.safetensors",
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the loss curve: .png, .svg or .pdf.")] = None,
    checkpoint: Annotated[str | None, _option("FILE", "Keep where the run stands, so that it can go on.", "Long runs")] = None,
    every: Annotated[int | None, _option("N", "Epochs between two checkpoints.", "Long runs")] = None,
    every_seconds: Annotated[
        float | None, _option("S", "Seconds between two, within an epoch too; 60 by default, if there is no --every.", "Long runs")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint, if there is one.", rich_help_panel="Long runs")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a network, test it, and write it to a file."""
    import safetensors.numpy  # noqa: F401 - so that it is missed now and not after the training

    from mlpxp.cli.fitting import judge, learn, plan
    from mlpxp.cli.options import Options, check_outputs, names, widths
    from mlpxp.cli.report import Report

    options = Options(
        data=data,
        target=target,
        drop=names(drop or ()),
        task=task,  # type: ignore[arg-type]  # any text may come in; Options refuses what it doesn't know
        missing=missing,  # type: ignore[arg-type]  # the same
        test=test,
        validation=validation,
        hidden=widths(hidden),
        activation=activation,
        optimizer=optimizer,
        learning_rate=learning_rate,
        momentum=momentum,
        schedule=schedule,
        penalty=penalty,
        epochs=epochs,
        batch_size=batch_size,
        patience=patience,
        tolerance=tolerance,
        max_seconds=max_seconds,
        seed=seed,
        dtype=dtype,  # type: ignore[arg-type]  # the same
        backend=backend,
        device=device,
        checkpoint=checkpoint,
        every=every,
        every_seconds=every_seconds,
        resume=resume,
    )
    if plot is not None:
        from mlpxp.plotting import check_picture

        check_picture(plot)
    check_outputs({"output": output, "plot": plot, "checkpoint": checkpoint}, read=(data,))
    goes_on = check_checkpoint(checkpoint, resume=resume, written=(output, plot))
    with checkpoint_told(checkpoint):
        planned = plan(options)
        report = Report()
        if not as_json:
            report.plan(planned)
            if resume and not goes_on:
                report.note(f"there is no checkpoint {checkpoint} yet, so that the run begins")
        learnt = _watched(planned, learn, as_json=as_json)
        if not learnt.result.epochs:
            raise _nothing_learnt(learnt, checkpoint)
        with interruptions_ignored() if learnt.interrupted else contextlib.nullcontext():
            fitted = judge(planned, learnt)
            drawn = _save(fitted, output, plot)
    if as_json:
        _print_json(_summary(fitted, output, drawn))
    else:
        report.fitted(fitted, output, drawn)
    if learnt.interrupted:
        raise typer.Exit(INTERRUPTED)


@app.command()
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
    from mlpxp.cli.options import check_outputs
    from mlpxp.cli.serving import Served
    from mlpxp.data import load
    from mlpxp.storage import write_atomically

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
        text = json.dumps(finite(found), allow_nan=False) + "\n"
    else:
        for notice in notices:
            print(f"mlpxp: note: {one_line(notice)}", file=sys.stderr)
        text = _csv(predicted, shares, served.preparation.classes)
    if output is not None:
        write_atomically(output, text.encode())
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())  # the same bytes as in a file, whatever the terminal's encoding


@app.command()
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
    from mlpxp.cli.report import Report
    from mlpxp.cli.serving import Served

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
        _print_json(found)
        return
    report = Report()
    for notice in notices:
        report.note(notice)
    report.evaluated(name, len(table), verdict, served)


@app.command()
def show(model: ModelFile, as_json: Json = False) -> None:
    """Show what a model file holds: layers, classes, inputs, and how it was trained; or where the run of a checkpoint stands."""
    from mlpxp.cli.report import Report
    from mlpxp.cli.serving import Served
    from mlpxp.storage import FORMAT_VERSION, kind_of, load_model
    from mlpxp.storage.checkpoint_file import look_at_checkpoint
    from mlpxp.storage.schema import described

    kind = kind_of(model)
    if kind == "checkpoint":
        stands = look_at_checkpoint(model)
        if as_json:
            _print_json({"checkpoint": model, "format_version": FORMAT_VERSION, **dataclasses.asdict(stands)})
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
    _print_json(
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


@app.command()
def backends(as_json: Json = False) -> None:
    """Show every array library that mlpxp knows, its devices, and why one can't be used."""
    from mlpxp.cli.progress import busy
    from mlpxp.cli.report import Report
    from mlpxp.survey import backends as look

    with busy() as tell:
        found = look(lambda name: tell(f"looking at {name}"))
    if as_json:
        _print_json({"backends": [{**dataclasses.asdict(status), "usable": status.usable} for status in found]})
    else:
        Report().backends(found)


for _more in (export, lesson, xor, separate, explain, approximate):
    app.command()(_more)
app.add_typer(bench, name="bench")


def _watched(planned: Plan, learn: Any, *, as_json: bool) -> Learnt:
    """Train with a progress bar where somebody watches; say what became of the model if the run diverges."""
    from mlpxp.cli.progress import is_watched, progress
    from mlpxp.errors import DivergenceError

    try:
        if as_json or not is_watched():
            return learn(planned)  # type: ignore[no-any-return]
        with progress(planned.epochs, "accuracy" if planned.task == "classification" else "r2") as advance:
            return learn(planned, callbacks=(advance,))  # type: ignore[no-any-return]
    except DivergenceError as error:
        finished = len(error.history.cost)
        message = f"{error} ({finished} epochs were finite before; no model was written)"
        raise DivergenceError(message, parameters=error.parameters, history=error.history) from error


def _nothing_learnt(learnt: Learnt, checkpoint: str | None) -> Exception:
    """How a run ends that has no model to write."""
    from mlpxp.errors import RangeError

    if not learnt.interrupted:
        return RangeError("--max-seconds was over before the first epoch ended: no model was written; allow more time")
    more = "" if checkpoint is None else f"; {how_to_go_on(checkpoint)}"
    print(f"mlpxp: interrupted before the first epoch ended: no model was written{more}", file=sys.stderr)
    return typer.Exit(INTERRUPTED)


def _save(fitted: Fitted, output: str, plot: str | None) -> str | None:
    """Write the model, and the picture where there is something to draw; return where that is."""
    fitted.served.save(output, training=fitted.record())
    if plot is None or not fitted.result.epochs:
        return None
    from mlpxp.plotting import plot_loss_curve, save_figure

    score_name = "accuracy" if fitted.plan.task == "classification" else "R²"
    save_figure(plot_loss_curve(fitted.result.history, title=Path(fitted.plan.name).name, score_name=score_name), plot)
    return plot


def _summary(fitted: Fitted, output: str, plot: str | None) -> dict[str, Any]:
    """What ``train --json`` prints."""
    from mlpxp.storage.schema import described

    shown = fitted.verdicts[fitted.shown]
    return fitted.record() | {
        "classes": list(fitted.plan.preparation.classes),
        "confusion_matrix": shown.confusion_matrix,
        "confusion_matrix_of": fitted.shown if shown.confusion_matrix is not None else None,
        "r2": shown.score if shown.metric == "r2" else None,
        "rmse": {part: verdict.rmse for part, verdict in fitted.verdicts.items()} if shown.metric == "r2" else None,
        "network": described(fitted.plan.network),
        "parameters": fitted.plan.network.n_parameters,
        "dtype": fitted.plan.options.dtype,
        "model": output,
        "plot": plot,
        "checkpoint": fitted.plan.options.checkpoint,
        "notices": fitted.plan.notices,
    }


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


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(finite(value), allow_nan=False))
