"""Pictures as files."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mlpxp.errors import UnknownNameError
from mlpxp.files import write_atomically
from mlpxp.plotting.style import figure_class

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PICTURES", "check_picture", "save_figure"]

PICTURES = ("png", "svg", "pdf")


def check_picture(path: str | os.PathLike[str]) -> str:
    """Return the kind of picture that a file's name asks for, after making sure that matplotlib can draw it.

    Raises
    ------
    UnknownNameError
        The name does not end in one of the known kinds.
    OutputError
        matplotlib is not installed.
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in PICTURES:
        raise UnknownNameError(f"a picture must be named .{', .'.join(PICTURES)}, got {os.fspath(path)!r}")
    figure_class()
    return kind


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure, whole or not at all.

    Raises
    ------
    UnknownNameError
        The name does not end in ``.png``, ``.svg`` or ``.pdf``.
    OutputError
        The file can't be written.
    """
    kind = check_picture(path)
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a letter that the font lacks is drawn as a box
        figure.savefig(drawn, format=kind)
    write_atomically(path, drawn.getvalue())
