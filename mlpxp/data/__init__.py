"""The data edge: files and names in, arrays that a network can read out, and labels back.

::

    table = load("measurements.csv", target="species")
    task, why = infer_task(table.target)
    train_rows, test_rows = split(table, 0.2, seed=0, task=task)
    preparation = Preparation.fit(table.take(train_rows), task=task)
    X, Y = preparation.inputs(table.take(train_rows)), preparation.targets(table.take(train_rows))

Here X has one row an example, as everywhere outside the core. polars and scikit-learn are imported when they are first needed.

::

    _readers.py       the door: a file, a folder or a name -> a Table
    _builtin.py       the sets that have a name
    frames.py, _columns.py
                      CSV and Parquet, and what a column of them holds
    _archive.py, _idx.py
                      .npz with X and y; MNIST's format
    _unpacking.py     how much a file may unpack to
    _table.py         the raw data, one example a row
    missing.py        missing and infinite values
    split.py          which rows are kept apart
    targets.py        a raw target -> what the network is to put out, and back
    _preparation.py   what the training rows showed, kept with the model
    _features.py, _moments.py
                      numbers standardised, texts one-hot
    _metadata.py      a preparation as JSON and arrays, and back
    traced.py         a preparation as operations of the array API
    wording.py        how errors are worded
    _optional.py      libraries that only this room needs
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
