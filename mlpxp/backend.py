"""What a backend adds to an array library: only what the array API standard lacks.

A backend is a value that satisfies :class:`Backend`. They are found by name through the entry-point group
``mlpxp.backends``, ours by the same door as a stranger's. Arrays of a library without a backend work as they are, through
:class:`StandardBackend`, which needs nothing but the standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from mlpxp.arrays import Array, device_of, library_of, namespace, tree_leaves, tree_map
from mlpxp.errors import BackendError, DtypeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Backend", "StandardBackend", "backend_of", "dtype_of", "fold_in_python", "get_backend", "known_backends"]

_GROUP = "mlpxp.backends"
_OURS = {
    name: f"mlpxp_backends.{name}:backend" for name in ("numpy", "cupy", "torch", "jax", "strict")
}  # for a checkout that is not installed
_LIBRARIES = {"array_api_strict": "strict"}  # a backend has its library's name, but for this one


@runtime_checkable
class Backend(Protocol):
    """An array library and the few things the standard lacks."""

    @property
    def name(self) -> str:
        """What it is asked for by: ``"numpy"``."""
        ...

    @property
    def namespace(self) -> Any:
        """The library's array API namespace."""
        ...

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        """Make an array of host data or of the library's own arrays, rows contiguous; copies only where it has to."""
        ...

    def to_numpy(self, array: Any) -> Any:
        """Bring an array to the host; waits for the work it depends on."""
        ...

    def synchronize(self) -> None:
        """Wait until all queued work is done."""
        ...

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        """``state, out = step(state, input, *data)`` over the leading axis of a tree of arrays; the outs are stacked.

        Inputs may be NumPy's, still on the host; the state stays as it is.
        """
        ...


def fold_in_python(xp: Any, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
    """Run the steps of a fold one after the other, as any array library can.

    Parameters
    ----------
    xp : namespace
        Of the arrays.
    step : callable
        ``step(state, input, *data)`` returns the next state and an array.
    state : tree of arrays
    inputs : tree of arrays
        All with the same leading axis, the steps; where the state is, or NumPy's, which are moved there.
    *data : arrays
        What every step may read.

    Returns
    -------
    state, outs
        The last state, and what the steps returned, stacked along a new leading axis.
    """
    outs = []
    device = device_of(tree_leaves(state)[0])
    for one in _steps_of(tree_map(lambda leaf: xp.asarray(leaf, device=device), inputs)):
        state, out = step(state, one, *data)
        outs.append(out)
    return state, xp.stack(outs)


def _steps_of(inputs: Any) -> Iterator[Any]:
    n_steps = tree_leaves(inputs)[0].shape[0]
    for i in range(n_steps):
        yield tree_map(lambda leaf, i=i: leaf[i, ...], inputs)


@dataclass(frozen=True)
class StandardBackend:
    """Any library that speaks the standard, with nothing but the standard.

    Parameters
    ----------
    namespace : module
        The library's array API namespace.
    """

    namespace: Any

    @property
    def name(self) -> str:
        return str(self.namespace.__name__)

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        return self.namespace.asarray(values, dtype=dtype_of(self.namespace, dtype), device=device)

    def to_numpy(self, array: Any) -> Any:
        return get_backend("numpy").asarray(array)

    def synchronize(self) -> None:
        """Do nothing: the standard has no queue to wait for."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        return fold_in_python(self.namespace, step, state, inputs, *data)


def known_backends() -> tuple[str, ...]:
    """Return the names of all registered backends, importing none."""
    return tuple(_registered())


@lru_cache(maxsize=1)
def _registered() -> dict[str, EntryPoint]:
    ours = {name: EntryPoint(name=name, value=value, group=_GROUP) for name, value in _OURS.items()}
    return ours | {point.name: point for point in entry_points(group=_GROUP)}


def get_backend(backend: str | Backend) -> Backend:
    """Return the backend of that name, importing its library; a :class:`Backend` is returned as it is.

    Raises
    ------
    UnknownNameError
        No backend has that name; the message lists the known ones.
    BackendError
        Its library is not installed, or can't be used.
    """
    if isinstance(backend, str):
        return _load(backend)
    if not isinstance(backend, Backend):
        raise UnknownNameError(f"backend must be a name or a Backend, got {backend!r}")
    return backend


@cache
def _load(name: str) -> Backend:
    point = _registered().get(name)
    if point is None:
        raise UnknownNameError(f"backend must be one of {', '.join(known_backends())}, got {name!r}")
    try:
        return cast("Backend", point.load())
    except ImportError as error:
        missing = f"{error.name} is not installed" if isinstance(error, ModuleNotFoundError) else str(error)
        raise BackendError(f"backend {name!r} can't be used: {missing}; try pip install 'mlpxp[{name}]'") from error


def backend_of(array: Array) -> Backend:
    """Return the backend of the library that made ``array``; a library without one gets a :class:`StandardBackend`."""
    try:
        xp = namespace(array)
    except TypeError:
        raise BackendError(f"an array must come from a library that speaks the array API standard, got {library_of(array)}") from None
    return _of_namespace(xp, library_of(array))


@lru_cache(maxsize=64)
def _of_namespace(xp: Any, library: str) -> Backend:
    name = _LIBRARIES.get(library, library)
    return _load(name) if name in _registered() else StandardBackend(xp)


def dtype_of(xp: Any, dtype: Any) -> Any:
    """Return float32 or float64 of a namespace, asked for by name or by the namespace's own dtype; ``None`` stays ``None``.

    Raises
    ------
    DtypeError
        ``dtype`` is neither.
    """
    if dtype is None:
        return None
    for name in ("float32", "float64"):
        if dtype == name if isinstance(dtype, str) else dtype == getattr(xp, name):
            return getattr(xp, name)
    raise DtypeError(f"dtype must be float32 or float64, got {dtype!r}")
