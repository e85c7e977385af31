"""CuPy without a GPU, as far as that goes: arrays that are only shapes, and every kernel through NVRTC. With one: training."""

import re
import types
from contextlib import suppress
from unittest import mock

import numpy as np
import pytest

import mlpxp
from mlpxp import Adam, BackendError, Network, RangeError, get_backend, train
from mlpxp.arrays.standard import namespace, tree_map

cupy = pytest.importorskip("cupy")
array_api_compat_cupy = pytest.importorskip("array_api_compat.cupy")
pytest.importorskip("cupy._core.syncdetect", reason="CuPy is another one inside, or a pretended one", exc_type=ImportError)
from cupy._core import _carray, _kernel, _scalar, core, syncdetect  # noqa: E402
from cupy.cuda import compiler  # noqa: E402

from mlpxp_backends import cupy as module  # noqa: E402
from mlpxp_backends.cuda import source  # noqa: E402


def has_gpu():
    try:
        return cupy.cuda.runtime.getDeviceCount() > 0
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


without_gpu = pytest.mark.skipif(has_gpu(), reason="there is a GPU")


def fake(shape, dtype="float32"):
    """An array with a shape and a dtype and an address that nobody may read."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = cupy.cuda.UnownedMemory(0x10000, max(size, 1), None, 0)
    return cupy.ndarray(shape, dtype, memptr=cupy.cuda.MemoryPointer(memory, 0))


def test_the_backend_is_there_without_a_gpu():
    backend = get_backend("cupy")
    assert (backend.name, backend.precision, backend.namespace) == ("cupy", None, array_api_compat_cupy)
    assert "fused" in backend.runs


@without_gpu
@pytest.mark.parametrize(
    "ask",
    [
        lambda: get_backend("cupy").asarray([1.0]),
        lambda: get_backend("cupy").devices(),
        lambda: mlpxp.initialize(Network((2, 1)), seed=0, backend="cupy"),
        lambda: train(Network((2, 1)), np.ones((2, 3)), np.ones((1, 3)), optimizer=Adam(), epochs=1, backend="cupy"),
    ],
)
def test_without_a_gpu_there_is_one_clear_error(ask):
    with pytest.raises(BackendError, match=r"^backend 'cupy' needs a CUDA GPU, and [^\n]+$"):
        ask()


@pytest.mark.parametrize("precision", ["float16", "TF32", "", 1, True])
def test_an_unknown_precision_is_an_error(precision):
    with pytest.raises(RangeError, match=re.escape(f"precision must be None or 'tf32' for CuPy, got {precision!r}")):
        module.CupyBackend(precision=precision)


def test_tf32_is_on_for_a_fold_and_off_again(monkeypatch):
    """What cuBLAS is told, in turn, and of which handle: a thread has one of its own for each GPU."""
    said = []
    cublas = types.SimpleNamespace(getMathMode=lambda handle: 7, setMathMode=lambda handle, mode: said.append((handle, mode)))
    device = types.SimpleNamespace(cublas_handle="this thread's")
    monkeypatch.setattr(module.cupy, "cuda", types.SimpleNamespace(cublas=cublas, Device=lambda: device))
    for precision in ("tf32", None):
        with suppress(ZeroDivisionError), module.multiplying_in(precision):
            said.append("fold")
            raise ZeroDivisionError
    assert said == [("this thread's", 3), "fold", ("this thread's", 7), "fold"]


def test_element_wise_work_waits():
    """Where an operation would reach for the GPU, these would fail or, worse, read the address."""
    fusion = module._fusion
    W, b = fake((4, 3)), fake((4, 1))
    Z = fusion.lazy(W)
    assert namespace(Z) is fusion
    for array in (b + Z, Z + b, b * Z * 0.5, 1.0 - fusion.exp(Z) / b, fusion.where(b > Z, Z, 0.0), fusion.maximum(b, Z)):
        assert isinstance(array, fusion._array)
        assert (array.shape, array.dtype, array.node.value) == ((4, 3), np.float32, None)
    stack = fusion.lazy(fake((2, 4, 3), "float64")) * fusion.lazy(fake((), "float64"))
    assert (stack.shape, stack.dtype) == ((2, 4, 3), np.float64)
    assert (b > Z).dtype == np.bool_
    assert fusion.ones_like(Z).shape == (4, 3)


def test_a_kernel_is_called_with_results_of_the_right_kind(monkeypatch, everything):
    """CuPy's part of a call, up to the launch: what goes in, what comes out, and one kernel for each expression."""
    made = []

    class Kernel:
        def __init__(self, arguments, results, body, *, name, return_tuple):
            self.given, self.results = arguments.split(", "), results.split(", ")
            made.append(self)

        def __call__(self, *arrays):
            inputs, outputs = arrays[: len(self.given)], arrays[len(self.given) :]
            for declared, array in zip(self.given, inputs, strict=True):
                assert type(array) in (float, int) or str(array.dtype) == declared.split()[0]
            assert [f"{array.dtype} r{i}" for i, array in enumerate(outputs)] == self.results
            return outputs

    monkeypatch.setattr(module, "cupy", types.SimpleNamespace(ElementwiseKernel=Kernel, empty=np.empty))
    for expression, (shape, arguments) in everything.items():
        results = module._kernel(expression)(shape, *arguments)
        assert [result.shape for result in results] == [shape] * len(expression.results)
    assert len(made) == len(everything)


# ------------------------------------------------------------------------------------------------------------------ NVRTC
NDARRAY, INDEXER, SCALAR = 1, 2, 3  # what CuPy's _ArgInfo calls them


