"""What is installed here, for bug reports."""

from __future__ import annotations

import platform
import sys

__all__ = ["show_versions"]

_PACKAGES = (
    "mlpxp", "array-api-compat", "numpy", "cupy-cuda13x", "cupy-cuda12x", "torch", "jax", "array-api-strict",
    "scikit-learn", "safetensors", "polars", "matplotlib", "typer", "rich", "ndonnx", "onnx",
)  # fmt: skip


def show_versions() -> None:
    """Print the versions of Python, the machine and every library that mlpxp can use, for a bug report."""
    rows = [("Python", sys.version.split()[0]), ("machine", f"{platform.system()} {platform.machine()}")]
    rows += [(name, _version(name)) for name in _PACKAGES]
    width = max(len(name) for name, _ in rows)
    for name, found in rows:
        print(f"{name:<{width}}  {found}")


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
