"""Where arrays are, and where work on them is done: on their own device, and with one clear error where that has too little memory.

Most libraries compute where their arrays are. CuPy computes on a *current* device, whatever device its arrays are on; a backend of such
a library says how to change it, by a method ``on_device_of(array)``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.devices import Device, memory_watched
from mlpxp.arrays.standard import device_of, is_array, tree_leaves

if TYPE_CHECKING:
    from mlpxp.arrays.backend import Backend
    from mlpxp.arrays.standard import Array

__all__ = ["Place", "beside", "beside_its_arrays", "on_device_of", "working_on"]

P = ParamSpec("P")
Result = TypeVar("Result")


class Place(NamedTuple):
    """Where arrays are, or are to be put.

    Attributes
    ----------
    library : Backend
    device : str, Device, the library's own device object, or None
        ``None`` is the library's default.
    dtype : {"float32", "float64"} or None
        What numbers there are; ``None`` is whatever they are.
    """

    library: Backend
    device: Any = None
    dtype: str | None = None

    @property
    def name(self) -> str:
        """``numpy, cpu``."""
        return self.library.name if self.device is None else f"{self.library.name}, {self.device}"

    @property
    def on_gpu(self) -> bool:
        return not str(self.device or "cpu").lower().startswith("cpu")

    def put(self, values: Any, *, dtype: str | None = None) -> Any:
        """Make an array here of arrays or numbers from anywhere, of their dtype or of this one."""
        return self.library.asarray(values, dtype=dtype, device=self.device)


def on_device_of(array: Array) -> AbstractContextManager[Any]:
    """Make the device of an array the current one of its library, where it has such a thing (CuPy): what is made then is made beside it."""
    cls = type(array)
    if cls not in _CURRENT:
        _CURRENT[cls] = getattr(backend_of(array), "on_device_of", None)
    switch = _CURRENT[cls]
    return _AS_IT_IS if switch is None else switch(array)


def beside(*trees: Any) -> AbstractContextManager[Any]:
    """Work :func:`on_device_of` the first array of these; where there is none, as things are."""
    for tree in trees:
        for leaf in (tree,) if type(tree) in _CURRENT else tree_leaves(tree):
            if type(leaf) in _CURRENT or (hasattr(type(leaf), "shape") and is_array(leaf)):
                return on_device_of(leaf)
    return _AS_IT_IS


def beside_its_arrays(function: Callable[P, Result]) -> Callable[P, Result]:
    """Decorate a function so that it works :func:`beside` its arguments."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        with beside(*args, *kwargs.values()):
            return function(*args, **kwargs)

    return run


_CURRENT: dict[type, Callable[[Any], AbstractContextManager[Any]] | None] = {}  # array type -> its backend's own way
_AS_IT_IS = nullcontext()


class working_on(memory_watched):  # noqa: N801 - it is called like a function, as its base is
    """Work on the device of an array, and turn a lack of memory there into one clear error, whatever its library says of it.

    Raises
    ------
    OutOfMemoryError
    """

    __slots__ = ("_current",)

    def __init__(self, array: Array) -> None:
        super().__init__(partial(_device_of, array), MemoryError, RuntimeError)
        self._current = on_device_of(array)

    def __enter__(self) -> None:
        self._current.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> None:
        self._current.__exit__(kind, error, traceback)
        super().__exit__(kind, error, traceback)


def _device_of(array: Array) -> Device:
    """Return the device of an array as its backend lists it; the backend's default where their names don't match."""
    name, listed = str(device_of(array)), backend_of(array).devices()
    return next((one for one in listed if one.name == name), next(iter(listed), Device(name, name)))