def code_of(expression, shape, arguments, *, flat):
    """The source that CuPy makes of a call with these arguments: all contiguous and of one axis, or with the axes they have."""
    kernel = cupy.ElementwiseKernel(*source(expression), name="mlpxp_fused", return_tuple=True)
    ndim = 1 if flat else len(shape)
    flat = flat or not shape
    infos = []
    for dtype, argument in zip(expression.arguments, arguments, strict=True):
        if type(argument) in (float, int):
            infos.append(_kernel._ArgInfo(SCALAR, _scalar.CScalar, np.dtype(dtype), 0, True, True))
        else:
            infos.append(_kernel._ArgInfo(NDARRAY, cupy.ndarray, np.dtype(dtype), ndim, flat, True))
    infos += [_kernel._ArgInfo(NDARRAY, cupy.ndarray, np.dtype(expression.steps[i][2]), ndim, flat, True) for i in expression.results]
    infos.append(_kernel._ArgInfo(INDEXER, _carray.Indexer, None, ndim, True, True))
    return _kernel._get_elementwise_kernel_code(
        tuple(infos), _kernel._TypeMap(()), kernel.params, kernel.operation, kernel.name, kernel.preamble
    )


def compile_for_h100(code):
    """Compile with CuPy's headers and options, as it does at a kernel's first call on a GPU of compute capability 9.0."""
    with mock.patch.object(compiler, "_compile_module_with_cache", side_effect=LookupError) as caught, pytest.raises(LookupError):
        core.compile_with_cache(code, ())
    whole, options = caught.call_args.args[:2]
    assert whole.endswith(code)
    program = compiler._NVRTCProgram(whole, "kernels.cu", (), (), name_expressions=None, method="cubin")
    binary, _ = program.compile((*options, "-ftz=true", "-arch=sm_90", "--device-as-default-execution-space"), None)
    return binary


def test_every_kernel_compiles(everything):
    code = []
    for number, (expression, (shape, arguments)) in enumerate(everything.items()):
        for flat in (True, False):
            own = code_of(expression, shape, arguments, flat=flat)
            assert own.count("mlpxp_fused") == 1
            code.append(own.replace("mlpxp_fused", f"mlpxp_fused_{number}_{'flat' if flat else 'strided'}"))
    binary = compile_for_h100("\n".join(code))
    assert binary[:4] == b"\x7fELF"
    assert {name.decode() for name in re.findall(rb"mlpxp_fused_\d+_(?:flat|strided)", binary)} == {
        f"mlpxp_fused_{number}_{layout}" for number in range(len(everything)) for layout in ("flat", "strided")
    }


def test_a_kernel_that_is_wrong_does_not_compile():
    with pytest.raises(compiler.CompileException, match="s7"):
        compile_for_h100('extern "C" __global__ void mlpxp_fused(float* r) { r[0] = s7; }')


# ----------------------------------------------------------------------------------------------------------------- a GPU
@pytest.mark.gpu("cupy")
@pytest.mark.skipif(not has_gpu(), reason="there is no GPU")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_computes_what_numpy_computes_on_a_gpu(everything, dtype):
    from mlpxp_backends.expressions import step_by_step

    for expression, (shape, arguments) in everything.items():
        if dtype not in expression.arguments:
            continue
        with np.errstate(all="ignore"):
            wanted = step_by_step(np)(expression)(shape, *arguments)
        got = module._kernel(expression)(shape, *[one if type(one) in (float, int) else cupy.asarray(one) for one in arguments])
        tolerance = 1e-5 if "float32" in expression.arguments else 1e-12
        for one, other in zip(got, wanted, strict=True):
            np.testing.assert_allclose(cupy.asnumpy(one), other, rtol=tolerance, atol=tolerance, err_msg=str(expression))


@pytest.mark.gpu("cupy")
@pytest.mark.skipif(not has_gpu(), reason="there is no GPU")
@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("seed", [1, (1, 2)])
def test_training_on_a_gpu_is_training_on_numpy(batch_size, seed):
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((4, 30)), np.eye(3)[rng.integers(0, 3, 30)].T
    network = Network((4, 6, 5, 3), hidden="silu", output="softmax", loss="cross_entropy")
    results = []
    for library in ("cupy", "numpy"):
        start = mlpxp.initialize(network, seed=seed, dtype="float64", backend=library)
        results.append(train(network, X, Y, optimizer=Adam(0.01), epochs=20, batch_size=batch_size, seed=3, start=start, backend=library))
    np.testing.assert_allclose(results[0].history.cost, results[1].history.cost, rtol=1e-9)


@pytest.mark.gpu("cupy")
@pytest.mark.skipif(not has_gpu(), reason="there is no GPU")
def test_a_fold_never_waits_for_the_gpu(core, monkeypatch):
    """CuPy can be told to refuse to wait, where it knows that it would."""
    each = core.case("silu", core.HEADS[-2], Adam(0.01), steps=20)
    backend = get_backend("cupy")
    state, inputs, data = tree_map(cupy.asarray, (each.state, each.inputs, each.data))
    backend.fold(each.step, state, inputs, *data)
    backend.synchronize()
    monkeypatch.setattr(syncdetect._thread_local, "allowed", False, raising=False)
    with pytest.raises(syncdetect.DeviceSynchronized):  # so that the fold would raise it
        cupy.asnumpy(inputs[1])
    backend.fold(each.step, state, inputs, *data)
