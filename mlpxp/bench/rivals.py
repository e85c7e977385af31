"""The same training written by hand for one library each. What a module here needs is imported when it is: it may not be installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mlpxp.bench.tasks import Rival, Training, operands

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.bench.tasks import Task

__all__ = ["Rival", "ours", "products", "rivals"]


def ours(task: Task, library: Backend, device: str | None = None, *, name: str = "mlpxp") -> Rival:
    """Return ourselves as one of them."""
    training = Training(task, library, device)
    return Rival(name, training.step, training.epoch, training.parameters)


def rivals(name: str, task: Task, library: Backend, device: str | None = None, *, all_of_them: bool = True) -> list[Callable[[], Rival]]:
    """Return what makes each rival in a library: that it can't be made is found out one by one.

    Parameters
    ----------
    name : str
        ``sklearn``, ``torch``, ``jax``.
    task : Task
    library : Backend
        Puts their data where they belong.
    device : str, optional
    all_of_them : bool, default True
        Every way to write it, and those that take long to compile; or the likeliest one.

    Raises
    ------
    ModuleNotFoundError
        Its library is not installed.
    """
    found: list[Callable[[], Rival]] = _module(name).rivals(task, partial(library.asarray, device=device), all_of_them=all_of_them)
    return found


def products(task: Task, library: Backend, device: str | None = None) -> Callable[[], object]:
    """Return a function that computes the matrix products of a step and nothing else, compiled where the library compiles."""
    pairs = [(_as_view(library, A, device), _as_view(library, B, device)) for A, B in operands(task)]
    if library.name == "jax":
        compiled: Callable[[], object] = _module("jax").products(pairs)
        return compiled
    return lambda: [A @ B for A, B in pairs]


def _as_view(library: Backend, array: Any, device: str | None) -> Any:
    """The array with its memory in the order that it has: a transposed one stays a view."""
    if array.flags.c_contiguous:
        return library.asarray(array, device=device)
    return library.asarray(array.mT, device=device).mT


def _module(name: str) -> Any:
    module: Any
    if name == "sklearn":
        from mlpxp.bench import _rivals_in_sklearn

        module = _rivals_in_sklearn
    elif name == "torch":
        from mlpxp.bench import _rivals_in_torch

        module = _rivals_in_torch
    else:
        from mlpxp.bench import _rivals_in_jax

        module = _rivals_in_jax
    return module
