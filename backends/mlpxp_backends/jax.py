"""JAX: a fold is one compiled program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as xp
import numpy as np

from mlpxp.backend import check_pure, dtype_of, on_host
from mlpxp.devices import Device, host, memory_watched, no_such_device
from mlpxp.errors import BackendError, DtypeError

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
        is_bare = not hasattr(values, "dtype")  # numbers of Python's, for which float32 will do
        values = on_host(values, xp)
        if dtype is None and is_bare and values.dtype == np.float64 and not _has_float64():
            dtype = "float32"
        wanted = dtype_of(xp, dtype)
        if (wanted or values.dtype) == np.float64 and not _has_float64():
            raise DtypeError(
                "JAX has no float64 until it is asked for: use float32, or jax.config.update('jax_enable_x64', True) before the first "
                "array, or JAX_ENABLE_X64=1 in the environment"
            )
        known = _devices()  # or the reason why there are none
        if device is not None:
            device = self._device(device, known)
        with memory_watched(partial(_place, device), jax.errors.JaxRuntimeError):
            try:
                return xp.asarray(values, dtype=wanted, device=device)
            except (TypeError, OverflowError) as error:  # text, dates, objects
                raise DtypeError(f"JAX can't make an array of these data: {' '.join(str(error).split())}") from error

    def _device(self, device: Any, known: dict[str, Any]) -> Any:
        if isinstance(device, str | Device):
            kind, _, number = str(device).partition(":")
            device = known.get(f"{kind}:{number or 0}", device)
        if device not in known.values() and not isinstance(device, jax.sharding.Sharding):
            raise no_such_device(self.name, device, self.devices())
        return device

    def to_numpy(self, array: Any) -> np.ndarray:
        with memory_watched(partial(_place, array), jax.errors.JaxRuntimeError):  # what was queued may only fail now
            return np.asarray(array)

    def synchronize(self) -> None:
        jax.block_until_ready(jax.live_arrays())

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        check_pure(step, "'jax'")
        moves = jax.transfer_guard_host_to_device("allow")  # the rows of the batches, which are drawn on the host
        with moves, memory_watched(partial(_place, jax.tree.leaves(state)[0]), jax.errors.JaxRuntimeError):
            state, outs = _fold(step, state, inputs, data)
        return state, outs


@cache
def _devices() -> dict[str, Any]:
    """Return JAX's devices of all platforms by name, those that it prefers first: ``cuda:0``, ``cpu:0``."""
    try:
        first = jax.devices()
    except (RuntimeError, AssertionError) as error:  # it was told to use a platform that isn't there
        reason = " ".join(str(error).split()) or "JAX_PLATFORMS names a platform that isn't there"
        raise BackendError(f"backend 'jax' finds no device: {reason}") from error
    try:
        rest = [] if first[0].platform == "cpu" else jax.devices("cpu")
    except RuntimeError:  # it was told not to use the host
        rest = []
    return {f"{_kind(device)}:{device.id}": device for device in (*first, *rest)}


def _kind(device: Any) -> str:
    """Return ``"cuda"`` or ``"rocm"`` for what JAX calls ``"gpu"``."""
    return next((kind for kind in ("cuda", "rocm") if kind in device.client.platform_version.lower()), device.platform)


def _described(device: Any) -> Device:
    if device.platform == "cpu":
        return replace(host(f"cpu:{device.id}"), float64=_has_float64())
    memory = device.memory_stats() or {}
    limit = memory.get("bytes_limit")  # what JAX has taken for itself: three quarters of a GPU unless it is told otherwise
    free = None if limit is None else limit - memory.get("bytes_in_use", 0)
    return Device(f"{_kind(device)}:{device.id}", device.device_kind, limit, free, _has_float64())


def _has_float64() -> bool:
    return bool(jax.config.read("jax_enable_x64"))


def _place(where: Any) -> Device:
    """Return what there is to say of a device, or of that of an array; of the default one if it is ``None``."""
    device = next(iter(where.devices())) if isinstance(where, jax.Array) else where
    return _described(device if hasattr(device, "device_kind") else jax.devices()[0])


@partial(jax.jit, static_argnums=0)  # the state is not donated: the caller's stays, and XLA's one copy of it costs less than ours
def _fold(step: Callable[..., Any], state: Any, inputs: Any, data: tuple[Any, ...]) -> tuple[Any, Any]:
    state, outs = jax.lax.scan(lambda state, one: step(state, one, *data), state, inputs)
    return state, outs


backend = JaxBackend()
