"""JAX: a fold is one compiled program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as xp
import numpy as np

from mlpxp.backend import dtype_of, on_host
from mlpxp.devices import Device, host, memory_watched, no_such_device
from mlpxp.errors import DtypeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class JaxBackend:
    """JAX arrays; a fold is compiled once for each step function and each set of shapes."""

    name: ClassVar[str] = "jax"
    namespace: ClassVar[Any] = xp
    version: ClassVar[str] = jax.__version__
    runs: ClassVar[str] = "as one compiled program"

    def devices(self) -> tuple[Device, ...]:
        return tuple(_described(device) for device in _devices().values())

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        values = on_host(values, xp)
        wanted = dtype_of(np, dtype) or getattr(values, "dtype", None)
        if wanted == np.float64 and not jax.config.read("jax_enable_x64"):
            raise DtypeError(
                "JAX has no float64 until it is asked for: jax.config.update('jax_enable_x64', True) before the first array, "
                "or JAX_ENABLE_X64=1 in the environment"
            )
        if isinstance(device, str | Device):
            device = self._device(str(device))
        with memory_watched(_fullest, jax.errors.JaxRuntimeError):
            return xp.asarray(values, dtype=dtype_of(xp, dtype), device=device)

    def _device(self, name: str) -> Any:
        kind, _, number = name.partition(":")
        found = _devices().get(f"{kind}:{number or 0}")
        if found is None:
            raise no_such_device(name, self.devices())
        return found

    def to_numpy(self, array: Any) -> np.ndarray:
        with memory_watched(_fullest, jax.errors.JaxRuntimeError):  # what was queued may only fail now
            return np.asarray(array)

    def synchronize(self) -> None:
        """Do nothing: JAX waits for each array where it is read."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        moves = jax.transfer_guard_host_to_device("allow")  # the rows of the batches, which are drawn on the host
        with moves, memory_watched(_fullest, jax.errors.JaxRuntimeError):
            state, outs = _fold(step, state, inputs, data)
        return state, outs


def _devices() -> dict[str, Any]:
    """Return JAX's devices of all platforms by name, those that it prefers first: ``cuda:0``, ``cpu:0``."""
    first = jax.devices()
    rest = [] if first[0].platform == "cpu" else jax.devices("cpu")
    return {f"{_kind(device)}:{device.id}": device for device in (*first, *rest)}


def _kind(device: Any) -> str:
    """Return ``"cuda"`` or ``"rocm"`` for what JAX calls ``"gpu"``."""
    return next((kind for kind in ("cuda", "rocm") if kind in device.client.platform_version.lower()), device.platform)


def _described(device: Any) -> Device:
    if device.platform == "cpu":
        return host(f"cpu:{device.id}")
    memory = device.memory_stats() or {}
    limit = memory.get("bytes_limit")  # what JAX has taken for itself: three quarters of a GPU unless it is told otherwise
    free = None if limit is None else limit - memory.get("bytes_in_use", 0)
    return Device(f"{_kind(device)}:{device.id}", device.device_kind, limit, free)


def _fullest() -> Device:
    """Return the device that a lack of memory is about: the one of the default platform that has the least left."""
    return min(map(_described, jax.devices()), key=lambda device: device.free or 0)


@partial(jax.jit, static_argnums=0)  # the state is not donated: the caller's stays, and XLA's one copy of it costs less than ours
def _fold(step: Callable[..., Any], state: Any, inputs: Any, data: tuple[Any, ...]) -> tuple[Any, Any]:
    state, outs = jax.lax.scan(lambda state, one: step(state, one, *data), state, inputs)
    return state, outs


backend = JaxBackend()
