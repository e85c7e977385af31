"""What the story is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from mlpxp.report.results import Grid
from mlpxp.textbook.lesson._choices import Choices
from mlpxp.textbook.lesson._examples import built_in
from mlpxp.textbook.lesson._lesson import Lesson, advance, begin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Block", "Equation", "Plot", "Section", "solved"]


@dataclass(frozen=True)
class Equation:
    """An equation and its tag; ``W_1`` is W with a small 1 below it."""

    tag: str
    text: str


@dataclass(frozen=True)
class Plot:
    """A figure, and what is to be seen in it."""

    draw: Callable[[], Figure]
    caption: str


Block: TypeAlias = str | Equation | Plot | Grid  # a text is a paragraph, however its lines are broken


@dataclass(frozen=True)
class Section:
    """A part of the story: paragraphs, equations, tables and figures in their order."""

    title: str
    blocks: tuple[Block, ...]


@cache
def solved(widths: tuple[int, ...] = (2,), epochs: int = 500) -> Lesson:
    """The lesson on XOR that the story tells of, after its epochs; without a hidden layer it is not solved."""
    return advance(begin(Choices(widths=widths), built_in("xor")), epochs)
