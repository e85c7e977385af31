"""ONNX: ndonnx's arrays, which write down what is done to them, and the file that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ndonnx
import onnx

import mlpxp
from mlpxp.exchange._onnx_graph import shorten
from mlpxp.exchange.graph import Port

if TYPE_CHECKING:
    from mlpxp.exchange.graph import Graph

__all__ = ["build"]

_TEXT = "str"


def build(graph: Graph) -> tuple[bytes, tuple[Port, ...]]:
    """Run a graph's function on ndonnx's arrays; return the file, which onnx's checker has passed, and its outputs.

    Raises
    ------
    BackendError
        An activation that ndonnx can't run.
    """
    arguments = {port.name: ndonnx.argument(shape=port.shape, dtype=_dtype(port.dtype)) for port in graph.inputs}
    found = dict(graph.function(arguments))
    ports = tuple(Port(name, _named(array.dtype), tuple("N" if n is None else n for n in array.shape)) for name, array in found.items())
    model = ndonnx.build(arguments, found)
    shorten(model.graph)
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[0].dim_param = "N"
    model.producer_name, model.producer_version = "mlpxp", mlpxp.__version__
    model.graph.name, model.doc_string = "mlpxp", graph.summary
    onnx.helper.set_model_props(model, {"mlpxp": mlpxp.__version__, **graph.facts})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(), ports


def _dtype(name: str) -> Any:
    return ndonnx.utf8 if name == _TEXT else getattr(ndonnx, name)


def _named(dtype: Any) -> str:
    return _TEXT if dtype == ndonnx.utf8 else str(dtype)
