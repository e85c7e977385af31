"""What can be used here: every known backend, its devices, and the reason where it can't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlpxp.arrays.backend import get_backend, known_backends
from mlpxp.arrays.devices import Device
from mlpxp.errors import BackendError, MlpxpError

__all__ = ["BackendStatus", "backends"]


@dataclass(frozen=True)
class BackendStatus:
    """What :func:`backends` finds out about one backend.

    Attributes
    ----------
    name : str
        What ``backend=`` takes.
    version : str or None
        The library's; ``None`` where it can't be imported.
    devices : tuple of Device
        Where its arrays can live, the default first.
    runs : str or None
        How it runs an epoch.
    problem : str or None
        Why it can't be used, and what to do; ``None`` where it can.
    """

    name: str
    version: str | None = None
    devices: tuple[Device, ...] = ()
    runs: str | None = None
    problem: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it can be used."""
        return self.problem is None


def backends(tell: Callable[[str], object] | None = None) -> tuple[BackendStatus, ...]:
    """Return the status of every known backend. It imports their libraries, which can take seconds.

    Parameters
    ----------
    tell : callable, optional
        Called with each backend's name before it is looked at.

    Returns
    -------
    tuple of BackendStatus
        In the order of :func:`known_backends`.

    Examples
    --------
    >>> from mlpxp import backends
    >>> [status.devices[0].name for status in backends() if status.name == "numpy"]
    ['cpu']
    """
    found = []
    for name in known_backends():
        if tell is not None:
            tell(name)
        found.append(_look_at(name))
    return tuple(found)


def _look_at(name: str) -> BackendStatus:
    try:
        backend = get_backend(name)
    except BackendError as error:
        return BackendStatus(name, problem=str(error))
    try:
        return BackendStatus(name, backend.version, tuple(backend.devices()), backend.runs)
    except Exception as error:  # whatever a library says: the others are still of use
        reason = str(error) if isinstance(error, MlpxpError) else f"backend {name!r} can't say what is here: {error}"
        return BackendStatus(name, backend.version, runs=backend.runs, problem=" ".join(reason.split()))
