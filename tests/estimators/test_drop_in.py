"""scikit-learn's own tests of its MLP, as they are installed, with nothing but their import replaced."""

import ast
import inspect
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network.tests import test_mlp as theirs
from sklearn.preprocessing import MinMaxScaler

from mlpxp import DataError, MLPClassifier, Stop

THEIR_IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OUR_IMPORT = "from mlpxp import MLPClassifier, MLPRegressor"
CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():  # scikit-learn's own conftest has it
    return 42
"""

IRIS = tuple(each[:100] for each in load_iris(return_X_y=True))  # two classes

LEFT_OUT = {  # test: the private member that it reaches into, and the test below of the same fact
    "test_gradient": ("_loss_grad_lbfgs", "test_one_step_goes_along_the_numerical_gradient"),
    "test_learning_rate_warmstart": ("_optimizer", "test_a_warm_start_begins_with_the_initial_rate_and_goes_on_by_all_examples_seen"),
    "test_adaptive_learning_rate": ("_optimizer", "test_an_adaptive_rate_ends_below_a_millionth"),
    "test_n_iter_no_change": ("_no_improvement_count", "test_training_stops_after_n_iter_no_change_epochs_and_one"),
    "test_n_iter_no_change_inf": ("_no_improvement_count", "test_an_infinite_n_iter_no_change_never_stops"),
}


def private_members(function):
    return {node.attr for node in ast.walk(ast.parse(inspect.getsource(function))) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize(("left_out", "member", "replaced_by"), [(name, *rest) for name, rest in LEFT_OUT.items()])
def test_what_is_left_out_reaches_into_a_private_member(left_out, member, replaced_by):
    assert member in private_members(getattr(theirs, left_out))
    assert not hasattr(MLPClassifier(), member)
    assert replaced_by in globals()


def test_their_tests_pass(tmp_path):
    source = inspect.getsource(theirs)
    assert source.count(THEIR_IMPORT) == 1
    ours = source.replace(THEIR_IMPORT, OUR_IMPORT)
    changed = [one for one, other in zip(source.splitlines(), ours.splitlines(), strict=True) if one != other]
    assert changed == [THEIR_IMPORT]
    (tmp_path / "test_mlp.py").write_text(ours, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    deselected = [f"--deselect=test_mlp.py::{name}" for name in LEFT_OUT]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", *deselected, "test_mlp.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(LEFT_OUT)} deselected" in done.stdout
    suite = ElementTree.parse(tmp_path / "report.xml").getroot().find("testsuite")
    assert [suite.get(kind) for kind in ("failures", "errors", "skipped")] == ["0", "0", "0"]
    ran = {case.get("name").partition("[")[0] for case in suite.iter("testcase")}
    assert ran == {name for name in vars(theirs) if name.startswith("test_")} - set(LEFT_OUT)
    assert int(suite.get("tests")) >= len(ran) > 30


# Where right is something else than equal: what theirs does, and ours.

WRONG = {  # y, what theirs makes of it or says, and the classes of ours or what ours says
    "signs": (lambda y: np.stack([2 * y - 1, 1 - 2 * y], axis=1), lambda theirs: bool(theirs.predict(IRIS[0]).all()), "got -1 and 1"),
    "one and two": (lambda y: np.stack([y + 1, 2 - y], axis=1), lambda theirs: bool(theirs.predict(IRIS[0]).all()), "got 1 and 2"),
    "one class": (lambda y: y * 0, lambda theirs: theirs.predict_proba(IRIS[0]).shape == (100, 2), [0]),
    "two classes that are one float": (
        lambda y: pd.Series(y + 2**53, dtype="Int64"),
        lambda theirs: len(theirs.classes_) == 1,
        [2**53, 2**53 + 1],
    ),
    "a gap in a list": (lambda y: [["a", float("nan")][i] for i in y], lambda theirs: list(theirs.classes_) == ["a", "nan"], "float, str"),
    "objects": (lambda y: y.astype(object), "Unknown label type", [0, 1]),
    "a sparse column": (lambda y: sp.csr_matrix(y[:, None]), "dense data is required", [0, 1]),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("name", WRONG)
def test_where_ours_is_not_equal_because_theirs_is_wrong(name):
    make, wrong, right = WRONG[name]
    X, y = IRIS
    if callable(wrong):
        assert wrong(theirs.MLPClassifier(max_iter=20, random_state=0).fit(X, make(y)))
    else:
        with pytest.raises((ValueError, TypeError), match=wrong):
            theirs.MLPClassifier(max_iter=20, random_state=0).fit(X, make(y))
    if isinstance(right, str):
        with pytest.raises(DataError, match=right):
            MLPClassifier(max_iter=20, random_state=0).fit(X, make(y))
    else:
        ours = MLPClassifier(max_iter=20, random_state=0).fit(X, make(y))
        assert ours.classes_.tolist() == right
        assert ours.predict_proba(X).shape == (100, len(right))


# The five facts, through public attributes.


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("activation", theirs.ACTIVATION_TYPES)
def test_one_step_goes_along_the_numerical_gradient(activation, n_labels):
    """Of full-batch descent: (W before - W after)/η is ∂/∂W of the cost, which is measured with central differences of loss_."""
    X = np.random.RandomState(42).rand(5, 10)
    y = 1 + np.mod(np.arange(5) + 1, n_labels)
    options = {"activation": activation, "hidden_layer_sizes": 10, "solver": "sgd", "momentum": 0.0, "alpha": 1e-2, "random_state": 1}
    estimator = MLPClassifier(learning_rate_init=1e-20, max_iter=1, warm_start=True, **options).fit(X, y)  # as good as not a step
    start = [array.copy() for array in estimator.coefs_ + estimator.intercepts_]

    def placed(arrays):
        n = len(estimator.coefs_)
        estimator.coefs_, estimator.intercepts_ = list(arrays[:n]), list(arrays[n:])
        return estimator

    def cost(arrays):
        return placed(arrays).fit(X, y).loss_

    eta, epsilon = 1e-3, 1e-5
    after = placed(start).set_params(learning_rate_init=eta).fit(X, y)
    steps = [(old - new) / eta for old, new in zip(start, after.coefs_ + after.intercepts_, strict=True)]
    estimator.set_params(learning_rate_init=1e-20)
    random = np.random.RandomState(0)
    for i, step in enumerate(steps):
        for _ in range(4):
            direction = random.choice((-1.0, 1.0), size=step.shape)
            costs = [cost([*start[:i], start[i] + sign * epsilon * direction, *start[i + 1 :]]) for sign in (1, -1)]
            assert (costs[0] - costs[1]) / (2 * epsilon) == pytest.approx(np.sum(step * direction), abs=1e-7)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("policy", ["invscaling", "constant"])
def test_a_warm_start_begins_with_the_initial_rate_and_goes_on_by_all_examples_seen(policy):
    X, y = [[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0]
    estimator = MLPClassifier(4, solver="sgd", learning_rate=policy, max_iter=2, power_t=0.25, warm_start=True)
    estimator.fit(X, y).fit(X, y)
    first, eta = estimator.learning_rate_curve_[:2], estimator.learning_rate_init
    slowed = [eta, eta / (4 + 1) ** 0.25, eta, eta / (12 + 1) ** 0.25]  # 4 and 12 examples were seen; a new optimizer begins with η
    assert estimator.learning_rate_curve_ == pytest.approx(slowed if policy == "invscaling" else [eta] * 4)
    assert first[0] == eta


def test_an_adaptive_rate_ends_below_a_millionth():
    estimator = MLPClassifier(tol=0.5, max_iter=3000, solver="sgd", learning_rate="adaptive").fit([[3, 2], [1, 6]], [1, 0])
    assert estimator.n_iter_ < estimator.max_iter
    assert estimator.learning_rate_curve_[-1] < 1e-6
    assert estimator.stop_ is Stop.CONVERGED


def hundred_digits():
    X, y = load_digits(n_class=2, return_X_y=True)
    return MinMaxScaler().fit_transform(X[:200])[:100], y[:100]


@pytest.mark.parametrize("n_iter_no_change", [2, 5, 10, 50])
def test_training_stops_after_n_iter_no_change_epochs_and_one(n_iter_no_change):
    """The last improvement of the best loss so far by tol is n_iter_no_change + 1 epochs before the end, and no earlier gap is as long."""
    X, y = hundred_digits()
    estimator = MLPClassifier(tol=0.01, max_iter=3000, solver="sgd", n_iter_no_change=n_iter_no_change, random_state=0).fit(X, y)
    best, stale, counts = np.inf, 0, []
    for loss in estimator.loss_curve_:
        stale = stale + 1 if loss > best - estimator.tol else 0
        best = min(best, loss)
        counts.append(stale)
    assert counts[-1] == n_iter_no_change + 1
    assert max(counts[:-1]) == n_iter_no_change
    assert estimator.n_iter_ < estimator.max_iter
    assert estimator.stop_ is Stop.CONVERGED


def test_an_infinite_n_iter_no_change_never_stops():
    X, y = hundred_digits()
    estimator = MLPClassifier(tol=1e9, max_iter=300, solver="sgd", n_iter_no_change=np.inf)  # no epoch improves by that
    with pytest.warns(ConvergenceWarning):
        estimator.fit(X, y)
    assert estimator.n_iter_ == 300
    assert estimator.stop_ is Stop.MAXIMUM
