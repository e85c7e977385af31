"""Multi-layer perceptrons whose mathematics is written once and runs on every array library.

Inside, the notation of the textbook: examples are columns, X is (n_0, m), W_l is (n_l, n_{l-1}), b_l is (n_l, 1), and Z_l and A_l
are (n_l, m). The cost and its gradients are means over the examples. Axes before the last two are stacks of networks. What comes
out has the library, the device and the dtype of what went in; nothing is moved or converted that the caller did not ask for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlpxp.activations import ACTIVATIONS, Activation
    from mlpxp.backend import Backend, get_backend, known_backends
    from mlpxp.devices import Device
    from mlpxp.errors import (
        BackendError,
        CheckpointWarning,
        DataError,
        DivergenceError,
        DtypeError,
        FileFormatError,
        MissingLibraryError,
        MlpxpError,
        MlpxpWarning,
        OutOfMemoryError,
        OutputError,
        PairingError,
        RangeError,
        ScaleWarning,
        ShapeError,
        UnknownNameError,
        ValidationWarning,
    )
    from mlpxp.estimators import MLPClassifier, MLPRegressor
    from mlpxp.evaluation import Evaluation, evaluate
    from mlpxp.exchange import from_keras_weights, from_sklearn, from_torch, load, save, to_backend, to_sklearn, to_torch
    from mlpxp.functional import backward, cost, cost_and_gradients, forward, predict
    from mlpxp.gradient_check import GradientCheck, check_gradients
    from mlpxp.history import Epoch, History, TrainingResult
    from mlpxp.instruments.counting import Operations, count_operations, counting
    from mlpxp.losses import LOSSES, Loss
    from mlpxp.model import Model
    from mlpxp.naive import naive_gradients
    from mlpxp.network import Layer, Network, Parameters, initialize, stack, unstack
    from mlpxp.optimizers import Adam, AdamW, Constant, Cosine, GradientDescent, StepDecay, WarmUp
    from mlpxp.propagation import Passed
    from mlpxp.separability.perceptron import PerceptronRun, perceptron
    from mlpxp.separability.separation import Separation, separate
    from mlpxp.stopping import Stop
    from mlpxp.streaming import Rows
    from mlpxp.survey import BackendStatus, backends
    from mlpxp.training import train
    from mlpxp.versions import show_versions

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Activation",
    "Adam",
    "AdamW",
    "Backend",
    "BackendError",
    "BackendStatus",
    "CheckpointWarning",
    "Constant",
    "Cosine",
    "DataError",
    "Device",
    "DivergenceError",
    "DtypeError",
    "Epoch",
    "Evaluation",
    "FileFormatError",
    "GradientCheck",
    "GradientDescent",
    "History",
    "Layer",
    "Loss",
    "MLPClassifier",
    "MLPRegressor",
    "MissingLibraryError",
    "MlpxpError",
    "MlpxpWarning",
    "Model",
    "Network",
    "Operations",
    "OutOfMemoryError",
    "OutputError",
    "PairingError",
    "Parameters",
    "Passed",
    "PerceptronRun",
    "RangeError",
    "Rows",
    "ScaleWarning",
    "Separation",
    "ShapeError",
    "StepDecay",
    "Stop",
    "TrainingResult",
    "UnknownNameError",
    "ValidationWarning",
    "WarmUp",
    "__version__",
    "backends",
    "backward",
    "check_gradients",
    "cost",
    "cost_and_gradients",
    "count_operations",
    "counting",
    "evaluate",
    "forward",
    "from_keras_weights",
    "from_sklearn",
    "from_torch",
    "get_backend",
    "initialize",
    "known_backends",
    "load",
    "naive_gradients",
    "perceptron",
    "predict",
    "save",
    "separate",
    "show_versions",
    "stack",
    "to_backend",
    "to_sklearn",
    "to_torch",
    "train",
    "unstack",
]

__version__ = "0.1.0"

_WHERE = {
    "activations": "ACTIVATIONS Activation",
    "backend": "Backend get_backend known_backends",
    "devices": "Device",
    "errors": "BackendError CheckpointWarning DataError DivergenceError DtypeError FileFormatError MissingLibraryError MlpxpError "
    "MlpxpWarning OutOfMemoryError OutputError PairingError RangeError ScaleWarning ShapeError UnknownNameError ValidationWarning",
    "estimators": "MLPClassifier MLPRegressor",
    "evaluation": "Evaluation evaluate",
    "exchange": "from_keras_weights from_sklearn from_torch load save to_backend to_sklearn to_torch",
    "functional": "backward cost cost_and_gradients forward predict",
    "gradient_check": "GradientCheck check_gradients",
    "history": "Epoch History TrainingResult",
    "instruments.counting": "Operations count_operations counting",
    "losses": "LOSSES Loss",
    "model": "Model",
    "naive": "naive_gradients",
    "network": "Layer Network Parameters initialize stack unstack",
    "optimizers": "Adam AdamW Constant Cosine GradientDescent StepDecay WarmUp",
    "propagation": "Passed",
    "separability.perceptron": "PerceptronRun perceptron",
    "separability.separation": "Separation separate",
    "stopping": "Stop",
    "streaming": "Rows",
    "survey": "BackendStatus backends",
    "training": "train",
    "versions": "show_versions",
}
"""Where each public name is: its module is imported when the name is first asked for, so that importing this one costs nothing."""

_MODULES = {name: f"mlpxp.{module}" for module, names in _WHERE.items() for name in names.split()}
_EXTRAS = {"mlpxp.estimators": "sklearn"}  # what needs more than the core, and how to get it


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'mlpxp' has no attribute {name!r}")
    module = _MODULES[name]
    try:
        value = getattr(import_module(module), name)
    except ImportError as error:
        if module not in _EXTRAS:
            raise
        from mlpxp.errors import MissingLibraryError

        raise MissingLibraryError(
            f"mlpxp.{name} needs {error.name}, which can't be imported: pip install 'mlpxp[{_EXTRAS[module]}]'"
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
