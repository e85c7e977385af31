"""A network and its parameters in a file: what says which network it is, and one tensor for each W and b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpxp.arrays.backend import backend_of
from mlpxp.core.activations import ACTIVATIONS
from mlpxp.core.losses import LOSSES
from mlpxp.core.network import Layer, Network
from mlpxp.errors import DtypeError, MlpxpError, RangeError, ShapeError, UnknownNameError
from mlpxp.files.schema import DTYPES, put, shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpxp.arrays.placing import Place
    from mlpxp.core.network import Parameters
    from mlpxp.files.schema import Reader

__all__ = ["check_names", "described", "network_in", "on_the_host", "read_layers", "tensors_of"]


def described(network: Network) -> dict[str, Any]:
    """The network as JSON can hold it."""
    return {
        "sizes": list(network.sizes),
        "hidden": [activation.name for activation in network.hidden],
        "output": network.output.name,
        "loss": network.loss.name,
    }


def network_in(reader: Reader) -> Network:
    """The network of a file, if it makes sense.

    Raises
    ------
    FileFormatError
    """
    found = reader.json("network")
    sizes, hidden = found.get("sizes"), found.get("hidden")
    if not isinstance(sizes, list) or any(type(size) is not int for size in sizes):
        raise reader.refuse(f"the network's sizes must be whole numbers, got {shortened(sizes)}")
    if not isinstance(hidden, list) or not all(isinstance(name, str) for name in (*hidden, found.get("output"), found.get("loss"))):
        raise reader.refuse("the network's hidden must be a list of names, its output and its loss a name each")
    try:
        return Network(sizes, hidden=hidden, output=found["output"], loss=found["loss"])
    except MlpxpError as error:
        raise reader.refuse(f"its network makes no sense: {error}") from error


def check_names(network: Network) -> None:
    """Refuse activations and a loss that are not mlpxp's own: a file holds only names.

    Raises
    ------
    UnknownNameError
    """
    for number, activation in enumerate(network.activations, start=1):
        if ACTIVATIONS.get(activation.name) != activation:
            raise UnknownNameError(
                f"the activation {activation.name!r} of layer {number} can't be saved: a model file holds only the name of one of "
                f"{', '.join(ACTIVATIONS)}, and this is none of them"
            )
    if LOSSES.get(network.loss.name) != network.loss:
        raise UnknownNameError(
            f"the loss {network.loss.name!r} can't be saved: a model file holds only the name of one of {', '.join(LOSSES)}, "
            "and this is none of them"
        )


def tensors_of(
    network: Network, parameters: Parameters, *, prefix: str = "layers", like: NDArray[Any] | None = None, finite: bool = True
) -> dict[str, NDArray[Any]]:
    """Parameters on the host, by their names in a file: ``layers.1.W``, ...

    Parameters
    ----------
    network : Network
    parameters : tuple of Layer
    prefix : str, default "layers"
    like : ndarray, optional
        W_1 of other parameters in the file, whose stack and dtype these must have.
    finite : bool, default True
        Whether NaN and infinity are refused.

    Raises
    ------
    ShapeError, DtypeError, RangeError
        They don't fit the network or each other, or are not finite.
    """
    if len(parameters) != len(network.shapes):
        raise ShapeError(f"parameters must have {len(network.shapes)} layers to be saved, got {len(parameters)}")
    tensors: dict[str, NDArray[Any]] = {}
    first = on_the_host(parameters[0].W) if like is None else like
    if first.dtype.name not in DTYPES.values():
        raise DtypeError(f"parameters must be float32 or float64 to be saved, got {first.dtype}")
    for number, (layer, (n, n_in)) in enumerate(zip(parameters, network.shapes, strict=True), start=1):
        for name, array, shape in (("W", layer.W, (n, n_in)), ("b", layer.b, (n, 1))):
            host = on_the_host(array)
            if host.shape != (*first.shape[:-2], *shape):
                raise ShapeError(f"{name}_{number} must have shape {(*first.shape[:-2], *shape)} to be saved, got {host.shape}")
            if host.dtype != first.dtype:
                raise DtypeError(f"parameters must be of one dtype to be saved, {name}_{number} is {host.dtype} and W_1 {first.dtype}")
            if finite and not np.isfinite(host).all():
                raise RangeError(f"{name}_{number} must be finite to be saved, got NaN or infinity")
            tensors[f"{prefix}.{number}.{name}"] = host
    return tensors


def on_the_host(array: Any) -> NDArray[Any]:
    """An array as NumPy's, rows contiguous: the layout of every tensor in a file."""
    host: NDArray[Any] = np.asarray(backend_of(array).to_numpy(array), order="C")
    return host


def read_layers(reader: Reader, network: Network, place: Place, *, prefix: str = "layers", finite: bool = True) -> Parameters:
    """Read parameters that fit the network, all of one network or of one stack.

    Raises
    ------
    FileFormatError
    DtypeError
        The place has no float64.
    """
    dtype, layers = reader.dtype, []
    for number, (n, n_in) in enumerate(network.shapes, start=1):
        shapes = (("W", (n, n_in)), ("b", (n, 1)))
        W, b = (reader.array(f"{prefix}.{number}.{name}", (dtype,), shape, finite=finite) for name, shape in shapes)
        layers.append(Layer(W=W, b=b))
    stacks = {array.shape[:-2] for layer in layers for array in layer}
    if len(stacks) > 1:
        raise reader.refuse(f"its layers must be of one network or of one stack, got stacks {sorted(stacks)}")
    return tuple(Layer(*(put(place, array) for array in layer)) for layer in layers)
