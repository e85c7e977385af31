"""What the library asks of an array: the Python array API standard, and nothing else.

Nothing here names an array library. An array is asked for its namespace, and whatever namespace it answers with is used:
NumPy's, CuPy's, PyTorch's, JAX's, or one in which the numbers mean something else.
"""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import array_api_compat

from mlpxp.errors import BackendError, DtypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Array",
    "array_like",
    "check_floating",
    "check_together",
    "described",
    "device_like",
    "device_of",
    "dtype_name",
    "first_leaf",
    "gather",
    "is_array",
    "is_sparse",
    "library_of",
    "maker_like",
    "namespace",
    "tree_leaves",
    "tree_map",
]


@runtime_checkable
class Array(Protocol):
    """The part of the standard's array object that the mathematics uses."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def dtype(self) -> Any: ...
    @property
    def mT(self) -> Any: ...
    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __matmul__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __lt__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...
    def __ge__(self, other: Any, /) -> Any: ...
    def __getitem__(self, key: Any, /) -> Any: ...


_MODULES: dict[
    type, ModuleType
] = {}  # array type -> its library, where the namespace is a module and so the same for all arrays of the type


def namespace(array: Array) -> Any:
    """Return the array API namespace that ``array`` belongs to.

    Raises
    ------
    TypeError
        ``array`` is no array of a library that speaks the standard.
    """
    known = _MODULES.get(type(array))
    if known is not None:
        return known
    xp = _own_namespace(array) or _other_namespace(array)
    if isinstance(xp, ModuleType):
        _MODULES[type(array)] = xp
    return xp


def _own_namespace(array: Any) -> Any:
    """The host's arrays speak the standard themselves from NumPy 2 on, and a translation would import all of that library."""
    return array.__array_namespace__() if array_api_compat.is_numpy_array(array) else None


def _other_namespace(array: Any) -> Any:
    """Another library's, if its arrays are dense and have what :class:`Array` asks for; dask's, which lack a part, are data of the host."""
    xp = array_api_compat.array_namespace(array)
    if is_sparse(array) or not _has_transpose(array):
        raise TypeError(f"{type(array).__name__} is sparse, or lacks a part of the standard's array object")
    return xp


def _has_transpose(array: Any) -> bool:
    if hasattr(type(array), "mT"):  # to ask the array itself may be taken for a part of what is done with it
        return True
    try:
        return hasattr(array, "mT")
    except (RuntimeError, ValueError):  # it has one, but not of fewer than two axes
        return True


def is_sparse(value: object) -> bool:
    """Return whether these are data of a class for sparse ones: SciPy's, pydata's, CuPy's, JAX's."""
    return hasattr(type(value), "todense")


def is_array(value: Any) -> bool:
    """Return whether ``value`` is an array of a library that speaks the standard."""
    try:
        namespace(value)
    except TypeError:
        return False
    return True


def library_of(array: object) -> str:
    """Return the name of the library that made ``array``, for messages: ``"numpy"``, ``"torch"``, ``"list"``."""
    cls = type(array)
    library = cls.__module__.partition(".")[0]
    return cls.__name__ if library == "builtins" else {"jaxlib": "jax"}.get(library, library)


def device_of(array: Array) -> Any:
    """Return the device of ``array``, or ``None`` where the array is being traced and has none yet."""
    try:
        return array_api_compat.device(cast("Any", array))
    except AttributeError:
        return None


def device_like(like: Array) -> dict[str, Any]:
    """Return ``{"device": ...}`` of an array as an argument for its library; empty where the library has no devices."""
    device = device_of(like)
    return {} if device is None else {"device": device}


def array_like(values: Any, like: Array) -> Any:
    """Make an array of host values in the library, the dtype and on the device of another."""
    return maker_like(like)(values)


def maker_like(like: Array) -> Callable[[Any], Any]:
    """Return :func:`array_like` for this array, which is not kept."""
    return partial(namespace(like).asarray, dtype=like.dtype, **device_like(like))


