"""Data larger than memory: mapped files and sparse matrices are read a batch at a time."""

import tracemalloc

import numpy as np
import pytest

from mlpxp import MLPClassifier, MLPRegressor

pytest.importorskip("sklearn")
sparse = pytest.importorskip("scipy.sparse")

M, FEATURES = 4000, 200
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0, "batch_size": 50}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """6.4 MB in a file, and what is to be learnt from it."""
    path = tmp_path_factory.mktemp("mapped") / "X.npy"
    X = np.random.default_rng(0).standard_normal((M, FEATURES))
    np.save(path, X)
    return np.load(path, mmap_mode="r"), X[:, 0] - X[:, 1]


@pytest.fixture(scope="module")
def thin():
    """1 % of 40 MB."""
    X = sparse.random_array((50_000, 100), density=0.01, rng=np.random.default_rng(0), format="csr")
    return X, np.asarray(X.sum(axis=1))


def peak(act):
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"dtype": "float32"}, {"backend": "strict"}])
def test_a_mapped_file_is_not_copied(mapped, options):
    """The targets and whatever else has one number an example count too: so less than half of it."""
    if "backend" in options:
        pytest.importorskip("array_api_strict")
    X, y = mapped
    fitted = MLPRegressor(**SMALL | options).fit(X[:100], y[:100])  # whatever is imported, is now
    assert peak(lambda: fitted.fit(X, y)) < X.nbytes / 2
    wanted = MLPRegressor(**SMALL | options).fit(np.array(X), y)
    assert fitted.coefs_[0] == pytest.approx(wanted.coefs_[0], rel=1e-3 if "dtype" in options else 1e-9, abs=1e-6)
    assert fitted.validation_scores_ == (None if wanted.validation_scores_ is None else pytest.approx(wanted.validation_scores_, rel=1e-9))


@pytest.mark.parametrize("options", [{}, {"n_networks": 3}, {"backend": "strict"}])
def test_a_prediction_holds_a_part_of_the_hidden_layers(options):
    """Of 40,000 examples all at once Z and A of 64 units would be 40 MB for a network, their outputs are 1."""
    if "backend" in options:
        pytest.importorskip("array_api_strict")
    X = np.random.default_rng(0).standard_normal((40_000, 4))
    fitted = MLPRegressor(hidden_layer_sizes=(64,), max_iter=1, batch_size=200, random_state=0, **options).fit(X[:400], X[:400, 0])
    whole = fitted.predict(X)
    assert peak(lambda: fitted.predict(X)) < 8e6 * (3 if "n_networks" in options else 1)
    assert np.allclose(whole, np.concatenate([fitted.predict(X[first : first + 1000]) for first in range(0, 40_000, 1000)]), rtol=1e-12)


def test_a_slice_of_a_mapped_file_is_mapped_too(mapped):
    X, y = mapped
    fitted = MLPClassifier(early_stopping=True, **SMALL).fit(X[:100], y[:100] > 0.0)
    assert peak(lambda: fitted.fit(X[10:], y[10:] > 0.0)) < X.nbytes / 2


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"backend": "strict"}, {"n_networks": 2}])
def test_a_sparse_matrix_is_never_made_dense_as_a_whole(thin, options):
    X, y = thin
    dense = 8 * X.shape[0] * X.shape[1]
    if "backend" in options:
        pytest.importorskip("array_api_strict")
    options = SMALL | {"batch_size": 500} | options
    fitted = MLPRegressor(**options).fit(X[:1000], y[:1000])  # whatever is imported or set up once, is now
    assert peak(lambda: fitted.fit(X, y)) < dense / 2
    assert peak(lambda: fitted.predict(X)) < dense / 2
    few = MLPRegressor(**options).fit(X[:1000], y[:1000])
    wanted = MLPRegressor(**options).fit(X[:1000].toarray(), y[:1000])
    assert few.predict(X[:1000]) == pytest.approx(wanted.predict(X[:1000].toarray()), rel=1e-6, abs=1e-9)


