"""Where arrays can live: what a device is called, how much memory it has, and what is said when that is not enough."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlpxp.errors import BackendError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Device", "host", "memory_watched", "no_such_device", "number_of", "size"]


@dataclass(frozen=True)
class Device:
    """A place for arrays, as :meth:`Backend.devices` lists it; also an argument ``device=``.

    Attributes
    ----------
    name : str
        What ``device=`` takes: ``"cpu"``, ``"cuda:0"``.
    description : str
        The processor's own name.
    memory : int or None
        In bytes; ``None`` where the library doesn't say.
    free : int or None
        What of it was free when it was asked, in bytes.
    float64 : bool
        Whether it computes in float64.
    """

    name: str
    description: str
    memory: int | None = None
    free: int | None = None
    float64: bool = True

    def __str__(self) -> str:
        return self.name


def host(name: str = "cpu") -> Device:
    """Return the CPU with the host's memory, as the libraries that compute there see it."""
    return Device(name, _processor(), _pages("SC_PHYS_PAGES"), _pages("SC_AVPHYS_PAGES"))


def _pages(which: str) -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf(which)
    except (AttributeError, ValueError, OSError):  # not on Windows, and not every name elsewhere
        return None


@cache
def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE) if cpuinfo.exists() else None
    return named[1] if named else platform.processor() or platform.machine()


def number_of(device: str, kinds: Iterable[str]) -> int | None:
    """Return N of ``"kind:N"``, 0 of ``"kind"``, and ``None`` where the text is neither."""
    found = re.fullmatch(r"([a-z]+)(?::(\d+))?", device)
    return int(found[2] or 0) if found and found[1] in kinds else None


def no_such_device(backend: str, device: object, known: Iterable[Device]) -> BackendError:
    """Return the error for a device that a backend hasn't got; it lists those that it has."""
    names = ", ".join(repr(one.name) for one in known)
    return BackendError(f"device must be one that backend {backend!r} has here, {names}, got {str(device)!r}; see mlpxp backends")


_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}


class memory_watched:  # noqa: N801 - it is called like a function; a class costs a prediction less than a generator does
    """Turn a library's own words about a lack of memory into one error that says what was asked for and what was free.

    Parameters
    ----------
    device : callable
        Returns the device whose memory it is, as it is now.
    *errors : exception types
        What the library raises. An error that speaks of something else passes through.

    Raises
    ------
    OutOfMemoryError
    """

    __slots__ = ("_device", "_errors")

    def __init__(self, device: Callable[[], Device], *errors: type[Exception]) -> None:
        self._device, self._errors = device, errors

    def __enter__(self) -> None:
        """Nothing: what matters is how it ends."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if not isinstance(error, self._errors) or isinstance(error, OutOfMemoryError):
            return
        text = str(error)
        if not re.search("alloc|out of memory", text, re.IGNORECASE):
            return
        amount = re.search(rf"(\d[\d,]*\.?\d*) ({'|'.join(_UNITS)})", text)
        asked = None if amount is None else int(float(amount[1].replace(",", "")) * _UNITS[amount[2]])
        where = self._device()
        known = [f"{size(n)} {was}" for n, was in ((asked, "asked for"), (where.free, "free")) if n is not None]
        message = f"{where.name} has too little memory{': ' + ', '.join(known) if known else ''}"
        raise OutOfMemoryError(message, asked, where.free) from error


def size(n_bytes: int) -> str:
    """Return a number of bytes as people read it: ``"512 bytes"``, ``"16.0 TiB"``."""
    unit = next((unit for unit, amount in reversed(_UNITS.items()) if n_bytes >= amount), "bytes")
    return f"{n_bytes} bytes" if unit == "bytes" else f"{n_bytes / _UNITS[unit]:.1f} {unit}"
