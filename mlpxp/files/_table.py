"""What files hold, by kind; :mod:`mlpxp.exchange._door` adds the estimators, and is the public door."""

from __future__ import annotations

from mlpxp.files._model_file import Model, model_contents, read_model
from mlpxp.files._result_file import read_result, result_contents
from mlpxp.files.checkpoint_file import checkpoint_contents, result_in
from mlpxp.files.kinds import Kind
from mlpxp.runs.history import TrainingResult

__all__ = ["KINDS"]

KINDS = {
    "model": Kind("a Model", lambda value: isinstance(value, Model), model_contents, read_model),
    "result": Kind("a TrainingResult", lambda value: isinstance(value, TrainingResult), result_contents, read_result),
    "checkpoint": Kind("a checkpoint", None, checkpoint_contents, result_in),
}
