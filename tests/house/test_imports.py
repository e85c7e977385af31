"""Who imports what: the wall names array libraries, private modules stay in their room, and nothing is loaded unasked."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mlpxp

ROOT = Path(__file__).parents[2]
HOUSE = sorted((ROOT / "mlpxp").rglob("*.py"))
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
# which libraries a file that exchanges with one, or measures against one, may name
NAMED = {
    "bench/accuracy.py": {"mparray"},  # 50 digits
    "bench/_gpu_in_cupy.py": {"cupy"},
    "bench/_gpu_in_jax.py": {"jax"},
    "bench/_gpu_in_torch.py": {"torch"},
    "bench/_rivals_in_jax.py": {"jax"},
    "bench/_rivals_in_torch.py": {"torch"},
    "exchange/_onnx_export.py": {"ndonnx", "onnx"},
    "exchange/_onnx_graph.py": {"onnx"},
    "exchange/_torch_modules.py": {"torch"},
}
PURE = ("arrays", "core", "instruments", "runs", "training")  # of these only what works on the host's side names NumPy
ON_THE_HOST = {"arrays/draws.py", "arrays/rows.py", "runs/snapshot.py", "training/batches.py"}
THEIRS = ROOT / "mlpxp" / "estimators" / "their_privates.py"
NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}  # which Python documents: the underscore keeps them apart from fields
OTHERS = {  # the private attributes of somebody else's objects that a file needs, as there is no other way
    "bench/accuracy.py": {"_data"},  # mparray's numbers, to compare all of their digits
    "bench/tasks.py": {"_report", "_updates"},  # an epoch of the loop that is timed, without what training does around it
    "exchange/_torch_modules.py": {  # PyTorch's: modules with hooks compute something else than their layers say
        *("_forward_hooks", "_forward_pre_hooks", "_global_forward_hooks", "_global_forward_pre_hooks"),
        "_modules",  # all of a Sequential, also one that came before
    },
    "training/precision.py": {"_getframe"},  # Python's own way to ask who is calling
}
BY_STRING = {"bench/suite.py"}  # the list of benchmarks; lazy_loader has the table of public names, and backends are entry points


def name_of(path):
    return path.relative_to(ROOT / "mlpxp").as_posix()


def imported(path):
    """The top-level packages that a file imports, wherever in it."""
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
                found.add("by string")
    return found


def test_no_file_names_an_array_library_but_those_that_exchange_with_one_or_measure_against_one():
    named = {name_of(path): imported(path) & (LIBRARIES | {"mlpxp_backends"}) for path in HOUSE}
    assert {name: libraries - {"mlpxp_backends"} for name, libraries in named.items() if libraries} == NAMED
    assert [name for name, libraries in named.items() if "mlpxp_backends" in libraries] == ["bench/_gpu_in_cupy.py"]  # for TF32


def test_numpy_is_named_only_at_the_hosts_edge():
    named = {name_of(path) for path in HOUSE if "numpy" in imported(path)}
    assert {name for name in named if name.startswith(PURE)} == ON_THE_HOST


def test_nothing_is_imported_by_a_string_outside_three_tables():
    assert {name_of(path) for path in HOUSE if "by string" in imported(path)} == BY_STRING


def test_no_modules_need_each_other():
    """Imports for types included; what a package's door hands on is its business."""
    modules = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path for path in HOUSE if path.name != "__init__.py"}
    needs = {}
    for name, path in modules.items():
        nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
        imports = {node.module for node in nodes} | {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
        needs[name] = imports & modules.keys()
    assert sum(map(len, needs.values())) > 1000
    TopologicalSorter(needs).prepare()  # names a circle if there is one


def test_a_private_module_is_imported_by_its_own_package_only():
    for path in [*HOUSE, *sorted((ROOT / "benchmarks").rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("mlpxp."):
                whole = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
                for module in whole:
                    package, _, rest = module.partition("._")
                    if rest and (ROOT / f"{package.replace('.', '/')}/_{rest.partition('.')[0]}.py").exists():
                        assert path.is_relative_to(ROOT / package.replace(".", "/")), f"{path} imports {module}"


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def reached_for(tree):
    """The private names that a file has behind a dot, or in a text such as getattr takes."""
    dotted = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {name for name in dotted | told if is_private(name) and name.isidentifier()}


def reached_into(tree):
    """The private names that a file has behind a dot after anything but its own self, and in ``getattr`` and its like."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")) | ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
                continue
            case ast.Attribute(attr=name) if is_private(name):
                yield name
            case ast.Call(func=ast.Name(id="delattr" | "getattr" | "hasattr" | "setattr"), args=[_, ast.Constant(value=name), *_]):
                if is_private(name):
                    yield name
            case ast.Subscript(value=ast.Call(func=ast.Name(id="vars")), slice=ast.Constant(value=str(name))) if is_private(name):
                yield name


def test_what_an_object_keeps_to_itself_nobody_else_reads_or_sets():
    """Among estimators some functions do: they are the parts of one class."""
    estimators = ROOT / "mlpxp" / "estimators"
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in HOUSE}
    found = {name_of(path): set(reached_into(tree)) - NAMED_TUPLES for path, tree in trees.items() if not path.is_relative_to(estimators)}
    assert {name: names for name, names in found.items() if names} == OTHERS
    assert "_fitted" in reached_into(trees[estimators / "fitted.py"]), "the test sees one"


def test_what_is_private_to_scikit_learn_is_reached_for_in_one_file():
    theirs = reached_for(ast.parse(THEIRS.read_text(encoding="utf-8")))
    assert theirs >= {"_validate_params", "_score_func", "_optimizer"}
    for path in HOUSE:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            f"{node.module}.{name.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "sklearn"
            for name in node.names
        } | {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names if name.name.startswith("sklearn")}
        private = {name for name in names if any(map(is_private, name.split(".")))}
        assert bool(private) == (path == THEIRS), f"{path} imports {private}"
        assert path == THEIRS or not reached_for(tree) & theirs, f"{path} reaches for {reached_for(tree) & theirs}"


def test_the_wall_is_where_they_are_imported():
    """So that the tests above would see one."""
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
        ("import mlpxp.cli._app", {"typer"}),
        ("from mlpxp.arrays.backend import known_backends; known_backends()", set()),
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


def test_each_name_that_a_type_checker_is_told_of_is_there():
    tree = ast.parse((ROOT / "mlpxp" / "__init__.pyi").read_text(encoding="utf-8"))
    told = {name.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert len(told) > 70
    for name, module in told.items():
        found = getattr(mlpxp, name)
        assert found is (sys.modules[f"mlpxp.{name}"] if module is None else getattr(sys.modules[f"mlpxp.{module}"], name))
    assert set(mlpxp.__all__) <= {*told, "__version__"}
    assert {*told, "__version__"} - set(mlpxp.__all__) >= set(mlpxp.errors.__all__)
    with pytest.raises(AttributeError, match="module 'mlpxp' has no attribute 'nothing'"):
        _ = mlpxp.nothing


def test_there_are_not_too_many_names_and_rooms_to_remember():
    assert len(mlpxp.__all__) <= 50
    assert set(mlpxp.__all__) <= set(dir(mlpxp))
    shown = [path for path in (ROOT / "mlpxp").iterdir() if path.name != "__pycache__"]
    assert len(shown) <= 20


def test_an_error_within_a_module_that_is_imported_late_is_not_taken_for_a_name_that_is_not_there(monkeypatch):
    def broken(name):
        raise AttributeError(f"something else than {name}")

    monkeypatch.setattr(mlpxp, "_find", broken)
    monkeypatch.delitem(vars(mlpxp), "Adam", raising=False)
    with pytest.raises(AttributeError, match=r"^something else than Adam$"):
        _ = mlpxp.Adam


def test_everything_can_be_imported_at_once():
    """lazy_loader's way to find a name in the tables that isn't where they say, or a circle."""
    code = "import mlpxp, mlpxp.textbook; print(sorted(set(mlpxp.__all__) - set(vars(mlpxp))), 'plot_swap' in vars(mlpxp.textbook))"
    environment = {**os.environ, "EAGER_IMPORT": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[] True", done.stderr
