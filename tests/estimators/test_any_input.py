"""Whatever comes to the estimators' door: predictions that are the network's equations, or an error of mlpxp's or scikit-learn's."""

import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.special import expit, softmax
from soak.cases import BROKEN, HUGE, LARGE, LAYOUTS, TAME, TINY, ZERO, cases, laid_out, mostly, values

from mlpxp import MLPClassifier, MLPRegressor, MlpxpError

SEEDS = st.integers(0, 2**32 - 1)
KINDS = mostly([TAME, ZERO, TINY, LARGE], HUGE, BROKEN)
SHAPES = mostly([(6, 3), (6, 1)], (2, 3), (1, 3), (0, 3), (6, 0), (6,), (), (6, 3, 1))
DTYPES = mostly(["float64", "float32"], "float16", "int64", "bool", "object", "U8", "complex64", "uint8")
OPTIONS = st.fixed_dictionaries(
    {
        "hidden_layer_sizes": mostly([(3,), (), (1, 2), 2], (0,), (-1,), (2.5,), "3"),
        "activation": mostly(["relu", "tanh", "logistic", "identity"], "nothing"),
        "solver": mostly(["adam", "sgd", "lbfgs", "adamw"], "none"),
        "alpha": mostly([0.0, 1e-4, 1.0], 1e30, -1.0, float("nan")),
        "batch_size": mostly(["auto", 1, 2, 100], 0, 1.5),
        "learning_rate_init": mostly([1e-3, 0.1], 1e30, 0.0),
        "early_stopping": mostly([False], True),
        "max_iter": st.sampled_from([1, 3]),
    }
)
WEIGHTS = mostly([None, "ones", "some"], "zeros", "negative", "nan", "short")
ACTIVATIONS = {"relu": lambda Z: np.maximum(Z, 0), "tanh": np.tanh, "logistic": expit, "identity": lambda Z: Z}


def made(shape, kind, seed, dtype, layout):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = np.asarray(values(shape, kind, seed)).astype("float32" if dtype == "float16" and kind == HUGE else dtype)
    return X if dtype == "object" else laid_out(X, layout)


def weights_of(kind, m, seed):
    random = np.random.default_rng(seed).random(m)
    return {
        None: None,
        "ones": np.ones(m),
        "some": np.where(random < 0.5, 0.0, random),
        "zeros": np.zeros(m),
        "negative": random - 0.5,
        "nan": random * np.nan,
        "short": random[1:],
    }[kind]


def hidden_to_output(estimator, X):
    """The network's last Z by plain NumPy, float64; X (m, n)."""
    A = np.asarray(X).astype(np.float64)
    for coefs, intercepts in zip(estimator.coefs_[:-1], estimator.intercepts_[:-1], strict=True):
        A = ACTIVATIONS[estimator.activation](A @ coefs.astype(np.float64) + intercepts)
    return A @ estimator.coefs_[-1].astype(np.float64) + estimator.intercepts_[-1]


def fitted(estimator, X, y, weights):
    """Fit, or ``None`` where that is refused; an unfitted estimator stays one."""
    before = X.tobytes()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(X, y, sample_weight=weights)
    except MlpxpError:
        return None
    finally:
        assert X.tobytes() == before
    return estimator


