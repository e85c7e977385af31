"""The public door: ``save`` a value and ``load`` it again, one safetensors file each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlpxp.history import TrainingResult
from mlpxp.storage.checkpoint_file import checkpoint_contents, result_in
from mlpxp.storage.kinds import Kind, load_as, save_as
from mlpxp.storage.model_file import Model, model_contents, read_model
from mlpxp.storage.result_file import read_result, result_contents

if TYPE_CHECKING:
    from mlpxp.backend import Backend

__all__ = ["KINDS", "load", "save"]

KINDS = {
    "model": Kind("a Model", lambda value: isinstance(value, Model), model_contents, read_model),
    "result": Kind("a TrainingResult", lambda value: isinstance(value, TrainingResult), result_contents, read_result),
    "checkpoint": Kind("a checkpoint", None, checkpoint_contents, result_in),
}


def save(path: str | os.PathLike[str], value: Model | TrainingResult) -> None:
    """Write a network with its parameters, or a training result, as one safetensors file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file; an old one is replaced.
    value : Model or TrainingResult
        On any array library and device; a stack too. Of mlpxp's own activations, losses and optimizers: a file holds only their names,
        and nothing in it is ever executed.

    Raises
    ------
    RangeError
        ``value`` is something else, or has numbers that are not finite.
    UnknownNameError
        An activation, the loss or the optimizer's state is not one of mlpxp's own.
    ShapeError, DtypeError
        The parameters don't fit the network.
    OutputError
        The file can't be written.
    MissingLibraryError
        safetensors is not installed.

    Examples
    --------
    >>> from mlpxp import Model, Network, initialize, load, save
    >>> network = Network((2, 3, 1))
    >>> save("model.safetensors", Model(network, initialize(network, seed=0)))  # doctest: +SKIP
    >>> load("model.safetensors", backend="torch", device="cuda").parameters  # doctest: +SKIP
    """
    save_as(KINDS, path, value)


def load(path: str | os.PathLike[str], *, backend: str | Backend = "auto", device: Any = None, dtype: str | None = None) -> Any:
    """Read what :func:`save` has written, or what any earlier mlpxp has; or a checkpoint of :func:`mlpxp.train`.

    Parameters
    ----------
    path : str or path
    backend : str or Backend, default "auto"
        The array library of what comes back, whatever it was saved from; ``"auto"`` is NumPy.
    device : str, Device or the library's own device object, optional
        Where it is put; the library's default device if ``None``.
    dtype : {"float32", "float64"}, optional
        By default the file's. A device that has no float64 needs ``"float32"``; nothing is rounded silently.

    Returns
    -------
    Model or TrainingResult
        What was saved; of a checkpoint the result of a run that was interrupted there.

    Raises
    ------
    DataError
        There is no such file, or it can't be opened.
    FileFormatError
        It is damaged, cut short, foreign, from a newer version, or it contradicts itself.
    DtypeError
        It holds float64, which the library or the device doesn't have.
    MissingLibraryError
        safetensors is not installed.
    """
    return load_as(KINDS, path, backend=backend, device=device, dtype=dtype)
