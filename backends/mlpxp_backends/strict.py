"""array-api-strict: the standard and nothing else, on NumPy's arithmetic; for tests and for authors of array code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import array_api_strict as xp
import numpy as np

from mlpxp.arrays.backend import dtype_of, fold_in_python, on_host
from mlpxp.arrays.devices import Device, host, memory_watched, no_such_device
from mlpxp.errors import DtypeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class StrictBackend:
    """array-api-strict; its devices ``device1``, ``device2`` and ``no_float64`` stand in for a GPU's constraints."""

    name: ClassVar[str] = "strict"
    namespace: ClassVar[Any] = xp
    version: ClassVar[str] = xp.__version__
    runs: ClassVar[str] = "step by step"

    def devices(self) -> tuple[Device, ...]:
        here = host()
        info = xp.__array_namespace_info__()
        return tuple(
            replace(here, name=name, description=f"simulated on {here.description}", float64="float64" in info.dtypes(device=device))
            for name, device in _devices().items()
        )

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        wanted = dtype_of(xp, dtype)
        if isinstance(device, str | Device):
            device = _devices().get(str(device), device)
        if device is not None and device not in _devices().values():
            raise no_such_device(self.name, device, self.devices())
        with memory_watched(host, MemoryError):
            try:
                return xp.asarray(on_host(values, xp), dtype=wanted, device=device)
            except (TypeError, ValueError) as error:  # text; a dtype that the device or the standard doesn't have
                raise DtypeError(f"array-api-strict can't make an array of these data: {error}; float32 is everywhere") from error

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(xp.asarray(array, device=xp.Device("CPU_DEVICE")))

    def synchronize(self) -> None:
        """Do nothing: there is no queue."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        ignored = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a diverging run is found by its cost, and named
        with ignored, memory_watched(host, MemoryError):
            return fold_in_python(xp, step, state, inputs, *data)


@cache
def _devices() -> dict[str, Any]:
    """Return array-api-strict's devices by the names that its ``Device`` takes."""
    return {str(device).split("'")[1]: device for device in xp.__array_namespace_info__().devices()}


backend = StrictBackend()
