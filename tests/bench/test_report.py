"""The page: it needs nothing but itself, believes no text to be markup, and is the same for the same record."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from mlpxp.bench.names import EVERYWHERE
from mlpxp.bench.plan import Plan
from mlpxp.bench.record import Record, to_json
from mlpxp.bench.report import commands, machine_facts, report
from mlpxp.errors import OutputError
from mlpxp.report.pictures import SERIES_COLOURS, svg
from mlpxp.report.results import Figure, Grid, Point, Section, Series
from mlpxp.report.wording import cell, decimal, power_of_ten

pytest.importorskip("matplotlib")
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The elements of a page: their names, attributes and text; and whether each is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = Counter(), [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else None, data))

    def values(self, name):
        return [value for key, value in self.attributes if key == name]

    @property
    def text(self):
        return " ".join(data for tag, data in self.texts if tag != "style")


def test_it_needs_nothing_from_elsewhere(record):
    text = report(record)
    page = Page(text)
    assert "://" not in text
    assert "@import" not in text
    assert not page.tags.keys() & {"script", "link", "img", "iframe", "object", "image", "base"}
    assert not page.values("src")
    links = page.values("href")
    assert links
    assert all(link.startswith("#") for link in links)
    assert all(found == "#" for found in re.findall(r"url\(['\"]?(.)", text))


def test_ids_are_unique_and_every_reference_has_its_own(record, section):
    page = Page(report(replace(record, sections=(section, replace(section, name="cost")))))
    ids = page.values("id")
    assert page.tags["svg"] == 4
    assert len(ids) > 20
    assert not [one for one, times in Counter(ids).items() if times > 1]
    used = {link.removeprefix("#") for link in page.values("href")}
    used |= {one for _, value in page.attributes for one in re.findall(r"url\(#([^)]*)\)", value or "")}
    assert used <= set(ids)


HOSTILE = '<script>alert(1)</script> & "quoted" \'x\' href="#a" id="b" url(#c) #010203 $\\frac{1}$ \x00\x1b[31m\ud800'


def test_no_text_is_markup():
    section = Section(
        name=HOSTILE,
        title=HOSTILE,
        claim=HOSTILE,
        figures=(Figure(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (Series(HOSTILE, (Point(1, 1, "measured"),)),), HOSTILE),),
        grids=(Grid(HOSTILE, HOSTILE, (HOSTILE,), ((HOSTILE,),)),),
        notes=(HOSTILE,),
    )
    text = report(Record({HOSTILE: HOSTILE}, (HOSTILE,), Plan((HOSTILE,), device=HOSTILE), (section,)))
    text.encode()
    page = Page(text)
    assert "script" not in page.tags
    shown = HOSTILE.replace("\x00", "\ufffd").replace("\x1b", "\ufffd").replace("\ud800", "\ufffd")
    assert sum(data.strip() == shown for _, data in page.texts) >= 9
    assert ("text", shown) in [(tag, data.strip()) for tag, data in page.texts]  # the axes' labels, and the legend's
    assert Counter(page.values("id")).most_common(1)[0][1] == 1


def test_text_in_the_plots_is_text(record):
    drawn = [data for tag, data in Page(report(record)).texts if tag == "text"]
    assert "parameters" in drawn
    assert "backpropagation: slope 1.00 (0.90 to 1.10)" in drawn
    assert "finite differences" in drawn
    assert {"64", "128", "256", "10⁻³"} <= set(drawn)


def figure_of(*points, **slope):
    return (Figure("f", "t", "x", "y", (Series("s", points, **slope),)),)


@pytest.mark.parametrize(("origin", "hollow", "dashed"), [("measured", 0, 0), ("counted", 0, 0), ("sampled", 3, 0), ("extrapolated", 3, 1)])
def test_marks_say_where_a_point_comes_from(record, origin, hollow, dashed):
    points = [Point(x, x, origin) for x in (1.0, 10.0, 100.0)]
    page = Page(report(replace(record, sections=(Section("cost", "t", "c", figure_of(*points)),))))
    marks = [style for style in page.values("style") if "fill: var(--" in style and "stroke: var(--series-0)" in style]
    assert sum("fill: var(--paper)" in style for style in marks) >= hollow
    assert any("fill: var(--paper)" in style for style in marks) is bool(hollow)
    assert any("stroke-dasharray: " in style and "series-0" in style for style in page.values("style")) is bool(dashed)
    assert sum(one in page.text for one in ("filled: measured", "counted exactly", "timed on a part", "hollow, dashed")) == 1


def test_counted_points_have_a_mark_of_their_own(record):
    def shapes(origin):
        page = Page(report(replace(record, sections=(Section("cost", "t", "c", figure_of(Point(1, 1, origin), Point(2, 2, origin))),))))
        return {value for value in page.values("d") if "C" in value and value.strip().endswith("z")}

    assert shapes("measured")  # round
    assert not shapes("counted")


def test_error_bars_reach_from_low_to_high(record):
    def longest(low, high):
        """On a scale that the last two points hold still."""
        bars = [Point(x, 10.0, "measured", low, high) for x in (1, 2)]
        points = *bars, Point(3, 0.1, "measured"), Point(4, 1e4, "measured")
        root = ElementTree.fromstring(svg(figure_of(*points)[0], "p"))
        (group,) = [one for one in root.iter("g") if one.get("id") == "p-LineCollection_1"]
        ends = [[float(number) for number in re.findall(r"[\d.]+", path.get("d"))] for path in group.iter("path")]
        return max(abs(bottom - top) for _, bottom, _, top in ends)

    assert longest(1.0, 100.0) > 10.0
    assert longest(1.0, 100.0) == pytest.approx(2 * longest(10.0, 100.0), rel=1e-3)
    assert longest(None, None) == 0.0


def test_what_logarithms_can_t_show_is_said(record):
    points = Point(1, 0.0, "measured"), Point(2, -1.0, "measured"), Point(3, float("nan"), "measured"), Point(4, 1.0, "measured", -1.0, 2.0)
    page = Page(report(replace(record, sections=(Section("cost", "t", "c", figure_of(*points)),))))
    assert "not drawn: 3 that are not above 0" in page.text
    none = Page(report(replace(record, sections=(Section("cost", "t", "c", figure_of(points[0])),))))
    assert "not drawn: 1 that is not above 0" in none.text
    assert "no points above 0" in none.text


def test_light_and_dark_have_every_colour(record):
    text = report(record)
    light, dark = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    used = set(re.findall(r"var\((--[\w-]+)\)", text))
    assert {"--ink", "--paper", "--series-0", "--series-1"} <= used
    for scheme in (light, dark):
        assert used <= set(re.findall(r"(--[\w-]+):", scheme))
    assert "prefers-color-scheme: dark" in text
    assert "#0102" not in text  # what stands for a colour while it is drawn


# what is seen without one kind of cones, in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1
SIGHT = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    values = np.array([int(colour[index : index + 2], 16) for index in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_colours_of_the_series_can_be_told_apart(record, scheme):
    style = re.findall(r":root \{(.*?)\}", report(record), re.DOTALL)[scheme]
    colours = {name: linear(value) for name, value in re.findall(r"--([\w-]+): (#\w{6})", style)}
    series = [colour for name, colour in colours.items() if name.startswith("series-")]
    assert len(series) == SERIES_COLOURS
    for matrix in SIGHT.values():
        seen = [lab(np.array(matrix) @ colour) for colour in series]
        assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 25
    paper = TO_XYZ[1] @ colours["paper"]
    for colour in (*series, colours["ink"], colours["soft"]):
        low, high = sorted((TO_XYZ[1] @ colour, paper))
        assert (high + 0.05) / (low + 0.05) >= 3


def test_it_says_what_was_found_and_what_was_not(record):
    page = Page(report(record))
    for words in ("Backpropagation is as cheap", "Time grows as", "The lines part.", "Measured on an idle machine.", "7,510", "2.5"):
        assert words in page.text
    assert "Without peers: it needs sklearn, which is not installed." in page.text
    assert "A quick run" in page.text
    assert "16.0 GiB" in page.text
    assert "A quick run" not in Page(report(replace(record, plan=Plan(("numpy",))))).text


def test_columns_of_numbers_are_aligned_to_the_right(record):
    text = report(record)
    assert '<td>2-3-1</td><td class="number">13</td><td class="number">2.5</td>' in text
    assert '<td class="number">–</td>' in text


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_record_makes_the_same_page(record, tmp_path, seed):
    (tmp_path / "a.json").write_text(to_json(record), encoding="utf-8")
    code = (
        "import sys; from mlpxp.bench.record import read_record; from mlpxp.bench.report import report; "
        "sys.stdout.buffer.write(report(read_record('a.json')).encode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
    )
    assert done.stdout == report(record).encode()


def test_the_commands_that_make_it_again(record):
    assert commands(record) == ("mlpxp bench complexity --backend numpy --quick", "mlpxp bench peers --backend numpy --quick")
    everything = replace(record, benchmarks=EVERYWHERE, plan=Plan(("torch", "jax"), device="a b", allow_long=True))
    assert commands(everything) == ("mlpxp bench all --backend torch --backend jax --device 'a b' --yes",)


def test_a_machine_of_any_kind_can_be_shown():
    facts = machine_facts({"memory": None, "blas": ["a", "b"], "devices": {"numpy": ["X"]}, "else": {"deep": {"er": 1}}})
    assert facts == {"memory": "", "BLAS": "a; b", "devices: numpy": "X", "else: deep": "{'er': 1}"}


def test_matplotlib_that_is_not_there_is_named(record, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        report(record)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (16384.0, "16,384"), (2.5, "2.5"), (0.012345, "0.01235"), (0.0001, "0.0001"), (1.5e-7, "1.5·10⁻⁷"),
        (1e-7, "10⁻⁷"), (1e6, "10⁶"), (-3.25e8, "−3.25·10⁸"), (999.99, "1,000"), (-0.5, "−0.5"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(value, shown):
    assert decimal(value) == shown


def test_powers_of_ten_on_an_axis():
    assert [power_of_ten(value) for value in (1e-3, 1.0, 2.0, 1e5, 2e5)] == ["10⁻³", "1", "2", "10⁵", "2·10⁵"]


def test_cells():
    assert [cell(value) for value in (None, True, 12345678, 0.5, float("nan"), "a\nb")] == ["–", "yes", "12,345,678", "0.5", "–", "a b"]
