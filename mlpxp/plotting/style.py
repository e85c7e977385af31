"""What the pictures share: colours, the figure they are drawn into, and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpxp.errors import OutputError, RangeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "FIRST",
    "HUES",
    "INK",
    "LONGEST",
    "MARKED",
    "SECOND",
    "THIRD",
    "add_grid",
    "add_title",
    "canvas",
    "check_kind",
    "figure_class",
    "figure_of",
    "hues",
    "lettering",
    "plain",
]

HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442")  # Okabe and Ito's: told apart by the colour-blind
FIRST, SECOND, THIRD = HUES[:3]
MARKED, INK = "#595959", "#262626"
LONGEST = 60  # letters of a label


def figure_class() -> Any:
    """Return matplotlib's ``Figure``.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError(f"a picture needs matplotlib, which can't be imported ({error}): pip install 'mlpxp[plot]'") from error
    return Figure


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that axes are in.

    Raises
    ------
    RangeError
        ``ax`` is no axes of matplotlib's.
    """
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise RangeError(f"ax must be axes of matplotlib's, such as figure.subplots(), got {type(ax).__name__}")
    figure: Any = ax.figure  # it may be a subfigure, which is in one
    return figure if isinstance(figure, figure_class()) else figure.figure  # type: ignore[no-any-return]


def check_kind(name: str, value: object, *kinds: type) -> None:
    """Refuse what is nothing to be drawn by this picture.

    Raises
    ------
    RangeError
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise RangeError(f"{name} must be {'an' if wanted[0] in 'AEIOU' else 'a'} {wanted}, got {type(value).__name__}")


def canvas(ax: Axes | None, *, figsize: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return the figure and the axes to draw into: those that were given, or new ones of this size."""
    new_figure = figure_class()
    if ax is not None:
        return figure_of(ax), ax
    figure: Figure = new_figure(figsize=figsize, dpi=144, layout="constrained")
    return figure, figure.subplots()


def add_title(axes: Axes, *lines: str | None, pad: float | None = None) -> None:
    """Write the lines that there are above the axes, on the left; ``pad`` is how far above, in points."""
    shown = [plain(line) for line in lines if line]
    if shown:
        axes.set_title("\n".join(shown), loc="left", pad=pad)


def add_grid(axes: Axes) -> None:
    """Lay a quiet grid behind what is drawn, without a frame at the top and on the right."""
    axes.grid(visible=True, color="#d9d9d9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def hues(n: int) -> list[tuple[float, float, float]]:
    """The colours of n classes; where the palette is used up it begins anew, darker."""
    from matplotlib.colors import to_rgb

    return [
        tuple(0.6 ** (index // len(HUES)) * part for part in to_rgb(HUES[index % len(HUES)]))  # type: ignore[misc]  # three parts
        for index in range(n)
    ]


def lettering() -> dict[str, Any]:
    """How text is written on a coloured ground: with a white rim."""
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.0, foreground="white")]}


def plain(label: object) -> str:
    """A label as matplotlib shows it letter by letter: no formula between dollar signs, no control characters, not too long."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(label))
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…").replace("$", r"\$")
