"""What the tests share: the backends they run on, and arbitrary-precision numbers to measure against."""

import functools
import importlib.metadata
import os
from dataclasses import dataclass
from typing import Any

import missing
import numpy as np
import pytest

import mlpxp
from mlpxp.arrays.standard import is_array, namespace, tree_map

missing.hypothesis_stand_in()

BACKENDS = ("numpy", "strict", "jax", "torch", "cupy")
DEVICES = {"strict": "device1"}  # not its default: a stray host array or a mixed device fails there
DIGITS = 50
QUICKLY_COMPILED = "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0"


def pytest_configure(config):
    """Have XLA compile in a third of the time, by its older road and with LLVM at -O0: most of a test on JAX is compilation.

    The numbers are those of users up to a rounding here and there. What they run is compiled as it comes in ``make test-gpu``, in
    ``make soak``, wherever XLA_FLAGS is set, if to nothing, and in ``test_compiled_as_users_have_it_jax_learns_the_same``.
    """
    if not config.getoption("--conformance") and _installed("jaxlib").startswith("0.10."):  # XLA ends the process at a flag it doesn't know
        os.environ.setdefault("XLA_FLAGS", QUICKLY_COMPILED)


def _installed(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def pytest_collection_modifyitems(config, items):
    if config.getoption("--conformance"):
        asked_for = config.getoption("--backend") or BACKENDS
        chosen = [item for item in items if "backend" in getattr(item, "fixturenames", ()) or _is_of(item, asked_for)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


def _is_of(item, backends):
    """Whether a test needs the GPU of one of these backends: it belongs to that one's round, and to no other."""
    mark = item.get_closest_marker("gpu")
    return mark is not None and mark.args[0] in backends


@functools.cache
def _runs(name):
    try:
        return bool(mlpxp.get_backend(name).devices())
    except mlpxp.BackendError:
        return False


def pytest_generate_tests(metafunc):
    if "backend" not in metafunc.fixturenames:
        return
    asked_for = metafunc.config.getoption("--backend") or os.environ.get("MLPXP_BACKEND", "").split()
    metafunc.parametrize("backend", asked_for or [name for name in BACKENDS if _runs(name)], indirect=True)


@dataclass(frozen=True)
class OnDevice:
    """A backend that puts host data on one device unless it is told otherwise."""

    library: Any
    device: str

    name = property(lambda self: self.library.name)
    namespace = property(lambda self: self.library.namespace)
    version = property(lambda self: self.library.version)
    runs = property(lambda self: self.library.runs)

    def devices(self):
        return self.library.devices()

    def asarray(self, values, *, dtype=None, device=None):
        stays = is_array(values) and namespace(values) is self.namespace
        return self.library.asarray(values, dtype=dtype, device=self.device if device is None and not stays else device)

    def to_numpy(self, array):
        return self.library.to_numpy(array)

    def synchronize(self):
        self.library.synchronize()

    def fold(self, step, state, inputs, *data):
        return self.library.fold(step, state, inputs, *data)


@pytest.fixture
def backend(request):
    """A backend, with float64 in reach: each test that asks for it runs once on every one."""
    library = mlpxp.get_backend(request.param)
    device = request.config.getoption("--device") or DEVICES.get(request.param)
    if request.param == "jax":
        request.getfixturevalue("x64")
    return library if device is None else OnDevice(library, device)


@pytest.fixture
def x64():
    """JAX with float64, for one test."""
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def to_host(backend):
    """A function that brings a tree of the backend's arrays to NumPy."""
    return lambda tree: tree_map(backend.to_numpy, tree)


@pytest.fixture
def to_device(backend):
    """A function that makes the backend's arrays of a tree of NumPy's, in their dtype or another."""
    return lambda tree, dtype=None: tree_map(lambda leaf: backend.asarray(leaf, dtype=dtype or str(leaf.dtype)), tree)


@pytest.fixture
def exactly():
    """A function that turns a tree of NumPy arrays into arrays of 50 digits, without rounding a value."""
    mparray = pytest.importorskip("mparray")
    mp = pytest.importorskip("mpmath").mp
    before, mp.dps = mp.dps, DIGITS
    yield lambda tree: tree_map(lambda leaf: mparray.asarray(np.asarray(leaf, dtype=np.float64)), tree)
    mp.dps = before


@pytest.fixture
def difference(exactly):
    """A function that returns the float64 array |got - wanted|, subtracted with 50 digits."""
    return lambda got, wanted: np.abs(np.asarray((exactly(got) - wanted)._data, dtype=np.float64))
