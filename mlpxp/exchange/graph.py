"""What an ONNX file is made of: its inputs, its outputs, and the forward pass run on arrays that write down what is done to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import first_leaf, maker_like, namespace, tree_leaves, tree_map
from mlpxp.core import propagation
from mlpxp.core.shapes import check_shapes
from mlpxp.errors import BackendError, DtypeError, RangeError, ShapeError

if TYPE_CHECKING:
    from mlpxp.core.network import Network, Parameters

__all__ = ["Graph", "Port", "listed", "outputs", "parameters_on_host"]

_MOST_BYTES = (1 << 31) - (1 << 20)  # an ONNX file is one message of protobuf, which holds 2 GiB


@dataclass(frozen=True)
class Port:
    """An input or an output of a file.

    Attributes
    ----------
    name : str
    dtype : str
        ``float32``, ``float64``, ``int64``, ``bool``, ``str``, ...
    shape : tuple of int or str
        ``"N"`` is the number of examples, which is free.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Graph:
    """What is to be written: what goes in, and how the outputs come of it.

    Attributes
    ----------
    inputs : tuple of Port
    function : callable
        Takes a dict of the inputs' arrays by name, and returns one of the outputs'. It may only use the array API: the arrays hold no
        numbers, and the length of the first axis is ``None``.
    summary : str
        What the model is, for people.
    facts : dict of str to str
        The same for programs: the file's metadata.
    """

    inputs: tuple[Port, ...]
    function: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    summary: str
    facts: Mapping[str, str] = field(default_factory=dict)


def parameters_on_host(network: Network, parameters: Parameters) -> Parameters:
    """Return parameters as NumPy arrays, checked for what a file can hold.

    Raises
    ------
    ShapeError, DtypeError, RangeError, BackendError
    """
    if not parameters:
        raise ShapeError(f"parameters must have {len(network.shapes)} layers, got none")
    held: Parameters = tree_map(lambda leaf: backend_of(leaf).to_numpy(leaf), parameters)
    first = first_leaf(held)
    check_shapes(network, held, np.empty((network.sizes[0], 0), dtype=first.dtype))
    if first.dtype.name not in ("float32", "float64"):
        raise DtypeError(f"an ONNX file is made of parameters of float32 or float64, got {first.dtype}")
    size = sum(leaf.nbytes for leaf in tree_leaves(held))
    if size > _MOST_BYTES:
        raise RangeError(f"an ONNX file holds at most 2 GiB, and these parameters are {size / (1 << 30):.1f} GiB")
    return held


def outputs(network: Network, parameters: Parameters, X: Any) -> Any:
    """Run the heart in the library of X: A_L (n_L, N) or (k, n_L, N) of the rows X (N, n_0), with parameters from the host.

    Raises
    ------
    BackendError
        An activation that can't be run there; the message names it.
    """
    here = tree_map(maker_like(X), parameters)
    try:
        A = propagation.predict(network, here, X.mT)
        if type(A) is not type(X) or A.dtype != X.dtype:
            raise TypeError(f"it makes {getattr(A, 'dtype', type(A).__name__)} of {X.dtype}")
    except Exception as error:
        raise _blamed(network, here[0].W @ X.mT, error) from error
    return A


def _blamed(network: Network, Z: Any, error: Exception) -> BackendError:
    """Find the activation that an error comes from: the first that fails by itself."""
    for activation in network.activations:
        try:
            A = activation.function(namespace(Z).positive(Z))
            if type(A) is not type(Z) or A.dtype != Z.dtype:
                raise TypeError(f"it makes {getattr(A, 'dtype', type(A).__name__)} of {Z.dtype}")
        except Exception as found:
            why = " ".join(str(found).split()) or type(found).__name__
            return BackendError(
                f"the activation {activation.name!r} can't be put into an ONNX file: {why}; it may only use what the array API standard "
                "and ndonnx have, and look at no number"
            )
    return BackendError(f"the forward pass can't be put into an ONNX file: {' '.join(str(error).split()) or type(error).__name__}")


def listed(values: Any) -> str:
    """Values of the host as JSON, for the facts of a graph."""
    return json.dumps([value.item() if isinstance(value, np.generic) else value for value in values], ensure_ascii=False)
