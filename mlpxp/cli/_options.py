"""What a training run is asked for: the options of ``mlpxp train``, said once, and checked before anything is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlpxp.cli._arguments import BackendName, Data, DeviceName, option
from mlpxp.errors import OutputError, RangeError, UnknownNameError

if TYPE_CHECKING:
    from mlpxp.core.network import Network
    from mlpxp.core.optimizers import Adam, GradientDescent

__all__ = ["OPTIMIZERS", "Options", "check_outputs", "names", "sizes_of", "widths"]

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("cosine", "constant")
TEST = 0.2
MOST_PARAMETERS = 2**40


@dataclass(frozen=True)
class Options:
    """What was asked for, as the command line spells it. ``None`` leaves a choice to :func:`mlpxp.cli._fitting.plan`, which knows the data.

    Raises
    ------
    RangeError, UnknownNameError, PairingError, DtypeError, BackendError
        Something is out of range, unknown or not installed.
    """

    data: Data
    target: Annotated[str | None, option("COLUMN", "The column to learn; needed for CSV and Parquet.", "The data")] = None
    task: Annotated[str | None, option("TASK", "classification or regression; inferred by default.", "The data")] = None
    drop: Annotated[list[str] | None, option("COLUMNS", "Columns to leave out: id,date.", "The data")] = None
    missing: Annotated[str | None, option("mean|drop", "Fill missing values in, or leave their rows out.", "The data")] = None
    test: Annotated[float | None, option("SHARE", "Of rows to test on, if the data bring no test set; 0.2 by default.", "The data")] = None
    validation: Annotated[float | None, option("SHARE", "Of rows to watch the training by; 0.1 by default, from 100 rows.", "The data")] = (
        None
    )
    hidden: Annotated[str, option("WIDTHS", "Of the hidden layers: 64,32 or none.", "The network")] = "128"
    activation: Annotated[str, option("NAME", "Of the hidden layers: relu, tanh, sigmoid, gelu, ...", "The network")] = "relu"
    optimizer: Annotated[str, option("NAME", "adam, adamw or sgd.", "The training")] = "adam"
    learning_rate: Annotated[float | None, option("ETA", "0.001 by default; sgd: 0.1 (1 - momentum).", "The training")] = None
    schedule: Annotated[str, option("NAME", "The learning rate: cosine (falls to 0) or constant.", "The training")] = "cosine"
    momentum: Annotated[float | None, option("MU", "Of sgd, from 0 and below 1.", "The training")] = None
    penalty: Annotated[float, option("LAMBDA", "L2, on the weights.", "The training")] = 0.0
    epochs: Annotated[int | None, option("N", "At most; 100 by default, more if the data are small.", "The training")] = None
    batch_size: Annotated[int | None, option("N", "32 by default, 128 from 10,000 rows on.", "The training")] = None
    patience: Annotated[
        int | None, option("N", "Epochs without a better one until it stops; by default only if there is no --epochs.", "The training")
    ] = None
    tolerance: Annotated[float | None, option("C", "How much lower a cost must be to count as better.", "The training")] = None
    max_seconds: Annotated[float | None, option("S", "Stop after this time.", "The training")] = None
    seed: Annotated[int, option("N", "Of the split, the first weights and the batches.", "The training")] = 0
    dtype: Annotated[str, option("NAME", "float32 or float64.", "The training")] = "float32"
    backend: BackendName = "auto"
    device: DeviceName = None
    checkpoint: Annotated[str | None, option("FILE", "Keep where the run stands, so that it can go on.", "Long runs")] = None
    every: Annotated[int | None, option("N", "Epochs between two checkpoints.", "Long runs")] = None
    every_seconds: Annotated[
        float | None, option("S", "Seconds between two, within an epoch too; 60 by default, if there is no --every.", "Long runs")
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint, if there is one.", rich_help_panel="Long runs")] = (
        False
    )

    def __post_init__(self) -> None:
        from mlpxp.arrays.backend import get_backend
        from mlpxp.training.options import plan_for

        _one_of("task", self.task, ("classification", "regression", None))
        _one_of("missing", self.missing, ("mean", "drop", None))
        for name, fraction in (("test", self.test), ("validation", self.validation)):
            if fraction is not None and not 0.0 <= fraction < 1.0:
                raise RangeError(f"{name} must be a fraction of the rows, from 0 and below 1, got {fraction}")
        if not 0 <= self.seed < 2**32:
            raise RangeError(f"seed must be a whole number from 0 to 2**32 - 1, got {self.seed}")
        plan_for(
            hidden_layers=0,
            optimizer=self.make_optimizer(epochs=1),
            epochs=1 if self.epochs is None else self.epochs,
            batch_size=self.batch_size,
            tolerance=self.tolerance,
            patience=self.patience,
            penalty=self.penalty,
            max_seconds=self.max_seconds,
            checkpoint=self.checkpoint,
            every=self.every,
            every_seconds=self.every_seconds,
            resume=self.resume,
        )
        self.make_network(1, 1, classes=False)
        library = get_backend(self.backend)
        library.to_numpy(library.asarray([0.0], dtype=self.dtype, device=self.device))  # a GPU, a device or a dtype that isn't there

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the hidden layers."""
        return widths(self.hidden)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The names of the columns that are left out."""
        return names(self.drop or ())

    @property
    def first_rate(self) -> float:
        """The learning rate to begin with: what was asked for, or what suits the optimizer."""
        if self.learning_rate is not None:
            return self.learning_rate
        if self.optimizer == "sgd":
            return 0.1 * max(0.01, 1.0 - (self.momentum or 0.0))  # a momentum μ multiplies the steps by 1/(1-μ)
        from mlpxp.core.optimizers import Adam

        return Adam().learning_rate  # type: ignore[return-value]  # its default is a number

    def make_optimizer(self, epochs: int) -> Adam | GradientDescent:
        """The optimizer, whose learning rate falls to zero along half a cosine over the epochs unless it is to be constant."""
        from mlpxp.core.optimizers import Adam, AdamW, Cosine, GradientDescent

        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        if self.momentum is not None and self.optimizer != "sgd":
            raise RangeError(f"momentum is an option of sgd: {self.optimizer} has a momentum of its own")
        optimizer: Adam | GradientDescent  # made with a number first: it is what the optimizer's own check can judge
        if self.optimizer == "sgd":
            optimizer = GradientDescent(self.first_rate, momentum=self.momentum or 0.0)
        else:
            optimizer = (AdamW if self.optimizer == "adamw" else Adam)(self.first_rate)
        return replace(optimizer, learning_rate=Cosine(self.first_rate, epochs)) if self.schedule == "cosine" else optimizer

    def make_network(self, n_inputs: int, n_outputs: int, *, classes: bool) -> Network:
        """The network: its output and loss are the natural pairing of the task."""
        from mlpxp.core.activations import find_activation
        from mlpxp.core.network import Network

        output, loss = (
            ("identity", "mse") if not classes else ("sigmoid", "binary_cross_entropy") if n_outputs == 1 else ("softmax", "cross_entropy")
        )
        find_activation(self.activation)
        network = Network((n_inputs, *self.widths, n_outputs), hidden=self.activation, output=output, loss=loss)
        if network.n_parameters > MOST_PARAMETERS:
            most = f"wanted at most {MOST_PARAMETERS:,}; make the hidden layers narrower"
            raise RangeError(f"the network would have {network.n_parameters:,} parameters: {most}")
        return network


def widths(text: str) -> tuple[int, ...]:
    """The widths of the hidden layers: ``64,32``; ``none`` or nothing for no hidden layer.

    Raises
    ------
    RangeError
        Something else.
    """
    if text.strip().lower() in ("", "none", "0"):
        return ()
    return _whole_numbers(text, f"hidden must be the widths of the layers, such as 64,32, or none, got {text!r}", "a hidden layer's width")


def sizes_of(text: str) -> tuple[int, ...]:
    """All sizes of a network, from the inputs to the outputs: ``784,256,10``.

    Raises
    ------
    RangeError
        Something else, or a network that is too large for anybody.
    """
    says = f"sizes must be those of a network from its inputs to its outputs, such as 784,256,10, got {text!r}"
    found = _whole_numbers(text, says, "a size")
    if len(found) < 2:
        raise RangeError(says)
    n_parameters = sum(n * n_in + n for n_in, n in pairwise(found))
    if n_parameters > MOST_PARAMETERS:
        raise RangeError(f"the network would have {n_parameters:,} parameters: wanted at most {MOST_PARAMETERS:,}")
    return found


def _whole_numbers(text: str, says: str, name: str) -> tuple[int, ...]:
    """Whole numbers from 1 with commas between them."""
    from mlpxp.arrays.scalars import whole_number

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise RangeError(says)
    return tuple(whole_number(name, int(part)) for part in parts)


def names(texts: Sequence[str]) -> tuple[str, ...]:
    """Column names from options that may each hold several: ``id,date``."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def check_outputs(written: dict[str, str | None], read: Sequence[str]) -> None:
    """Try the files that are to be written, before any work is done.

    Parameters
    ----------
    written : dict of str to path or None
        By the name of the option.
    read : sequence of path
        Files that must not be overwritten.

    Raises
    ------
    OutputError
        One can't be written, is another one too, or is a file that is read.
    """
    from mlpxp.files import check_writable

    places: dict[str, str] = {}
    for name, path in written.items():
        if path is None:
            continue
        check_writable(path)
        place = os.path.realpath(path)
        if place in places:
            raise OutputError(f"--{name} and --{places[place]} are one file, {path}: each needs one of its own")
        places[place] = name
        for source in read:
            for one in (source, *source.split(",")):
                if Path(one).exists() and Path(path).exists() and Path(one).samefile(path):
                    raise OutputError(f"--{name} would overwrite {one}, which is read: name another file")


def _one_of(name: str, value: Any, known: tuple[Any, ...]) -> None:
    if value not in known:
        wanted = ", ".join(one for one in known if one is not None)
        raise UnknownNameError(f"{name} must be one of {wanted}, got {value!r}")
