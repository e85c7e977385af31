"""CuPy: products in TF32, and the memory that its pool takes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import cupy  # pyright: ignore[reportMissingImports]

from mlpxp_backends.cupy import multiplying_in

__all__ = ["peak", "tf32"]


def tf32() -> AbstractContextManager[None]:
    """Multiply in TF32."""
    return multiplying_in("tf32")


def peak(function: Callable[[], object]) -> int | None:
    """Return the most bytes that the pool took from the card for a call, beyond what was held before it."""
    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    before = pool.used_bytes()
    function()
    return int(pool.total_bytes() - before)
