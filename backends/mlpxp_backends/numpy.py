"""NumPy: arrays in the host's memory, and BLAS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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
        _keep_freed_memory()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a diverging run is found by its cost, and named
            return fold_in_python(xp, step, state, inputs, *data)


@cache
def _keep_freed_memory() -> None:
    """Take a large block once, untouched, and give it back: after that glibc keeps what is freed instead of returning it.

    Each step frees what the next one needs again. Without this the system takes the pages back and clears them every time, and a step
    of 784-256-128-10 at batch 256 took 2.2 times as long (``benchmarks/step.py``). Elsewhere it does nothing.
    """
    np.empty(31 * 2**20, dtype="uint8")  # glibc raises its thresholds to a freed block's size, up to 32 MiB


backend = NumpyBackend()
