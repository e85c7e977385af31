"""scikit-learn's own check_estimator: nothing fails, nothing is expected to, and nothing is skipped but what can't apply here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("run_check_estimator.py")
INPUT, MIXED = "check_array_api_input", "check_array_api_mixed_inputs"
NO_CUDA = "PyTorch test requires cuda, which is not available"
NO_MPS = "Skipping MPS device test because PYTORCH_ENABLE_MPS_FALLBACK is not set."
NO_XPU = "Skipping XPU device test because no XPU device is available"


def not_installed(library):
    return f"{library} is not installed: not checking array_api input"


def may_be_skipped(name, there):
    """What can't apply on this machine, as (check, reason): libraries that are not here, and devices that it has not got."""
    allowed = {(INPUT, not_installed("dpnp"))}
    if name == "MLPClassifier":  # a network answers with probabilities, and scikit-learn's has no decision_function either
        allowed.add(
            (
                "check_classifiers_multilabel_output_format_decision_function",
                "MLPClassifier does not have a decision_function method.",
            )
        )
    if there["torch"]:
        allowed |= {(INPUT, NO_XPU), (INPUT, NO_MPS), (MIXED, NO_MPS)}
        allowed |= set() if there["cuda"] else {(INPUT, NO_CUDA), (MIXED, NO_CUDA)}
    else:
        allowed |= {(INPUT, not_installed("torch")), (MIXED, not_installed("torch"))}
    if not there["cupy"]:
        allowed |= {(INPUT, not_installed("cupy"))} | ({(MIXED, not_installed("cupy"))} if there["cuda"] else set())
    return allowed


@pytest.fixture(scope="module")
def found():
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    environment.pop("PYTORCH_ENABLE_MPS_FALLBACK", None)
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_check_estimator(found, name):
    results = found[name]["suite"]
    assert [each for each in results if each[1] == "failed"] == []
    assert [each for each in results if each[1] == "xfail" or each[2]] == []
    assert {(check, reason) for check, status, _, reason in results if status == "skipped"} == may_be_skipped(name, found["there"])
    passed = [check for check, status, _, _ in results if status == "passed"]
    assert len(passed) > 60
    assert passed.count(INPUT) >= 3, "NumPy and two devices of array-api-strict at least"
    assert "check_array_api_same_namespace" in passed
    assert "check_sample_weight_equivalence_on_dense_data" in passed


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_checks_that_the_suite_leaves_out(found, name):
    """Parameters, data frames, and X of PyTorch or array-api-strict with all else from NumPy: the same attributes and predictions."""
    assert len(found[name]["left out"]) == 3 + found["there"]["torch"]
