"""Finding a backend: by name, by the arrays at hand, with options, and from a package that is not ours."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest

import mlpxp
from mlpxp import Adam, BackendError, DtypeError, Network, RangeError, UnknownNameError, get_backend, initialize, train
from mlpxp.arrays.backend import StandardBackend, backend_of, choose_backend, known_backends
from mlpxp.arrays.standard import tree_leaves

NETWORK = Network((2, 3, 1), hidden="tanh")
X, Y = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.asarray([[0.0, 1.0, 1.0, 0.0]])


def test_a_name_is_one_backend_and_a_backend_is_itself():
    numpy = get_backend("numpy")
    assert numpy.name == "numpy"
    assert get_backend("numpy") is numpy
    assert get_backend(numpy) is numpy
    assert get_backend("auto") is numpy


@pytest.mark.parametrize("name", ["tensorflow", "", "NumPy", 3, None, np])
def test_what_is_no_backend(name):
    with pytest.raises(UnknownNameError, match="backend must be") as caught:
        get_backend(name)
    assert "\n" not in str(caught.value)


def test_an_option_that_a_backend_does_not_have():
    with pytest.raises(RangeError, match=r"^backend 'numpy' has no options, got 'precision'$"):
        get_backend("numpy", precision="tf32")


def test_options_are_the_fields_of_a_backend():
    @dataclass(frozen=True)
    class Choosy(StandardBackend):
        speed: int = 1

    choosy = Choosy(get_backend("numpy").namespace, "choosy")
    assert get_backend(choosy, speed=3) == Choosy(choosy.namespace, "choosy", 3)
    with pytest.raises(RangeError, match=r"^backend 'choosy' has the options name, speed, got 'colour'$"):
        get_backend(choosy, colour=1)


def test_auto_is_the_library_of_the_first_array_and_numpy_for_host_data():
    strict = pytest.importorskip("array_api_strict")
    assert choose_backend("auto", [1.0], strict.asarray([1.0])).name == "strict"
    assert choose_backend("auto", np.ones(1), strict.asarray([1.0])).name == "numpy"
    assert choose_backend("auto", [1.0], None).name == "numpy"
    assert choose_backend("strict", np.ones(1)).name == "strict"


def test_a_library_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setitem(sys.modules, "array_api_compat.cupy", None)
    monkeypatch.delitem(sys.modules, "mlpxp_backends.cupy", raising=False)
    mlpxp.arrays.backend._load.cache_clear()
    for ask in (lambda: get_backend("cupy"), lambda: initialize(NETWORK, seed=0, backend="cupy"), lambda: run(backend="cupy")):
        with pytest.raises(BackendError, match=r"^backend 'cupy' needs .*cupy.*, which is not installed: pip install 'mlpxp\[cupy\]'$"):
            ask()
    (status,) = [status for status in mlpxp.backends() if status.name == "cupy"]
    assert status.version is None
    assert status.devices == ()
    assert status.problem.endswith("pip install 'mlpxp[cupy]'")
    mlpxp.arrays.backend._load.cache_clear()


def test_a_library_that_is_broken_says_why(monkeypatch):
    class Broken:
        def load(self):
            raise ImportError("libcuda.so.1: cannot open\nshared object file")

    monkeypatch.setattr(mlpxp.arrays.backend, "_registered", lambda: {"torch": Broken()})
    mlpxp.arrays.backend._load.cache_clear()
    with pytest.raises(BackendError, match=r"^backend 'torch' can't be imported: libcuda.so.1: cannot open shared object file; reinstall"):
        get_backend("torch")
    mlpxp.arrays.backend._load.cache_clear()


def run(X=X, Y=Y, **options):
    return train(NETWORK, X, Y, optimizer=Adam(0.1), epochs=5, batch_size=3, **options)


def test_backends_tells_what_it_looks_at_and_what_it_finds():
    told = []
    found = mlpxp.backends(told.append)
    assert tuple(told) == known_backends() == tuple(status.name for status in found)
    numpy = found[0]
    assert (numpy.name, numpy.version, numpy.problem) == ("numpy", np.__version__, None)
    assert [device.name for device in numpy.devices] == ["cpu"]
    for status in found:
        assert (status.problem is None) == bool(status.devices), status


# ------------------------------------------------------------------------------------------ libraries without a backend


def test_arrays_of_an_unregistered_library_work_as_they_are():
    mparray = pytest.importorskip("mparray")
    there = backend_of(mparray.asarray(X))
    assert isinstance(there, StandardBackend)
    assert "mparray" in there.name
    parameters = tuple(mlpxp.Layer(*map(mparray.asarray, layer)) for layer in initialize(NETWORK, seed=0, dtype="float64"))
    result = run(mparray.asarray(X), mparray.asarray(Y), start=parameters)
    assert {type(leaf) for leaf in tree_leaves((result.parameters, result.optimizer_state))} == {mparray.MPArray}
    assert result.history.cost == pytest.approx(run().history.cost, rel=1e-12)


def test_mlx_works_as_it_is():
    mlx = pytest.importorskip("mlx.core")
    parameters = tuple(mlpxp.Layer(*map(mlx.array, layer)) for layer in initialize(NETWORK, seed=0))
    result = run(mlx.array(X.astype("float32")), mlx.array(Y.astype("float32")), start=parameters)
    assert {type(leaf) for leaf in tree_leaves(result.parameters)} == {mlx.array}
    assert result.history.cost == pytest.approx(run().history.cost, rel=1e-5)


# ------------------------------------------------------------------------------------------ a backend that is not ours

ABACUS = '''
"""Arrays of array-api-strict under another name."""
import array_api_strict
from mlpxp.arrays.backend import StandardBackend

backend = StandardBackend(array_api_strict, name="abacus")
'''


@pytest.fixture
def package(tmp_path):
    """A folder with a package in it: a backend in one file, with one entry point."""
    (tmp_path / "abacus_for_mlpxp.py").write_text(ABACUS, encoding="utf-8")
    info = tmp_path / "abacus_for_mlpxp-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: abacus-for-mlpxp\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[mlpxp.backends]\nabacus = abacus_for_mlpxp:backend\n", encoding="utf-8")
    return tmp_path


def forget_backends():
    for remembered in (mlpxp.arrays.backend._registered, mlpxp.arrays.backend._load):
        remembered.cache_clear()


@pytest.fixture
def installed(package, monkeypatch):
    """The same folder, on this Python's path until the test ends."""
    with monkeypatch.context() as patch:
        patch.syspath_prepend(package)
        patch.delitem(sys.modules, "abacus_for_mlpxp", raising=False)
        forget_backends()
        yield package
        sys.modules.pop("abacus_for_mlpxp", None)
    forget_backends()


