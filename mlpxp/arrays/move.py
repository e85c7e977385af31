"""Arrays in another array library: in the same memory where both libraries can, in a copy otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.arrays.backend import backend_of
from mlpxp.arrays.standard import device_of, dtype_name, namespace

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpxp.arrays.backend import Backend

__all__ = ["mover"]

# each library's own way to decline DLPack
_CANNOT = (BufferError, TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError)


def mover(library: Backend, device: Any = None) -> Callable[[Any], Any]:
    """Return a function that moves an array to a library and a device, and doesn't copy it where it needn't.

    Raises
    ------
    BackendError
        There is no such device.
    """
    place = device_of(library.asarray([0.0], dtype="float32", device=device))

    def move(array: Any) -> Any:
        if namespace(array) is library.namespace:
            return library.asarray(array, device=place)
        source = backend_of(array)
        array = source.asarray(array)  # rows contiguous: not every library survives a negative stride
        shared = _shared(array, library)
        if shared is not None and device_of(shared) == place and dtype_name(shared) == dtype_name(array):
            return shared
        return library.asarray(source.to_numpy(array), device=place)

    return move


def _shared(array: Any, library: Backend) -> Any:
    """Return the array as another library's, in the same memory if it can be; ``None`` if the libraries don't agree, or must not."""
    if not getattr(getattr(array, "flags", None), "writeable", True):
        return None  # PyTorch would take it and let it be written into
    try:
        return library.namespace.from_dlpack(array)
    except _CANNOT:
        return None
