"""``mlpxp train``: a network is trained, tested and written to a file."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlpxp.cli._arguments import BackendName, Data, DeviceName, Json, option
from mlpxp.cli._checkpoints import check_checkpoint, checkpoint_told, how_to_go_on
from mlpxp.cli._running import INTERRUPTED, interruptions_ignored
from mlpxp.cli._wording import print_json

if TYPE_CHECKING:
    from mlpxp.cli._fitting import Fitted, Learnt, Plan

__all__ = ["train"]


def train(
    data: Data,
    target: Annotated[str | None, option("COLUMN", "The column to learn; needed for CSV and Parquet.", "The data")] = None,
    task: Annotated[str | None, option("TASK", "classification or regression; inferred by default.", "The data")] = None,
    drop: Annotated[list[str] | None, option("COLUMNS", "Columns to leave out: id,date.", "The data")] = None,
    missing: Annotated[str | None, option("mean|drop", "Fill missing values in, or leave their rows out.", "The data")] = None,
    test: Annotated[float | None, option("SHARE", "Of rows to test on, if the data bring no test set; 0.2 by default.", "The data")] = None,
    validation: Annotated[
        float | None, option("SHARE", "Of rows to watch the training by; 0.1 by default, from 100 rows.", "The data")
    ] = None,
    hidden: Annotated[str, option("WIDTHS", "Of the hidden layers: 64,32 or none.", "The network")] = "128",
    activation: Annotated[str, option("NAME", "Of the hidden layers: relu, tanh, sigmoid, gelu, ...", "The network")] = "relu",
    optimizer: Annotated[str, option("NAME", "adam, adamw or sgd.", "The training")] = "adam",
    learning_rate: Annotated[float | None, option("ETA", "0.001 by default; sgd: 0.1 (1 - momentum).", "The training")] = None,
    schedule: Annotated[str, option("NAME", "The learning rate: cosine (falls to 0) or constant.", "The training")] = "cosine",
    momentum: Annotated[float | None, option("MU", "Of sgd, from 0 and below 1.", "The training")] = None,
    penalty: Annotated[float, option("LAMBDA", "L2, on the weights.", "The training")] = 0.0,
    epochs: Annotated[int | None, option("N", "At most; 100 by default, more if the data are small.", "The training")] = None,
    batch_size: Annotated[int | None, option("N", "32 by default, 128 from 10,000 rows on.", "The training")] = None,
    patience: Annotated[
        int | None, option("N", "Epochs without a better one until it stops; by default only if there is no --epochs.", "The training")
    ] = None,
    tolerance: Annotated[float | None, option("C", "How much lower a cost must be to count as better.", "The training")] = None,
    max_seconds: Annotated[float | None, option("S", "Stop after this time.", "The training")] = None,
    seed: Annotated[int, option("N", "Of the split, the first weights and the batches.", "The training")] = 0,
    dtype: Annotated[str, option("NAME", "float32 or float64.", "The training")] = "float32",
    backend: BackendName = "auto",
    device: DeviceName = None,
    output: Annotated[str, typer.Option(metavar="FILE", help="The model file to write.")] = "model.safetensors",
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the loss curve: .png, .svg or .pdf.")] = None,
    checkpoint: Annotated[str | None, option("FILE", "Keep where the run stands, so that it can go on.", "Long runs")] = None,
    every: Annotated[int | None, option("N", "Epochs between two checkpoints.", "Long runs")] = None,
    every_seconds: Annotated[
        float | None, option("S", "Seconds between two, within an epoch too; 60 by default, if there is no --every.", "Long runs")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint, if there is one.", rich_help_panel="Long runs")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a network, test it, and write it to a file."""
    import safetensors.numpy  # noqa: F401 - so that it is missed now and not after the training

    from mlpxp.cli._fitting import judge, learn, plan
    from mlpxp.cli._options import Options, check_outputs, names, widths
    from mlpxp.cli._report import Report

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
        print_json(_summary(fitted, output, drawn))
    else:
        report.fitted(fitted, output, drawn)
    if learnt.interrupted:
        raise typer.Exit(INTERRUPTED)


def _watched(planned: Plan, learn: Any, *, as_json: bool) -> Learnt:
    """Train with a progress bar where somebody watches; say what became of the model if the run diverges."""
    from mlpxp.cli._progress import is_watched, progress
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
    from mlpxp.files.networks import described

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
