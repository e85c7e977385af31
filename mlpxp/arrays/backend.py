"""What a backend adds to an array library: only what the array API standard lacks.

A backend is a value that satisfies :class:`Backend`. They are found by name through the entry-point group
``mlpxp.backends``, ours by the same door as a stranger's. Arrays of a library without a backend work as they are, through
:class:`StandardBackend`, which needs nothing but the standard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from mlpxp.arrays.devices import Device, no_such_device
from mlpxp.arrays.standard import Array, device_like, first_leaf, is_array, library_of, namespace, tree_map
from mlpxp.errors import BackendError, DtypeError, RangeError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import EntryPoint

__all__ = [
    "Backend",
    "StandardBackend",
    "backend_of",
    "check_programs",
    "check_pure",
    "choose_backend",
    "dtype_of",
    "fold_in_python",
    "get_backend",
    "is_pure",
    "known_backends",
    "on_host",
    "plain",
]

_GROUP = "mlpxp.backends"
_OURS = {
    name: f"mlpxp_backends.{name}:backend" for name in ("numpy", "cupy", "torch", "jax", "strict")
}  # for a checkout that is not installed
_LIBRARIES = {"array_api_strict": "strict"}  # a backend has its library's name, but for this one


@runtime_checkable
class Backend(Protocol):
    """An array library and the few things the standard lacks.

    A library that computes on a *current* device, whatever device its arrays are on, has one method more, ``on_device_of(array)``: a
    context in which the array's device is the current one. A backend may also have ``plain(array, name)``, which returns an array of its
    library as one that can be computed with, or refuses it: see :func:`plain`.
    """

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
        is, and puts other data on the default device, the first of :meth:`devices`.
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

        A step with ``step.pure`` true is declared a function of its arrays alone, and is hashable: it may be compiled or recorded, and
        then is not called again. Any other is called for each input, or refused by :func:`check_pure`. ``inputs`` may be NumPy's, still on
        the host; ``state`` stays as it is.
        """
        ...


def is_pure(step: Callable[..., Any]) -> bool:
    """Return whether a step is declared a function of its arrays alone; two runs that agree would prove nothing about the third."""
    return getattr(step, "pure", False) is True


def check_pure(step: Callable[..., Any], backend: str) -> None:
    """Refuse a step that is not declared pure, for a backend that can only compile it.

    Raises
    ------
    BackendError
        It names what is not declared, and how to declare it.
    """
    if not is_pure(step):
        undeclared = getattr(step, "undeclared", ()) or (f"pure = True of {step!r}",)
        raise BackendError(
            f"backend {backend} compiles a step once and then calls none of its functions again, so that what is not built in has to be "
            f"declared a function of its arguments alone: {', '.join(undeclared)}; if it is none, use another backend"
        )


def check_programs(programs: object, library: str) -> None:
    """Refuse a number of programs to keep that is none.

    Raises
    ------
    RangeError
    """
    if type(programs) is not int or programs < 1:
        raise RangeError(f"programs must be a whole number from 1 for {library}, got {programs!r}")


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
    inputs = tree_map(partial(xp.asarray, **device_like(first_leaf(state))), inputs)
    outs = []
    for i in range(first_leaf(inputs).shape[0]):
        one = tree_map(lambda leaf, i=i: leaf[i, ...], inputs)
        state, out = step(state, one, *data)
        outs.append(out)
    return state, xp.stack(outs)


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
        return tuple(device for device, _ in self._listed())

    def _listed(self) -> list[tuple[Device, Any]]:
        """The devices with the library's own objects; none where the library doesn't have the standard's inspection."""
        if not hasattr(self.namespace, "__array_namespace_info__"):
            return []
        info = self.namespace.__array_namespace_info__()
        found = [one for one in info.devices() if one is not None]
        return [(Device(str(one), str(one), float64="float64" in info.dtypes(device=one)), one) for one in found]

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        if isinstance(device, str | Device):
            listed = {place.name: one for place, one in self._listed()}
            if str(device) not in listed:
                raise no_such_device(self.name, device, self.devices())
            device = listed[str(device)]
        asked = {"dtype": dtype_of(self.namespace, dtype), "device": device}  # not every library takes a device that is None
        try:
            return self.namespace.asarray(on_host(values, self.namespace), **{name: one for name, one in asked.items() if one is not None})
        except (TypeError, ValueError) as error:
            raise DtypeError(f"{self.name} can't make an array of these data: {' '.join(str(error).split())}") from error

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
    from importlib.metadata import EntryPoint, entry_points  # which reads mail headers: as long as the rest of the core to import

    ours = {name: EntryPoint(name=name, value=value, group=_GROUP) for name, value in _OURS.items()}
    return ours | {point.name: point for point in entry_points(group=_GROUP)}


