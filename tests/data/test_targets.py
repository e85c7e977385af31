"""Classification or regression, and why."""

import numpy as np
import pytest

from mlpxp.data import Column, infer_task
from mlpxp.errors import DataError


def text(*values):
    categories = tuple(sorted(set(values)))
    return Column("y", np.array([categories.index(value) for value in values]), "text", categories)


@pytest.mark.parametrize(
    ("target", "task", "reason"),
    [
        (text("a", "b", "c", "a"), "classification", "the target 'y' is text with 3 values"),
        (Column("y", np.array([True, False]), "boolean"), "classification", "the target 'y' is true or false"),
        (Column("y", np.array([0, 1, 1, 0]), "integer"), "classification", "the target 'y' is whole numbers with 2 values"),
        (Column("y", np.array([1.0, 2.0, np.nan, 1.0])), "classification", "the target 'y' is whole numbers with 2 values"),
        (Column("y", np.array([0.5, 1.0, 0.5, 1.0])), "regression", "the target 'y' is numbers with fractions"),
        (Column("y", np.arange(5000) % 4177, "integer"), "regression", "the target 'y' is numbers with 4,177 values"),
        (Column("y", np.arange(10), "integer"), "regression", "the target 'y' is whole numbers that hardly repeat"),
        (Column("y", np.array([0, 1]), "integer"), "classification", "the target 'y' is whole numbers with 2 values"),
        (Column("y", np.array([1.0, np.inf, 1.0])), "classification", "the target 'y' is whole numbers with 2 values"),
    ],
)
def test_infer_task(target, task, reason):
    assert infer_task(target) == (task, reason)


def test_a_target_without_values():
    with pytest.raises(DataError, match="the target 'y' has no values"):
        infer_task(Column("y", np.array([np.nan, np.nan])))
