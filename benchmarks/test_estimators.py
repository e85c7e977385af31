"""An epoch of ``fit`` and a prediction of ours and of scikit-learn's; that both have the same weights is checked first."""

import warnings

import pytest

from mlpxp.bench.estimators import CASES, LEARNT, objection
from mlpxp.estimators import MLPClassifier


@pytest.fixture(autouse=True)
def unconverged():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def makers(backend, device):
    theirs = pytest.importorskip("sklearn.neural_network").MLPClassifier
    return {"mlpxp": lambda **options: MLPClassifier(backend=backend, device=device, **options), "scikit-learn": theirs}


@pytest.mark.parametrize("who", ["mlpxp", "scikit-learn"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fit(benchmark, makers, backend, case, who):
    X, y = case.data("float32")
    got, wanted = (make(**case.options(LEARNT)).fit(X, y) for make in makers.values())
    assert objection(got, wanted, "float32") is None
    benchmark.group = f"fit, {case.name}, {backend}: {case.epochs} epochs"
    benchmark.pedantic(lambda: makers[who](**case.options(case.epochs)).fit(X, y), rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("who", ["mlpxp", "scikit-learn"])
def test_predict_one_row(benchmark, makers, backend, who):
    X, y = CASES[1].data("float64" if backend == "numpy" else "float32")
    model = makers[who](**CASES[1].options(1)).fit(X, y)
    benchmark.group = f"predict one row, {backend}"
    assert benchmark(model.predict, X[:1]).shape == (1,)