def get_backend(backend: str | Backend, **options: Any) -> Backend:
    """Return the backend of that name, importing its library; a :class:`Backend` is returned as it is.

    Parameters
    ----------
    backend : str or Backend
        One of :func:`known_backends`, or ``"auto"``: NumPy, where there is no array to tell the library by. It is where the arrays are,
        and never the fastest: ``mlpxp bench peers --for 784,256,10`` measures which one that is for a network.
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
    elif not isinstance(backend, Backend) or isinstance(backend, type):  # to look at a protocol takes as long as predicting a row
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
    if isinstance(backend, str) and backend == "auto":
        return next((backend_of(value) for value in values if is_array(value)), get_backend("numpy"))
    return get_backend(backend)


@cache
def _load(name: str) -> Backend:
    point = _registered().get(name)
    if point is None:
        raise UnknownNameError(f"backend must be auto or one of {', '.join(known_backends())}, got {name!r}")
    try:
        backend = point.load()
    except ModuleNotFoundError as error:
        raise BackendError(f"backend {name!r} needs {error.name}, which is not installed: {_how_to_install(name)}") from error
    except Exception as error:  # installed, but broken: anybody's code may be behind an entry point
        reason = " ".join(str(error).split())
        raise BackendError(f"backend {name!r} can't be imported: {reason}; reinstall it: {_how_to_install(name)}") from error
    if not isinstance(backend, Backend) or isinstance(backend, type):
        raise BackendError(f"backend {name!r} is no Backend: its entry point {point.value} leads to {type(backend).__name__}")
    return backend


def _how_to_install(name: str) -> str:
    return f"pip install 'mlpxp[{name}]'" if name in _OURS else f"install what the package of backend {name!r} needs"


def backend_of(array: Array) -> Backend:
    """Return the backend of the library that made ``array``; a library without one gets a :class:`StandardBackend`."""
    try:
        xp = namespace(array)
    except TypeError:
        raise BackendError(f"an array must come from a library that speaks the array API standard, got {library_of(array)}") from None
    return _of_namespace(xp, type(array))


@lru_cache(maxsize=64)
def _of_namespace(xp: Any, cls: type) -> Backend:
    libraries = (base.__module__.partition(".")[0] for base in cls.__mro__)  # a class derived from a library's array is that library's
    names = (_LIBRARIES.get(library, library) for library in libraries)
    return next((_load(name) for name in names if name in _registered()), StandardBackend(xp))


def plain(name: str, array: Any) -> Any:
    """Return an array as its library computes with it, where its class or its layout says something else; by its backend's ``plain``.

    Of NumPy a matrix, a record array, a memory map or a quantity is taken as the ndarray that it is, and another byte order is made the
    machine's. What is no array stays what it is.

    Raises
    ------
    DataError
        Some of its numbers are masked.
    BackendError
        It is sparse, nested or masked where that is PyTorch's.
    """
    cls = type(array)
    if cls not in _LOOKS:
        _LOOKS[cls] = getattr(backend_of(array), "plain", None) if is_array(array) else None
    look = _LOOKS[cls]
    return array if look is None else look(array, name)


_LOOKS: dict[type, Callable[[Any, str], Any] | None] = {}  # array type -> its backend's plain


def on_host(values: Any, xp: Any) -> Any:
    """Return data that the library ``xp`` reads: its own arrays as they are, all else as NumPy's.

    Raises
    ------
    DataError
        Host data that make no rectangular array.
    """
    if is_array(values):
        if namespace(values) is xp:
            return values
        values = backend_of(values).to_numpy(values)
    numpy = get_backend("numpy")
    return values if xp is numpy.namespace else numpy.asarray(values)


def dtype_of(xp: Any, dtype: Any) -> Any:
    """Return float32 or float64 of a namespace, asked for by name or by any library's dtype of that name; ``None`` stays ``None``.

    Raises
    ------
    DtypeError
        ``dtype`` is neither.
    """
    if dtype is None:
        return None
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[-1]
    if name in {"float32", "float64"}:
        return getattr(xp, name)
    raise DtypeError(f"dtype must be float32 or float64, got {dtype!r}")
