"""A trained network with its preparation: raw data in, predictions and scores out. Read from a model file, or just trained."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import backend_of, dtype_of
from mlpxp.arrays.standard import device_of
from mlpxp.core.evaluation import evaluate
from mlpxp.core.functional import predict
from mlpxp.data import Preparation, Table
from mlpxp.errors import DataError, FileFormatError
from mlpxp.files import Model, kind_of, load_model, save_model

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.core.network import Network, Parameters

__all__ = ["Served", "Verdict"]

INSTEAD = {  # of a model that takes raw data
    "checkpoint": "the run of a checkpoint and no model yet: the command that began it, with --resume, ends it and writes the model",
    "estimator": "a fitted estimator, which takes arrays and no raw data: in Python mlpxp.load(...).predict(X)",
    "result": "a training result, which takes arrays and no raw data: in Python mlpxp.load(...)",
}
ROWS = 4096  # that are predicted at once
ARRAYS = "preparation."


@dataclass(frozen=True, eq=False)
class Verdict:
    """How good a network is on some rows.

    Attributes
    ----------
    metric : {"accuracy", "r2"}
    score, cost : float
    confusion_matrix : ndarray of int, shape (n_classes, n_classes), or None
        True classes by row, predicted ones by column; ``None`` for regression.
    rmse : float or None
        For regression: the root of the mean squared error, in the target's unit.
    """

    metric: str
    score: float
    cost: float
    confusion_matrix: NDArray[np.int64] | None = None
    rmse: float | None = None


@dataclass(frozen=True, eq=False)
class Served:
    """A network that takes raw data.

    Attributes
    ----------
    network : Network
    parameters : tuple of Layer
    preparation : Preparation
    """

    network: Network
    parameters: Parameters
    preparation: Preparation

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, backend: str = "auto", device: str | None = None) -> Served:
        """Read a model file that the command line has written.

        Raises
        ------
        DataError, FileFormatError
            As :func:`mlpxp.files.load_model`; or its parts don't fit together, or it is a file of another kind.
        """
        kind = kind_of(path)
        if kind in INSTEAD:
            raise FileFormatError(f"{path} holds {INSTEAD[kind]}")
        return cls.of(load_model(path, backend=backend, device=device), path)

    @classmethod
    def of(cls, model: Model, path: str | os.PathLike[str]) -> Served:
        """The network in a model file that was read from ``path``."""
        if "preparation" not in model.metadata:
            raise FileFormatError(f"{path} does not say how raw data become inputs: it was saved without a preparation")
        arrays = {name.removeprefix(ARRAYS): array for name, array in model.arrays.items() if name.startswith(ARRAYS)}
        preparation = Preparation.from_metadata(model.metadata["preparation"], arrays)
        wanted, got = (preparation.n_inputs, preparation.n_outputs), (model.network.sizes[0], model.network.sizes[-1])
        if wanted != got:
            raise FileFormatError(
                f"{path} contradicts itself: its data need {wanted[0]} inputs and {wanted[1]} outputs, its network has {got}"
            )
        if preparation.task == "classification" and model.network.output.values not in ("probability", "distribution"):
            raise FileFormatError(f"{path} contradicts itself: it has classes, and outputs that are no probabilities")
        if model.parameters[0].W.ndim != 2:
            raise FileFormatError(f"{path} holds a stack of networks: wanted one")
        return cls(model.network, model.parameters, preparation)

    def save(self, path: str | os.PathLike[str], *, training: dict[str, Any]) -> None:
        """Write a model file with the record of the training.

        Raises
        ------
        OutputError
            It can't be written.
        """
        json, arrays = self.preparation.to_metadata()
        metadata = {"preparation": json, "training": training}
        save_model(path, self.network, self.parameters, metadata=metadata, arrays={ARRAYS + name: array for name, array in arrays.items()})

    @property
    def library(self) -> Backend:
        """Of the parameters."""
        return backend_of(self.parameters[0].W)

    @property
    def dtype(self) -> str:
        """``float32`` or ``float64``."""
        return "float64" if self.parameters[0].W.dtype == dtype_of(self.library.namespace, "float64") else "float32"

    def outputs(self, X: Any) -> NDArray[Any]:
        """The outputs, one row an example, for inputs X (n_0, m); a few thousand at a time.

        Raises
        ------
        DataError
            An output is not finite: the inputs are too far from those of the training.
        """
        with np.errstate(all="ignore"):  # what overflows is found right below, and named
            A: NDArray[Any] = self.library.to_numpy(predict(self.network, self.parameters, X, batch_size=ROWS)).T
        if not np.isfinite(A).all():
            example = int(np.argmin(np.isfinite(A).all(axis=1)))
            raise DataError(
                f"the network's output for example {example + 1:,} is not a finite number: it is too far from the training rows"
            )
        return A

    def predict(self, table: Table) -> NDArray[Any]:
        """The outputs for raw data, one row an example.

        Raises
        ------
        MlpxpError
            The data are not what the model reads.
        """
        return self.outputs(self._array(self.preparation.inputs(table, dtype=self.dtype)))

    def evaluate(self, table: Table) -> Verdict:
        """Compare predictions for raw data with their target.

        Raises
        ------
        MlpxpError
            The data are not what the model reads, or have targets that it doesn't know.
        """
        X, Y = self.preparation.inputs(table, dtype=self.dtype), self.preparation.targets(table, dtype=self.dtype)
        return self.judge(self._array(X), self._array(Y), table)

    def judge(self, X: Any, Y: Any, table: Table) -> Verdict:
        """Compare the predictions for inputs X (n_0, m) with the targets Y (n_L, m) of ``table``."""
        evaluation = evaluate(self.network, self.parameters, X, Y)
        assert isinstance(evaluation.cost, float)  # one network, not a stack
        assert isinstance(evaluation.score, float)
        predicted, wanted = self.preparation.decode(self.outputs(X)), self.preparation.labels(table)
        if self.preparation.task == "regression":
            rmse = math.sqrt(float(np.mean((predicted - wanted) ** 2)))
            return Verdict("r2", evaluation.score, evaluation.cost, rmse=rmse)
        matrix = _confusion(wanted, predicted, self.preparation.classes)
        return Verdict("accuracy", float(np.trace(matrix) / matrix.sum()), evaluation.cost, confusion_matrix=matrix)

    def _array(self, rows: NDArray[Any]) -> Any:
        return self.library.asarray(rows, dtype=self.dtype, device=device_of(self.parameters[0].W)).mT


def _confusion(wanted: NDArray[Any], predicted: NDArray[Any], classes: tuple[Any, ...]) -> NDArray[np.int64]:
    place = {label: index for index, label in enumerate(classes)}
    n = len(classes)
    pairs = [place[one] * n + place[other] for one, other in zip(wanted.tolist(), predicted.tolist(), strict=True)]
    return np.bincount(pairs, minlength=n * n).reshape(n, n).astype(np.int64)
