"""The model file: a network with its parameters, and what else predicting needs.

Beside what every file has (:mod:`mlpxp.files.schema`) there are the tensors ``extra.<name>`` that a caller adds, and the metadata

``metadata``
    JSON: an object of the caller's. The command line puts ``preparation`` (how raw data become inputs; its arrays are
    ``extra.preparation.<name>``) and ``training`` (the record of the run) there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.placing import Place
from mlpxp.core.model import Model
from mlpxp.core.network import Network, Parameters
from mlpxp.errors import DtypeError
from mlpxp.files.networks import check_names, described, network_in, read_layers, tensors_of
from mlpxp.files.schema import DTYPES, Contents, Reader, opened, to_json, write_file

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["Model", "load_model", "model_contents", "read_model", "save_model"]

EXTRA = "extra."


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
    write_file(path, "model", model_contents(Model(network, parameters, dict(metadata or {}), dict(arrays or {}))))


def load_model(path: str | os.PathLike[str], *, backend: str | Backend = "auto", device: Any = None, dtype: str | None = None) -> Model:
    """Read the network and the parameters of a file, of whatever kind it is, and believe nothing in it that doesn't fit together.

    Parameters
    ----------
    path : str or path
    backend : str or Backend, default "auto"
        The array library of the parameters.
    device : optional
        Where they are put; the library's default device if ``None``.
    dtype : {"float32", "float64"}, optional
        Theirs; by default the file's.

    Raises
    ------
    DataError
        There is no such file, or it can't be opened.
    FileFormatError
        It is damaged, cut short, no model of mlpxp's, from a newer version, or it contradicts itself.
    """
    place = Place(get_backend(backend), device, dtype)
    with opened(path) as reader:
        return read_model(reader, place)


def model_contents(model: Model) -> Contents:
    """What a file of this model holds."""
    check_names(model.network)
    tensors = tensors_of(model.network, model.parameters)
    dtype = tensors["layers.1.W"].dtype.name
    for name, array in model.arrays.items():
        if array.dtype.name not in DTYPES.values():
            raise DtypeError(f"the array {name!r} must be float32 or float64 to be saved, got {array.dtype}")
        tensors[EXTRA + name] = np.asarray(array, order="C")
    texts = {
        "network": to_json(described(model.network), "network"),
        "dtype": dtype,
        "metadata": to_json(model.metadata, "metadata"),
    }
    return Contents(tensors, texts)


def read_model(reader: Reader, place: Place) -> Model:
    """Read a model from an opened file."""
    network = network_in(reader)
    extras = sorted(name for name in reader.names if name.startswith(EXTRA))
    return Model(
        network=network,
        parameters=read_layers(reader, network, place),
        metadata=reader.json("metadata", required=False),
        arrays={name.removeprefix(EXTRA): reader.array(name, tuple(DTYPES.values())) for name in extras},
        created=reader.created,
        versions=reader.versions,
    )
