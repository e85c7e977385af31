"""What a benchmark hands over: figures, tables and notes as plain values, so that one record makes the page, the JSON and the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Figure", "Grid", "Origin", "Point", "Section", "Series"]

Origin: TypeAlias = Literal["counted", "measured", "sampled", "extrapolated"]


@dataclass(frozen=True)
class Point:
    """One value of a series.

    Attributes
    ----------
    x, y : float
        In the units of the figure's axes.
    origin : {"counted", "measured", "sampled", "extrapolated"}
        Where y comes from: counted exactly by counting arrays; a median of timed runs; timed on a part of the work, which is the same
        for each part, and multiplied; or scaled by operations that were counted.
    low, high : float or None
        The quartiles of the timed runs.
    """

    x: float
    y: float
    origin: Origin
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """Points that belong together, and the slope of their logarithms.

    Attributes
    ----------
    name : str
    points : tuple of Point
    slope, slope_low, slope_high : float or None
        d log y / d log x by least squares over the points that count for it, and its 95 % confidence interval; ``None`` where no slope
        was fitted.
    fitted_from : float or None
        The smallest x that went into the slope.
    """

    name: str
    points: tuple[Point, ...]
    slope: float | None = None
    slope_low: float | None = None
    slope_high: float | None = None
    fitted_from: float | None = None


@dataclass(frozen=True)
class Figure:
    """One picture with logarithmic axes.

    Attributes
    ----------
    name : str
        Unique in its section, and stable: ``compare`` finds the same figure in another file by it.
    title, x_label, y_label : str
        With the units.
    series : tuple of Series
    note : str
        What a reader should see in it.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes
    ----------
    name : str
        Unique in its section, and stable.
    title : str
    columns : tuple of str
        With the units.
    rows : tuple of tuple
        Text, numbers, ``None`` where there is none. The first cells, up to ``keys``, say what a row is about.
    keys : int
        How many columns name the row.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]
    keys: int = 1


@dataclass(frozen=True)
class Section:
    """What one benchmark found.

    Attributes
    ----------
    name : str
        The benchmark's; ``choice`` is what ``peers`` finds for a network that was named.
    title : str
    claim : str
        What it is about, in a sentence or two.
    figures : tuple of Figure
    grids : tuple of Grid
    notes : tuple of str
        What was found, and what should be known about it.
    """

    name: str
    title: str
    claim: str
    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
