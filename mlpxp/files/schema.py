"""What all files have in common: safetensors, with what the arrays mean in its metadata.

The metadata of a safetensors file are texts by name:

``format``
    ``mlpxp``.
``format_version``
    ``1``. It rises when a reader of this version would misread a file; other additions leave it.
``kind``
    What the file holds: ``model`` (also where the text is missing), ``result``, ``checkpoint``, or what a layer above adds.
``network``
    JSON: ``{"sizes": [4, 16, 3], "hidden": ["relu"], "output": "softmax", "loss": "cross_entropy"}``.
``dtype``
    ``float32`` or ``float64``, that of the layers.
``created``
    The time in UTC, ISO 8601.
``versions``
    JSON: what wrote the file, ``{"mlpxp": ..., "numpy": ..., "python": ...}``.

The parameters are the tensors ``layers.1.W``, ``layers.1.b``, ``layers.2.W``, ... with the shapes of :class:`mlpxp.Layer`, rows contiguous.
What else there is depends on the kind: :mod:`mlpxp.files._model_file`, :mod:`mlpxp.files._result_file`,
:mod:`mlpxp.files.checkpoint_file`.

Nothing in a file is executed, and nothing is believed: what does not fit together is refused.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpxp.errors import DataError, DtypeError, FileFormatError, MissingLibraryError, MlpxpError, RangeError
from mlpxp.files.disk import name_of_file, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlpxp.arrays.placing import Place


__all__ = [
    "DTYPES",
    "FORMAT_VERSION",
    "Contents",
    "Reader",
    "opened",
    "put",
    "shortened",
    "to_json",
    "write_file",
]

FORMAT_VERSION = 1
DTYPES = {"F32": "float32", "F64": "float64"}  # as safetensors calls them


class Contents(NamedTuple):
    """What is to be written: tensors, and texts beside those that every file has."""

    tensors: dict[str, NDArray[Any]]
    texts: dict[str, str]


def put(place: Place, array: NDArray[Any]) -> Any:
    """Make an array of a file's one of the library, in the dtype that was asked for, or in its own.

    Raises
    ------
    DtypeError
        It is float64, and the library or the device has none.
    """
    dtype = place.dtype or array.dtype.name
    try:
        return place.put(array, dtype=dtype)
    except DtypeError as error:
        if dtype != "float64":
            raise
        where = place.library.name if place.device is None else f"{place.library.name} on {place.device}"
        raise DtypeError(f"the file holds float64, and {where} can't: {error}; dtype='float32' rounds it") from error


def write_file(path: str | os.PathLike[str], kind: str, contents: Contents, *, keeps_previous: bool = False) -> None:
    """Write a file of this kind, whole or not at all.

    Raises
    ------
    OutputError
        It can't be written.
    MissingLibraryError
        safetensors is not installed.
    """
    with _safetensors():
        from safetensors.numpy import save
    texts = {
        "format": "mlpxp",
        "format_version": str(FORMAT_VERSION),
        "kind": kind,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": to_json({"mlpxp": _own_version(), "numpy": np.__version__, "python": platform.python_version()}, "versions"),
    }
    write_atomically(path, save(contents.tensors, metadata=texts | contents.texts), keeps_previous=keeps_previous)


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Reader]:
    """Open a file of ours, of whatever kind.

    Raises
    ------
    DataError
        There is no such file, or it can't be opened.
    FileFormatError
        It is damaged, cut short, foreign, or from a newer version.
    DtypeError
        ``path`` is no name.
    MissingLibraryError
        safetensors is not installed.
    """
    with _safetensors():
        from safetensors import SafetensorError, safe_open

    file = Path(name_of_file(path))
    try:
        if file.is_dir():
            raise DataError(f"{file} is a folder: wanted a model file")
        if not stat.S_ISREG(file.stat().st_mode):
            raise DataError(f"{file} is no regular file: wanted a model file")
        with file.open("rb"):
            pass  # for an error of the system's own; safe_open would word it otherwise
        with safe_open(str(file), framework="numpy") as handle:
            reader = Reader(file, handle)
            if reader.texts.get("format") != "mlpxp":
                raise FileFormatError(f"{file} is a safetensors file, but no model of mlpxp's: its metadata don't say so")
            _check_version(reader)
            yield reader
    except FileNotFoundError as error:
        raise DataError(f"{file}: no such file: wanted a model file that mlpxp train has written") from error
    except ValueError as error:
        if isinstance(error, MlpxpError) or "\0" not in str(file):
            raise
        raise DataError(f"{str(file)!r} can't be the name of a file: it has a zero byte in it") from error
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise FileFormatError(f"{file} is no model file, or it is damaged or cut short: {error}") from error


class Reader:
    """An opened file that checks what it hands out."""

    def __init__(self, path: Path, handle: Any) -> None:
        self.path, self.handle = path, handle
        self.names = set(handle.keys())
        self.texts: dict[str, str] = handle.metadata() or {}

    @property
    def kind(self) -> str:
        """What the file holds."""
        return self.texts.get("kind", "model")

    @property
    def created(self) -> str:
        """When it was written, or nothing."""
        return self.texts.get("created", "")

    @property
    def versions(self) -> dict[str, str]:
        """By what it was written."""
        return {name: str(value) for name, value in self.json("versions", required=False).items()}

    @property
    def dtype(self) -> str:
        """That of the layers."""
        dtype = self.texts.get("dtype", "")
        if dtype not in DTYPES.values():
            raise self.refuse(f"dtype must be float32 or float64, got {shortened(dtype)}")
        return dtype

    def refuse(self, why: str) -> FileFormatError:
        return FileFormatError(f"{self.path} is a damaged or foreign model file: {why if len(why) <= 300 else f'{why[:297]}...'}")

    def json(self, name: str, *, required: bool = True) -> dict[str, Any]:
        """One of the metadata that are JSON objects."""
        if name not in self.texts and not required:
            return {}
        try:
            value = json.loads(self.texts[name], parse_constant=_no_constant)
        except KeyError:
            raise self.refuse(f"its metadata have no {name!r}") from None
        except (ValueError, RecursionError) as error:
            raise self.refuse(f"its {name} is not JSON ({error})") from error
        if not isinstance(value, dict):
            raise self.refuse(f"its {name} must be a JSON object, got {shortened(value)}")
        return value

    def field(self, of: dict[str, Any], name: str, what: str, good: Callable[[Any], bool]) -> Any:
        """One entry of such an object, which has to be ``what``."""
        value = of.get(name)
        if not good(value):
            raise self.refuse(f"its {name} must be {what}, got {shortened(value)}")
        return value

    def array(
        self, name: str, dtypes: tuple[str, ...], shape: tuple[int, ...] | None = None, *, ndim: int | None = None, finite: bool = True
    ) -> NDArray[Any]:
        """An array of one of these dtypes whose shape ends with ``shape``; checked before it is read."""
        if name not in self.names:
            raise self.refuse(f"it has no tensor {name!r}")
        header = self.handle.get_slice(name)
        dtype, got = DTYPES.get(header.get_dtype(), header.get_dtype()), tuple(header.get_shape())
        if dtype not in dtypes:
            raise self.refuse(f"{name} must be {' or '.join(dtypes)}, got {dtype}")
        if shape is not None and got[len(got) - len(shape) :] != shape:
            raise self.refuse(f"{name} must have shape {shape}, as the network's sizes say, got {got}")
        if ndim is not None and len(got) != ndim:
            raise self.refuse(f"{name} must have {ndim} axes, got {len(got)}")
        array: NDArray[Any] = self.handle.get_tensor(name)
        if finite and not np.isfinite(array).all():
            raise self.refuse(f"{name} must be finite, got NaN or infinity")
        return array


def to_json(value: Mapping[str, Any], name: str) -> str:
    """An object as JSON, for the metadata.

    Raises
    ------
    RangeError
        JSON can't hold it.
    """
    try:
        text = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
        text.encode()  # half of a surrogate pair is no text
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise RangeError(f"{name} must be what JSON can hold (null for NaN) to be saved: {error}") from error


def shortened(value: object) -> str:
    """What a damaged file holds, for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@contextlib.contextmanager
def _safetensors() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingLibraryError("files need safetensors, which is not installed: pip install 'mlpxp[files]'") from error


def _check_version(reader: Reader) -> None:
    written = reader.texts.get("format_version", "")
    if not (written.isascii() and written.isdigit()) or len(written) > 9 or int(written) < 1:
        raise reader.refuse(f"format_version must be a whole number from 1, got {shortened(written)}")
    if int(written) > FORMAT_VERSION:
        raise FileFormatError(
            f"{reader.path} is of format version {written}, this mlpxp reads up to version {FORMAT_VERSION}: a newer mlpxp is needed"
        )


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mlpxp")
    except PackageNotFoundError:
        return "unknown"
