"""The story as one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING

from mlpxp.plotting.style import figure_class
from mlpxp.report.page import STYLE, escaped, table
from mlpxp.report.results import Grid
from mlpxp.report.wording import MINUS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlpxp.textbook.lesson.story._blocks import Block, Section

__all__ = ["story_page"]

_OWN_STYLE = """
.equation { display: flex; gap: 1rem; justify-content: space-between; align-items: baseline; max-width: 42rem; margin: .6rem 0;
  padding: .35rem .9rem; background: color-mix(in srgb, var(--ink) 5%, var(--paper)); border-radius: 5px; }
.equation b { color: var(--accent); font-size: .875rem; }
.equation span { font-family: "STIX Two Text", "Cambria Math", Cambria, Georgia, serif; overflow-wrap: anywhere; }
figure img { display: block; width: 100%; max-width: 36rem; height: auto; background: #fff; border-radius: 5px; }
"""


def story_page() -> str:
    """Return the page; its figures are computed and drawn now.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    """
    figure_class()
    from mlpxp import __version__
    from mlpxp.textbook.lesson.story import story

    sections = story()
    links = "".join(f'<li><a href="#part-{number}">{escaped(one.title)}</a></li>' for number, one in enumerate(sections, start=1))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>Multi-layer perceptrons: the lesson</title>",
        f"<style>{STYLE}{_OWN_STYLE}</style></head>",
        "<body><header><h1>Multi-layer perceptrons</h1>",
        "<p>Why one perceptron can't, what hidden layers do, and how they learn. Tags such as F1 name the equations, as in the code.</p>",
        f'<nav aria-label="Contents"><ul>{links}</ul></nav></header><main>',
        *(_section(one, number) for number, one in enumerate(sections, start=1)),
        f'</main><footer><p class="soft">Computed by mlpxp {escaped(__version__)} when this page was made.</p></footer></body></html>',
    ]
    return "\n".join(parts) + "\n"


def _section(section: Section, number: int) -> str:
    blocks = "\n".join(map(_block, section.blocks))
    return f'<section id="part-{number}"><h2>{escaped(section.title)}</h2>\n{blocks}\n</section>'


def _block(block: Block) -> str:
    from mlpxp.textbook.lesson.story._blocks import Equation, Plot

    if isinstance(block, Equation):
        return f'<p class="equation"><span>{_written(block.text.replace("-", MINUS))}</span> <b>{escaped(block.tag)}</b></p>'
    if isinstance(block, Grid):
        return f"<h3>{_written(block.title)}</h3>\n{_written_cells(table(block))}"
    if isinstance(block, Plot):
        caption = f"<figcaption>{_written(block.caption)}</figcaption>"
        return f'<figure><img alt="{escaped(block.caption)}" src="{_image(block.draw())}">{caption}</figure>'
    return f"<p>{_written(block)}</p>"


def _written(text: str) -> str:
    """Markup of a text with ``W_1``, ``A_{l-1}`` and ``e^{-z}`` in it."""
    return _marked(escaped(text))


def _marked(markup: str) -> str:
    markup = re.sub(r"(?<=[\w;)])_(?:\{([^{}]*)\}|([0-9A-Za-z]+))", r"<sub>\1\2</sub>", markup)  # an escaped ' ends with ;
    return re.sub(r"\^(?:\{([^{}]*)\}|(\w))", r"<sup>\1\2</sup>", markup)


def _written_cells(markup: str) -> str:
    """A table with the same in its cells."""
    return re.sub(r"(?<=>)[^<>]+(?=<)", lambda found: _marked(found.group()), markup)


def _image(figure: Figure) -> str:
    """A figure as an address that holds it whole."""
    from matplotlib import rc_context

    drawn = io.BytesIO()
    with rc_context({"svg.hashsalt": "mlpxp"}):  # the same figure is the same file
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"
