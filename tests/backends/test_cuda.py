"""The CUDA source of every expression, compiled as C++ for the CPU: the same numbers as NumPy's, step by step."""

import ctypes
import shutil
import subprocess

import numpy as np
import numpy as xp
import pytest

from mlpxp_backends.cuda import source
from mlpxp_backends.expressions import Expression, step_by_step

COMPILER = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
TYPES = {"float32": "float", "float64": "double", "int32": "int", "bool": "bool"}
EXTREME = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, -1e30, 80.0, -80.0, 300.0, 2.0**-24]


def as_function(name, expression):
    """The body of the kernel in a loop, as CuPy puts it into one."""
    arguments, results, body = source(expression)
    declared = [one.split() for one in f"{arguments}, {results}".split(", ")]
    head = ", ".join(f"{TYPES[dtype]} *{name}_" for dtype, name in declared)
    refer = "\n".join(f"{'const ' * (name[0] == 'a')}{TYPES[dtype]} &{name} = {name}_[i];" for dtype, name in declared)
    return f'extern "C" void {name}(long n, {head}) {{ for (long i = 0; i < n; ++i) {{\n{refer}\n{body}\n}} }}'


@pytest.fixture(scope="module")
def compiled(everything, tmp_path_factory):
    """A library of all of them, a number to each expression; and again, with the results of all their steps."""
    if COMPILER is None:
        pytest.skip("there is no C++ compiler here")
    folder = tmp_path_factory.mktemp("cuda")
    with_each_step = [expression._replace(results=tuple(range(len(expression.steps)))) for expression in everything]
    functions = [as_function(f"f{number}", expression) for number, expression in enumerate((*everything, *with_each_step))]
    (folder / "all.cpp").write_text("\n".join(["#include <cmath>", "using namespace std;", *functions]), encoding="utf-8")
    options = ("-O1", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Werror", "-Wno-parentheses")
    done = subprocess.run([COMPILER, *options, "-o", folder / "all.so", folder / "all.cpp"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "all.so"))


def values(expression, rng, n=400):
    """Ordinary and extreme values in every combination that chance makes."""
    for dtype in expression.arguments:
        if dtype == "bool":
            yield rng.random(n) < 0.5
        elif dtype == "int32":
            yield np.where(rng.random(n) < 0.5, rng.integers(-40, 40, n), rng.integers(-(2**31), 2**31, n)).astype(dtype)
        else:
            ordinary = rng.standard_normal(n) * rng.choice([0.1, 1.0, 10.0], n)
            yield np.where(rng.random(n) < 0.25, rng.choice(EXTREME, n), ordinary).astype(dtype)


def run(kernel, arguments, dtypes):
    n = arguments[0].size
    results = [np.empty(n, dtype=dtype) for dtype in dtypes]
    kernel(ctypes.c_long(n), *[array.ctypes.data_as(ctypes.c_void_p) for array in (*arguments, *results)])
    return results


def test_every_kernel_computes_what_numpy_computes(everything, compiled):
    """And each step on the way, from what the kernel's own steps before it gave, so that no error grows."""
    rng = np.random.default_rng(11)
    for number, expression in enumerate(everything):
        arguments = list(values(expression, rng))
        n = arguments[0].size
        got = run(compiled[f"f{len(everything) + number}"], arguments, [dtype for _, _, dtype in expression.steps])
        results = run(compiled[f"f{number}"], arguments, [expression.steps[i][2] for i in expression.results])
        np.testing.assert_array_equal(results, [got[i] for i in expression.results], err_msg=str(expression))
        for (operation, operands, dtype), result in zip(expression.steps, got, strict=True):
            given = [got[i] if i >= 0 else arguments[~i] for i in operands]
            alone = Expression(tuple(str(one.dtype) for one in given), ((operation, tuple(~i for i in range(len(given))), dtype),), (0,))
            with np.errstate(all="ignore"):
                (wanted,) = step_by_step(xp)(alone)((n,), *given)
            if dtype in {"bool", "int32"}:
                np.testing.assert_array_equal(result, wanted, err_msg=str(expression))
            else:  # a function's last digits may differ
                info = np.finfo(dtype)
                np.testing.assert_allclose(result, wanted, rtol=8 * float(info.eps), atol=float(info.tiny), err_msg=str(expression))
