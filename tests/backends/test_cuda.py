"""The CUDA source of every expression, compiled as C++ for the CPU: the same numbers as NumPy's, step by step."""

import ctypes
import shutil
import subprocess

import array_api_compat.numpy as xp
import numpy as np
import pytest

from mlpxp_backends.cuda import source
from mlpxp_backends.fusion import step_by_step

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
    """A library of all of them: a number to each expression."""
    if COMPILER is None:
        pytest.skip("there is no C++ compiler here")
    folder = tmp_path_factory.mktemp("cuda")
    functions = [as_function(f"f{number}", expression) for number, expression in enumerate(everything)]
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


def test_every_kernel_computes_what_numpy_computes(everything, compiled):
    rng = np.random.default_rng(11)
    for number, expression in enumerate(everything):
        arguments = list(values(expression, rng))
        n = arguments[0].size
        every = step_by_step(xp)(expression._replace(results=tuple(range(len(expression.steps)))))
        nudged = [array * (1 + 4 * np.finfo(array.dtype).eps) if array.dtype.kind == "f" else array for array in arguments]
        with np.errstate(all="ignore"):
            every_step, nudged_step = every((n,), *arguments), every((n,), *nudged)
        got = [np.empty(n, dtype=expression.steps[i][2]) for i in expression.results]
        getattr(compiled, f"f{number}")(ctypes.c_long(n), *[array.ctypes.data_as(ctypes.c_void_p) for array in (*arguments, *got)])
        # a function's last digit may differ, and a difference of two large results has it where its own first digits are; where such
        # a difference is divided by, the arguments' last digits show how much that is
        finite = [np.where(np.isfinite(step), np.abs(step), 0.0) for step in every_step if step.dtype.kind == "f"]
        scale = np.max(finite, axis=0) if finite else np.zeros(n)
        for result, i in zip(got, expression.results, strict=True):
            wanted = every_step[i]
            if wanted.dtype.kind != "f":
                np.testing.assert_array_equal(result, wanted, err_msg=str(expression))
                continue
            np.testing.assert_array_equal(np.isfinite(result), np.isfinite(wanted), err_msg=str(expression))
            np.testing.assert_array_equal(result[~np.isfinite(result)], wanted[~np.isfinite(wanted)], err_msg=str(expression))
            close = np.isfinite(wanted)
            error, effect = (np.abs(one[close].astype("float64") - wanted[close]) for one in (result, nudged_step[i]))
            assert (error <= 64 * np.finfo(wanted.dtype).eps * scale[close] + 16 * np.nan_to_num(effect, posinf=0.0)).all(), expression
