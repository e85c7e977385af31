"""Who names an array library: the wall, and nobody else."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mlpxp

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "mlpxp").rglob("*.py"))
WALL = sorted((ROOT / "backends" / "mlpxp_backends").glob("*.py"))
LIBRARIES = {
    "array_api_strict",
    "cupy",
    "cupyx",
    "dask",
    "jax",
    "jaxlib",
    "mlx",
    "mparray",
    "ndonnx",
    "onnx",
    "onnxruntime",
    "spox",
    "torch",
}
MEASURED_AGAINST = {"accuracy.py": {"mparray"}}  # of mlpxp/bench: 50 digits
HOST = {
    "approximation",
    "bench",
    "data",
    "cli",
    "lesson",
    "plotting",
    "draws.py",
    "batches.py",
    "standing.py",
    "estimators",
    "exchange",
    "separability",
    "storage",
    "streaming.py",
    "teaching",
}  # where NumPy stands for the host's memory and random numbers


def imported(path):
    """The top-level packages that a file imports, wherever in it, and also those it is given by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
            if node.module == "array_api_compat":
                found |= {name.name for name in node.names}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            function = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if function in {"import_module", "__import__"}:
                found |= {argument.value.partition(".")[0] for argument in node.args if isinstance(argument, ast.Constant)}
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_core_imports_no_array_library(path):
    part = path.relative_to(ROOT / "mlpxp").parts[0]
    assert not imported(path) & (
        (LIBRARIES - (MEASURED_AGAINST.get(path.name, set()) if part == "bench" else set())) | {"mlpxp_backends", "mlpxp_peers"}
    )
    if part not in HOST:
        assert "numpy" not in imported(path)


def test_the_wall_is_where_they_are_imported():
    """So that the test above would see one."""
    assert set.union(*map(imported, WALL)) >= {"array_api_strict", "cupy", "jax", "numpy", "torch"}


def loaded_by(code):
    """The packages that are loaded after this code has run in a Python of its own."""
    program = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


OPTIONAL = {*LIBRARIES, "matplotlib", "polars", "rich", "safetensors", "scipy", "sklearn", "starlette", "typer", "uvicorn", "websockets"}


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("import mlpxp", set()),
        ("import mlpxp.cli.app", {"typer"}),
        ("import mlpxp; mlpxp.known_backends()", set()),
        ("import mlpxp; mlpxp.get_backend('auto')", set()),
        ("import mlpxp; mlpxp.get_backend('strict')", {"array_api_strict"}),
        ("import mlpxp; mlpxp.train(mlpxp.Network((1, 1)), [[1.0, 2.0]], [[0.0, 1.0]], optimizer=mlpxp.Adam(), epochs=2)", set()),
    ],
)
def test_nothing_is_loaded_but_what_was_asked_for(code, wanted):
    loaded = loaded_by(code)
    assert "mlpxp" in loaded
    assert loaded & OPTIONAL == wanted


def test_importing_the_library_imports_nothing_at_all():
    """So that it takes no time: everything is where it is first asked for."""
    assert not loaded_by("import mlpxp") & {"numpy", "array_api_compat", "dataclasses"}


def test_each_public_name_is_where_the_table_says_and_where_a_type_checker_is_told():
    tree = ast.parse((ROOT / "mlpxp" / "__init__.py").read_text(encoding="utf-8"))
    told = {
        name.name: node.module
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert told == mlpxp._MODULES
    assert sorted([*told, "__version__"]) == sorted(mlpxp.__all__)
    for name, module in told.items():
        assert getattr(mlpxp, name) is getattr(sys.modules[module], name)
    with pytest.raises(AttributeError, match="module 'mlpxp' has no attribute 'nothing'"):
        _ = mlpxp.nothing
