"""Models in the formats of other libraries, in and out. What a part needs is imported when it is asked for.

::

    _door.py             save and load, estimators too
    _trained.py          the one rule for what is a trained network
    _estimator_file.py   the file of a fitted estimator
    _values.py           its parameters and labels as JSON, and back
    _sklearn.py          scikit-learn's estimators
    _torch.py, _torch_modules.py
                         PyTorch's nn.Sequential
    _keras.py            the weights of Keras' dense layers
    _networks.py         a network for layers that come from elsewhere
    _to_backend.py       models, results and estimators in another array library
    graph.py             what an ONNX file is made of
    onnx.py, _onnx_estimators.py, _onnx_export.py, _onnx_graph.py
                         ONNX files
"""

from mlpxp.exchange._door import load, save
from mlpxp.exchange._keras import from_keras_weights
from mlpxp.exchange._sklearn import from_sklearn, to_sklearn
from mlpxp.exchange._to_backend import to_backend
from mlpxp.exchange._torch import from_torch, to_torch
from mlpxp.exchange.onnx import export_onnx

__all__ = ["export_onnx", "from_keras_weights", "from_sklearn", "from_torch", "load", "save", "to_backend", "to_sklearn", "to_torch"]
