"""NumPy: arrays in the host's memory, and BLAS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import array_api_compat.numpy as xp
import numpy as np

from mlpxp.backend import dtype_of, fold_in_python
from mlpxp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class NumpyBackend:
    """NumPy on the CPU."""

    name: str = "numpy"
    namespace: Any = xp

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> np.ndarray:
        if device not in (None, "cpu"):
            raise BackendError(f"NumPy has one device, 'cpu', got {device!r}")
        return np.asarray(values, dtype=dtype_of(xp, dtype), order="C")

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def synchronize(self) -> None:
        """Do nothing: NumPy has no queue."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a diverging run is found by its cost, and named
            return fold_in_python(xp, step, state, inputs, *data)


backend = NumpyBackend()
