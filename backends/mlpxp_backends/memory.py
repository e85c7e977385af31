"""The host's memory, for the libraries that take it with malloc."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["keep_freed_memory"]


@cache
def keep_freed_memory() -> None:
    """Take a large block once, untouched, and give it back: after that glibc keeps what is freed instead of returning it.

    Each step frees what the next one needs again. Without this the system takes the pages back and clears them every time, and a step
    of 784-256-128-10 at batch 256 took 2.2 times as long when it was tried. Elsewhere it does nothing.
    """
    np.empty(31 * 2**20, dtype="uint8")  # glibc raises its thresholds to a freed block's size, up to 32 MiB
