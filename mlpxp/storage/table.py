"""What files hold, by kind; :mod:`mlpxp.exchange.door` adds the estimators, and is the public door."""

from __future__ import annotations

from mlpxp.history import TrainingResult
from mlpxp.storage.checkpoint_file import checkpoint_contents, result_in
from mlpxp.storage.kinds import Kind
from mlpxp.storage.model_file import Model, model_contents, read_model
from mlpxp.storage.result_file import read_result, result_contents

__all__ = ["KINDS"]

KINDS = {
    "model": Kind("a Model", lambda value: isinstance(value, Model), model_contents, read_model),
    "result": Kind("a TrainingResult", lambda value: isinstance(value, TrainingResult), result_contents, read_result),
    "checkpoint": Kind("a checkpoint", None, checkpoint_contents, result_in),
}
