"""array-api-strict: the standard and nothing else, on NumPy's arithmetic; for tests and for authors of array code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import array_api_strict as xp
import numpy as np

from mlpxp.backend import dtype_of, fold_in_python
from mlpxp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class StrictBackend:
    """array-api-strict; its devices ``device1``, ``device2`` and ``no_float64`` stand in for a GPU's constraints."""

    name: str = "strict"
    namespace: Any = xp

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        if isinstance(device, str):
            try:
                device = xp.Device(device)
            except ValueError:
                known = ", ".join(repr(str(known)) for known in xp.__array_namespace_info__().devices())
                raise BackendError(f"device must be one of array-api-strict's, {known}, got {device!r}") from None
        return xp.asarray(values, dtype=dtype_of(xp, dtype), device=device)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(xp.asarray(array, device=xp.Device("CPU_DEVICE")))

    def synchronize(self) -> None:
        """Do nothing: there is no queue."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a diverging run is found by its cost, and named
            return fold_in_python(xp, step, state, inputs, *data)


backend = StrictBackend()