def check_floating(**arrays: Array | None) -> None:
    """Refuse anything but arrays of one and the same real floating dtype.

    Raises
    ------
    BackendError
        An argument is no array of a library that speaks the standard.
    DtypeError
        A dtype is not real and floating, or two arguments disagree; the message names the remedy.
    """
    first: tuple[str, Array] | None = None
    for name, array in arrays.items():
        if array is None:
            continue
        if first is None:
            try:
                xp = namespace(array)
            except TypeError:
                raise _no_array(name, array) from None
            if not _is_floating(xp, array.dtype):
                raise DtypeError(
                    f"{name} must have a real floating dtype, got {array.dtype}: convert it with xp.astype({name}, xp.float32)"
                )
            first = (name, array)
        elif not _same_library(array, first[1]):
            if hasattr(array, "shape") and not is_array(array):
                raise _no_array(name, array)
            raise BackendError(
                f"{name} must be an array of the library of {first[0]} ({library_of(first[1])}), got {library_of(array)}: "
                "nothing is moved between libraries silently; convert it with backend.asarray"
            )
        elif array.dtype != first[1].dtype:
            raise DtypeError(
                f"{name} must have the dtype of {first[0]}, {first[1].dtype}, got {array.dtype}: "
                f"nothing changes dtype silently; convert it with xp.astype({name}, xp.{dtype_name(first[1])})"
            )


def _no_array(name: str, value: object) -> BackendError:
    if is_sparse(value):
        return BackendError(f"{name} must be dense, got {_article(type(value).__name__)}: make it so with todense()")
    return BackendError(f"{name} must be an array, got {_article(library_of(value))}: {_HOW_TO_MAKE_ONE}")


def _is_floating(xp: Any, dtype: Any) -> bool:
    try:
        return bool(xp.isdtype(dtype, "real floating"))
    except TypeError:  # a record array's dtype is none to NumPy's own isdtype
        return False


_AT_HOME: set[type] = set()  # types of arrays that have only one place to be


def check_together(**arrays: Array | None) -> None:
    """Refuse arrays that live on different devices, naming both."""
    first: tuple[str, Any] | None = None
    for name, array in arrays.items():
        if array is None or type(array) in _AT_HOME or (device := device_of(array)) is None:
            continue
        if first is None:
            first = (name, device)
            if isinstance(device, str) and type(array) in _MODULES:  # NumPy's only one
                _AT_HOME.add(type(array))
        elif device != first[1]:
            raise BackendError(
                f"{name} must be on the device of {first[0]} ({first[1]}), got {device}: nothing is moved between devices silently; "
                f"move it with array_api_compat.to_device"
            )


def _same_library(one: Array, other: Array) -> bool:
    try:
        return type(one) is type(other) or namespace(one) is namespace(other)
    except TypeError:
        return False


def dtype_name(array: Array) -> str:
    """Return the name of an array's dtype, the same in every library: ``"float32"``."""
    return str(array.dtype).rpartition(".")[-1]


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


_HOW_TO_MAKE_ONE = "make one with numpy.asarray(..., dtype='float32') or a backend's asarray"


def described(parameters: Any) -> str:
    """Return what a person wants to know of parameters: ``"float32, torch on cuda:0"``, and of a stack how many there are."""
    first = next(_leaves(parameters), None)
    if first is None or not is_array(first):
        return "no parameters"
    device = device_of(first)
    networks = f"{' x '.join(map(str, first.shape[:-2]))} networks, " if first.ndim > 2 else ""
    return f"{networks}{dtype_name(first)}, {library_of(first)}{'' if device is None else f' on {device}'}"


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply ``function`` to the arrays of a tree of tuples and named tuples, and of others of the same shape.

    ``None`` is an empty place and stays one. The result has the tree's own types.
    """
    if isinstance(tree, tuple):
        return tuple.__new__(type(tree), [tree_map(function, *branch) for branch in zip(tree, *others, strict=True)])
    return None if tree is None else function(tree, *others)


def tree_leaves(tree: object) -> list[Any]:
    """Return the arrays of a tree of tuples and named tuples, in order."""
    if isinstance(tree, tuple):
        return [leaf for branch in tree for leaf in tree_leaves(branch)]
    return [] if tree is None else [tree]


def first_leaf(tree: object) -> Any:
    """Return the first array of a tree."""
    return next(_leaves(tree))


def _leaves(tree: object) -> Iterator[Any]:
    if isinstance(tree, tuple):
        for branch in tree:
            yield from _leaves(branch)
    elif tree is not None:
        yield tree


def gather(rows: Any, X: Any, Y: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Return the examples in ``rows`` as columns; X and Y are kept one example a row, so that this copies only a batch."""
    if rows is None:
        return X.mT, Y.mT, weights
    xp = namespace(X)
    X, Y = xp.take(X, rows, axis=-2).mT, xp.take(Y, rows, axis=-2).mT
    return X, Y, None if weights is None else xp.take(weights, rows, axis=-1)
