"""The model file: safetensors, with what the arrays mean in its metadata.

The tensors are ``layers.1.W``, ``layers.1.b``, ``layers.2.W``, ... with the shapes of :class:`mlpxp.Layer`, and whatever a caller adds
as ``extra.<name>``. The metadata of a safetensors file are texts by name:

``format``
    ``mlpxp``.
``format_version``
    ``1``. It rises when a reader of this version would misread a file; other additions leave it.
``network``
    JSON: ``{"sizes": [4, 16, 3], "hidden": ["relu"], "output": "softmax", "loss": "cross_entropy"}``.
``dtype``
    ``float32`` or ``float64``, that of the layers.
``metadata``
    JSON: an object of the caller's. The command line puts ``preparation`` (how raw data become inputs; its arrays are
    ``extra.preparation.<name>``) and ``training`` (the record of the run) there.
``created``
    The time in UTC, ISO 8601.
``versions``
    JSON: what wrote the file, ``{"mlpxp": ..., "numpy": ..., "python": ...}``.

Nothing in a file is executed, and nothing is believed: what does not fit together is refused.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.activations import ACTIVATIONS
from mlpxp.backend import backend_of, get_backend
from mlpxp.errors import DataError, DtypeError, FileFormatError, MlpxpError, RangeError, ShapeError, UnknownNameError
from mlpxp.losses import LOSSES
from mlpxp.network import Layer, Network, Parameters
from mlpxp.storage.files import write_atomically

if TYPE_CHECKING:
    from mlpxp.backend import Backend

__all__ = ["FORMAT_VERSION", "Model", "load_model", "save_model"]

FORMAT_VERSION = 1
DTYPES = {"F32": "float32", "F64": "float64"}  # as safetensors calls them
EXTRA = "extra."


@dataclass(frozen=True, eq=False)
class Model:
    """What a model file holds.

    Attributes
    ----------
    network : Network
    parameters : tuple of Layer
    dtype : {"float32", "float64"}
        Of the parameters.
    metadata : dict
        What the caller of :func:`save_model` put there.
    arrays : dict of str to ndarray
        The caller's own arrays.
    created : str
        When the file was written, or empty.
    versions : dict of str to str
        By what.
    """

    network: Network
    parameters: Parameters
    dtype: str = "float32"
    metadata: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict)


def save_model(
    path: str | os.PathLike[str],
    network: Network,
    parameters: Parameters,
    *,
    metadata: Mapping[str, Any] | None = None,
    arrays: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Write a model, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file; an old one is replaced.
    network : Network
        Of mlpxp's own activations and loss: a file holds only their names.
    parameters : tuple of Layer
        On any array library; a stack too.
    metadata : mapping, optional
        What JSON can hold.
    arrays : mapping of str to ndarray, optional
        float32 or float64.

    Raises
    ------
    UnknownNameError
        An activation or the loss is not one of mlpxp's own.
    ShapeError, DtypeError, RangeError
        The parameters don't fit the network or are not finite, or metadata or arrays can't be put into a file.
    OutputError
        The file can't be written.
    """
    from safetensors.numpy import save

    _check_names(network)
    tensors = _tensors(network, parameters)
    dtype = tensors["layers.1.W"].dtype.name
    for name, array in (arrays or {}).items():
        if array.dtype.name not in DTYPES.values():
            raise DtypeError(f"the array {name!r} must be float32 or float64 to be saved, got {array.dtype}")
        tensors[EXTRA + name] = np.ascontiguousarray(array)
    texts = {
        "format": "mlpxp",
        "format_version": str(FORMAT_VERSION),
        "network": _json(described(network), "network"),
        "dtype": dtype,
        "metadata": _json(dict(metadata or {}), "metadata"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": _json({"mlpxp": _own_version(), "numpy": np.__version__, "python": platform.python_version()}, "versions"),
    }
    write_atomically(path, save(tensors, metadata=texts))


def load_model(path: str | os.PathLike[str], *, backend: str | Backend = "auto", device: Any = None) -> Model:
    """Read a model, and believe nothing in it that doesn't fit together.

    Parameters
    ----------
    path : str or path
    backend : str or Backend, default "auto"
        The array library of the parameters.
    device : optional
        Where they are put; the library's default device if ``None``.

    Raises
    ------
    DataError
        There is no such file, or it can't be opened.
    FileFormatError
        It is damaged, cut short, no model of mlpxp's, from a newer version, or it contradicts itself.
    """
    from safetensors import SafetensorError, safe_open

    library = get_backend(backend)
    file = Path(path)
    try:
        if file.is_dir():
            raise DataError(f"{file} is a folder: wanted a model file")
        with file.open("rb"):
            pass  # for an error of the system's own; safe_open would word it otherwise
        with safe_open(str(file), framework="numpy") as opened:
            return _read(_Reader(file, opened), library, device)
    except FileNotFoundError as error:
        raise DataError(f"{file}: no such file: wanted a model file that mlpxp train has written") from error
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise FileFormatError(f"{file} is no model file, or it is damaged or cut short: {error}") from error


def described(network: Network) -> dict[str, Any]:
    """The network as JSON can hold it."""
    return {
        "sizes": list(network.sizes),
        "hidden": [activation.name for activation in network.hidden],
        "output": network.output.name,
        "loss": network.loss.name,
    }


class _Reader:
    """An opened file that checks what it hands out."""

    def __init__(self, path: Path, opened: Any) -> None:
        self.path, self.opened = path, opened
        self.names = set(opened.keys())
        self.texts: dict[str, str] = opened.metadata() or {}

    def refuse(self, why: str) -> FileFormatError:
        return FileFormatError(f"{self.path} is a damaged or foreign model file: {why}")

    def json(self, name: str, *, required: bool = True) -> dict[str, Any]:
        """One of the metadata that are JSON objects."""
        if name not in self.texts and not required:
            return {}
        try:
            value = json.loads(self.texts[name], parse_constant=_no_constant)
        except KeyError:
            raise self.refuse(f"its metadata have no {name!r}") from None
        except (ValueError, RecursionError) as error:
            raise self.refuse(f"its {name} is not JSON ({error})") from error
        if not isinstance(value, dict):
            raise self.refuse(f"its {name} must be a JSON object, got {_shortened(value)}")
        return value

    def array(self, name: str, dtypes: tuple[str, ...], shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """A finite array of one of these dtypes whose shape ends with ``shape``; checked before it is read."""
        if name not in self.names:
            raise self.refuse(f"it has no tensor {name!r}")
        header = self.opened.get_slice(name)
        dtype, got = DTYPES.get(header.get_dtype(), header.get_dtype()), tuple(header.get_shape())
        if dtype not in dtypes:
            raise self.refuse(f"{name} must be {' or '.join(dtypes)}, got {dtype}")
        if shape is not None and got[-len(shape) :] != shape:
            raise self.refuse(f"{name} must have shape {shape}, as the network's sizes say, got {got}")
        array: NDArray[Any] = self.opened.get_tensor(name)
        if not np.isfinite(array).all():
            raise self.refuse(f"{name} must be finite, got NaN or infinity")
        return array


def _read(reader: _Reader, library: Backend, device: Any) -> Model:
    if reader.texts.get("format") != "mlpxp":
        raise FileFormatError(f"{reader.path} is a safetensors file, but no model of mlpxp's: its metadata don't say so")
    _check_version(reader)
    network = _network(reader)
    dtype = reader.texts.get("dtype", "")
    if dtype not in DTYPES.values():
        raise reader.refuse(f"dtype must be float32 or float64, got {_shortened(dtype)}")
    layers = []
    for number, (n, n_in) in enumerate(network.shapes, start=1):
        W, b = (reader.array(f"layers.{number}.{name}", (dtype,), shape) for name, shape in (("W", (n, n_in)), ("b", (n, 1))))
        layers.append(Layer(W=W, b=b))
    stacks = {array.shape[:-2] for layer in layers for array in layer}
    if len(stacks) > 1:
        raise reader.refuse(f"its layers must be of one network or of one stack, got stacks {sorted(stacks)}")
    return Model(
        network=network,
        parameters=tuple(Layer(*(library.asarray(array, dtype=dtype, device=device) for array in layer)) for layer in layers),
        dtype=dtype,
        metadata=reader.json("metadata", required=False),
        arrays={
            name.removeprefix(EXTRA): reader.array(name, ("float32", "float64")) for name in sorted(reader.names) if name.startswith(EXTRA)
        },
        created=reader.texts.get("created", ""),
        versions={name: str(value) for name, value in reader.json("versions", required=False).items()},
    )


def _check_version(reader: _Reader) -> None:
    written = reader.texts.get("format_version", "")
    if not (written.isascii() and written.isdigit()) or len(written) > 9 or int(written) < 1:
        raise reader.refuse(f"format_version must be a whole number from 1, got {_shortened(written)}")
    if int(written) > FORMAT_VERSION:
        raise FileFormatError(
            f"{reader.path} is of format version {written}, this mlpxp reads up to version {FORMAT_VERSION}: a newer mlpxp is needed"
        )


def _network(reader: _Reader) -> Network:
    found = reader.json("network")
    sizes, hidden = found.get("sizes"), found.get("hidden")
    if not isinstance(sizes, list) or any(type(size) is not int for size in sizes):
        raise reader.refuse(f"the network's sizes must be whole numbers, got {_shortened(sizes)}")
    if not isinstance(hidden, list) or not all(isinstance(name, str) for name in (*hidden, found.get("output"), found.get("loss"))):
        raise reader.refuse("the network's hidden must be a list of names, its output and its loss a name each")
    try:
        return Network(sizes, hidden=hidden, output=found["output"], loss=found["loss"])
    except MlpxpError as error:
        raise reader.refuse(f"its network makes no sense: {error}") from error


def _check_names(network: Network) -> None:
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


def _tensors(network: Network, parameters: Parameters) -> dict[str, NDArray[Any]]:
    """The parameters on the host, by their names in the file."""
    if len(parameters) != len(network.shapes):
        raise ShapeError(f"parameters must have {len(network.shapes)} layers to be saved, got {len(parameters)}")
    tensors: dict[str, NDArray[Any]] = {}
    first = backend_of(parameters[0].W).to_numpy(parameters[0].W)
    if first.dtype.name not in DTYPES.values():
        raise DtypeError(f"parameters must be float32 or float64 to be saved, got {first.dtype}")
    for number, (layer, (n, n_in)) in enumerate(zip(parameters, network.shapes, strict=True), start=1):
        for name, array, shape in (("W", layer.W, (n, n_in)), ("b", layer.b, (n, 1))):
            host = np.ascontiguousarray(backend_of(array).to_numpy(array))
            if host.shape != (*first.shape[:-2], *shape):
                raise ShapeError(f"{name}_{number} must have shape {(*first.shape[:-2], *shape)} to be saved, got {host.shape}")
            if host.dtype != first.dtype:
                raise DtypeError(f"parameters must be of one dtype to be saved, {name}_{number} is {host.dtype} and W_1 {first.dtype}")
            if not np.isfinite(host).all():
                raise RangeError(f"{name}_{number} must be finite to be saved, got NaN or infinity")
            tensors[f"layers.{number}.{name}"] = host
    return tensors


def _json(value: dict[str, Any], name: str) -> str:
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RangeError(f"{name} must be what JSON can hold (null for NaN) to be saved: {error}") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _own_version() -> str:
    try:
        return version("mlpxp")
    except PackageNotFoundError:
        return "unknown"
