"""The public door: ``save`` a value and ``load`` it again, estimators too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlpxp.exchange._estimator_file import estimator_contents, read_estimator
from mlpxp.exchange._trained import is_estimator, one_value
from mlpxp.files import KINDS as STORED
from mlpxp.files import Kind, load_as, save_as
from mlpxp.files.disk import name_of_file

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend

__all__ = ["KINDS", "load", "save"]

KINDS = STORED | {"estimator": Kind("a fitted MLPClassifier or MLPRegressor", is_estimator, estimator_contents, read_estimator)}


def save(path: str | os.PathLike[str], value: Any) -> None:
    """Write a network with its parameters, a training result or a fitted estimator as one safetensors file, whole or not at all.

    Parameters
    ----------
    path : str or path
        The file; an old one is replaced.
    value : Model, TrainingResult, MLPClassifier, MLPRegressor, or (Network, parameters)
        On any array library and device; a stack too. Of mlpxp's own activations, losses and optimizers: a file holds only their names,
        and nothing in it is ever executed. An estimator's parameters must be numbers, texts and such names too, no functions.

    Raises
    ------
    RangeError
        ``value`` has numbers that are not finite.
    UnknownNameError
        An activation, the loss, the optimizer's state or a parameter is not one of mlpxp's own.
    NotFittedError
        An estimator is not fitted.
    ShapeError, DtypeError
        The parameters don't fit the network; ``value`` is something else, or ``path`` is no name.
    OutputError
        The file can't be written.
    MissingLibraryError
        safetensors is not installed, or for an estimator scikit-learn.

    Examples
    --------
    >>> from mlpxp import Model, Network, initialize, load, save
    >>> network = Network((2, 3, 1))
    >>> save("model.safetensors", Model(network, initialize(network, seed=0)))  # doctest: +SKIP
    >>> save("model.safetensors", (network, initialize(network, seed=0)))  # the same  # doctest: +SKIP
    >>> load("model.safetensors", backend="torch", device="cuda").parameters  # doctest: +SKIP
    """
    name_of_file(path)
    save_as(KINDS, path, one_value(value, "save"))


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
    Model, TrainingResult, MLPClassifier or MLPRegressor
        What was saved; of a checkpoint the result of a run that was interrupted there. An estimator predicts the same to the bit and
        ``partial_fit`` goes on as if nothing had happened, in the library that it was saved from. Its ``backend`` and ``device`` are what
        they were; with another ``backend`` than NumPy, or a ``device``, it is moved as :func:`mlpxp.to_backend` does.

    Raises
    ------
    DataError
        There is no such file, or it can't be opened.
    FileFormatError
        It is damaged, cut short, foreign, from a newer version, or it contradicts itself.
    DtypeError
        It holds float64, which the library or the device doesn't have; or ``path`` is no name.
    MissingLibraryError
        safetensors is not installed, or for an estimator scikit-learn.
    """
    return load_as(KINDS, path, backend=backend, device=device, dtype=dtype)
