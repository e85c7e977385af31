"""Where it was measured: without this a time says nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mlpxp.arrays.backend import get_backend
from mlpxp.arrays.devices import host

__all__ = ["describe_machine", "driver"]

_PACKAGES = ("mlpxp", "numpy", "array-api-compat", "cupy-cuda13x", "cupy-cuda12x", "torch", "jax", "scikit-learn", "scipy")


def describe_machine(backends: tuple[str, ...]) -> dict[str, Any]:
    """Return what a reader needs to judge the times by: processor, cores, BLAS, the backends' devices, versions and the date.

    Parameters
    ----------
    backends : tuple of str
        The ones that were measured.
    """
    here = host()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": here.description,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": here.memory,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": _blas(),
        **({} if (found := driver()) is None else {"driver": found}),
        "devices": {name: [device.description for device in get_backend(name).devices()] for name in backends},
        "versions": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def _blas() -> list[str]:
    try:
        from threadpoolctl import threadpool_info
    except ModuleNotFoundError:
        return []
    return sorted(
        {f"{one['internal_api']} {one.get('version') or ''}, {one['num_threads']} threads".replace(" ,", ",") for one in threadpool_info()}
    )


def driver() -> str | None:
    """Return the version of NVIDIA's driver as its own program says it; ``None`` where it isn't there."""
    if (program := shutil.which("nvidia-smi")) is None:
        return None
    asked = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.split()), None)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
