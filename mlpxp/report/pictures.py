"""Figures as inline SVG: logarithmic axes, text that can be selected, colours that the page's light and dark style decides."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from mlpxp.errors import OutputError
from mlpxp.report.results import Figure, Origin, Point, Series
from mlpxp.report.wording import clean, decimal, power_of_ten, slope_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ORIGINS", "SERIES_COLOURS", "check_pictures", "drawable", "svg"]

SERIES_COLOURS = 7
# matplotlib writes colours as numbers: these stand for the names that the page's style sheet gives a value, light or dark
INK, GRID, PAPER = "#010203", "#010204", "#010205"
_NAMES = {INK: "ink", GRID: "rule", PAPER: "paper"} | {f"#0102{16 + index:02x}": f"series-{index}" for index in range(SERIES_COLOURS)}
_SHAPES: dict[Origin, str] = {  # another shape each time the colours are used up
    "measured": "os^",
    "counted": "DPX",
    "sampled": "os^",
    "extrapolated": "os^",
}
_HOLLOW = ("sampled", "extrapolated")
ORIGINS: dict[Origin, str] = {
    "measured": "\N{BLACK CIRCLE} filled: measured",
    "counted": "\N{BLACK DIAMOND} counted exactly",
    "sampled": "\N{WHITE CIRCLE} hollow: timed on a part, and multiplied",
    "extrapolated": "\N{WHITE CIRCLE} hollow, dashed: extrapolated from smaller ones",
}
WIDTH, HEIGHT, LEGEND_LINE, EMPTY = 7.2, 3.9, 0.21, 0.8  # inches
PLAIN = 5e-4, 1e6  # an axis between these has plain numbers, another one powers of ten


def check_pictures() -> None:
    """Make sure that matplotlib is there.

    Raises
    ------
    OutputError
        It is not.
    """
    _matplotlib()


def drawable(series: Series) -> tuple[Point, ...]:
    """The points that logarithmic axes can show, by x."""
    return tuple(sorted((point for point in series.points if _positive(point.x) and _positive(point.y)), key=lambda point: point.x))


def svg(figure: Figure, prefix: str, *, per_colour: int = 1) -> str:
    """Return the figure as an ``<svg>`` element for a page of HTML.

    Parameters
    ----------
    figure : Figure
    prefix : str
        Begins every id: two figures of a page need two.
    per_colour : int
        How many series that follow each other have one colour, and other marks.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    """
    matplotlib, new_figure = _matplotlib()
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": "mlpxp",
        "text.parse_math": False,
        "font.size": 10,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": GRID,
        "axes.facecolor": "none",
        "axes.unicode_minus": False,
    }
    drawn = io.StringIO()
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has a font that has it
        shown = [series for series in figure.series if drawable(series)]
        canvas = new_figure(figsize=(WIDTH, HEIGHT + LEGEND_LINE * len(shown) if shown else EMPTY), layout="constrained", facecolor="none")
        axes = canvas.subplots()
        _draw(axes, figure, shown, per_colour)
        if shown:
            _legend(canvas, axes)
        canvas.savefig(drawn, format="svg")
    return _inline(drawn.getvalue(), prefix, figure.title)


def _draw(axes: Axes, figure: Figure, shown: Sequence[Series], per_colour: int) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for index, series in enumerate(figure.series):
        if series in shown:
            lap, colour = divmod(index // per_colour, SERIES_COLOURS)
            _draw_series(axes, series, drawable(series), f"#0102{16 + colour:02x}", lap * per_colour + index % per_colour)
    points = [point for series in shown for point in drawable(series)]
    if not points:
        axes.text(0.5, 0.5, "no points above 0", transform=axes.transAxes, ha="center")
        axes.set_axis_off()
        return
    _ticks(axes, points)
    axes.set_xlabel(clean(figure.x_label))
    axes.set_ylabel(clean(figure.y_label))
    axes.grid(visible=True, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_series(axes: Axes, series: Series, points: Sequence[Point], colour: str, shape: int) -> None:
    """The points by where they come from, what joins them, and the straight line of the slope, broad and pale beneath."""
    fitted = _fitted_line(series, points)
    if fitted:
        axes.plot(*zip(*fitted, strict=True), color=colour, linewidth=6, alpha=0.22, solid_capstyle="round", zorder=1.5)
    for solid, dashed in ((True, "-"), (False, (0, (3, 2)))):
        for first, second in pairwise(points):
            if ("extrapolated" not in (first.origin, second.origin)) is solid:
                axes.plot((first.x, second.x), (first.y, second.y), color=colour, linewidth=1.3, linestyle=dashed, zorder=2)
    label: str | None = f"{clean(series.name)}{slope_text(series)}"
    for origin in ORIGINS:
        chosen = [point for point in points if point.origin == origin]
        if not chosen:
            continue
        axes.errorbar(
            [point.x for point in chosen],
            [point.y for point in chosen],
            yerr=list(zip(*map(_bar, chosen), strict=True)),
            label=label,
            fmt=_SHAPES[origin][shape % 3],
            markersize=6 if origin == "counted" else 5.5,
            color=colour,
            markerfacecolor=PAPER if origin in _HOLLOW else colour,
            markeredgewidth=1.4,
            elinewidth=1.1,
            capsize=2.5,
            zorder=3,
        )
        label = None  # the legend has one entry for all of them


def _fitted_line(series: Series, points: Sequence[Point]) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The ends of the fitted line: least squares go through the middle of the logarithms."""
    used = [point for point in points if point.origin != "extrapolated" and point.x >= (series.fitted_from or 0.0)]
    if series.slope is None or not math.isfinite(series.slope) or len(used) < 2:
        return None
    x = sum(math.log(point.x) for point in used) / len(used)
    y = sum(math.log(point.y) for point in used) / len(used)
    first, last = ((end, math.exp(y + series.slope * (math.log(end) - x))) for end in (used[0].x, used[-1].x))
    return first, last


