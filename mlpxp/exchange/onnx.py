"""Models as ONNX files, made by running the heart on arrays that write down what is done to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpxp.arrays.standard import first_leaf
from mlpxp.errors import MissingLibraryError, ShapeError, UnknownNameError
from mlpxp.exchange._trained import is_estimator, one_value
from mlpxp.exchange.graph import Graph, Port, outputs, parameters_on_host
from mlpxp.files import check_writable, write_atomically
from mlpxp.files.disk import name_of_file

if TYPE_CHECKING:
    from mlpxp.core.network import Network, Parameters

__all__ = ["check_name", "export_onnx", "graph_of", "write_graph"]


def export_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a model as an ONNX file, whose predictions are those of the library.

    The file is what the forward pass (F1, F2) does to arrays that write down what is done to them. Here, as everywhere outside the core,
    examples are rows, and there may be any number N of them.

    Parameters
    ----------
    model : MLPClassifier, MLPRegressor, TrainingResult, Model, or (Network, parameters)
        Fitted, of any backend; an ensemble (``n_networks``) is averaged. Activations of your own may only use the array API.
    path : str or path
        A name that ends in ``.onnx``; an old file is replaced.

    Notes
    -----
    The input ``X`` (N, n_features) has the dtype of the parameters. The outputs are

    - of a classifier ``label`` (N,) in the classes' own type (text, whole numbers, ...), for several labels (N, n_classes) of 0 and 1; and
      ``probabilities`` (N, n_classes), unless the output activation is one that promises none;
    - of a regressor ``prediction`` (N,), or (N, n_outputs) for several;
    - of anything else ``A`` (N, n_L), the last layer's.

    The predictions are the library's to rounding (1e-6 in float32, 1e-12 in float64). What the library refuses, NaN and infinity, a file
    computes with. A file needs opset 21; onnxruntime 1.20 and later run it. ``mlpxp export`` writes a model file of the command line
    together with its preparation of raw columns.

    Raises
    ------
    MissingLibraryError
        ``ndonnx`` is not installed: ``pip install 'mlpxp[onnx]'``.
    NotFittedError
        The estimator is not fitted.
    ShapeError, DtypeError, RangeError
        A stack of networks that is no ensemble, a dtype other than float32 and float64, or more than 2 GiB; ``model`` is something else.
    BackendError
        An activation that ONNX has no form of.
    UnknownNameError, OutputError
        The name does not end in ``.onnx``, or the file can't be written.

    Examples
    --------
    >>> from mlpxp import Network, initialize
    >>> from mlpxp.exchange import export_onnx
    >>> network = Network((4, 8, 3), hidden="tanh", output="softmax", loss="cross_entropy")
    >>> export_onnx((network, initialize(network, seed=0)), "network.onnx")  # doctest: +SKIP
    """
    check_name(path)
    write_graph(graph_of(model), path)


def check_name(path: str | os.PathLike[str]) -> None:
    """Refuse a file's name that doesn't say that it is an ONNX file.

    Raises
    ------
    UnknownNameError
    """
    if Path(name_of_file(path)).suffix.lower() != ".onnx":
        raise UnknownNameError(f"an ONNX file must be named .onnx, got {os.fspath(path)!r}")


def write_graph(graph: Graph, path: str | os.PathLike[str]) -> tuple[Port, ...]:
    """Write a graph, whole or not at all, and return its outputs.

    Raises
    ------
    MissingLibraryError, BackendError, OutputError
        As :func:`export_onnx`.
    """
    check_writable(path)
    try:
        from mlpxp.exchange import _onnx_export as builder
    except ImportError as error:
        raise MissingLibraryError(f"an ONNX file needs {error.name}, which can't be imported: pip install 'mlpxp[onnx]'") from error
    data, found = builder.build(graph)
    write_atomically(path, data)
    ports: tuple[Port, ...] = found
    return ports


def graph_of(model: Any) -> Graph:
    """Return the graph of whatever :func:`export_onnx` takes."""
    model = one_value(model, "export_onnx")
    if not is_estimator(model):
        return _of_network(model.network, model.parameters)
    from mlpxp.exchange._onnx_estimators import graph_of_estimator

    return graph_of_estimator(model)


def _of_network(network: Network, parameters: Parameters) -> Graph:
    parameters = parameters_on_host(network, parameters)
    first = first_leaf(parameters)
    if first.ndim > 2:
        stacked = " x ".join(map(str, first.shape[:-2]))
        raise ShapeError(f"parameters must be of one network, got a stack of {stacked}: export each of mlpxp.unstack(parameters)")
    return Graph(
        inputs=(Port("X", first.dtype.name, ("N", network.sizes[0])),),
        function=lambda arrays: {"A": outputs(network, parameters, arrays["X"]).mT},
        summary=f"{network!r}: one example a row in X, and A of the last layer",
        facts={"network": repr(network)},
    )
