"""CuPy: arrays on a CUDA GPU, and cuBLAS; the element-wise work of a step is fused into a few kernels."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import array_api_compat.cupy as xp
import cupy

from mlpxp.arrays.backend import dtype_of, fold_in_python, is_pure, on_host
from mlpxp.arrays.devices import Device, memory_watched, no_such_device, number_of
from mlpxp.arrays.standard import tree_leaves
from mlpxp.errors import BackendError, DtypeError, RangeError
from mlpxp_backends.cuda import source
from mlpxp_backends.fusion import Fusion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlpxp_backends.expressions import Expression

__all__ = ["backend", "multiplying_in"]


@dataclass(frozen=True)
class CupyBackend:
    """CuPy on a CUDA GPU.

    Parameters
    ----------
    precision : {None, "tf32"}, default None
        ``"tf32"`` lets a fold's float32 matrix products round their factors to TF32's 10 bits, on GPUs that have it (compute capability
        8.0 and later), in the thread that folds and nowhere else. ``None`` leaves CuPy's setting as it is.

    Raises
    ------
    RangeError
        Any other precision.
    """

    name: ClassVar[str] = "cupy"
    namespace: ClassVar[Any] = xp
    version: ClassVar[str] = cupy.__version__
    runs: ClassVar[str] = "step by step, element-wise work fused"
    precision: Literal["tf32"] | None = None

    def __post_init__(self) -> None:
        if self.precision not in (None, "tf32"):
            raise RangeError(f"precision must be None or 'tf32' for CuPy, got {self.precision!r}")

    def devices(self) -> tuple[Device, ...]:
        return tuple(_described(number) for number in range(_count()))

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        values = on_host(values, xp)
        if device is None and isinstance(values, cupy.ndarray):
            device = values.device
        wanted = dtype_of(cupy, dtype)
        with self._on(device), _memory_watched():
            try:
                return cupy.asarray(values, dtype=wanted, order="C")
            except (TypeError, ValueError) as error:  # text, objects
                raise DtypeError(f"CuPy can't make an array of these data: {error}") from error

    def _on(self, device: Any) -> Any:
        """Return a context on ``"cuda"``, ``"cuda:1"``, a number or a CuPy device; ``None`` is the current one."""
        count = _count()
        if device is None:
            return _use(cupy.cuda.Device())
        number = device.id if isinstance(device, cupy.cuda.Device) else device
        if isinstance(device, str | Device):
            number = number_of(str(device), ("cuda",))
        if not isinstance(number, int) or not 0 <= number < count:
            raise no_such_device(self.name, device, self.devices())
        return _use(cupy.cuda.Device(number))

    def on_device_of(self, array: Any) -> Any:
        return _use(array.device)

    def to_numpy(self, array: Any) -> Any:
        return cupy.asnumpy(array)

    def synchronize(self) -> None:
        for number in sorted(_used):
            cupy.cuda.Device(number).synchronize()

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        with self.on_device_of(tree_leaves((state, inputs))[0]), _memory_watched(), multiplying_in(self.precision):
            return _fusion.fold(step, state, inputs, *data) if is_pure(step) else fold_in_python(xp, step, state, inputs, *data)


_used: set[int] = set()  # the GPUs that something was put on, or computed on; of any other not even a context is opened


def _use(device: Any) -> Any:
    _used.add(device.id)
    return device


_TF32 = 3  # CUBLAS_TF32_TENSOR_OP_MATH


@contextmanager
def multiplying_in(precision: str | None) -> Iterator[None]:
    """Set how cuBLAS multiplies for this thread and this GPU alone, whose handle it is: CuPy's own switch is the whole process's."""
    if precision is None:
        yield
        return
    cublas: Any = cupy.cuda.cublas
    handle = cupy.cuda.Device().cublas_handle
    before = cublas.getMathMode(handle)
    cublas.setMathMode(handle, _TF32)
    try:
        yield
    finally:
        cublas.setMathMode(handle, before)


def _kernel(expression: Expression) -> Callable[..., Any]:
    """Compile an expression to one kernel; CuPy does it at the first call, and keeps the binary on disk."""
    kernel = cupy.ElementwiseKernel(*source(expression), name="mlpxp_fused", return_tuple=True)
    dtypes = [expression.steps[i][2] for i in expression.results]

    def run(shape: tuple[int, ...], *arguments: Any) -> Any:
        return kernel(*arguments, *[cupy.empty(shape, dtype) for dtype in dtypes])

    return run


_fusion = Fusion(xp, _kernel)


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
    """Say what a GPU is; what is free is asked only of one in use, as asking opens a context of some hundred megabytes."""
    properties = cupy.cuda.runtime.getDeviceProperties(number)
    free = cupy.cuda.Device(number).mem_info[0] if number in _used else None
    return Device(f"cuda:{number}", properties["name"].decode(), properties["totalGlobalMem"], free)


def _memory_watched() -> memory_watched:
    """Watch the current GPU's memory."""
    return memory_watched(lambda: _described(cupy.cuda.runtime.getDevice()), cupy.cuda.memory.OutOfMemoryError)


backend = CupyBackend()
