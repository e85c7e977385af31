import sys
from xml.etree import ElementTree as ET

import pytest

from mlpxp import History, OutputError, UnknownNameError
from mlpxp.plotting import check_picture, plot_loss_curve, save_figure

pytest.importorskip("matplotlib")

FALLING = History(cost=(1.0, 0.5, 0.01))
BEGINS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_of_each_kind(tmp_path, kind):
    path = tmp_path / f"C.{kind.upper()}"
    assert check_picture(path) == kind
    save_figure(plot_loss_curve(FALLING), path)
    assert path.read_bytes().startswith(BEGINS[kind])
    assert list(tmp_path.iterdir()) == [path]
    if kind == "svg":
        ET.fromstring(path.read_text())


@pytest.mark.parametrize("name", ["c.gif", "c", "png", "c.png.txt", ""])
def test_pictures_of_unknown_kinds(tmp_path, name):
    with pytest.raises(UnknownNameError, match=r"must be named .png, .svg, .pdf"):
        save_figure(plot_loss_curve(FALLING), tmp_path / name if name else name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_t_be_written(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        save_figure(plot_loss_curve(FALLING), tmp_path / "nowhere" / "c.png")


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"pip install 'mlpxp\[plot\]'"):
        check_picture("c.png")
