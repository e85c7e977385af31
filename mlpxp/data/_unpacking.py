"""How much a file may unpack to: small files that say they are, or become, enormous ones are refused before memory is taken."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import zlib
from pathlib import Path
from typing import Any

from mlpxp.data._optional import polars_for
from mlpxp.data.wording import reason
from mlpxp.errors import DataError, FileFormatError

__all__ = ["MOST", "MOST_TIMES", "check_regular", "check_size", "most_of", "unpacked", "zstd_at_most"]

MOST = 1 << 26  # bytes that any packed file may unpack to: 64 MiB
MOST_TIMES = 100  # a larger one may be this many times as large as its file; tables and images pack to a third or a twentieth
CHUNK = 1 << 20
ZSTD = b"\x28\xb5\x2f\xfd"
ZSTD_BLOCK = 1 << 17  # what a block of zstandard holds at most
_ZSTD_RLE, _ZSTD_RESERVED = 1, 3
_SKIPPABLE = 0x184D2A50  # to 0x184D2A5F: frames without data

OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ\x00": lzma.LZMAFile}
DAMAGE = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)


def check_regular(path: Path) -> None:
    """Refuse what is no file with an end of its own: a pipe waits for ever, and /dev/zero has no end.

    Raises
    ------
    DataError
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise DataError(f"{path} is no regular file: wanted a file with an end; write a pipe's content into one first")


def most_of(size: int) -> int:
    """How many bytes a packed file of ``size`` bytes may unpack to."""
    return max(MOST, MOST_TIMES * size)


def check_size(unpacked: int, size: int, what: str) -> None:
    """Refuse what would take far more memory than its file.

    Parameters
    ----------
    unpacked : int
        The bytes that are needed, or a bound on them.
    size : int
        The bytes of the file.
    what : str
        What needs them, for the message.

    Raises
    ------
    FileFormatError
    """
    if unpacked > most_of(size):
        raise FileFormatError(
            f"{what} would take {unpacked:,} bytes out of a file of {size:,}: more than {MOST >> 20} MiB is read only up to "
            f"{MOST_TIMES} times the file's size; if it is what you expect, store it unpacked or in another format"
        )


def unpacked(path: Path) -> bytes:
    """What is in a file, unpacked where it is gzip, bzip2, xz or zstandard by its first bytes; of zstandard, text only.

    Raises
    ------
    DataError
        It is no regular file.
    FileFormatError
        It is damaged or cut short, or unpacks to far more than its size.
    """
    check_regular(path)
    raw = path.read_bytes()
    opener = next((opener for magic, opener in OPENERS.items() if raw.startswith(magic)), None)
    if opener is None:
        return _from_zstd(raw, path) if raw.startswith(ZSTD) else raw
    out = bytearray()
    try:
        with opener(path) as file:
            while part := file.read(CHUNK):
                out += part
                check_size(len(out), len(raw), str(path))
    except FileFormatError:
        raise
    except DAMAGE as error:
        raise FileFormatError(f"{path} is damaged or cut short: it can't be decompressed ({reason(error)})") from error
    return bytes(out)


def _from_zstd(raw: bytes, path: Path) -> bytes:
    """The lines of a text; polars has a zstandard, Python before 3.14 none."""
    check_size(zstd_at_most(raw), len(raw), str(path))
    pl = polars_for(f"reading {path}")
    try:
        lines = pl.read_lines(raw)["line"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if "utf" in str(error):
            raise FileFormatError(f"{path} is not UTF-8 text: save it as UTF-8") from error
        raise FileFormatError(f"{path} is damaged or cut short: it can't be decompressed ({reason(error)})") from error
    text: str = lines.str.join("\n").item() or ""
    return text.encode() + b"\n"


def zstd_at_most(raw: bytes) -> int:
    """A bound on what zstandard frames unpack to, from the headers of their blocks; where they make no sense, what came before.

    Source: RFC 8878, sections 3.1.1 and 3.1.2.
    """
    place, total = 0, 0
    while place + 8 <= len(raw):
        magic = int.from_bytes(raw[place : place + 4], "little")
        if magic & 0xFFFFFFF0 == _SKIPPABLE:
            place += 8 + int.from_bytes(raw[place + 4 : place + 8], "little")
            continue
        if not raw.startswith(ZSTD, place):
            break
        descriptor = raw[place + 4]
        single = descriptor >> 5 & 1
        place += 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        last = False
        while not last and place + 3 <= len(raw):
            header = int.from_bytes(raw[place : place + 3], "little")
            last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
            if kind == _ZSTD_RESERVED:
                return total
            total += ZSTD_BLOCK if kind > _ZSTD_RLE else min(size, ZSTD_BLOCK)
            place += 3 + (1 if kind == _ZSTD_RLE else size)
        place += 4 * (descriptor >> 2 & 1)  # the checksum
    return total
