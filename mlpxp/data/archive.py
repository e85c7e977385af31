"""NumPy archives (.npz) with the arrays X and y."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.data.table import Column, Matrix, Table
from mlpxp.data.wording import did_you_mean, listed, reason
from mlpxp.errors import DataError, DtypeError, FileFormatError, ShapeError, UnknownNameError

__all__ = ["load_npz"]

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
        The file is damaged, cut short or not an archive, or an array is of pickled Python objects.
    ShapeError
        X or y has too few or too many dimensions, or they are not equally long.
    UnknownNameError
        There is no array of the target's name.
    """
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
        with archive.open(info) as file:
            version = np.lib.format.read_magic(file)
            read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(file)
            if dtype.hasobject:
                raise FileFormatError(f"{path}: {name} holds Python objects, which are not read; save it as numbers or text")
            if any(size < 0 for size in shape) or file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize != info.file_size:
                raise FileFormatError(f"{path} is damaged: {name} says it is {shape} of {dtype}, and is not as long as that")
        with archive.open(info) as file:
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except KeyError as error:
        raise FileFormatError(f"{path}: {name} is not a NumPy array") from error
    except DAMAGE as error:
        if isinstance(error, FileFormatError):  # which is a ValueError too
            raise
        raise FileFormatError(f"{path} is damaged or cut short: {name} can't be read ({reason(error)})") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)
