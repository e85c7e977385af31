"""How many files one walks through from a call to the first forward pass: what has to be held in the head to follow it."""

import sys
import warnings
from pathlib import Path

import numpy as np

import mlpxp
from mlpxp import GradientDescent, MLPClassifier, Network, train
from mlpxp.core import propagation

HOUSE = Path(mlpxp.__file__).parents[1]
HERE = ("mlpxp/", "mlpxp_backends/", "backends/mlpxp_backends/")


def files_entered(call):
    """The files of the house whose functions run, in order, up to the first forward pass; once before, so that no import is among them."""
    call()
    found, until = [], propagation.forward.__code__

    def look(frame, event, _):
        name = frame.f_code.co_filename
        if event == "call" and (not found or found[-1] is not until):
            if frame.f_code is until:
                found.append(name)
                found.append(until)
            elif name.startswith(str(HOUSE)) and name[len(str(HOUSE)) + 1 :].startswith(HERE):
                found.append(name)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(before)
    assert found[-1] is until, "a forward pass was reached"
    return list(dict.fromkeys(Path(name).relative_to(HOUSE).as_posix() for name in found[:-1]))


def test_train_enters_at_most_20_files():
    X, Y = np.asarray([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.asarray([[0.0, 1.0, 1.0, 0.0]])
    network = Network((2, 3, 1), hidden="tanh", output="sigmoid", loss="binary_cross_entropy")
    files = files_entered(lambda: train(network, X, Y, optimizer=GradientDescent(0.1), epochs=1))
    assert files[-1] == "mlpxp/core/propagation.py"
    assert len(files) <= 20, files


def test_fitting_an_estimator_enters_not_many_more():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(20, 3)), random.integers(0, 2, 20)

    def fit():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            MLPClassifier(max_iter=1).fit(X, y)

    files = files_entered(fit)
    assert len(files) <= 36, files
