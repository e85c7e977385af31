"""The story: one file, no address in it, and every number in it computed."""

import base64
import re
from html.parser import HTMLParser

import pytest

import mlpxp
from mlpxp.report.results import Grid
from mlpxp.textbook.lesson import story_page
from mlpxp.textbook.lesson.story import story
from mlpxp.textbook.lesson.story._blocks import Equation, Plot


@pytest.fixture(scope="module")
def sections():
    return story()


def grid(sections, name):
    return next(block for section in sections for block in section.blocks if isinstance(block, Grid) and block.name == name)


class Balance(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_is_one_whole_page_without_an_address(story_html):
    balance = Balance()
    balance.feed(story_html)
    assert balance.open == []
    assert "//" not in re.sub(r"base64,[^\"]+", "", story_html)
    assert "<script" not in story_html
    for picture in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", story_html):
        drawing = base64.b64decode(picture).decode()
        named = set(re.findall(r"https?://[^\"<> ]+", drawing))
        assert not {
            name for name in named if not name.startswith(("http://www.w3.org/", "http://purl.org/", "http://creativecommons.org/ns"))
        }
        assert not re.search(r"(?:href|src)=\"(?!#|data:)", drawing)  # those above are names of vocabularies; nothing is fetched


def test_the_same_page_is_made_again(story_html):
    assert story_page() == story_html


def test_every_equation_has_its_tag_and_every_figure_its_caption(sections):
    tags = [block.tag for section in sections for block in section.blocks if isinstance(block, Equation)]
    assert {"P1", "F1", "F2", "C1", "C2", "C3", "B1", "B2", "B3", "B4", "A1", "A2", "A3", "G1", "G2", "K1", "U1"} <= set(tags)
    assert len(tags) == len(set(tags))
    assert all(block.caption for section in sections for block in section.blocks if isinstance(block, Plot))


def test_markup_of_indices(story_html):
    assert "<sub>l-1</sub>" in story_html or "<sub>l−1</sub>" in story_html
    text = re.sub(r"<style>.*?</style>|base64,[^\"]+|alt=\"[^\"]*\"", "", story_html, flags=re.DOTALL)
    assert not re.search(r"[A-Za-zδσ]_[A-Za-z{\d]", text)


def test_the_four_inequalities(sections):
    assert grid(sections, "xor").rows == (
        (0, 0, 0, "b < 0"),
        (0, 1, 1, "w2 + b > 0"),
        (1, 0, 1, "w1 + b > 0"),
        (1, 1, 0, "w1 + w2 + b < 0"),
    )
    assert any("0 w1 + 0 w2 + 0 b is left" in block for block in sections[0].blocks if isinstance(block, str))


def test_the_numbers_that_are_told(sections):
    saturated = {row[0]: row for row in grid(sections, "saturation").rows}
    assert saturated[10.0][2] == pytest.approx(4.5e-5, rel=0.01)
    assert saturated[10.0][3] == pytest.approx(1.0, rel=1e-4)
    trained, swapped, middle = (row[1] for row in grid(sections, "swap").rows)
    assert trained == pytest.approx(swapped, rel=1e-12)
    assert middle > trained  # so it isn't convex
    fading = {row[0]: row[-1] for row in grid(sections, "fading").rows}
    assert fading["sigmoid"] < 1e-5
    assert min(fading["tanh"], fading["relu"]) > 0.01
    ratios = [row[-1] for row in grid(sections, "operations").rows]
    assert ratios == sorted(ratios)
    assert ratios[-1] > 3 * ratios[0]


def test_the_caption_says_how_many_networks_are_drawn(sections, monkeypatch):
    (plot,) = (block for section in sections for block in section.blocks if isinstance(block, Plot) and "networks each" in block.caption)
    drawn = []
    monkeypatch.setattr("mlpxp.textbook.lesson.story._gradients.plot_error_signals", drawn.extend)
    plot.draw()
    assert {one.norms.shape for one in drawn} == {(5, 20)}
    assert "through 20 layers, five networks each" in plot.caption


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(mlpxp.OutputError, match="matplotlib"):
        story_page()