def _bar(point: Point) -> tuple[float, float]:
    """How far the error bar goes down and up."""
    low = point.low if point.low is not None and _positive(point.low) else point.y
    high = point.high if point.high is not None and _positive(point.high) else point.y
    return max(0.0, point.y - low), max(0.0, high - point.y)


def _legend(canvas: Any, axes: Axes) -> None:
    """Beneath the picture, in the order in which the series end, from above; without the error bars."""
    bars: list[Any] = list(axes.get_legend_handles_labels()[0])
    bars.sort(key=lambda bar: -float(bar[0].get_ydata()[-1]))
    canvas.legend(
        [bar[0] for bar in bars],
        [bar.get_label() for bar in bars],
        loc="outside lower left",
        frameon=False,
        handlelength=1.0,
        labelspacing=0.4,
    )


def _ticks(axes: Axes, points: Sequence[Point]) -> None:
    """The measured sizes themselves on the x axis, if there is room for them; enough numbers on the y axis."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    xs = sorted({point.x for point in points})
    if len(xs) >= 2 and xs[-1] / xs[0] < 1e6:
        axes.xaxis.set_major_locator(FixedLocator(_apart(xs)))
        axes.xaxis.set_minor_locator(NullLocator())
    low, high = axes.get_ylim()
    if high < 10 * low:
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_minor_locator(NullLocator())
    elif high < 100 * low:
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    for axis, ends in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, (low, high))):
        style = decimal if PLAIN[0] <= ends[0] and ends[1] < PLAIN[1] else power_of_ten
        axis.set_major_formatter(FuncFormatter(lambda value, _, style=style: style(value)))
        axis.set_minor_formatter(NullFormatter())


def _apart(xs: Sequence[float]) -> list[float]:
    """Those of the numbers whose labels don't touch, the last among them."""
    room = math.log(xs[-1] / xs[0]) / 62  # a letter's share of the axis
    kept = [xs[-1]]
    for x in reversed(xs[:-1]):
        if math.log(kept[-1] / x) > room * (len(decimal(x)) + len(decimal(kept[-1])) + 3) / 2:
            kept.append(x)
    return kept[::-1]


def _inline(document: str, prefix: str, title: str) -> str:
    """The ``<svg>`` of a document without what only a file of its own needs: namespaces, metadata, a style for everything."""
    root = ElementTree.fromstring(document)
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        given = {_local(name): value for name, value in element.attrib.items()}
        element.attrib = {name: _renamed(name, value, prefix) for name, value in given.items()}
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": clean(title)}
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _renamed(name: str, value: str, prefix: str) -> str:
    """An attribute with ids that are this picture's own, and colours by name."""
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return value.replace("#", f"#{prefix}-", 1)
    value = value.replace("url(#", f"url(#{prefix}-")
    return re.sub("|".join(_NAMES), lambda found: f"var(--{_NAMES[found[0]]})", value)


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _matplotlib() -> tuple[Any, Any]:
    try:
        import matplotlib as library
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise OutputError(f"the page needs matplotlib, which can't be imported ({error}): pip install 'mlpxp[plot]'") from error
    return library, Canvas
