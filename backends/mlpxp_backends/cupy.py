"""CuPy: arrays on a CUDA GPU, and cuBLAS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import array_api_compat.cupy as xp
import cupy

from mlpxp.backend import dtype_of, fold_in_python, on_host
from mlpxp.devices import Device, memory_watched, no_such_device, number_of
from mlpxp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class CupyBackend:
    """CuPy on a CUDA GPU."""

    name: ClassVar[str] = "cupy"
    namespace: ClassVar[Any] = xp
    version: ClassVar[str] = cupy.__version__
    runs: ClassVar[str] = "step by step"

    def devices(self) -> tuple[Device, ...]:
        return tuple(_described(number) for number in range(_count()))

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        values = on_host(values, xp)
        if device is None and isinstance(values, cupy.ndarray):
            device = values.device
        with self._on(device), memory_watched(_current, cupy.cuda.memory.OutOfMemoryError):
            return cupy.asarray(values, dtype=dtype_of(cupy, dtype), order="C")

    def _on(self, device: Any) -> Any:
        """Return a context on ``"cuda"``, ``"cuda:1"``, a number or a CuPy device; ``None`` is the current one."""
        count = _count()
        if device is None:
            return cupy.cuda.Device()
        number = device.id if isinstance(device, cupy.cuda.Device) else device
        if isinstance(device, str | Device):
            number = number_of(str(device), ("cuda",))
        if not isinstance(number, int) or not 0 <= number < count:
            raise no_such_device(device, self.devices())
        return cupy.cuda.Device(number)

    def to_numpy(self, array: Any) -> Any:
        return cupy.asnumpy(array)

    def synchronize(self) -> None:
        cupy.cuda.get_current_stream().synchronize()

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        with memory_watched(_current, cupy.cuda.memory.OutOfMemoryError):
            return fold_in_python(xp, step, state, inputs, *data)


@cache
def _count() -> int:
    """Return how many GPUs there are, if the driver and CuPy can work with them.

    Raises
    ------
    BackendError
        There is no driver, one that is too old, or no GPU.
    """
    runtime = cupy.cuda.runtime
    driver, wanted = runtime.driverGetVersion(), runtime.runtimeGetVersion()
    if driver == 0:
        raise BackendError(f"{_CANT}no NVIDIA driver is loaded: install it, or use another backend")
    if driver // 1000 < wanted // 1000:
        raise BackendError(
            f"{_CANT}the driver is too old, it knows CUDA {_cuda(driver)} and this CuPy needs {_cuda(wanted)}: "
            "update the driver, or pip install 'mlpxp[cupy12]' instead"
        )
    try:
        count: int = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        raise BackendError(f"{_CANT}the driver finds no GPU ({error}): see what nvidia-smi says") from error
    return count


_CANT = "backend 'cupy' needs a CUDA GPU, and "


def _cuda(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def _described(number: int) -> Device:
    with cupy.cuda.Device(number) as device:
        free, memory = device.mem_info
    return Device(f"cuda:{number}", cupy.cuda.runtime.getDeviceProperties(number)["name"].decode(), memory, free)


def _current() -> Device:
    return _described(cupy.cuda.runtime.getDevice())


backend = CupyBackend()
