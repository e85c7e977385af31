"""IDX files, the format of MNIST: big-endian dimensions, then the values, row by row.

::

    byte 0, 1   zero
    byte 2      the type of the values: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64
    byte 3      how many dimensions
    4 each      the dimensions
    the rest    the values

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits" (the description of the file format).
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._table import Column, Matrix, Table
from mlpxp.data._unpacking import check_regular, most_of
from mlpxp.data.wording import counted, reason
from mlpxp.errors import DataError, FileFormatError, ShapeError

__all__ = ["is_idx", "labels_beside", "load_folder", "load_pair", "read_idx"]

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
NAME = re.compile(r"[-._]idx(\d)-ubyte(\.gz)?$")
CHUNK = 1 << 20


def is_idx(path: Path) -> bool:
    """Whether a file is named as IDX files are (``train-images-idx3-ubyte.gz``)."""
    return NAME.search(path.name) is not None or path.name.removesuffix(".gz").endswith((".idx", ".idx1", ".idx3"))


def read_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file, plain or gzip.

    The size that the header claims is compared with the file before anything of that size is allocated.

    Returns
    -------
    ndarray
        Of the shape and dtype that the header says, in this machine's byte order.

    Raises
    ------
    FileFormatError
        The file is not IDX, is cut short, or is longer than its header says.
    """
    check_regular(path)
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        size = path.stat().st_size
        try:
            if not zipped:
                return _read(file, path, most=size)
            with gzip.GzipFile(fileobj=file) as unzipped:
                return _read(unzipped, path, most=most_of(size))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileFormatError(f"{path} is damaged or cut short: it can't be decompressed ({reason(error)})") from error


def _read(file: IO[bytes] | gzip.GzipFile, path: Path, *, most: int) -> NDArray[Any]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\x00\x00":
        raise FileFormatError(
            f"{path} is not an IDX file: it must begin with two zero bytes, a type and a number of dimensions, got {head!r}"
        )
    code, n_dimensions = head[2], head[3]
    if code not in TYPES:
        known = ", ".join(f"0x{one:02X}" for one in TYPES)
        raise FileFormatError(f"{path}: unknown IDX type 0x{code:02X}; known are {known}")
    if not 1 <= n_dimensions <= 8:
        raise FileFormatError(f"{path}: an IDX file must have 1 to 8 dimensions, got {n_dimensions}")
    packed = file.read(4 * n_dimensions)
    if len(packed) < 4 * n_dimensions:
        raise FileFormatError(f"{path} is cut short: its header ends after {4 + len(packed)} of {4 + 4 * n_dimensions} bytes")
    shape = tuple(int(size) for size in np.frombuffer(packed, dtype=">u4"))
    dtype = np.dtype(TYPES[code])
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > most:
        raise FileFormatError(f"{path} is cut short: its header says {shape}, {wanted:,} bytes of values, and the file can't hold so many")
    values = bytearray()
    while len(values) < wanted and (chunk := file.read(min(CHUNK, wanted - len(values)))):
        values += chunk
    if len(values) < wanted:
        raise FileFormatError(f"{path} is cut short: its header says {shape}, {wanted:,} bytes of values, got {len(values):,}")
    if file.read(1):
        raise FileFormatError(f"{path} is longer than its header says: {shape} is {wanted:,} bytes of values, and more follow")
    if wanted == 0:
        raise DataError(f"{path} is empty, with no images or labels: its header says {shape}")
    array = np.frombuffer(values, dtype=dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def labels_beside(images: Path) -> Path | None:
    """The labels file that belongs to an images file by its name, if it is there."""
    name = re.sub(r"idx\d", "idx1", images.name.replace("images", "labels"))
    return next((path for path in _spellings(images.with_name(name)) if path != images and path.is_file()), None)


def load_pair(images: Path, labels: Path | None, *, features_only: bool = False) -> Table:
    """Read an images file and its labels file.

    Parameters
    ----------
    images, labels : Path
        The images, at least two-dimensional, one example each along the first axis; the labels, one-dimensional.
        Where ``labels`` is None they are looked for beside the images.
    features_only : bool
        Don't read the labels.

    Returns
    -------
    Table
        The images flattened to (m, rows * columns), of the file's dtype; the target is named ``label``.

    Raises
    ------
    DataError
        There are no labels beside the images, or no images in the file.
    FileFormatError
        As ``read_idx``.
    ShapeError
        The dimensions are not those of images or labels, or there are not as many of both.
    """
    pixels = read_idx(images)
    if pixels.ndim < 2:
        raise ShapeError(f"{images} must hold images, of 2 or more dimensions, got shape {pixels.shape}: is it the labels file?")
    if pixels.size == 0:
        raise DataError(f"{images} has no images: its header says {pixels.shape}")
    features = Matrix(pixels.reshape(len(pixels), -1), pixels=True)
    if features_only:
        return Table(str(images), features)
    labels = labels or labels_beside(images)
    if labels is None:
        wanted = images.name.replace("images", "labels").replace("idx3", "idx1")
        raise DataError(f"{images}: no labels file beside it (looked for {wanted!r}, with - or . and with .gz); name both as IMAGES,LABELS")
    digits = read_idx(labels)
    if digits.ndim != 1:
        raise ShapeError(f"{labels} must hold labels, of 1 dimension, got shape {digits.shape}")
    if len(digits) != len(pixels):
        found = f"{images.name} has {counted(len(pixels), 'image')}, {labels.name} has {counted(len(digits), 'label')}"
        raise ShapeError(f"{found}: each image needs one label")
    return Table(str(images), features, Column("label", digits, "number" if digits.dtype.kind == "f" else "integer"))


def load_folder(folder: Path, *, features_only: bool = False) -> Table:
    """Read a folder of IDX files in MNIST's naming; its t10k files are the test set.

    Raises
    ------
    DataError
        There are no IDX images in the folder.
    FileFormatError, ShapeError
        As ``load_pair``.
    """
    found = {part: _images_in(folder, part) for part in ("train", "t10k")}
    present = [path for path in found.values() if path is not None]
    if not present:
        raise DataError(
            f"{folder} has no IDX images: wanted train-images-idx3-ubyte (plain or .gz) and its labels, t10k-images-... as a test set"
        )
    table = load_pair(present[0], None, features_only=features_only)
    test = load_pair(present[1], None, features_only=features_only) if len(present) == 2 else None
    if test is not None and test.feature_names != table.feature_names:
        sizes = f"{len(table.feature_names)} and {len(test.feature_names)} pixels"
        raise ShapeError(f"{folder}: the training and the test images must be of one size, got {sizes}")
    return Table(str(folder), table.features, table.target, test)


def _images_in(folder: Path, part: str) -> Path | None:
    return next((path for path in _spellings(folder / f"{part}-images-idx3-ubyte") if path.is_file()), None)


def _spellings(path: Path) -> list[Path]:
    """The names under which an IDX file goes about: with - or . before idx, plain or .gz."""
    stem = path.name.removesuffix(".gz")
    stems = dict.fromkeys([stem, re.sub(r"[-._]idx", "-idx", stem), re.sub(r"[-._]idx", ".idx", stem)])
    return [path.with_name(one + ending) for one in stems for ending in ("", ".gz")]
