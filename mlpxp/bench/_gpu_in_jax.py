"""JAX: products in TF32, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

import jax

__all__ = ["peak", "tf32"]


def tf32() -> AbstractContextManager[None]:
    """Multiply in TF32; what was compiled before is compiled anew."""
    return cast("AbstractContextManager[None]", jax.default_matmul_precision("tensorfloat32"))


def peak(function: Callable[[], object]) -> int | None:
    """Return the most bytes that were in use during a call, beyond those before it; ``None`` where more had been in use earlier."""
    before = _statistics()
    function()
    after = _statistics()
    if not after or after["peak_bytes_in_use"] <= before["peak_bytes_in_use"]:
        return None
    most: int = after["peak_bytes_in_use"] - before["bytes_in_use"]
    return most


def _statistics() -> dict[str, Any]:
    return jax.devices()[0].memory_stats() or {}
