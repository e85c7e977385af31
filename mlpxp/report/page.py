"""Sections as one HTML page that needs nothing but itself: no address, no script, plots inside, light and dark."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence

from mlpxp.report.pictures import ORIGINS, drawable, svg
from mlpxp.report.results import Figure, Grid, Section
from mlpxp.report.wording import cell, clean

__all__ = ["STYLE", "escaped", "fact_list", "page", "table"]

# the series are as far apart as they can be for those who see all colours and those who lack one kind of cones: the tests measure it
STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #5b5b60; --paper: #ffffff; --rule: #dcdce0; --accent: #0a5ea8;
  --series-0: #07a0d0; --series-1: #f86000; --series-2: #005864; --series-3: #ab8f78; --series-4: #470170; --series-5: #814219;
  --series-6: #8b61ff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e8; --soft: #a3a3a9; --paper: #161618; --rule: #3a3a3f; --accent: #7cbcf2;
  --series-0: #4176ff; --series-1: #e14b20; --series-2: #6effe0; --series-3: #bd6682; --series-4: #c9ff9f; --series-5: #f3cc00;
  --series-6: #b29ce6; } }
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
body { max-width: 50rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 3.5rem 0 .4rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; }
p, ul { max-width: 42rem; margin: .5rem 0; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .15em; }
nav ul { padding: 0; list-style: none; }
nav li { margin: .15rem 0; }
figure { margin: 0 0 1rem; }
figcaption, .soft { color: var(--soft); font-size: .875rem; max-width: 42rem; }
figcaption span { display: inline-block; margin-right: 1.2em; }
svg { display: block; width: 100%; height: auto; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
.wide { overflow-x: auto; margin: .5rem 0 1.2rem; }
figure .wide { margin: .3rem 0 .6rem; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: .28rem .9rem .28rem 0; text-align: left; vertical-align: baseline; }
th { font-weight: 600; border-bottom: 1px solid var(--soft); vertical-align: bottom; }
tbody td { border-bottom: 1px solid var(--rule); }
th.number, td.number { text-align: right; white-space: nowrap; padding-left: .9rem; padding-right: 0; }
th.number + th:not(.number), td.number + td:not(.number) { padding-left: 1.8rem; }
details { margin: .4rem 0 1rem; }
summary { color: var(--soft); font-size: .875rem; cursor: pointer; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; margin: .6rem 0; font-size: .9375rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { background: color-mix(in srgb, var(--ink) 6%, var(--paper)); padding: .8rem 1rem; border-radius: 5px; overflow-x: auto;
  font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.warning { border-left: 3px solid var(--series-1); padding-left: .9rem; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } svg { min-width: 30rem; } }
@media print { body { max-width: none; padding: 0; } figure, tr { break-inside: avoid; } }
"""


def page(
    title: str,
    head: Sequence[str],
    sections: Sequence[Section],
    tail: Sequence[str] = (),
    *,
    per_colour: Callable[[Figure], int] = lambda _: 1,
) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
    head, tail : sequence of str
        HTML before the sections and after them.
    sections : sequence of Section
    per_colour : callable
        How many series that follow each other have one colour in a figure.
    """
    contents = []
    if len(sections) > 1:
        links = "".join(f'<li><a href="#section-{index}">{escaped(one.title)}</a></li>' for index, one in enumerate(sections))
        contents.append(f"<nav><ul>{links}</ul></nav>")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escaped(title)}</title>",
        f"<style>{STYLE}</style></head>",
        "<body>",
        f"<h1>{escaped(title)}</h1>",
        *head,
        *contents,
        *(_section(one, f"section-{index}", per_colour) for index, one in enumerate(sections)),
        *tail,
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def escaped(text: object) -> str:
    """A text that is no markup, and on one line."""
    return html.escape(clean(text))


def fact_list(facts: Iterable[tuple[str, str]]) -> str:
    """Names and what they are, a line each; those that are empty are left out."""
    lines = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in facts if value)
    return f"<dl>{lines}</dl>"


def table(grid: Grid) -> str:
    """A table whose columns of numbers are aligned to the right."""
    numeric = [_is_numeric([row[index] for row in grid.rows]) for index in range(len(grid.columns))]
    classes = [' class="number"' if one else "" for one in numeric]
    head = "".join(f"<th{one} scope=col>{escaped(name)}</th>" for one, name in zip(classes, grid.columns, strict=True))
    rows = ("".join(f"<td{one}>{escaped(cell(value))}</td>" for one, value in zip(classes, row, strict=True)) for row in grid.rows)
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def _is_numeric(values: Sequence[object]) -> bool:
    """Whether a column has numbers and at most gaps besides."""
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, int | float) for value in given)


def _section(section: Section, name: str, per_colour: Callable[[Figure], int]) -> str:
    parts = [f'<section id="{name}">', f"<h2>{escaped(section.title)}</h2>"]
    parts += [f"<p>{escaped(section.claim)}</p>"] if section.claim else []
    parts += [_figure(figure, f"{name}-figure-{index}", per_colour(figure)) for index, figure in enumerate(section.figures)]
    parts += [f"<h3>{escaped(grid.title)}</h3>\n{table(grid)}" for grid in section.grids]
    if section.notes:
        parts.append(f"<ul>{''.join(f'<li>{escaped(note)}</li>' for note in section.notes)}</ul>")
    return "\n".join([*parts, "</section>"])


def _figure(figure: Figure, name: str, per_colour: int) -> str:
    """The picture, what its marks mean, and its numbers."""
    shown = [point for series in figure.series for point in drawable(series)]
    lost = sum(len(series.points) for series in figure.series) - len(shown)
    marks = [meaning for origin, meaning in ORIGINS.items() if any(point.origin == origin for point in shown)]
    if any(point.low is not None and point.high is not None for point in shown):
        marks.append("\N{BOX DRAWINGS LIGHT VERTICAL} bars: the quartiles of the runs")
    if any(series.slope is not None for series in figure.series):
        marks.append("\N{LOWER HALF BLOCK} pale: the slope; in brackets its 95 % confidence interval")
    if lost:
        marks.append(f"not drawn: {lost} that {'is' if lost == 1 else 'are'} not above 0")
    caption = f"{escaped(figure.note)}<br>" if figure.note else ""
    key = " ".join(f"<span>{escaped(mark)}</span>" for mark in marks)
    return "\n".join(
        [
            f"<h3>{escaped(figure.title)}</h3>",
            f'<figure><div class="wide">{svg(figure, name, per_colour=per_colour)}</div>',
            f"<figcaption>{caption}{key}</figcaption></figure>",
            f"<details><summary>The numbers</summary>{table(_numbers(figure))}</details>",
        ]
    )


def _numbers(figure: Figure) -> Grid:
    """Every point of a figure."""
    rows = tuple(
        (series.name, point.x, point.y, point.low, point.high, point.origin) for series in figure.series for point in series.points
    )
    return Grid(figure.name, figure.title, ("series", figure.x_label, figure.y_label, "low", "high", "origin"), rows)
