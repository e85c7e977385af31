"""``mlpxp train``: a network is trained, tested and written to a file."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlpxp.cli._arguments import Json, takes
from mlpxp.cli._checkpoints import check_checkpoint, checkpoint_told, how_to_go_on
from mlpxp.cli._options import Options, check_outputs
from mlpxp.cli._running import INTERRUPTED, interruptions_ignored
from mlpxp.cli._wording import print_json

if TYPE_CHECKING:
    from mlpxp.cli._fitting import Fitted, Learnt, Plan

__all__ = ["train"]


@takes(Options)
def train(
    options: Options,
    output: Annotated[str, typer.Option(metavar="FILE", help="The model file to write.")] = "model.safetensors",
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the loss curve: .png, .svg or .pdf.")] = None,
    as_json: Json = False,
) -> None:
    """Train a network, test it, and write it to a file."""
    import safetensors.numpy  # noqa: F401 - so that it is missed now and not after the training

    from mlpxp.cli._fitting import judge, learn, plan
    from mlpxp.cli._report import Report

    if plot is not None:
        from mlpxp.plotting import check_picture

        check_picture(plot)
    check_outputs({"output": output, "plot": plot, "checkpoint": options.checkpoint}, read=(options.data,))
    goes_on = check_checkpoint(options.checkpoint, resume=options.resume, written=(output, plot))
    with checkpoint_told(options.checkpoint):
        planned = plan(options)
        report = Report()
        if not as_json:
            report.plan(planned)
            if options.resume and not goes_on:
                report.note(f"there is no checkpoint {options.checkpoint} yet, so that the run begins")
        learnt = _watched(planned, learn, as_json=as_json)
        if not learnt.result.epochs:
            raise _nothing_learnt(learnt, options.checkpoint)
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