def test_a_strangers_backend_is_one_file_and_one_entry_point(package):
    """In a Python of its own, which has imported nothing yet and finds the package by itself."""
    code = """
        import sys, mlpxp
        assert "abacus_for_mlpxp" not in sys.modules  # importing mlpxp imports no backend
        network = mlpxp.Network((2, 3, 1), hidden="tanh")
        data = {"X": [[0.0, 1.0], [1.0, 0.0]], "Y": [[0.0, 1.0]]}
        result = mlpxp.train(network, **data, optimizer=mlpxp.Adam(), epochs=2, batch_size=1, backend="abacus")
        print(type(result.parameters[0].W).__module__)
        sys.modules["torch"] = sys.modules["jax"] = None  # to import them takes seconds, and nothing here is about them
        (status,) = [status for status in mlpxp.backends() if status.name == "abacus"]
        print(status.problem, status.runs)
        """
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    program = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["array_api_strict._array_object", "None step by step"]


@pytest.mark.usefixtures("installed")
def test_a_strangers_backend_is_known_to_the_command_line():
    testing = pytest.importorskip("typer.testing")
    from mlpxp.cli._app import app

    done = testing.CliRunner().invoke(app, ["backends", "--json"])
    assert done.exit_code == 0, done.output
    assert '"name": "abacus"' in done.stdout


def test_a_dtype_that_is_no_floating_one():
    with pytest.raises(DtypeError, match=r"^dtype must be float32 or float64, got 'int8'$"):
        get_backend("numpy").asarray([1], dtype="int8")


@pytest.mark.parametrize("given", [np.ones(2), StandardBackend, object()])
def test_what_only_looks_like_a_backend(given):
    with pytest.raises(UnknownNameError, match=r"^backend must be a name or a Backend, got "):
        run(backend=given)


NO_BUS = """
import array_api_strict
from mlpxp.arrays.backend import StandardBackend


class Abacus(StandardBackend):
    def devices(self):
        raise RuntimeError("no bus")


backend = Abacus(array_api_strict, "abacus")
"""


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("backend = __import__('math')", "is no Backend: its entry point abacus_for_mlpxp:backend leads to module"),
        ("raise ValueError('numpy.dtype size\\nchanged')", "can't be imported: numpy.dtype size changed"),
        (NO_BUS, "can't say what is here: no bus"),
    ],
)
def test_a_strangers_broken_backend_is_explained_and_harms_no_other(installed, code, says):
    (installed / "abacus_for_mlpxp.py").write_text(code, encoding="utf-8")
    found = {status.name: status for status in mlpxp.backends()}
    assert (found["numpy"].usable, found["abacus"].usable) == (True, False)
    assert says in found["abacus"].problem
    assert "\n" not in found["abacus"].problem
    assert "'abacus'" in found["abacus"].problem


def test_jax_told_to_use_a_platform_that_is_not_there():
    pytest.importorskip("jax")
    program = "import sys, mlpxp; sys.modules['torch'] = None; print([s.problem for s in mlpxp.backends() if s.name == 'jax'][0])"
    environment = os.environ | {"JAX_PLATFORMS": "cuda"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    if done.stdout.strip() == "None":
        pytest.skip("JAX has a CUDA device here")
    assert done.stdout.startswith("backend 'jax' finds no device: ")


def test_a_device_alone_moves_no_other_librarys_arrays():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(BackendError, match=r"^Y must be an array of the library of X \(numpy\), got array_api_strict"):
        run(Y=strict.asarray(Y), device="cpu")
