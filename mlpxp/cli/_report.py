"""What a command tells people: tables, drawn with rich. Text from data is never taken for markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlpxp.arrays.devices import size
from mlpxp.cli._checkpoints import facts_of, what_is_left
from mlpxp.cli._wording import counted, number, printable, seconds, share
from mlpxp.report.results import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpxp.arrays.survey import BackendStatus
    from mlpxp.bench.compare import Comparison
    from mlpxp.bench.record import Record
    from mlpxp.cli._fitting import Fitted, Plan
    from mlpxp.cli._serving import Served, Verdict
    from mlpxp.core.network import Network
    from mlpxp.exchange.graph import Port
    from mlpxp.files import Model
    from mlpxp.files.checkpoint_file import Checkpoint
    from mlpxp.report.results import Figure, Section
    from mlpxp.textbook.approximation import WidthStudy

__all__ = ["Report", "architecture"]

MOST_CLASSES = 20
LONG = 16


class Report:
    """A console, and what is written to it."""

    def __init__(self) -> None:
        self.console = Console(markup=False, highlight=False, emoji=False)
        encoding = (self.console.encoding or "").lower()
        self.r2 = "R²" if encoding.startswith("utf") else "R2"

    def plan(self, plan: Plan) -> None:
        """Before training: what was read, what was inferred."""
        classes = f", {len(plan.preparation.classes)} classes" if plan.task == "classification" else ""
        self._line(f"{plan.name}: {counted(plan.preparation.n_inputs, 'input')}{classes}")
        self._line(f"{plan.task}: {plan.why}")
        for notice in plan.notices:
            self.note(notice)

    def fitted(self, fitted: Fitted, model: str | None, plot: str | None) -> None:
        """After training: how good it is, why it stopped, where the model is."""
        record = fitted.record()
        self._scores({part: (record["rows"][part], verdict) for part, verdict in fitted.verdicts.items()})
        self._facts(
            {
                "network": architecture(fitted.plan.network),
                "stopped": _stopped(record),
                "trained": f"{counted(record['epochs'], 'epoch')} in {seconds(record['seconds'])}",
                "model": model,
                "plot": plot,
                "checkpoint": what_is_left(fitted.plan.options.checkpoint, fitted.result),
            }
        )
        of = " of the training set" if fitted.shown == "train" else " of the test set"
        self._confusion(fitted.verdicts[fitted.shown], fitted.plan.preparation.classes, of)

    def evaluated(self, name: str, rows: int, verdict: Verdict, served: Served) -> None:
        """How good a model is on some data."""
        self._line(f"{name}, {served.preparation.task} of {served.preparation.target_name!r}")
        self._scores({"evaluated": (rows, verdict)})
        self._confusion(verdict, served.preparation.classes)

    def model(self, path: str, model: Model, served: Served | None, *, kind: str = "model") -> None:
        """What a model file holds, or another one's network."""
        network, training = model.network, model.metadata.get("training")
        what = {"estimator": "a fitted estimator, ", "result": "a training result, "}.get(kind, "")
        stack = f"a stack of {model.networks:,} networks of " if model.networks != 1 else ""
        self._line(f"{path}: {what}{stack}{counted(network.n_parameters, 'parameter')}, {model.dtype}")
        table = _table("layer", "reads", "units", "activation", "parameters", right=(1, 2, 4))
        for index, ((n, n_in), activation) in enumerate(zip(network.shapes, network.activations, strict=True), start=1):
            layer = f"{index} (output)" if index == len(network.shapes) else str(index)
            table.add_row(layer, f"{n_in:,}", f"{n:,}", activation.name, f"{n * n_in + n:,}")
        self._print(table)
        facts: dict[str, str | None] = {"loss": network.loss.name}
        if served is not None:
            preparation = served.preparation
            facts["predicts"] = f"{preparation.target_name} ({preparation.task})"
            facts["classes"] = _listed(preparation.classes) or None
            facts["reads"] = _listed(preparation.feature_names)
        if isinstance(training, dict):
            facts |= _recorded(training)
        written = ", ".join(f"{name} {one}" for name, one in model.versions.items())
        facts["written"] = " by ".join(part for part in (model.created, written) if part) or None
        self._facts(facts)

    def checkpoint(self, path: str, stands: Checkpoint) -> None:
        """Where the run of a checkpoint stands."""
        part = ", and part of the next" if stands.batches else ""
        self._line(f"{path}: a checkpoint of a training run, {counted(stands.epochs, 'epoch')} done{part}")
        self._facts(facts_of(stands))

    def exported(self, path: str, size_in_bytes: int, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        """What an ONNX file reads and gives."""
        self._line(f"{path}: {size(size_in_bytes)}")
        table = _table("", "name", "type", "shape")
        for kind, ports in (("input", inputs), ("output", outputs)):
            for port in ports[:MOST_CLASSES]:
                shape = f"({port.shape[0]},)" if len(port.shape) == 1 else f"({', '.join(map(str, port.shape))})"
                table.add_row(kind, Text(printable(port.name)), "text" if port.dtype == "str" else port.dtype, shape)
            if len(ports) > MOST_CLASSES:
                table.add_row("", f"and {len(ports) - MOST_CLASSES:,} more", "", "")
        self._print(table)

    def backends(self, found: Sequence[BackendStatus]) -> None:
        """What can be used here: a row a device; below it, why the others can't be used and what to do."""
        table = _table("backend", "version", "device", "", "memory", "float64", "an epoch runs", right=(4,))
        for status in found:
            first = (status.name, status.version or "-")
            for device in status.devices:
                memory = "-" if device.memory is None else size(device.memory)
                cells = (*first, device.name, device.description, memory, "yes" if device.float64 else "no", status.runs or "-")
                table.add_row(*(Text(printable(cell)) for cell in cells))
                first = ("", "")
        self._print(table)
        self._facts({status.name: status.problem for status in found})

    def benchmarks(self, record: Record) -> None:
        """What a run of benchmarks found, in short."""
        for section in record.sections:
            self._section(section, [_lines(figure) for figure in section.figures])
        self._facts({f"without {gap.benchmark}": gap.reason for gap in record.gaps})

    def comparison(self, comparison: Comparison) -> None:
        """Two runs side by side."""
        self._grid(comparison.machines)
        for section in comparison.sections:
            self._section(section, [])
        for one in comparison.notes:
            self.note(one)

    def walkthrough(self, title: str, parts: Mapping[str, Sequence[tuple[str, str, str, str]]]) -> None:
        """One pass, a table for each part of it: a row is the tag, the equation, the shape and the values."""
        self._line(title)
        for name, rows in parts.items():
            table = _table(name, "", "shape", "values")
            for cells in rows:
                table.add_row(*(Text(cell) for cell in cells))
            self._print(table)

    def approximation(self, study: WidthStudy, plot: str | None) -> None:
        """How the error falls with the width: a row a width, the largest errors of its networks, and the constructed network's."""
        target, seeds = study.target, study.fitting.seeds
        sides = " x ".join(f"[{low:g}, {high:g}]" for low, high in target.box)
        self._line(f"{target.name} on {sides}: largest error, of {counted(seeds, 'trained network')} each")
        constructed, bounds = study.constructed_errors, study.bounds
        more = [("staircase", constructed), ("proved bound", bounds)]
        columns = [(name, values) for name, values in more if values is not None]
        table = _table("width", "parameters", "median", "best", "worst", "median RMS", *(name for name, _ in columns), right=range(8))
        rows = zip(study.widths, study.trained, study.max_errors, study.rms_errors, strict=True)
        for index, (width, one, errors, rms) in enumerate(rows):
            told = [np.median(errors), errors.min(), errors.max(), np.median(rms), *(values[index] for _, values in columns)]
            table.add_row(f"{width:,}", f"{one.network.n_parameters:,}", *(number(float(value)) for value in told))
        self._print(table)
        trained = f"{study.trained[0].network.hidden[0].name}, {counted(study.fitting.epochs, 'epoch')}, {study.fitting.dtype}"
        staircase = None if constructed is None else "as many sigmoids, constructed, not trained"
        self._facts({"trained": trained, "staircase": staircase, "plot": plot})

    def text(self, text: str) -> None:
        """Lines as they are."""
        for line in text.splitlines():
            self._line(line)

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> None:
        """Rows of cells; the columns whose numbers are given are set to the right."""
        table = _table(*headers, right=right)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self._print(table)

    def written(self, paths: Mapping[str, str]) -> None:
        """Where the files are."""
        self._facts(dict(paths))

    def note(self, text: str) -> None:
        """Something a user should know."""
        self._line(f"note: {text}")

    def _section(self, section: Section, tables: Sequence[Grid]) -> None:
        self._line(f"{section.name}: {section.title}")
        for grid in (*tables, *section.grids):
            if grid.rows:
                self._grid(grid)
        for one in section.notes:
            self.note(one)
        self.console.print()

    def _grid(self, grid: Grid) -> None:
        numeric = [all(one is None or isinstance(one, int | float) for one in column) for column in zip(*grid.rows, strict=True)]
        table = _table(*(printable(name) for name in grid.columns), right=(index for index, one in enumerate(numeric) if one))
        for row in grid.rows:
            table.add_row(*(Text(printable(one) if isinstance(one, str) else number(one)) for one in row))
        self.console.print()
        self._line(f" {grid.title}")
        self._print(table)

    def _line(self, text: str) -> None:
        self.console.print(Text(printable(text)), soft_wrap=not self.console.is_terminal)

    def _scores(self, verdicts: dict[str, tuple[int, Verdict]]) -> None:
        first = next(iter(verdicts.values()))[1]
        metric = first.metric
        regression = metric == "r2"
        table = _table("", "rows", self.r2 if regression else metric, "cost", *(["RMSE"] if regression else []), right=(1, 2, 3, 4))
        for part, (rows, verdict) in verdicts.items():
            cells = [printable(part), f"{rows:,}", share(verdict.score, metric), number(verdict.cost)]
            table.add_row(*cells, *([number(verdict.rmse)] if regression else []))
        self._print(table)

    def _facts(self, facts: dict[str, str | None]) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in facts.items():
            if value is not None:
                grid.add_row(f" {name}", Text(printable(value)))
        self.console.print(grid)

    def _confusion(self, verdict: Verdict, classes: Sequence[Any], of: str = "") -> None:
        matrix = verdict.confusion_matrix
        if matrix is None or len(classes) > MOST_CLASSES:
            return
        labels = [printable(label) for label in classes]
        labels = [label if len(label) <= LONG else f"{label[: LONG - 3]}..." for label in labels]
        table = _matrix(labels, labels, matrix)
        if not self._fits(table):  # numbers above the columns instead of names
            table = _matrix(
                [f"{index} {label}" for index, label in enumerate(labels, start=1)],
                [str(index) for index in range(1, len(labels) + 1)],
                matrix,
            )
        self.console.print()
        if self._fits(table):
            self._line(f" confusion matrix{of}: true by row, predicted by column")
            self.console.print(table)
        else:
            self._line(f" the confusion matrix of {len(labels)} classes is too wide for this terminal; --json prints it")

    def _fits(self, table: Table) -> bool:
        return self._width(table) <= self.console.width

    def _width(self, table: Table) -> int:
        return self.console.measure(table, options=self.console.options.update(width=10_000)).maximum

    def _print(self, table: Table) -> None:
        """Print a table at its own width: a terminal that is narrower wraps it, and no number is cut."""
        before = self.console.width
        self.console.width = max(before, self._width(table))
        self.console.print(table)
        self.console.width = before


def _lines(figure: Figure) -> Grid:
    """A figure in short: where each of its lines ends, and how steep it is."""
    rows = []
    for series in figure.series:
        last = max(series.points, key=lambda point: point.x, default=None)
        if last is not None:
            slopes = [None if one is None else f"{one:.2f}" for one in (series.slope, series.slope_low, series.slope_high)]
            between = None if None in slopes[1:] else f"{slopes[1]} to {slopes[2]}"
            rows.append((series.name, last.x, last.y, last.origin, slopes[0], between))
    return Grid(figure.name, figure.title, ("", figure.x_label, figure.y_label, "", "slope", "95 %"), tuple(rows))


def _matrix(rows: Sequence[str], columns: Sequence[str], matrix: NDArray[Any]) -> Table:
    table = _table("", *columns, right=range(1, len(columns) + 1))
    for index, (label, counts) in enumerate(zip(rows, matrix.tolist(), strict=True)):
        cells = [Text(f"{count:,}" if count else ".", style=_shade(index == column, count)) for column, count in enumerate(counts)]
        table.add_row(Text(label, style="bold"), *cells)
    return table


def _shade(right: bool, count: int) -> str:
    return "dim" if not count else "green" if right else "red"


def _table(*headers: str, right: Iterable[int] = ()) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    numeric = set(right)
    for index, header in enumerate(headers):
        table.add_column(Text(header), justify="right" if index in numeric else "left", no_wrap=True)
    return table


def architecture(network: Network) -> str:
    """What a network is, on one line."""
    sizes = "-".join(str(size) for size in network.sizes)
    hidden = f"{network.hidden[0].name}, " if network.hidden else ""
    return f"{sizes}, {hidden}{network.output.name}, {counted(network.n_parameters, 'parameter')}"


def _stopped(record: dict[str, Any]) -> str:
    kept = record["kept_epoch"]
    return f"{record['stop']}; epoch {kept} was the best and is kept" if 0 < kept < record["epochs"] else f"{record['stop']}"


def _recorded(training: dict[str, Any]) -> dict[str, str | None]:
    """The facts of a training record that are as they should be; a file may hold anything."""

    def part(name: str) -> dict[str, Any]:
        value = training.get(name)
        return value if isinstance(value, dict) else {}

    metric = str(training.get("metric"))
    scores = (f"{share(score, metric)} {name}" for name, score in part("scores").items() if isinstance(score, int | float))
    rows = (f"{amount:,} {name}" for name, amount in part("rows").items() if isinstance(amount, int) and amount)
    optimizer = [
        str(part("optimizer").get("name")),
        f"learning rate {number(part('optimizer').get('learning_rate'))} ({part('optimizer').get('schedule')})",
        f"batches of {training.get('batch_size')}",
        f"seed {training.get('seed')}",
    ]
    return {
        "data": None if "data" not in training else str(training["data"]),
        "rows": ", ".join(rows) or None,
        {"r2": "R2"}.get(metric, metric if metric == "accuracy" else "score"): ", ".join(scores) or None,
        "optimizer": ", ".join(optimizer) if "optimizer" in training else None,
        "trained": f"{number(training.get('epochs'))} epochs in {seconds(training.get('seconds'))}: {training.get('stop')}"
        if "epochs" in training
        else None,
    }


def _listed(values: Sequence[Any], limit: int = 10) -> str:
    shown = ", ".join(str(value) for value in values[:limit])
    return shown if len(values) <= limit else f"{shown}, ... ({len(values) - limit:,} more)"