@cases(
    60,
    shape=SHAPES,
    kind=KINDS,
    dtype=DTYPES,
    layout=LAYOUTS,
    options=OPTIONS,
    weighted=WEIGHTS,
    labels=mostly(["two", "three", "text", "each its own", "column", "multilabel", "bool"], "one", "floats", "nan", "short"),
    seed=SEEDS,
)
def test_a_classifier_answers_its_equations_or_refuses(shape, kind, dtype, layout, options, weighted, labels, seed):
    X, m = made(shape, kind, seed, dtype, layout), shape[0] if shape else 0
    random = np.random.default_rng(seed)
    y = {
        "two": random.integers(0, 2, m),
        "three": random.integers(-1, 2, m),
        "text": random.choice(["é", "b b"], m),
        "one": np.ones(m, int),
        "each its own": np.arange(m),
        "floats": random.random(m),
        "nan": np.full(m, np.nan),
        "column": random.integers(0, 2, (m, 1)),
        "multilabel": random.integers(0, 2, (m, 2)),
        "short": random.integers(0, 2, max(0, m - 1)),
        "bool": random.random(m) < 0.5,
    }[labels]
    estimator = fitted(MLPClassifier(random_state=0, **options), X, y, weights_of(weighted, m, seed))
    if estimator is None:
        return
    assert options["activation"] in ACTIVATIONS
    with np.errstate(all="ignore"):
        Z = hidden_to_output(estimator, X)
        P = estimator.predict_proba(X)
        if labels != "multilabel" and len(estimator.classes_) == 1:
            assert P.tolist() == [[1.0]] * m
            assert (estimator.predict(X) == estimator.classes_[0]).all()
            return
        assert P.shape == (m, 2 if labels == "multilabel" else len(estimator.classes_))
        if np.abs(Z).max() > 1e4 or not np.isfinite(Z).all():
            return  # beyond float32's digits
        tolerance = 1e-4 * max(1.0, float(np.abs(Z).max())) if X.dtype == np.float32 else 1e-9
        if estimator.out_activation_ == "softmax":
            wanted = softmax(Z, axis=1)
        else:
            wanted = expit(Z) if labels == "multilabel" else np.hstack([1 - expit(Z), expit(Z)])
        assert np.allclose(P, wanted, rtol=0, atol=tolerance)
        answers = estimator.predict(X)
        if labels == "multilabel":
            sure = np.abs(wanted - 0.5) > tolerance
            assert np.array_equal(answers[sure], (wanted > 0.5)[sure])
        else:
            top = np.sort(wanted, axis=1)
            sure = top[:, -1] - top[:, -2] > 2 * tolerance
            assert np.array_equal(answers[sure], estimator.classes_[wanted.argmax(axis=1)][sure])


@cases(
    60,
    shape=SHAPES,
    kind=KINDS,
    dtype=DTYPES,
    layout=LAYOUTS,
    options=OPTIONS,
    weighted=WEIGHTS,
    targets=mostly(["numbers", "two", "constant", "integers"], "large", "nan", "text", "empty"),
    seed=SEEDS,
)
def test_a_regressor_answers_its_equations_or_refuses(shape, kind, dtype, layout, options, weighted, targets, seed):
    X, m = made(shape, kind, seed, dtype, layout), shape[0] if shape else 0
    random = np.random.default_rng(seed)
    y = {
        "numbers": random.normal(size=m),
        "two": random.normal(size=(m, 2)),
        "large": 1e30 * random.normal(size=m),
        "nan": np.full(m, np.nan),
        "text": np.full(m, "a"),
        "empty": np.zeros((m, 0)),
        "constant": np.ones(m),
        "integers": random.integers(0, 9, m),
    }[targets]
    estimator = fitted(MLPRegressor(random_state=0, **options), X, y, weights_of(weighted, m, seed))
    if estimator is None:
        return
    with np.errstate(all="ignore"):
        Z, got = hidden_to_output(estimator, X), estimator.predict(X)
        assert got.shape == ((m, 2) if targets == "two" else (m,))
        if not np.isfinite(Z).all() or np.abs(Z).max() > 1e30:
            return
        weights = [*estimator.coefs_, *estimator.intercepts_]
        largest = max(1.0, *(float(np.abs(each).max()) for each in (X.astype(float), *weights)))
        reach = largest ** (1 + len(estimator.coefs_))
        tolerance = (1e-4 if X.dtype == np.float32 else 1e-10) * reach
        assert np.abs(got.reshape(m, -1) - Z).max() <= tolerance


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_the_suite_would_notice_a_wrong_answer(Estimator):
    X, y = values((6, 3), TAME, 0), np.arange(6) % 2
    estimator = fitted(Estimator(random_state=0, max_iter=3, hidden_layer_sizes=(3,)), X, y, None)
    assert np.abs(hidden_to_output(estimator, X + 0.01) - hidden_to_output(estimator, X)).max() > 1e-9
