"""scikit-learn's estimator and ours side by side: data, and what it is for two fits to be equal. For several files in estimators/."""

import numpy as np
from sklearn import neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_multilabel_classification
from sklearn.preprocessing import StandardScaler

from mlpxp import MLPClassifier, MLPRegressor

ATOL = 1e-8


def standardised(X):
    return StandardScaler().fit_transform(X)


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:230] / 16.0, y[:230]


def binary():
    X, y = load_breast_cancer(return_X_y=True)
    return standardised(X)[:150], y[:150]


def multilabel():
    return make_multilabel_classification(n_samples=120, n_features=8, n_classes=4, random_state=0)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return standardised(X)[:210], standardised(y[:, None])[:210, 0]


def counts():
    X, y = diabetes()
    return X, np.round(np.exp(y))


def both(name, **options):
    """scikit-learn's estimator and ours, with the same options."""
    ours = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}[name]
    return getattr(theirs, name)(**options), ours(**options)


def largest_difference(wanted, got):
    pairs = zip(wanted.coefs_ + wanted.intercepts_, got.coefs_ + got.intercepts_, strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def assert_equal(wanted, got, X, *, atol=ATOL, curves=True):
    assert [a.shape for a in wanted.coefs_ + wanted.intercepts_] == [a.shape for a in got.coefs_ + got.intercepts_]
    assert largest_difference(wanted, got) < atol
    assert (got.n_iter_, got.t_, got.n_layers_, got.n_outputs_) == (wanted.n_iter_, wanted.t_, wanted.n_layers_, wanted.n_outputs_)
    assert got.out_activation_ == wanted.out_activation_
    if hasattr(wanted, "classes_"):
        np.testing.assert_array_equal(got.classes_, wanted.classes_)
        np.testing.assert_array_equal(got.predict(X), wanted.predict(X))
        np.testing.assert_allclose(got.predict_proba(X), wanted.predict_proba(X), atol=10 * atol)
    else:
        np.testing.assert_allclose(got.predict(X), wanted.predict(X), atol=100 * atol)
    if not curves:
        return
    names = [
        "loss_",
        *(name for name in ("loss_curve_", "best_loss_", "best_validation_score_", "validation_scores_") if hasattr(wanted, name)),
    ]
    for name in names:
        one, other = getattr(wanted, name), getattr(got, name)
        assert (one is None) == (other is None), name
        if one is not None:
            np.testing.assert_allclose(other, one, rtol=1e-7, atol=atol, err_msg=name)


def assert_fits_equal(name, X, y, *, sample_weight=None, atol=ATOL, curves=True, **options):
    wanted, got = both(name, **{"random_state": 0, **options})
    assert_equal(wanted.fit(X, y, sample_weight), got.fit(X, y, sample_weight), X, atol=atol, curves=curves)
    return wanted, got
