"""JAX: a fold is one compiled program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as xp
import numpy as np

from mlpxp.backend import dtype_of
from mlpxp.errors import DtypeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["backend"]


@dataclass(frozen=True)
class JaxBackend:
    """JAX arrays; a fold is compiled once for each step function and each set of shapes."""

    name: str = "jax"
    namespace: Any = xp

    def asarray(self, values: Any, *, dtype: str | None = None, device: Any = None) -> Any:
        wanted = dtype_of(np, dtype) or getattr(values, "dtype", None)
        if wanted == np.float64 and not jax.config.read("jax_enable_x64"):
            raise DtypeError(
                "JAX has no float64 until it is asked for: jax.config.update('jax_enable_x64', True) before the first array, "
                "or JAX_ENABLE_X64=1 in the environment"
            )
        return xp.asarray(values, dtype=dtype_of(xp, dtype), device=jax.devices(device)[0] if isinstance(device, str) else device)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def synchronize(self) -> None:
        """Do nothing: JAX waits for each array where it is read."""

    def fold(self, step: Callable[..., Any], state: Any, inputs: Any, *data: Any) -> tuple[Any, Any]:
        with jax.transfer_guard_host_to_device("allow"):  # the rows of the batches, which are drawn on the host
            state, outs = _fold(step, state, inputs, data)
        return state, outs


@partial(jax.jit, static_argnums=0)  # the state is not donated: the caller's stays, and XLA's one copy of it costs less than ours
def _fold(step: Callable[..., Any], state: Any, inputs: Any, data: tuple[Any, ...]) -> tuple[Any, Any]:
    state, outs = jax.lax.scan(lambda state, one: step(state, one, *data), state, inputs)
    return state, outs


backend = JaxBackend()
