"""Every error mlpxp raises on purpose.

Each derives from :class:`MlpxpError` and from the builtin that a Python user would expect, and its message is one line:
what was wrong, what was wanted, what was got, and why.

::

    MlpxpError
    ├── ShapeError          (ValueError)       an array of the wrong shape
    ├── DtypeError          (TypeError)        an array of the wrong dtype, or two that disagree
    ├── RangeError          (ValueError)       a number outside its range, an option that does not exist
    ├── UnknownNameError    (ValueError)       a name that stands in no table: activation, loss, backend, column, ...
    ├── PairingError        (ValueError)       an output activation and a loss that make no sense together
    ├── BackendError        (RuntimeError, ValueError)  a library or a device that can't be used, or two that were mixed
    │   └── OutOfMemoryError (MemoryError)     a device's memory is too small
    ├── MissingLibraryError (ImportError)      an optional library that is not installed
    ├── DataError           (ValueError)       data that can't be learnt from: NaN, one class, no rows, an unknown label
    ├── FileFormatError     (ValueError)       a file that is truncated, damaged, foreign, or from a newer version
    ├── OutputError         (OSError)          a place that can't be written to
    └── DivergenceError     (ArithmeticError, ValueError)  the cost stopped being finite

And three warnings (:class:`MlpxpWarning`, a UserWarning), for what must not end a training that can go on: :class:`CheckpointWarning`;
:class:`ScaleWarning` for features whose scale float32 has not the digits for; and :class:`ValidationWarning` for validation data that are
far from what is learnt.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BackendError",
    "CheckpointWarning",
    "DataError",
    "DivergenceError",
    "DtypeError",
    "FileFormatError",
    "MissingLibraryError",
    "MlpxpError",
    "MlpxpWarning",
    "OutOfMemoryError",
    "OutputError",
    "PairingError",
    "RangeError",
    "ScaleWarning",
    "ShapeError",
    "UnknownNameError",
    "ValidationWarning",
]


class MlpxpError(Exception):
    """The root of the tree: ``except MlpxpError`` catches whatever mlpxp raises on purpose."""


class ShapeError(MlpxpError, ValueError):
    """An array does not have the shape that the equations ask for."""


class DtypeError(MlpxpError, TypeError):
    """An array's dtype is not a real floating one, or two arrays disagree; nothing is converted silently."""


class RangeError(MlpxpError, ValueError):
    """A number lies outside its range, or an option has none of its values."""


class UnknownNameError(MlpxpError, ValueError):
    """A name that stands in no table; the message lists the known ones."""


class PairingError(MlpxpError, ValueError):
    """An output activation and a loss that make no sense together."""


class BackendError(MlpxpError, RuntimeError, ValueError):
    """An array library or a device can't be used, or arrays of two of them were mixed."""


class OutOfMemoryError(BackendError, MemoryError):
    """A device has too little memory for what was asked of it.

    Attributes
    ----------
    asked, free : int or None
        Bytes that were asked for, and that were free; ``None`` where the library doesn't say.
    """

    def __init__(self, message: str, asked: int | None = None, free: int | None = None) -> None:
        super().__init__(message)
        self.asked = asked
        self.free = free

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.asked, self.free)


class MissingLibraryError(MlpxpError, ImportError):
    """An optional library is not installed; the message says how to install it."""


class DataError(MlpxpError, ValueError):
    """Data that can't be learnt from or predicted on; the message names the row and the column."""


class FileFormatError(MlpxpError, ValueError):
    """A file is truncated, damaged, of a foreign format, or written by a newer version."""


class OutputError(MlpxpError, OSError):
    """A file can't be written where it was asked for."""


class MlpxpWarning(UserWarning):
    """The root of the warnings: ``warnings.simplefilter("error", MlpxpWarning)`` makes an error of each."""


class ScaleWarning(MlpxpWarning):
    """A feature is so large, or varies so little around a large value, that float32 rounds away what is to be learnt from it."""


class ValidationWarning(MlpxpWarning):
    """The first validation loss is far above the training loss: the validation data were not prepared as the training data were."""


class CheckpointWarning(MlpxpWarning):
    """A checkpoint couldn't be written, and training goes on; or it couldn't be read, and the one before was."""


class DivergenceError(MlpxpError, ArithmeticError, ValueError):
    """The cost stopped being finite.

    Attributes
    ----------
    parameters : tuple of Layer
        The last parameters that were finite, as they stood at the start of an epoch.
    history : History
        The record of the finite epochs.
    best : tuple of Layer or None
        The parameters of the best epoch, where they are kept and there was one.
    """

    def __init__(self, message: str, *, parameters: Any, history: Any, best: Any = None) -> None:
        super().__init__(message)
        self.parameters = parameters
        self.history = history
        self.best = best

    def __reduce__(self) -> tuple[object, ...]:  # keyword-only arguments need a way back from a pickle (joblib, multiprocessing)
        return _divergence, (str(self), self.parameters, self.history, self.best)


def _divergence(message: str, parameters: Any, history: Any, best: Any = None) -> DivergenceError:
    return DivergenceError(message, parameters=parameters, history=history, best=best)
