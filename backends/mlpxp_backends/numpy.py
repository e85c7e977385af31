"""NumPy: arrays in the host's memory, and BLAS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlpxp.arrays.backend import dtype_of, fold_in_python, is_pure, on_host
from mlpxp.arrays.devices import Device, host, memory_watched, no_such_device
from mlpxp.arrays.standard import is_sparse
from mlpxp.errors import DataError
from mlpxp_backends.memory import keep_freed_memory
from mlpxp_backends.replaying import fold

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class NumpyBackend:
    """NumPy on the CPU."""

    name: ClassVar[str] = "numpy"
    namespace: ClassVar[Any] = np
    version: ClassVar[str] = np.__version__
    runs: ClassVar[str] = "recorded"

    def devices(self) -> tuple[Device]:
        return (host(),)

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> np.ndarray:
        if device is not None and str(device) != "cpu":
            raise no_such_device(self.name, device, self.devices())
        values, dtype = on_host(values, np), dtype_of(np, dtype)
        if isinstance(values, np.ndarray):
            values = self.plain(values)
        elif is_sparse(values):
            kind = type(values).__name__
            raise DataError(f"data must be dense, got {kind}: make them so with todense(), or give rows to train as mlpxp.Rows")
        with memory_watched(host, MemoryError):
            try:
                return np.asarray(values, dtype=dtype, order="C")
            except (TypeError, ValueError) as error:
                raise DataError(f"data must be numbers, as many in each row: {error}") from error

    def to_numpy(self, array: Any) -> np.ndarray:
        return self.plain(array) if isinstance(array, np.ndarray) else np.asarray(array)

    def plain(self, array: np.ndarray, name: str = "data") -> np.ndarray:
        """Return an array of whatever class as the ndarray that it is, in the machine's byte order."""
        if type(array) is np.ndarray and array.dtype.isnative:
            return array
        if np.ma.is_masked(array):
            count = np.ma.getmaskarray(array).sum()
            raise DataError(f"{name} must have no masked numbers, got {count}: fill them with filled(0.0), or leave their examples out")
        array = np.asarray(array)
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))

    def synchronize(self) -> None:
        """Do nothing: NumPy has no queue."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        keep_freed_memory()
        ignored = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a diverging run is found by its cost, and named
        with ignored, memory_watched(host, MemoryError):
            return fold(step, state, inputs, *data) if is_pure(step) else fold_in_python(np, step, state, inputs, *data)


backend = NumpyBackend()
