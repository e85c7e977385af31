"""``mlpxp xor``: why one perceptron can't do it, and what two hidden units do (P1 to P3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mlpxp.runs.history import TrainingResult
    from mlpxp.textbook.separability import PerceptronRun, Separation
    from mlpxp.textbook.teaching.half_planes import HalfPlanes

__all__ = ["xor"]


def xor(
    hidden: Annotated[int, typer.Option(metavar="N", help="Hidden units: the lines that cut the plane.")] = 2,
    activation: Annotated[str, typer.Option(metavar="NAME", help="Of the hidden units: tanh, sigmoid, relu, ...")] = "tanh",
    learning_rate: Annotated[float, typer.Option(metavar="ETA", help="Of gradient descent.")] = 1.0,
    epochs: Annotated[int, typer.Option(metavar="N", help="Steps over the four examples.")] = 500,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the first weights.")] = 0,
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Draw the half-planes: .png, .svg or .pdf.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
) -> None:
    """Prove that no line separates XOR, watch a perceptron go round in a circle, and solve it with hidden half-planes."""
    from mlpxp.cli._options import check_outputs
    from mlpxp.core.network import Network
    from mlpxp.core.optimizers import GradientDescent
    from mlpxp.textbook.separability import perceptron, separate
    from mlpxp.textbook.teaching.examples import examples
    from mlpxp.textbook.teaching.half_planes import half_planes
    from mlpxp.training.train import train

    if plot is not None:
        from mlpxp.plotting import check_picture

        check_picture(plot)
    check_outputs({"plot": plot}, read=())
    X, Y = examples("xor")
    y = Y[0].astype(int)
    separation, run = separate(X.T, y), perceptron(X.T, y)
    network = Network((2, hidden, 1), hidden=activation, output="sigmoid", loss="binary_cross_entropy")
    result = train(network, X, Y, optimizer=GradientDescent(learning_rate), epochs=epochs, seed=seed)
    found = half_planes(network, result.parameters, X)
    if plot is not None:
        from mlpxp.plotting import save_figure
        from mlpxp.textbook import plot_half_planes

        save_figure(plot_half_planes(found, y), plot)
    if as_json:
        _print_json(separation, run, result, found, plot)
    else:
        _print(separation, run, result, found, plot)


def _print(separation: Separation, run: PerceptronRun, result: TrainingResult, found: HalfPlanes, plot: str | None) -> None:
    from mlpxp.cli._report import Report, architecture
    from mlpxp.cli._wording import counted, number
    from mlpxp.core.propagation import predict

    report = Report()
    report.text(separation.explain())
    report.text(f"\nRosenblatt's rule {run}.")
    (outputs,) = predict(found.network, found.parameters, found.X)
    right = int(((outputs > 0.5) == (found.X[0] != found.X[1])).sum())
    after = f"after {counted(result.epochs, 'epoch')} {right} of 4 are right, at a cost of {number(result.history.cost[-1])}"
    report.text(f"\n{architecture(found.network)}: {after}")
    lines = [(f"{w1:+.4g} x1 {w2:+.4g} x2 {b:+.4g} > 0",) for w1, w2, b in found.lines]
    report.table(("hidden unit", "half-plane (P1)"), [(str(unit), *line) for unit, line in enumerate(lines, start=1)], right=(0,))
    regions = sorted(found.regions, key=lambda region: region.above, reverse=True)
    report.table(
        ("region", "in the middle", "output there"),
        [
            (" ".join("+" if above else "-" for above in one.above), "({:.2f}, {:.2f})".format(*one.middle), number(one.output))
            for one in regions
        ],
        right=(2,),
    )
    report.text(found.combination)
    if right < 4:
        report.note("not every start gets there: try another --seed, or more --hidden units")
    if plot is not None:
        report.written({"plot": plot})


def _print_json(separation: Separation, run: PerceptronRun, result: TrainingResult, found: HalfPlanes, plot: str | None) -> None:
    from mlpxp.cli._wording import print_json
    from mlpxp.core.propagation import predict

    told = {
        "certificate": separation.certificate,
        "perceptron": {"stop": run.stop, "cycle": run.cycle, "mistakes": run.mistakes, "certificate": run.certificate},
        "epochs": result.epochs,
        "cost": result.history.cost[-1],
        "outputs": predict(found.network, found.parameters, found.X)[0],
        "lines": found.lines,
        "combination": found.combination,
        "regions": [{"above": one.above, "middle": one.middle, "output": one.output} for one in found.regions],
        "plot": plot,
    }
    print_json(told)
