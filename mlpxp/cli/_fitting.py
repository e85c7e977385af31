"""From a table to a trained and judged network: every step of ``mlpxp train`` but the printing."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.standard import device_of
from mlpxp.cli._options import TEST, Options
from mlpxp.cli._serving import Served, Verdict
from mlpxp.cli._wording import counted, finite
from mlpxp.data import Missing, Preparation, Table, Task, drop_missing, infer_task, load, split
from mlpxp.data.missing import check_features, refuse_useless
from mlpxp.data.targets import checked_target, learn_classes
from mlpxp.errors import DataError
from mlpxp.runs.history import TrainingResult
from mlpxp.runs.stopping import Stop
from mlpxp.training.train import train

if TYPE_CHECKING:
    from mlpxp.core.network import Network
    from mlpxp.core.optimizers import Adam, GradientDescent
    from mlpxp.training.loop import Callback

__all__ = ["Fitted", "Learnt", "Plan", "judge", "learn", "plan"]

PARTS = ("train", "validation", "test")
VALIDATION, VALIDATION_FROM = 0.1, 100  # a tenth of the training rows, where there are at least so many
BATCH, LARGE_BATCH, LARGE = 32, 128, 10_000
EPOCHS, UPDATES = 100, 2_000  # small data need more epochs to make as many steps
PATIENCE = 10


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be trained on what.

    Attributes
    ----------
    options : Options
    name : str
        Of the data.
    task, why : str
        Classification or regression, and why.
    parts : dict of str to Table
        ``train``, and ``validation`` and ``test`` where there are such rows.
    preparation : Preparation
        Learnt from the training rows.
    network : Network
    optimizer : Optimizer
    epochs, batch_size : int
    patience : int or None
    notices : tuple of str
        What a user should know.
    """

    options: Options
    name: str
    task: Task
    why: str
    parts: dict[str, Table]
    preparation: Preparation
    network: Network
    optimizer: Adam | GradientDescent
    epochs: int
    batch_size: int
    patience: int | None
    notices: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Learnt:
    """What training gave: the result, the prepared examples (X, Y) of each part, and how long it took."""

    result: TrainingResult
    examples: dict[str, tuple[Any, Any]]
    seconds: float

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.result.stop is Stop.INTERRUPTED


@dataclass(frozen=True, eq=False)
class Fitted:
    """A finished run: what was planned, what came out, and how good it is on each part."""

    plan: Plan
    result: TrainingResult
    served: Served
    verdicts: dict[str, Verdict]
    seconds: float

    @property
    def shown(self) -> str:
        """The part whose confusion matrix is shown: the test set, or the training set if there is none."""
        return "test" if "test" in self.verdicts else "train"

    @property
    def kept_epoch(self) -> int:
        """The epoch whose parameters the model has: with validation and patience the best one, otherwise the last."""
        best = self.result.best_epoch
        assert isinstance(best, int)  # one network, not a stack
        return best if "validation" in self.plan.parts and self.plan.patience is not None else self.result.epochs

    def record(self) -> dict[str, Any]:
        """The training record, as the model file keeps it and ``--json`` prints it."""
        plan, options, result = self.plan, self.plan.options, self.result
        history = result.history
        record = {
            "data": plan.name,
            "task": plan.task,
            "task_because": plan.why,
            "target": plan.preparation.target_name,
            "rows": {part: len(plan.parts[part]) if part in plan.parts else 0 for part in PARTS},
            "metric": self.verdicts[self.shown].metric,
            "scores": {part: None if part not in self.verdicts else self.verdicts[part].score for part in PARTS},
            "costs": {part: None if part not in self.verdicts else self.verdicts[part].cost for part in PARTS},
            "optimizer": {
                "name": options.optimizer,
                "learning_rate": options.first_rate,
                "schedule": options.schedule,
                "momentum": options.momentum,
            },
            "penalty": options.penalty,
            "batch_size": plan.batch_size,
            "epochs": result.epochs,
            "best_epoch": result.best_epoch,
            "kept_epoch": self.kept_epoch,
            "most_epochs": plan.epochs,
            "patience": plan.patience,
            "tolerance": options.tolerance,
            "seed": options.seed,
            "backend": self.served.library.name,
            "device": str(device_of(result.parameters[0].W)),
            "seconds": self.seconds,
            "stop": str(result.stop),
            "history": {
                "cost": history.cost,
                "validation_cost": history.validation_cost,
                "validation_score": history.validation_score,
                "seconds": history.seconds,
            },
        }
        return {name: finite(value) for name, value in record.items()}


