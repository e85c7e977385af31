"""Models in the formats of other libraries, in and out. What a part needs is imported when it is asked for."""

from mlpxp.exchange._door import load, save
from mlpxp.exchange._keras import from_keras_weights
from mlpxp.exchange._sklearn import from_sklearn, to_sklearn
from mlpxp.exchange._to_backend import to_backend
from mlpxp.exchange._torch import from_torch, to_torch
from mlpxp.exchange.onnx import export_onnx

__all__ = ["export_onnx", "from_keras_weights", "from_sklearn", "from_torch", "load", "save", "to_backend", "to_sklearn", "to_torch"]
