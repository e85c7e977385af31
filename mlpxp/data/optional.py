"""Libraries that only the data edge needs, imported at the moment they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from mlpxp.errors import DataError

__all__ = ["require"]


def require(module: str, purpose: str) -> Any:
    """Import `module`, or say in one line what it was wanted for and how to get it.

    Raises
    ------
    DataError
        The library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = "scikit-learn" if module.startswith("sklearn") else module
        raise DataError(f"{purpose} needs {library}, which can't be imported ({error}): pip install 'mlpxp[cli]'") from error
