"""`tests/` mirrors the house: a folder for a room, whose files ask about that room; and five folders for what no room can be asked."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {path.parent.name for path in (ROOT / "mlpxp").glob("*/__init__.py")}
OTHERS = {
    "backends": "of backends/mlpxp_backends",
    "whole": "questions of the whole house",
    "house": "packaging, imports, the README, the documents, the GPU's commands",
    "soak": "the hard tests at length",
    "on_gpu": "make test-gpu",
}
STUB = ast.parse((ROOT / "mlpxp" / "__init__.pyi").read_text(encoding="utf-8"))
HOMES = {
    name.name: (node.module or name.name).partition(".")[0] for node in STUB.body if isinstance(node, ast.ImportFrom) for name in node.names
}  # a public name -> the room that it is of


def test_each_folder_is_a_room_or_one_of_five_others():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - ROOMS == set(OTHERS)


def rooms_in(path):
    """The rooms of which a file imports something, by itself or as a public name of mlpxp."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlpxp."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "mlpxp":
            found |= {HOMES.get(name.name) for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("mlpxp.")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mlpxp":
            found.add(HOMES.get(node.attr))
    return found


def helpers_of(path):
    """The files of the same folder that a test file uses: scripts that it names, and the conftest whose fixtures it takes."""
    text = path.read_text(encoding="utf-8")
    yield from (beside for beside in path.parent.glob("*.py") if f'"{beside.name}"' in text)
    conftest = path.parent / "conftest.py"
    if conftest.exists():
        offered = {node.name for node in ast.walk(ast.parse(conftest.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}
        if offered & {node.arg for node in ast.walk(ast.parse(text)) if isinstance(node, ast.arg)}:
            yield conftest


@pytest.mark.parametrize("room", sorted(ROOMS & {path.name for path in (ROOT / "tests").iterdir()}))
def test_each_file_of_a_rooms_folder_asks_about_that_room(room):
    strangers = {
        path.name: sorted(filter(None, rooms_in(path)))
        for path in (ROOT / "tests" / room).rglob("test_*.py")
        if not any(room in rooms_in(file) for file in (path, *helpers_of(path)))
    }
    assert not strangers