def test_sparse_validation_data_neither(thin):
    X, y = thin
    fitted = MLPRegressor(**SMALL | {"batch_size": 500}).fit(X[:1000], y[:1000])
    assert peak(lambda: fitted.fit(X[:1000], y[:1000], validation_data=(X, y))) < 8 * X.shape[0] * X.shape[1] / 2
    few = fitted.fit(X[:1000], y[:1000], validation_data=(X[:2000], y[:2000], np.arange(2000) % 3))
    wanted = MLPRegressor(**SMALL | {"batch_size": 500})
    wanted.fit(X[:1000].toarray(), y[:1000], validation_data=(X[:2000].toarray(), y[:2000], np.arange(2000) % 3))
    assert few.validation_loss_curve_ == pytest.approx(wanted.validation_loss_curve_, rel=1e-9)
    assert few.validation_scores_ == pytest.approx(wanted.validation_scores_, rel=1e-9)


@pytest.mark.parametrize("options", [{}, {"early_stopping": True, "monitor": "r2"}, {"solver": "lbfgs"}])
def test_whole_numbers_in_a_mapped_file_are_converted_as_they_are_read(tmp_path, options):
    X = np.random.default_rng(0).integers(0, 256, (8000, 400), dtype=np.uint8)
    np.save(tmp_path / "X.npy", X)
    y = X[:, 0] / 255.0
    fitted = MLPRegressor(**SMALL | {"batch_size": 500} | options)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    fitted.fit(mapped[:1000], y[:1000])
    assert peak(lambda: fitted.fit(mapped, y)) < 8 * X.size / 2
    assert peak(lambda: fitted.predict(mapped)) < 8 * X.size / 2
    wanted = MLPRegressor(**SMALL | {"batch_size": 500} | options).fit(X.astype("float64"), y)
    assert fitted.predict(mapped) == pytest.approx(wanted.predict(X.astype("float64")), rel=1e-6)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix])
def test_any_sparse_matrix_will_do(make):
    X = np.random.default_rng(0).standard_normal((40, 5)) * (np.random.default_rng(1).random((40, 5)) < 0.3)
    y = np.arange(40) % 2
    fitted = MLPClassifier(**SMALL | {"batch_size": 20}).fit(make(X), y, validation_data=(make(X), y))
    wanted = MLPClassifier(**SMALL | {"batch_size": 20}).fit(X, y, validation_data=(X, y))
    assert fitted.predict_proba(make(X)) == pytest.approx(wanted.predict_proba(X), rel=1e-10)
    assert fitted.validation_loss_curve_ == pytest.approx(wanted.validation_loss_curve_, rel=1e-10)


def test_values_that_cannot_be_learnt_from(mapped, tmp_path):
    X = np.array(mapped[0][:100])
    X[77, 3] = np.nan
    np.save(tmp_path / "X.npy", X)
    for bad in (np.load(tmp_path / "X.npy", mmap_mode="r"), sparse.csr_array(X)):
        with pytest.raises(ValueError, match="NaN"):
            MLPRegressor(**SMALL).fit(bad, mapped[1][:100])


def test_parts_of_a_mapped_file(mapped):
    X, y = mapped
    fitted, whole = MLPRegressor(**SMALL), MLPRegressor(**SMALL | {"max_iter": 1, "shuffle": False}).fit(np.array(X), y)
    fitted.set_params(shuffle=False)
    for first in range(0, M, 1000):
        fitted.partial_fit(X[first : first + 1000], y[first : first + 1000])
    assert fitted.coefs_[0] == pytest.approx(whole.coefs_[0], rel=1e-9)  # Adam's state goes on from part to part
    assert len(fitted.loss_curve_) == 4
    assert np.mean(fitted.loss_curve_) == pytest.approx(whole.loss_, rel=1e-3)
