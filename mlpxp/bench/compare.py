"""Two records side by side, as sections again: what was measured in both, the ratio, and what is only in one."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from mlpxp.bench.record import Record
from mlpxp.bench.report import machine_facts
from mlpxp.report.page import page, table
from mlpxp.report.results import Figure, Grid, Origin, Point, Section, Series
from mlpxp.report.wording import is_number

__all__ = ["Comparison", "compare_records", "comparison_report"]

RATIO = ": B/A"  # ends the name of a figure of ratios
CERTAINTY: tuple[Origin, ...] = ("counted", "measured", "sampled", "extrapolated")  # a ratio is as certain as the worse of the two
Cell: TypeAlias = str | float | int | None


@dataclass(frozen=True)
class Comparison:
    """What two records have in common, and in what they differ.

    Attributes
    ----------
    machines : Grid
        The differences of the machines and of what was asked for; the files first.
    sections : tuple of Section
        Of the benchmarks that both have: for each figure both lines, the ratio B/A of points with the same x, and a summary.
    notes : tuple of str
        Benchmarks that only one has.
    """

    machines: Grid
    sections: tuple[Section, ...]
    notes: tuple[str, ...]


def compare_records(a: Record, b: Record, names: tuple[str, str] = ("A", "B")) -> Comparison:
    """Compare two records; ``names`` are those of their files."""
    ours, theirs = ({section.name: section for section in record.sections} for record in (a, b))
    return Comparison(
        _machines(a, b, names),
        tuple(_section(section, theirs[name]) for name, section in ours.items() if name in theirs),
        _only("benchmark", ours, theirs),
    )


def comparison_report(comparison: Comparison) -> str:
    """Return the HTML page of a comparison.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    """
    overall = Section("", "Only in one", "", notes=comparison.notes)
    sections = (*comparison.sections, *((overall,) if comparison.notes else ()))
    return page(
        "Benchmarks of mlpxp, A and B",
        [table(comparison.machines)],
        sections,
        per_colour=lambda figure: 1 if figure.name.endswith(RATIO) else 2,
    )


def _machines(a: Record, b: Record, names: tuple[str, str]) -> Grid:
    ours, theirs = (machine_facts({**record.machine, "asked for": asdict(record.plan)}) for record in (a, b))
    different = [name for name in {**ours, **theirs} if ours.get(name, "") != theirs.get(name, "")]
    rows = [("file", *names), *((name, ours.get(name) or None, theirs.get(name) or None) for name in different)]
    return Grid("machines", "In what the two differ", ("", "A", "B"), tuple(rows))


def _section(a: Section, b: Section) -> Section:
    our_figures, their_figures = ({figure.name: figure for figure in section.figures} for section in (a, b))
    our_grids, their_grids = ({grid.name: grid for grid in section.grids} for section in (a, b))
    pairs = [(figure, their_figures[name]) for name, figure in our_figures.items() if name in their_figures]
    notes = [*_only("figure", our_figures, their_figures), *_only("table", our_grids, their_grids)]
    for ours, theirs in pairs:
        notes += _only(f"series of {ours.name}", _by_name(ours), _by_name(theirs))
    grids = [_summary(ours, theirs) for ours, theirs in pairs]
    for name, grid in our_grids.items():
        if name in their_grids:
            compared, lonely = _grid(grid, their_grids[name])
            grids += [compared] if compared.rows else []
            notes += lonely
    figures = (drawn for pair in pairs for drawn in (_both(*pair), _ratio(*pair)) if drawn.series)
    return Section(a.name, a.title, a.claim, tuple(figures), tuple(grids), tuple(notes))


def _by_name(figure: Figure) -> dict[str, Series]:
    return {series.name: series for series in figure.series}


def _both(a: Figure, b: Figure) -> Figure:
    """The series of both figures, those that belong together one after the other, then those that are alone."""
    ours, theirs = _by_name(a), _by_name(b)
    series = [
        replace(found[name], name=f"{name}, {which}")
        for name in sorted({**ours, **theirs}, key=lambda name: name not in ours or name not in theirs)
        for which, found in (("A", ours), ("B", theirs))
        if name in found
    ]
    return replace(a, series=tuple(series))


def _ratio(a: Figure, b: Figure) -> Figure:
    """B/A of the points with the same x; without series where all of it is 1."""
    theirs = _by_name(b)
    series = [Series(one.name, _quotients(one, theirs[one.name])) for one in a.series if one.name in theirs]
    title, label = f"{a.title}: B/A", f"B/A of {a.y_label}"
    return Figure(
        f"{a.name}{RATIO}",
        title,
        a.x_label,
        label,
        tuple(one for one in series if any(point.y != 1 for point in one.points)),
        "Below 1 B is lower.",
    )


def _quotients(a: Series, b: Series) -> tuple[Point, ...]:
    theirs = {point.x: point for point in b.points}
    pairs = [(point, theirs[point.x]) for point in a.points if point.x in theirs]
    quotients = [(ours, other, _quotient(ours.y, other.y)) for ours, other in pairs]
    return tuple(
        Point(ours.x, ratio, CERTAINTY[max(CERTAINTY.index(ours.origin), CERTAINTY.index(other.origin))])
        for ours, other, ratio in quotients
        if ratio is not None
    )


def _quotient(a: Any, b: Any) -> float | None:
    """B/A of two numbers, where it says something."""
    if not (is_number(a) and is_number(b)) or a <= 0 or b <= 0:
        return None
    ratio = float(b / a)
    return ratio if math.isfinite(ratio) else None


def _summary(a: Figure, b: Figure) -> Grid:
    """A row for each series that both have: the slopes, and the ratios from the smallest to the largest."""
    theirs = _by_name(b)
    rows: list[tuple[Cell, ...]] = []
    for ours in a.series:
        if ours.name not in theirs:
            continue
        ratios = [point.y for point in _quotients(ours, theirs[ours.name])]
        spread = (min(ratios), statistics.median(ratios), max(ratios)) if ratios else (None, None, None)
        rows.append((ours.name, len(ratios), *spread, ours.slope, theirs[ours.name].slope))
    columns = ("series", "same x", "B/A least", "median", "most", "slope A", "slope B")
    return Grid(f"{a.name}: summary", f"{a.title}: {a.y_label}", columns, tuple(rows))


def _grid(a: Grid, b: Grid) -> tuple[Grid, list[str]]:
    """The cells of the rows that both have: numbers with their ratio, texts where they differ; and the rows that only one has."""
    ours, theirs = _rows(a), _rows(b)
    common = [(index, b.columns.index(name), name) for index, name in enumerate(a.columns) if index >= a.keys and name in b.columns]
    rows: list[tuple[Cell, ...]] = []
    for key, row in ours.items():
        if key not in theirs:
            continue
        for index, other, name in common:
            x, y = row[index], theirs[key][other]
            if (is_number(x) or is_number(y)) or x != y:
                rows.append((*key[0], name, x, y, _quotient(x, y)))
    compared = Grid(a.name, a.title, (*a.columns[: a.keys], "", "A", "B", "B/A"), tuple(rows), a.keys + 1)
    only = [(which, _text(key)) for which, here, there in (("A", ours, theirs), ("B", theirs, ours)) for key in here if key not in there]
    columns = _only(f"column of {a.name}", dict.fromkeys(a.columns), dict.fromkeys(b.columns))
    return compared, [*columns, *(f"Only in {which}: the row {text} of {a.name}." for which, text in only)]


def _rows(grid: Grid) -> dict[tuple[tuple[Cell, ...], int], tuple[Cell, ...]]:
    """The rows by their key and by which one of that key they are."""
    seen: Counter[tuple[Cell, ...]] = Counter()
    found = {}
    for row in grid.rows:
        key = row[: grid.keys]
        found[key, seen[key]] = row
        seen[key] += 1
    return found


def _text(key: tuple[tuple[Cell, ...], int]) -> str:
    return ", ".join(str(one) for one in key[0]) + (f" (number {key[1] + 1})" if key[1] else "")


def _only(what: str, ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[str, ...]:
    """A sentence for each name that one of two lacks."""
    both: Sequence[tuple[str, dict[str, Any], dict[str, Any]]] = (("A", ours, theirs), ("B", theirs, ours))
    return tuple(f"Only in {which}: the {what} {name}." for which, here, there in both for name in here if name not in there)