def plan(options: Options) -> Plan:
    """Read the data, set rows apart, learn the preparation from what is left, and choose what was left open.

    Raises
    ------
    MlpxpError
        The data can't be read, or can't be learnt from.
    """
    table = load(options.data, target=options.target, drop=options.dropped)
    notices: list[str] = []
    missing = cast("Missing | None", options.missing)  # it is one of these: Options refuses anything else
    if missing == "drop":
        table, n_dropped = drop_missing(table)
        if n_dropped:
            notices.append(f"{counted(n_dropped, 'row')} with missing values left out")
    task, why = _task(table, cast("Task | None", options.task))
    _check(table, task, missing)
    parts = _parts(table, options, task, notices)
    preparation = Preparation.fit(parts["train"], task=task, missing=missing)
    for part in parts.values():
        notices += [notice for notice in preparation.notices(part) if notice not in notices]
    m = len(parts["train"])
    batch_size = min(m, options.batch_size or (BATCH if m < LARGE else LARGE_BATCH))
    epochs = options.epochs or max(EPOCHS, math.ceil(UPDATES / math.ceil(m / batch_size)))
    patience = options.patience
    if patience is None and options.tolerance is None and options.epochs is None and "validation" in parts:
        patience = max(PATIENCE, epochs // 10)
    return Plan(
        options=options,
        name=table.name,
        task=task,
        why=why,
        parts=parts,
        preparation=preparation,
        network=options.make_network(preparation.n_inputs, preparation.n_outputs, classes=task == "classification"),
        optimizer=options.make_optimizer(epochs),
        epochs=epochs,
        batch_size=batch_size,
        patience=patience,
        notices=tuple(notices),
    )


def learn(plan: Plan, *, callbacks: Sequence[Callback] = ()) -> Learnt:
    """Prepare every part, and train the network.

    Raises
    ------
    DivergenceError
        The cost stopped being finite.
    MlpxpError
        A part can't be prepared: a label that training never saw, a missing value.
    """
    options, preparation, library = plan.options, plan.preparation, get_backend(plan.options.backend)

    def prepared(table: Table) -> tuple[Any, Any]:
        """X (n_0, m) and Y (n_L, m), views of one example a row."""
        rows = preparation.inputs(table, dtype=options.dtype), preparation.targets(table, dtype=options.dtype)
        X, Y = (library.asarray(array, dtype=options.dtype, device=options.device).mT for array in rows)
        return X, Y

    examples = {part: prepared(table) for part, table in plan.parts.items()}
    begun = time.perf_counter()
    result = train(
        plan.network,
        *examples["train"],
        optimizer=plan.optimizer,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=options.seed,
        validation=examples.get("validation"),
        tolerance=options.tolerance,
        patience=plan.patience,
        penalty=options.penalty,
        max_seconds=options.max_seconds,
        callbacks=callbacks,
        checkpoint=options.checkpoint,
        every=options.every,
        every_seconds=options.every_seconds,
        resume=options.resume,
    )
    earlier = max(result.history.seconds, default=0.0) if options.resume else 0.0  # those before the checkpoint count
    return Learnt(result, examples, seconds=max(earlier, time.perf_counter() - begun))


def judge(plan: Plan, learnt: Learnt) -> Fitted:
    """Find out how good the network is on every part."""
    result = learnt.result
    parameters = result.parameters if result.epochs else result.last_parameters  # before the first epoch ends, none is the best
    served = Served(plan.network, parameters, plan.preparation)
    verdicts = {part: served.judge(*learnt.examples[part], table) for part, table in plan.parts.items()}
    return Fitted(plan, result, served, verdicts, learnt.seconds)


def _task(table: Table, wanted: Task | None) -> tuple[Task, str]:
    """Classification or regression, and why."""
    if table.target is None:
        raise DataError(f"{table.name} has no target to learn: say --target COLUMN")
    task, why = infer_task(table.target)
    return (task, f"{why}; --task overrides") if wanted is None else (wanted, "--task says so")


def _check(table: Table, task: Task, missing: Missing | None) -> None:
    """Find what is wrong with the data while all the rows are together: where they fall by a seed should not change the message."""
    for rows in (table, table.test):
        if rows is not None:
            refuse_useless(rows)
            check_features(rows, allow_missing=missing == "mean", remedy="fill it in, or say --missing mean or --missing drop")
            checked_target(rows)
    if task == "classification":
        learn_classes(table)


def _parts(table: Table, options: Options, task: Task, notices: list[str]) -> dict[str, Table]:
    """The rows to train on, to validate on and to test on: the test set is drawn first, validation from what is left."""
    rest, parts = table, {}
    if table.test is not None:
        parts["test"] = table.test
        if options.test is not None:
            notices.append(f"the data bring a test set of their own, so that --test {options.test:g} was not needed")
    else:
        rest, parts["test"] = _divided(table, TEST if options.test is None else options.test, options.seed, task)
    fraction = options.validation
    if fraction is not None:
        rest, parts["validation"] = _divided(rest, fraction, options.seed, task)
    elif len(rest) >= VALIDATION_FROM:
        try:
            rest, parts["validation"] = _divided(rest, VALIDATION, options.seed, task)
        except DataError as error:
            notices.append(f"no validation rows, so that the last epoch is kept: {error}")
    parts["train"] = rest
    return {part: parts[part] for part in PARTS if part in parts and len(parts[part])}


def _divided(table: Table, fraction: float, seed: int, task: Task) -> tuple[Table, Table]:
    rest, part = split(table, fraction, seed=seed, task=task)
    return (table, table.take(part)) if len(part) == 0 else (table.take(rest), table.take(part))
