"""NumPy archives (.npz) with the arrays X and y."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._table import Column, Matrix, Table
from mlpxp.data._unpacking import CHUNK, check_regular, check_size
from mlpxp.data.wording import did_you_mean, listed, reason
from mlpxp.errors import DataError, DtypeError, FileFormatError, ShapeError, UnknownNameError

__all__ = ["load_npz"]

MOST_LETTER = 0x10FFFF  # in Unicode; between D800 and E000 are halves of pairs
HEADER = 1 << 16  # numpy's own are at most 10,000 bytes, with some before them
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, MemoryError, OverflowError)


def load_npz(path: Path, *, target: str | None = None, features_only: bool = False) -> Table:
    """Read an archive with X, shape (m, n) or (m, ...) for images, and y, shape (m,).

    Bytes (uint8) and images are taken as pixels, which share one scale; other features are scaled one by one. Python objects
    (pickles) are never read.

    Parameters
    ----------
    path : Path
        The archive.
    target : str, optional
        The name of the array that is the target; y by default.
    features_only : bool
        Don't read the target.

    Raises
    ------
    DataError
        X has no rows, or y is not there.
    DtypeError
        X is not of numbers, or y of something that is no label.
    FileFormatError
        The file is damaged, cut short or not an archive, an array is of pickled Python objects, or is far larger than the file.
    ShapeError
        X or y has too few or too many dimensions, or they are not equally long.
    UnknownNameError
        There is no array of the target's name.
    """
    check_regular(path)
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE as error:
        raise FileFormatError(f"{path} is not a whole .npz archive: {reason(error)}") from error
    with archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if "X" not in names:
            raise DataError(f"{path} has no array X: wanted X (m, n) and y (m,), got {listed(names) or 'nothing'}")
        X = _member(archive, "X", path)
        features = _features(X, path)
        if features_only:
            return Table(str(path), features)
        label = "y" if target is None else target
        if label not in names:
            raise UnknownNameError(f"{path} has no array {label!r} for the target; it has {listed(names)}{did_you_mean(label, names)}")
        y = _member(archive, label, path)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or len(y) != len(X):
        raise ShapeError(f"{path}: {label} must have shape ({len(X)},), one value for each row of X, got {y.shape}")
    return Table(str(path), features, _target(label, y, path))


def _features(X: NDArray[Any], path: Path) -> Matrix:
    if X.dtype.kind not in "biuf":
        raise DtypeError(f"{path}: X must hold real numbers, got {X.dtype}; text columns belong into a CSV or Parquet file")
    if X.ndim < 2:
        raise ShapeError(f"{path}: X must have shape (m, n), one row an example, got {X.shape}")
    if X.size == 0:
        raise DataError(f"{path}: X is empty, its shape is {X.shape}: wanted at least one row and one column")
    return Matrix(X.reshape(len(X), -1), pixels=X.ndim > 2 or X.dtype == np.uint8)


def _target(name: str, y: NDArray[Any], path: Path) -> Column:
    if y.dtype.kind in "US":
        if y.dtype.kind == "U" and y.dtype.itemsize:
            letters = np.ascontiguousarray(y).view(np.uint32)
            if np.any((letters > MOST_LETTER) | ((letters >= 0xD800) & (letters < 0xE000))):
                raise FileFormatError(f"{path} is damaged: {name} holds numbers that are no letters")
        try:
            categories, codes = np.unique(y.astype(np.str_), return_inverse=True)
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{path}: {name} holds bytes that are not ASCII text; save it as text") from error
        return Column(name, codes.astype(np.int32), "text", tuple(categories.tolist()))
    if y.dtype.kind not in "biuf":
        raise DtypeError(f"{path}: {name} must hold numbers, true and false, or text, got {y.dtype}")
    return Column(name, y, "boolean" if y.dtype.kind == "b" else "number" if y.dtype.kind == "f" else "integer")


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    """One array; the size that its header claims is compared with the file before anything of that size is allocated."""
    try:
        info = archive.getinfo(f"{name}.npy")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileFormatError(f"{path}: {name} is compressed as NumPy never does (method {info.compress_type})")
        check_size(info.file_size, path.stat().st_size, f"{path}: {name}")
        with archive.open(info) as file:
            head = io.BytesIO(file.read(HEADER))  # of which more may be announced than there is
        shape, fortran, dtype = _header(head)
        if dtype.hasobject:
            raise FileFormatError(f"{path}: {name} holds Python objects, which are not read; save it as numbers or text")
        if any(size < 0 for size in shape) or head.tell() + math.prod(shape) * dtype.itemsize != info.file_size:
            raise FileFormatError(f"{path} is damaged: {name} says it is {shape} of {dtype}, and is not as long as that")
        if math.prod(shape) == 0:
            return np.empty(shape, dtype)
        content = bytearray()
        with archive.open(info) as file:
            while part := file.read(CHUNK):
                content += part
        array: NDArray[Any] = np.frombuffer(content, dtype, offset=head.tell()).reshape(shape, order="F" if fortran else "C")
    except KeyError as error:
        raise FileFormatError(f"{path}: {name} is not a NumPy array") from error
    except DAMAGE as error:
        if isinstance(error, FileFormatError):  # which is a ValueError too
            raise
        raise FileFormatError(f"{path} is damaged or cut short: {name} can't be read ({reason(error)})") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is in Fortran's order, and dtype, as NumPy's own reader of headers has them."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one that Python 2 wrote
            shape, fortran, dtype = read(file)
    except (
        Exception
    ) as error:  # NumPy's parser lets through what Python's says of a text that is no Python: TokenError, SyntaxError, TypeError
        raise ValueError(f"its header can't be read: {reason(error)}") from error
    return shape, fortran, dtype
