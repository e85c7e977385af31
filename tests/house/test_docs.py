"""What the documentation says is true: its snippets run, its reference has every public name, the floors are those that are kept."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import mlpxp

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FLOORS = re.compile(r"^> (cli › .*)$", re.MULTILINE)


@pytest.mark.parametrize("page", ["index.md", "getting_started.md"])
def test_the_snippets_of_a_page_run_one_after_the_other(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    snippets = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(snippet, names)
    assert "epochs" in capsys.readouterr().out


def test_the_reference_has_every_public_name():
    text = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.rst"))
    listed = {name.rpartition(".")[2] for name in re.findall(r"^(?:   |\.\. data:: )([\w.]+)$", text, re.MULTILINE)}
    stub = ast.parse((ROOT / "mlpxp" / "__init__.pyi").read_text(encoding="utf-8"))
    names = {name.name for node in stub.body if isinstance(node, ast.ImportFrom) and node.module for name in node.names}
    rooms = {name.name for node in stub.body if isinstance(node, ast.ImportFrom) and not node.module for name in node.names}
    assert not names - listed
    for room in rooms:
        public = set(getattr(mlpxp, room).__all__) - {"approximation", "figures", "lesson", "separability", "teaching"}
        assert not public - listed, room


@pytest.mark.parametrize("table", ["ACTIVATIONS", "LOSSES"])
def test_the_reference_names_what_is_built_in(table):
    text = (DOCS / "reference" / "networks.rst").read_text(encoding="utf-8").partition(f".. data:: {table}\n")[2].partition(".. ")[0]
    assert re.findall(r"``(\w+)``", text) == ["dict", *getattr(mlpxp, table)]


@pytest.mark.parametrize("path", [DOCS / "house.md", ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_the_line_of_floors_is_the_one_that_is_kept(path):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    kept = [layer.partition(" | ")[0] for layer in contracts[0]["layers"]]
    (line,) = FLOORS.findall(path.read_text(encoding="utf-8"))
    assert line.split(" › ") == kept


def test_the_figure_and_the_table_have_every_room():
    rooms = {path.parent.name for path in (ROOT / "mlpxp").glob("*/__init__.py")} | {"errors"}
    page, figure = ((DOCS / name).read_text(encoding="utf-8") for name in ("house.md", "_static/floors.svg"))
    table = page.partition("| room |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == rooms
    assert set(re.findall(r'class="name">(\w+)<', figure)) == rooms | {"mlpxp_backends"}


def test_each_package_says_what_its_files_are():
    wrong = {}
    for door in (ROOT / "mlpxp").glob("*/**/__init__.py"):
        there = {path.name for path in door.parent.glob("*.py")} - {door.name}
        said = set(re.findall(r"\b\w+\.py\b", ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))))
        if there != said:
            wrong[door.parent.name] = there ^ said
    assert not wrong
