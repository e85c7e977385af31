"""The data edge: files and names in, arrays that a network can read out, and labels back.

::

    table = load("measurements.csv", target="species")
    task, why = infer_task(table.target)
    train_rows, test_rows = split(table, 0.2, seed=0, task=task)
    preparation = Preparation.fit(table.take(train_rows), task=task)
    X, Y = preparation.inputs(table.take(train_rows)), preparation.targets(table.take(train_rows))

Here X has one row an example, as everywhere outside the core. polars and scikit-learn are imported when they are first needed.
"""

from mlpxp.data._builtin import BUILTINS
from mlpxp.data._preparation import Missing, Preparation
from mlpxp.data._readers import load
from mlpxp.data._table import Column, Label, Matrix, Table
from mlpxp.data.missing import drop_missing
from mlpxp.data.split import split
from mlpxp.data.targets import Task, infer_task

__all__ = [
    "BUILTINS",
    "Column",
    "Label",
    "Matrix",
    "Missing",
    "Preparation",
    "Table",
    "Task",
    "drop_missing",
    "infer_task",
    "load",
    "split",
]
