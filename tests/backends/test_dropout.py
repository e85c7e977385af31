"""Dropout on every backend: the same masks bit for bit, and steps that wear them in a fold, compiled and fused too."""

from dataclasses import replace

import numpy as np
import numpy as xp
import pytest

import mlpxp
from mlpxp import Network
from mlpxp.arrays import draws
from mlpxp.arrays.backend import fold_in_python
from mlpxp.arrays.standard import device_of, library_of, tree_leaves, tree_map
from mlpxp.core.dropout import dropout_masks
from mlpxp_backends.expressions import step_by_step
from mlpxp_backends.fusion import Fusion

NETWORK = Network((3, 20, 15, 2), ("tanh", "silu"), "softmax", "cross_entropy")
RATES = (0.2, 0.5)


def masks_of(library, members, dtype, *, m=37):
    like = library.asarray(np.zeros((*members, *NETWORK.shapes[0])), dtype=dtype)
    keys = library.asarray(draws.dropout_keys(5, 2, 3, 1, 2))
    return dropout_masks(keys[0, ...], NETWORK, m, RATES, like), like


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("members", [(), (4,)], ids=["one", "stack"])
def test_masks_are_numpys_bit_for_bit(backend, to_host, members, dtype):
    masks, like = masks_of(backend, members, dtype)
    wanted, _ = masks_of(mlpxp.get_backend("numpy"), members, dtype)
    for mask, reference in zip(masks, wanted, strict=True):
        assert (library_of(mask), mask.dtype, str(device_of(mask))) == (library_of(like), like.dtype, str(device_of(like)))
        assert to_host(mask).shape == reference.shape == (*members, reference.shape[-2], 37)
        assert to_host(mask).tobytes() == reference.tobytes()


def run(core, library, fold=None, **options):
    """Fold the case of these options on a library, and bring what comes out to the host."""
    step, *arrays = core.dropout_case(NETWORK, **options)
    state, inputs, data = tree_map(library.asarray, tuple(arrays))
    (parameters, _), costs = (fold or library.fold)(step, state, inputs, *data)
    return [library.to_numpy(leaf) for leaf in (*tree_leaves(parameters), costs)]


def assert_close(got, wanted, rtol=1e-12):
    for one, other in zip(got, wanted, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("stack", [False, True])
def test_a_fold_with_dropout_is_numpys(core, backend, stack):
    numpy = mlpxp.get_backend("numpy")
    wanted = run(core, numpy, stack=stack)
    assert_close(run(core, backend, stack=stack), wanted)
    plain = run(core, numpy, stack=stack, rates=(0.0, 0.0))
    assert all(np.abs(one - other).max() > 1e-3 for one, other in zip(wanted, plain, strict=True))  # the masks do something


@pytest.mark.parametrize("stack", [False, True])
def test_a_fused_fold_is_numpys_and_comes_from_the_tape(core, stack):
    fusion, numpy = Fusion(xp, step_by_step(xp)), mlpxp.get_backend("numpy")
    calls = []

    def fold(step, *arguments):
        def counted(*given):
            calls.append(1)
            return step(*given)

        return fusion.fold(counted, *arguments)

    assert_close(run(core, numpy, fold, stack=stack), run(core, numpy, lambda *given: fold_in_python(xp, *given), stack=stack))
    assert len(calls) == 2


def test_masks_cost_two_launches_a_layer_beside_the_kernels_that_wear_them(core):
    """One makes the range of units and examples and one hashes it; what is done for each entry is in the kernels of the layer."""
    counts = []
    for rates in ((0.0, 0.0), RATES):
        recorder = core.Recorder()
        run(core, mlpxp.get_backend("numpy"), recorder.fusion.fold, rates=rates, steps=1)
        counts.append(recorder.evaluations)
        assert max(len(expression.steps) for expression in recorder.seen) < 100
    assert counts[1] - counts[0] == 2  # the library's own range is no evaluation


def test_kernels_with_masks_are_among_those_that_are_compiled_for_a_gpu(everything):
    assert any({"bitwise_xor", "tanh"} <= {step[0] for step in expression.steps} for expression in everything)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # PyTorch's compiler warns of PyTorch
def test_a_compiled_fold_with_dropout_is_numpys(core, monkeypatch):
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("mlpxp_backends.torch")
    module._programs.cache_clear()
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graph)  # the graph as it was followed, without a C++ compiler
    wanted = run(core, mlpxp.get_backend("numpy"))
    assert_close(run(core, replace(mlpxp.get_backend("torch"), compile=True)), wanted)
    assert module._programs(32).cache_info().currsize == 1
