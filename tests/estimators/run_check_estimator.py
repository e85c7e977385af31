"""Run by test_check_estimator.py in a process of its own, because SCIPY_ARRAY_API is read when scipy is imported: prints JSON."""

import importlib.util
import json
import sys
import warnings

import pandas  # noqa: F401 - some checks pass without doing anything where it is not installed
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._array_api import NamespaceAndDevice
from sklearn.utils.estimator_checks import (
    check_array_api_mixed_inputs,
    check_dataframe_column_names_consistency,
    check_estimator,
    check_param_validation,
)

from mlpxp import MLPClassifier, MLPRegressor


class NoCuPy:
    """Where Python looks first, and learns that there is no CuPy."""

    @staticmethod
    def find_spec(name, path, target=None):
        if name == "cupy":
            raise ModuleNotFoundError(name)


def hide_libraries_without_their_gpu():
    """scikit-learn asks CuPy for its devices, and PyTorch whether it was built with CUDA: without a GPU both end in an error."""
    there = {"torch": False, "cuda": False, "cupy": False}
    try:
        import torch

        there |= {"torch": True, "cuda": torch.cuda.is_available()}
        torch.backends.cuda.is_built = torch.cuda.is_available
    except ImportError:
        pass
    if importlib.util.find_spec("cupy"):
        import cupy

        try:
            there["cupy"] = cupy.cuda.runtime.getDeviceCount() > 0
        except cupy.cuda.runtime.CUDARuntimeError:
            for name in [name for name in sys.modules if name.split(".")[0] == "cupy"]:
                del sys.modules[name]
            sys.meta_path.insert(0, NoCuPy)
    return there


def of_the_public_suite(estimator):
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    return [(each["check_name"], each["status"], each["expected_to_fail"], str(each["exception"])) for each in results]


def that_the_suite_leaves_out(estimator, there):
    name = type(estimator).__name__
    check_param_validation(name, estimator)
    yield "check_param_validation"
    check_dataframe_column_names_consistency(name, estimator)
    yield "check_dataframe_column_names_consistency"
    for namespace, device in [("array_api_strict", None)] + [("torch", "cpu")] * there["torch"]:
        places = {"X_ns_and_device": NamespaceAndDevice(namespace, device), "other_ns_and_device": NamespaceAndDevice("numpy", None)}
        check_array_api_mixed_inputs(name, estimator, **places, check_values=True)
        yield f"check_array_api_mixed_inputs: X from {namespace}, y and sample_weight from NumPy, equal values"


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    there = hide_libraries_without_their_gpu()
    found = {"there": there}
    for estimator in (MLPClassifier(max_iter=100), MLPRegressor(max_iter=100)):
        found[type(estimator).__name__] = {
            "suite": of_the_public_suite(estimator),
            "left out": list(that_the_suite_leaves_out(estimator, there)),
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
