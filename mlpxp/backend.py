"""What a backend adds to an array library: only what the array API standard lacks.

A backend is a value that satisfies :class:`Backend`. They are found by name through the entry-point group
``mlpxp.backends``, ours by the same door as a stranger's. Arrays of a library without a backend work as they are, through
:class:`StandardBackend`, which needs nothing but the standard.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from mlpxp.arrays import Array, device_like, is_array, library_of, namespace, tree_leaves, tree_map
from mlpxp.devices import Device, no_such_device
from mlpxp.errors import BackendError, DtypeError, RangeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "Backend",
    "StandardBackend",
    "backend_of",
    "choose_backend",
    "dtype_of",
    "fold_in_python",
    "get_backend",
    "known_backends",
    "on_host",
]

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

    @property
    def version(self) -> str:
        """The library's version."""
        ...

    @property
    def runs(self) -> str:
        """How it runs an epoch, in a few words."""
        ...

    def devices(self) -> Sequence[Device]:
        """List the devices that are here, the default one first; a :class:`BackendError` says why there is none."""
        ...

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        """Make an array of host data or of any library's arrays, rows contiguous; copies only where it has to.

        ``device`` is a name, a :class:`Device`, or the library's own device object; ``None`` leaves an array of the library where it
        is, and puts other data on the default device.
        """
        ...

    def to_numpy(self, array: Any) -> Any:
        """Bring an array to the host; waits for the work it depends on."""
        ...

    def synchronize(self) -> None:
        """Wait until all queued work is done."""
        ...

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        """``state, out = step(state, input, *data)`` over the leading axis of a tree of arrays; the outs are stacked.

        ``step`` is a pure function of its arrays, and hashable: it may be compiled or recorded, and then is not called again. ``inputs``
        may be NumPy's, still on the host; ``state`` stays as it is.
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
    placed = device_like(tree_leaves(state)[0])
    for one in _steps_of(tree_map(lambda leaf: xp.asarray(leaf, **placed), inputs)):
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
    name : str, optional
        What it is registered under; by default the namespace's name.
    """

    namespace: Any
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or getattr(self.namespace, "__name__", type(self.namespace).__name__))

    @property
    def version(self) -> str:
        return str(getattr(self.namespace, "__version__", "unknown"))

    @property
    def runs(self) -> str:
        return "step by step"

    def devices(self) -> tuple[Device, ...]:
        try:
            info = self.namespace.__array_namespace_info__()
        except AttributeError:  # the standard's inspection is optional
            return ()
        listed = [device for device in info.devices() if device is not None]
        return tuple(Device(str(one), str(one), float64="float64" in info.dtypes(device=one)) for one in listed)

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        if isinstance(device, str | Device):
            listed = {str(one): one for one in self.namespace.__array_namespace_info__().devices() if one is not None}
            if str(device) not in listed:
                raise no_such_device(device, self.devices())
            device = listed[str(device)]
        asked = {"dtype": dtype_of(self.namespace, dtype), "device": device}  # not every library takes a device that is None
        return self.namespace.asarray(on_host(values, self.namespace), **{name: one for name, one in asked.items() if one is not None})

    def to_numpy(self, array: Any) -> Any:
        numpy = get_backend("numpy").namespace
        values = numpy.asarray(array)
        if values.dtype == object:  # NumPy can't read it, but the standard promises that an element is a number
            flat = self.namespace.reshape(array, (-1,))
            number = bool if self.namespace.isdtype(array.dtype, "bool") else float
            values = numpy.asarray([number(flat[i]) for i in range(flat.shape[0])]).reshape(array.shape)
        return values

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


def get_backend(backend: str | Backend, **options: Any) -> Backend:
    """Return the backend of that name, importing its library; a :class:`Backend` is returned as it is.

    Parameters
    ----------
    backend : str or Backend
        One of :func:`known_backends`, or ``"auto"``: NumPy, where there is no array to tell the library by.
    **options
        Of that backend, as its class documents them: ``compile=True`` of PyTorch, ``precision="tf32"`` of CuPy.

    Raises
    ------
    UnknownNameError
        No backend has that name; the message lists the known ones.
    RangeError
        The backend has no such option, or not with that value.
    BackendError
        Its library is not installed, or can't be used.
    """
    if isinstance(backend, str):
        backend = _load("numpy" if backend == "auto" else backend)
    if not isinstance(backend, Backend):
        raise UnknownNameError(f"backend must be a name or a Backend, got {backend!r}")
    return _with_options(backend, options) if options else backend


def _with_options(backend: Any, options: dict[str, Any]) -> Backend:
    known = [field.name for field in fields(backend) if field.name != "namespace"] if hasattr(backend, "__dataclass_fields__") else []
    for option in options:
        if option not in known:
            has = f"has the options {', '.join(known)}" if known else "has no options"
            raise RangeError(f"backend {backend.name!r} {has}, got {option!r}")
    return cast("Backend", replace(backend, **options))


def choose_backend(backend: str | Backend, *values: Any) -> Backend:
    """Return the backend that was asked for; ``"auto"`` is that of the first array among ``values``, and NumPy if there is none."""
    if backend == "auto":
        return next((backend_of(value) for value in values if is_array(value)), get_backend("numpy"))
    return get_backend(backend)


@cache
def _load(name: str) -> Backend:
    point = _registered().get(name)
    if point is None:
        raise UnknownNameError(f"backend must be auto or one of {', '.join(known_backends())}, got {name!r}")
    try:
        return cast("Backend", point.load())
    except ModuleNotFoundError as error:
        raise BackendError(f"backend {name!r} needs {error.name}, which is not installed: {_how_to_install(name)}") from error
    except (ImportError, OSError, AttributeError) as error:  # installed, but broken
        reason = " ".join(str(error).split())
        raise BackendError(f"backend {name!r} can't be imported: {reason}; reinstall it: {_how_to_install(name)}") from error


def _how_to_install(name: str) -> str:
    return f"pip install 'mlpxp[{name}]'" if name in _OURS else f"install what the package of backend {name!r} needs"


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


def on_host(values: Any, xp: Any) -> Any:
    """Return data that the library ``xp`` reads: its own arrays and host data as they are, another library's arrays as NumPy's."""
    return backend_of(values).to_numpy(values) if is_array(values) and namespace(values) is not xp else values


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
