"""PyTorch: products in TF32, the memory that its pool takes, and the kernels that any library launches, by PyTorch's profiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch  # pyright: ignore[reportMissingImports]
from torch.profiler import ProfilerActivity, profile  # pyright: ignore[reportMissingImports]

__all__ = ["launches", "peak", "tf32"]


@contextmanager
def tf32() -> Iterator[None]:
    """Multiply in TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def peak(function: Callable[[], object]) -> int | None:
    """Return the most bytes that were allocated during a call, beyond those before it."""
    if not torch.cuda.is_available():
        return None
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated() - before)


def launches(function: Callable[[], object], wait: Callable[[], object]) -> int | None:
    """Return how many kernels the process runs on the GPU in a call, whichever library launches them; ``None`` without a GPU."""
    if not torch.cuda.is_available():
        return None
    function()
    wait()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        function()
        wait()
    on_gpu = [event for event in seen.events() or () if event.device_type.name == "CUDA"]
    return sum(not event.name.startswith(("Memcpy", "Memset")) for event in on_gpu)
