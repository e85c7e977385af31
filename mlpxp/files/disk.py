"""Files that are written whole or not at all, in places that were tried before the work began."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import zlib
from pathlib import Path

from mlpxp.errors import DtypeError, OutputError

__all__ = ["check_writable", "name_of_file", "previous_of", "remove_leftovers", "write_atomically"]


def name_of_file(path: str | os.PathLike[str]) -> str:
    """Return what was given as the name of a file.

    Raises
    ------
    DtypeError
        It is no name.
    """
    name: object = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise DtypeError(f"path must be the name of a file, a str or a Path, got {type(path).__name__}")
    return name


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out whether a file can be written, by making and removing an empty one beside it.

    A file that is there already is left as it is.

    Raises
    ------
    OutputError
        ``path`` names a folder or something that is no regular file, its folder does not exist or can't be written to, or the
        file that is there is write-protected.
    DtypeError
        ``path`` is no name.
    """
    text = name_of_file(path)
    _check_place(text)
    temporary = _temporary(text)
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        temporary.unlink()
    except OSError as error:
        raise OutputError(f"{text} can't be written: {error.strerror or error}") from error


def write_atomically(path: str | os.PathLike[str], data: bytes, *, keeps_previous: bool = False) -> None:
    """Write a file: into a temporary one in the same folder, which then takes the name.

    Whatever interrupts this leaves the old file, or none. The permissions are those of any new file; a symbolic link goes on
    pointing where it did. With ``keeps_previous`` the old file becomes :func:`previous_of` it; the name is never without a file meanwhile
    (but where the file system has no hard links).

    Raises
    ------
    OutputError
        As :func:`check_writable`; or there is no space left.
    DtypeError
        ``path`` is no name.
    """
    text = name_of_file(path)
    _check_place(text)
    temporary = _temporary(text)
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb") as file:  # noqa: PTH123 - the mode is given to os.open
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if keeps_previous:
            _set_aside(text)
        temporary.replace(os.path.realpath(text))
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{text} can't be written: {error.strerror or error}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(temporary.parent)


def previous_of(path: str | os.PathLike[str]) -> Path:
    """Return where the file before this one is kept: beside it, ``<name>.previous``; links are followed."""
    place = Path(path)
    place = Path(os.path.realpath(place)) if place.is_symlink() else place
    return place.with_name(f"{place.name}.previous")


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove temporary files that killed writers of this file have left."""
    place = Path(os.path.realpath(path))
    for leftover in place.parent.glob(f"{_leading(place)}*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def _set_aside(text: str) -> None:
    place, previous = Path(os.path.realpath(text)), previous_of(text)
    if not place.exists():
        return
    link = _temporary(text)
    try:
        os.link(place, link)
    except OSError:  # no hard links here
        place.replace(previous)
        return
    try:
        link.replace(previous)
    finally:
        link.unlink(missing_ok=True)


def _leading(place: Path) -> str:
    return f".mlpxp-{zlib.crc32(place.name.encode(errors='surrogateescape')):08x}-"


def _temporary(text: str) -> Path:
    """A name beside the file that ``text`` names, links followed."""
    place = Path(os.path.realpath(text))
    return place.with_name(f"{_leading(place)}{secrets.token_hex(8)}.tmp")


def _check_place(text: str) -> None:
    if not text:
        raise OutputError("a file to write needs a name, got an empty one")
    if "\0" in text:
        raise OutputError(f"{text!r} can't be the name of a file: it has a zero byte in it")
    if text.endswith(("/", os.sep)):
        raise OutputError(f"{text} names a folder: wanted a file to write")
    folder = Path(os.path.realpath(text)).parent
    if not folder.is_dir():
        found = f"{folder} is not a folder" if folder.exists() else f"the folder {folder} does not exist; make it first"
        raise OutputError(f"{text} can't be written: {found}")
    try:
        mode = Path(text).stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{text} can't be written: {error.strerror or error}") from error
    if stat.S_ISDIR(mode):
        raise OutputError(f"{text} is a folder: wanted a file to write, such as {Path(text) / 'model.safetensors'}")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{text} is no regular file: it can't be replaced by one")
    if not os.access(text, os.W_OK):
        raise OutputError(f"{text} is write-protected")


def _sync_folder(folder: Path) -> None:
    """Make the new name outlast a power cut, on systems where a folder can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
