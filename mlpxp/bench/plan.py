"""What a benchmark is asked to do, checked before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlpxp.arrays.backend import get_backend, known_backends
from mlpxp.bench.problems import classifier
from mlpxp.errors import BackendError

__all__ = ["FULL", "QUICK", "Plan", "make_plan"]

QUICK, FULL = 6.0, 120.0  # seconds for one benchmark
LEFT_OUT = ("strict",)  # array-api-strict is there to find mistakes, its times mean nothing


@dataclass(frozen=True)
class Plan:
    """What every benchmark of a run is asked for.

    Attributes
    ----------
    backends : tuple of str
        Names of backends that can be used here.
    device : str or None
        Where it runs; ``None`` leaves it to each library.
    quick : bool
        Fewer and smaller sizes: to see that it works, and about what comes out.
    seconds : float
        About how long one benchmark should take.
    allow_long : bool
        Whether it may take much longer, because its sizes ask for it.
    sizes : tuple of int
        Of the network that a choice is wanted for, from the inputs to the outputs; ``()`` where none was named.
    """

    backends: tuple[str, ...]
    device: str | None = None
    quick: bool = False
    seconds: float = FULL
    allow_long: bool = False
    sizes: tuple[int, ...] = ()


def make_plan(
    backends: Sequence[str] = (),
    *,
    device: str | None = None,
    quick: bool = False,
    allow_long: bool = False,
    sizes: Sequence[int] = (),
) -> Plan:
    """Return a plan whose backends and device are known to be here.

    Parameters
    ----------
    backends : sequence of str
        None, or ``"auto"`` among them, means every one that can be used here and on the device.
    device, quick, allow_long, sizes
        As in :class:`Plan`.

    Raises
    ------
    UnknownNameError, BackendError
        A backend that was asked for is unknown or can't be used here, or has no such device.
    RangeError
        Sizes that are no network's.
    """
    sized = classifier(sizes).sizes if sizes else ()
    named = tuple(dict.fromkeys(backends))
    used = tuple(_usable(device)) if not named or "auto" in named else named
    for name in used:
        _try(name, device)
    return Plan(used, device, quick, QUICK if quick else FULL, allow_long, sized)


def _usable(device: str | None) -> list[str]:
    """The backends of this machine that have the device."""
    found, errors = [], []
    for name in known_backends():
        if name in LEFT_OUT:
            continue
        try:
            _try(name, device)
        except BackendError as error:
            errors.append(error)
        else:
            found.append(name)
    if not found:
        raise errors[0] if len(errors) == 1 else BackendError(_nowhere(device, errors))
    return found


def _nowhere(device: str | None, errors: Sequence[BackendError]) -> str:
    what = "no backend can be used here" if device is None else f"no backend has a device {device!r} here"
    return f"{what}: {'; '.join(str(error) for error in errors)}"


def _try(name: str, device: str | None) -> None:
    get_backend(name).asarray([0.0], dtype="float32", device=device)
