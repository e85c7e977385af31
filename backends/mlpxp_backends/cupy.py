"""CuPy: arrays on a CUDA GPU, and cuBLAS."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import array_api_compat.cupy as xp
import cupy

from mlpxp.backend import dtype_of, fold_in_python
from mlpxp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["backend"]


@dataclass(frozen=True)
class CupyBackend:
    """CuPy on a CUDA GPU."""

    name: str = "cupy"
    namespace: Any = xp

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        with _needs_gpu(), _on(device):
            return cupy.asarray(values, dtype=dtype_of(cupy, dtype), order="C")

    def to_numpy(self, array: Any) -> Any:
        return cupy.asnumpy(array)

    def synchronize(self) -> None:
        cupy.cuda.get_current_stream().synchronize()

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        return fold_in_python(xp, step, state, inputs, *data)


@contextmanager
def _needs_gpu() -> Iterator[None]:
    try:
        yield
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise BackendError(f"backend 'cupy' needs a CUDA GPU and its driver, and CUDA answers: {error}") from error


def _on(device: Any) -> Any:
    """Return a context on ``"cuda"``, ``"cuda:1"``, a number or a CuPy device; ``None`` is the current one."""
    if device is None:
        return cupy.cuda.Device()
    if isinstance(device, str):
        kind, _, number = device.partition(":")
        if kind != "cuda" or not (number or "0").isdigit():
            raise BackendError(f"device must be 'cuda' or 'cuda:N' for CuPy, got {device!r}")
        device = int(number or 0)
    return cupy.cuda.Device(device)


backend = CupyBackend()
