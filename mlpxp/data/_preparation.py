"""What the training rows showed, kept with the model, so that predicting needs raw data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._features import Block, Features, Text, check_range, encode, learn_features, matched, n_inputs, unseen
from mlpxp.data._metadata import from_metadata, to_metadata
from mlpxp.data._table import Label, Table
from mlpxp.data.missing import check_features, count_missing, refuse_useless
from mlpxp.data.targets import Classes, Task, Values, check_outputs, checked_target, learn_classes, learn_values
from mlpxp.data.wording import counted
from mlpxp.errors import DataError, DtypeError, RangeError

__all__ = ["Missing", "Preparation"]

Missing: TypeAlias = Literal["mean", "drop"]


@dataclass(frozen=True)
class Preparation:
    """How raw features become inputs, and a raw target outputs and back.

    Made by ``fit`` on the training rows, or read from a model file by ``from_metadata``.

    Attributes
    ----------
    features : tuple of Number and Text, or Block
        One entry a column, or one for a whole block.
    output : Classes or Values
        What is learnt: classes, or one quantity.
    target_name : str
        The target's column.
    missing : {"mean", "drop"} or None
        What is done about missing features: the training mean (for text the most frequent category) takes their place; rows were
        dropped before (``drop_missing``); or they are an error.
    """

    features: Features
    output: Classes | Values
    target_name: str
    missing: Missing | None = None

    @classmethod
    def fit(cls, table: Table, *, task: Task, missing: Missing | None = None) -> Preparation:
        """Learn the preparation from the training rows, and from nothing else.

        Parameters
        ----------
        table : Table
            The training rows, with their target.
        task : {"classification", "regression"}
            What is to be learnt; see ``infer_task``.
        missing : {"mean", "drop"}, optional
            See the class. With "drop", call ``drop_missing`` first.

        Raises
        ------
        DataError
            A feature or the target is missing or infinite, nothing can be learnt from a column, or there is one class only.
        RangeError
            There is no such task, or no such way with missing values.
        """
        if task not in ("classification", "regression"):
            raise RangeError(f"task must be 'classification' or 'regression', got {task!r}")
        if missing not in (None, "mean", "drop"):
            raise RangeError(f"missing must be 'mean', 'drop' or None, got {missing!r}")
        output = learn_classes(table) if task == "classification" else learn_values(table)
        refuse_useless(table)
        check_features(table, allow_missing=missing == "mean", remedy="fill it in, or say --missing mean or --missing drop")
        return cls(learn_features(table), output, checked_target(table).name, missing)

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return "classification" if isinstance(self.output, Classes) else "regression"

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels in the order of the outputs; empty for regression."""
        return self.output.labels if isinstance(self.output, Classes) else ()

    @property
    def n_inputs(self) -> int:
        """How many inputs the network needs."""
        return n_inputs(self.features)

    @property
    def n_outputs(self) -> int:
        """How many outputs the network needs: one for two classes or a quantity, else one a class."""
        return self.output.n_outputs

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The raw columns that are read; ``x0, x1, ...`` for a block."""
        if isinstance(self.features, Block):
            return tuple(f"x{index}" for index in range(self.features.width))
        return tuple(one.name for one in self.features)

    @property
    def input_names(self) -> tuple[str, ...]:
        """A name for each input: a column's, or ``column=category``."""
        if isinstance(self.features, Block):
            return self.feature_names
        names = (
            [f"{one.name}={category}" for category in one.categories] if isinstance(one, Text) else [one.name] for one in self.features
        )
        return tuple(name for group in names for name in group)

    def inputs(self, table: Table, *, dtype: str = "float64") -> NDArray[Any]:
        """The network's inputs.

        Parameters
        ----------
        table : Table
            Raw data; columns are found by name, others beside them are ignored.
        dtype : {"float32", "float64"}
            Of the result; computed in float64.

        Returns
        -------
        ndarray, shape (m, n_inputs)
            One row an example. A category that training never saw is all zeros (see ``notices``).

        Raises
        ------
        DataError
            A value is infinite, or missing and not to be filled, or text where numbers were.
        DtypeError
            There is no such dtype here.
        ShapeError
            A block is not as wide as in training.
        UnknownNameError
            A column is not there.
        """
        table = matched(self.features, table)
        remedy = "fill it in, or train the model with --missing mean" if self.missing is None else "fill it in, or leave the row out"
        check_features(table, allow_missing=self.missing == "mean", remedy=remedy)
        return encode(self.features, table, _floating(dtype))

    def targets(self, table: Table, *, dtype: str = "float64") -> NDArray[Any]:
        """The outputs that the network should have.

        Returns
        -------
        ndarray, shape (m, n_outputs)
            0 and 1 for two classes, one-hot for more, standardised for a quantity.

        Raises
        ------
        DataError
            A value is missing, infinite, not a number, beyond the range of ``dtype``, or a label that training never saw (it is named).
        DtypeError
            There is no such dtype here.
        """
        with np.errstate(over="ignore"):
            out = self.output.encode(table).astype(_floating(dtype), copy=False)
        check_range(out, table)
        return out

    def labels(self, table: Table) -> NDArray[Any]:
        """The raw targets as ``decode`` would give them, shape (m,), to be compared with it.

        Raises
        ------
        DataError
            As ``targets``.
        """
        if isinstance(self.output, Classes):
            return self.output.decode(self.output.encode(table))
        self.output.encode(table)
        return checked_target(table).values.astype(np.float64)

    def decode(self, A: NDArray[Any]) -> NDArray[Any]:
        """Labels, or values in the target's own unit, from outputs of shape (m, n_outputs).

        Returns
        -------
        ndarray, shape (m,)
            Of the labels' own type (str, int64, bool, float64); float64 for a quantity.

        Raises
        ------
        ShapeError
            A has another shape.
        """
        return self.output.decode(check_outputs(A, self.n_outputs))

    def probabilities(self, A: NDArray[Any]) -> NDArray[Any]:
        """Each class's probability from outputs of shape (m, n_outputs).

        Returns
        -------
        ndarray, shape (m, n_classes)
            In the order of ``classes``, as the network puts them out (softmax and sigmoid outputs are probabilities already).

        Raises
        ------
        DataError
            The model predicts a quantity.
        ShapeError
            A has another shape.
        """
        if not isinstance(self.output, Classes):
            raise DataError(f"probabilities need classes: this model predicts a quantity, {self.target_name!r}")
        return self.output.probabilities(check_outputs(A, self.n_outputs))

    def notices(self, table: Table) -> tuple[str, ...]:
        """What a user should know about how ``table`` is prepared: categories never seen, missing values filled."""
        table = matched(self.features, table)
        filled = count_missing(table) if self.missing == "mean" else {}
        texts = {one.name: one.fill for one in self.features if isinstance(one, Text)} if not isinstance(self.features, Block) else {}
        means = (f"the most frequent category, {texts[name]!r}" if name in texts else "the training mean" for name in filled)
        lines = [
            f"column {name!r}: {counted(n, 'missing value')} replaced by {by}" for (name, n), by in zip(filled.items(), means, strict=True)
        ]
        return (*unseen(self.features, table), *lines)

    def to_metadata(self) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
        """A value that JSON can hold, and the arrays beside it; ``from_metadata`` makes an equal preparation of them."""
        return to_metadata(self.features, self.output, self.target_name, self.missing)

    @classmethod
    def from_metadata(cls, json: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Preparation:
        """The preparation that ``to_metadata`` gave.

        Raises
        ------
        FileFormatError
            It is of a newer version, or something is absent, of the wrong type or makes no sense.
        """
        features, output, target_name, missing = from_metadata(json, arrays)
        return cls(features, output, target_name, cast("Missing | None", missing))


def _floating(dtype: str) -> np.dtype[Any]:
    if dtype not in ("float32", "float64"):
        raise DtypeError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
    return np.dtype(dtype)
