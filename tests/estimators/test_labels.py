"""Labels of every kind that tables hold: each class is the label that was given, to the last digit, or one line says why it can't be."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.tree import DecisionTreeClassifier

from mlpxp import DataError, MLPClassifier, MLPRegressor, load, save

X = np.random.default_rng(0).normal(size=(30, 3))
OPTIONS = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.05, "max_iter": 30, "random_state": 0}
BIG = 2**53  # and one more are one and the same float64
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def again(*labels):
    """These labels in turn, 30 of them."""
    return [labels[i % len(labels)] for i in range(30)]


def classifier(**options):
    return MLPClassifier(**OPTIONS | options)


TRUE_LABELS = {  # y, and the classes in their order
    "Int64": (pd.Series(again(BIG, BIG + 1), dtype="Int64"), [BIG, BIG + 1]),
    "Int64, small": (pd.Series(again(0, 1), dtype="Int64"), [0, 1]),
    "UInt64": (pd.Series(again(2**64 - 1, 2**64 - 2), dtype="UInt64"), [2**64 - 2, 2**64 - 1]),
    "array of Int64": (pd.array(again(BIG, BIG + 1), dtype="Int64"), [BIG, BIG + 1]),
    "index": (pd.Index(again(BIG, BIG + 1)), [BIG, BIG + 1]),
    "category of Int64": (pd.Series(pd.array(again(BIG, BIG + 1), dtype="Int64")).astype("category"), [BIG, BIG + 1]),
    "boolean": (pd.Series(again(True, False), dtype="boolean"), [False, True]),
    "bool": (pd.Series(again(True, False)), [False, True]),
    "string": (pd.Series(again("b", "a"), dtype="string"), ["a", "b"]),
    "category": (pd.Series(again("b", "a"), dtype="category").cat.add_categories("never"), ["a", "b"]),
    "polars int": (pl.Series(again(BIG, BIG + 1)), [BIG, BIG + 1]),
    "polars unsigned": (pl.Series(again(2**64 - 1, 2**64 - 2), dtype=pl.UInt64), [2**64 - 2, 2**64 - 1]),
    "polars text": (pl.Series(again("b", "a")), ["a", "b"]),
    "polars categories": (pl.Series(again("b", "a"), dtype=pl.Categorical), ["a", "b"]),
    "polars bool": (pl.Series(again(True, False)), [False, True]),
    "objects that are ints": (np.asarray(again(BIG + 1, BIG), dtype=object), [BIG, BIG + 1]),
    "objects that are NumPy's ints": (np.asarray([np.int64(each) for each in again(BIG + 1, BIG)], dtype=object), [BIG, BIG + 1]),
    "objects that are bools": (np.asarray(again(True, False), dtype=object), [False, True]),
    "objects that are floats": (np.asarray(again(2.0, 1.0), dtype=object), [1.0, 2.0]),
    "list of ints": (again(BIG + 1, BIG), [BIG, BIG + 1]),
    "list beyond 63 bits": (again(2**64 - 1, 2**64 - 2), [2**64 - 2, 2**64 - 1]),
    "dates": (pd.Series(pd.to_datetime(again("2020-01-02", "2020-01-01"))), [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)]),
    "sparse column": (sp.csr_matrix(np.asarray([again(0, 3)]).T), [0, 3]),
    "sparse column of an array": (sp.coo_array(np.asarray(again(0, 3))[:, None]), [0, 3]),
    "sparse array of one axis": (sp.coo_array(np.asarray(again(0, 3))), [0, 3]),
    "sparse column of pandas": (pd.Series(pd.arrays.SparseArray(again(0, 3))), [0, 3]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")  # of a column
@pytest.mark.parametrize("name", TRUE_LABELS)
def test_each_class_is_the_label_that_was_given(name):
    """The same fit as of 0 and 1, and its answers are the labels themselves."""
    y, classes = TRUE_LABELS[name]
    dense = y.toarray().ravel().tolist() if hasattr(y, "tocsr") else list(y)
    numbers = [classes.index(label) for label in dense]
    fitted, wanted = classifier().fit(X, y), classifier().fit(X, numbers)
    assert repr(fitted.classes_.tolist()) == repr(classes)  # 0 is not 0.0
    assert fitted.predict(X).tolist() == [classes[number] for number in wanted.predict(X)]
    assert fitted.score(X, y) == wanted.score(X, numbers) > 0.5
    np.testing.assert_array_equal(fitted.predict_proba(X), wanted.predict_proba(X))
    assert fitted.partial_fit(X, y).score(X, y) == wanted.partial_fit(X, numbers).score(X, numbers)
    assert classifier().fit(X, numbers, validation_data=(X, numbers)).validation_scores_ == pytest.approx(
        classifier().fit(X, y, validation_data=(X, y)).validation_scores_
    )
    parts, of_numbers = classifier().partial_fit(X, y, classes=y), classifier().partial_fit(X, numbers, classes=[0, 1])
    assert parts.predict(X).tolist() == [classes[number] for number in of_numbers.predict(X)]
    assert parts.partial_fit(X, y, classes=y).classes_.tolist() == fitted.classes_.tolist()


INDICATORS = {
    "Int64": lambda Y: pd.DataFrame({name: pd.array(column, dtype="Int64") for name, column in zip("abc", Y.T, strict=True)}),
    "boolean": lambda Y: pd.DataFrame({name: pd.array(column == 1, dtype="boolean") for name, column in zip("abc", Y.T, strict=True)}),
    "Int64 and boolean": lambda Y: pd.DataFrame({"a": pd.array(Y[:, 0] == 1, dtype="boolean"), "b": Y[:, 1], "c": Y[:, 2] == 1}),
    "bool": lambda Y: Y == 1,
    "objects": lambda Y: Y.astype(object),
    "floats": lambda Y: Y * 1.0,
    "polars": lambda Y: pl.DataFrame(Y == 1),
    "lists": lambda Y: Y.tolist(),
    "sparse": sp.coo_matrix,
    "a sparse frame": lambda Y: pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(Y)),
}


@pytest.mark.parametrize("name", INDICATORS)
def test_several_labels_of_any_form(name):
    Y = np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 1], axis=1).astype(int)
    fitted, wanted = classifier().fit(X, INDICATORS[name](Y)), classifier().fit(X, Y)
    got = fitted.predict(X)
    assert hasattr(got, "tocsr") == name.endswith(("sparse", "sparse frame"))
    np.testing.assert_array_equal(got.toarray() if hasattr(got, "tocsr") else got, wanted.predict(X))
    assert fitted.score(X, INDICATORS[name](Y)) == wanted.score(X, Y) > 0.5


MISSING = {
    "NA among text": (pd.Series(again("a", pd.NA), dtype="string"), "NAType, str"),
    "NA among objects": (pd.Series(again("a", "b", pd.NA), dtype=object), "NAType, str"),
    "NA in a list": (again("a", "b", pd.NA), "NAType, str"),
    "NaN in a list of text": (again("a", "b", float("nan")), "float, str"),
    "None among text": (pd.Series(again("a", None), dtype="string"), "NAType, str"),
    "a missing category": (pd.Series(again("a", "b", None), dtype="category"), r"float, str"),
    "NA among truth values": (pd.Series(again(True, False, pd.NA), dtype="boolean"), "NAType, bool"),
    "NA among whole numbers": (pd.Series(again(0, 1, pd.NA), dtype="Int64"), "got nan for example 2|NAType, int"),
    "null of polars": (pl.Series(again("a", None)), "NoneType, str"),
    "null of whole numbers": (pl.Series(again(0, 1, None)), "got nan for example 2"),
    "null of truth values": (pl.Series(again(True, None)), "NoneType, bool"),
    "NaN among objects": (np.asarray(again(1, 2, np.nan), dtype=object), "got nan for example 2"),
    "NaN": (np.asarray(again(1.0, np.nan)), "y must have a label for each example, got nan for example 1: leave out what has none"),
    "no date": (np.asarray(again("2020-01-01", "NaT"), dtype="datetime64[D]"), "must have a label for each example, got NaT for example 1"),
    "no length of time": (pd.Series(pd.to_timedelta(again(1, 2, None))), "got NaT for example 2"),
    "masked": (np.ma.masked_equal(again(0, 1, 2), 2), "y must have no masked numbers, got 10: fill them"),
}
NO_LABELS = {
    "text and numbers in a list": (again("a", 1), "int, str"),
    "dates of Python": (again(datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)), r"\(date\)"),
    "dates with a zone": (pd.Series(pd.to_datetime(again("2020-01-01", "2020-01-02"))).dt.tz_localize("UTC"), r"\(Timestamp\)"),
    "decimals": (pl.Series(again(decimal.Decimal("1.5"), decimal.Decimal("2.5"))), r"\(Decimal\)"),
    "beyond 64 bits": (again(2**70, 2**70 + 1), rf"at most 64 bits, got {2**70 + 1} and {2**70}"),
    "of both signs beyond 63 bits": (again(2**63, -1, 2**63 + 1), rf"at most 64 bits, got {2**63 + 1} and -1"),
    "whole numbers that floats lack": (again(0.0, BIG + 1), f"at most 64 bits, got {BIG + 1} and 0.0"),
    "128 bits": (pl.Series(again(2**70, 2**70 + 1), dtype=pl.Int128), "y must be an array of labels, got Series: cannot convert"),
    "numbers in a sparse column": (sp.csr_matrix(np.asarray([again(0.5, 1.5)]).T), "continuous"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")  # of a column
@pytest.mark.parametrize("name", [*MISSING, *NO_LABELS])
def test_what_is_no_label_is_refused_in_one_line(name):
    y, words = (MISSING | NO_LABELS)[name]
    fitted = classifier().fit(X, again(0, 1))
    for act in (
        lambda: classifier().fit(X, y),
        lambda: classifier().partial_fit(X, y, classes=[0, 1]),
        lambda: fitted.fit(X, again(0, 1), validation_data=(X, y)),
        lambda: fitted.score(X, y),
    ):
        with pytest.raises(DataError, match=words) as caught:
            act()
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=words.replace("y must", "classes must")):
        classifier().partial_fit(X, again(0, 1), classes=y)


def test_numbers_that_are_to_be_learnt_may_be_whole_and_may_not_be_dates():
    y = pd.Series(again(1, 2, 3), dtype="Int64")
    np.testing.assert_array_equal(MLPRegressor(max_iter=2, random_state=0).fit(X, y).predict(X),
                                  MLPRegressor(max_iter=2, random_state=0).fit(X, [float(each) for each in y]).predict(X))  # fmt: skip
    with pytest.raises(DataError, match="NaN"):
        MLPRegressor().fit(X, pd.Series(again(1, 2, pd.NA), dtype="Int64"))
    for dates in (np.asarray(again("2020-01-01", "NaT"), dtype="datetime64[D]"), pd.Series(pd.to_timedelta(again(1, 2)))):
        with pytest.raises(DataError, match=r"^y must hold numbers, got (datetime|timedelta)64"):
            MLPRegressor().fit(X, dates)


@pytest.mark.parametrize("estimator", [MLPClassifier(max_iter=2), MLPRegressor(max_iter=2)])
def test_a_mask_is_not_lost(estimator):
    """Every check of scikit-learn's takes the numbers under it for data."""
    hidden, y = np.ma.masked_greater(X, 1.0), np.asarray(again(0, 1))
    weights = np.ma.masked_array(np.ones(30), mask=np.arange(30) == 4)
    for name, act in (
        ("X", lambda: estimator.fit(hidden, y)),
        ("X", lambda: estimator.fit(X, y).predict(hidden)),
        ("X", lambda: estimator.fit(X, y, validation_data=(hidden, y))),
        ("y", lambda: estimator.fit(X, np.ma.masked_equal(y, 1))),
        ("sample_weight", lambda: estimator.fit(X, y, weights)),
    ):
        with pytest.raises(DataError, match=rf"^{name} must have no masked numbers, got \d+: fill them"):
            act()
    np.testing.assert_array_equal(estimator.fit(np.ma.asarray(X), y).predict(np.ma.asarray(X)), estimator.predict(X))


# ---------------------------------------------------------------------------------------------- two values that are not 0 and 1


@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (0, 5), (7, 7), (-1.0, 0.0)])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_a_matrix_of_two_values_that_are_not_0_and_1_is_refused(values, form):
    """Which of the two means that a label is present is anybody's guess; scikit-learn takes every label of every example for present."""
    truth = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1)
    Y = form(np.where(truth, values[1], values[0]))
    fitted = classifier().fit(X, truth)
    for act in (
        lambda: classifier().fit(X, Y),
        lambda: classifier().partial_fit(X, Y),
        lambda: fitted.fit(X, truth, validation_data=(X, Y)),
        lambda: fitted.score(X, Y),
    ):
        with pytest.raises(DataError, match=r"y must (be an indicator matrix of 0 and 1, got|hold one label an example)") as caught:
            act()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (0, 5)])
def test_the_remedy_that_is_named_is_one(values):
    truth = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1)
    Y = np.where(truth, values[1], values[0])
    with pytest.raises(DataError, match=rf"got {values[0]} and {values[1]}: say which of them is present, with y == {values[1]}$"):
        classifier().fit(X, Y)
    np.testing.assert_array_equal(classifier().fit(X, values[1] == Y).predict(X), classifier().fit(X, truth).predict(X))


# ---------------------------------------------------------------------------------------------- one class


ONE = {
    "number": (np.full(30, 7), {}),
    "zero": (np.zeros(30, int), {}),
    "text": (np.full(30, "only"), {}),
    "by lbfgs": (np.full(30, 7), {"solver": "lbfgs"}),
    "an ensemble": (np.full(30, 7), {"n_networks": 3}),
}


@pytest.mark.parametrize("name", ONE)
def test_one_class_is_certain_and_has_one_column(name, tmp_path):
    y, options = ONE[name]
    fitted = classifier(**options).fit(X, y)
    wanted = DummyClassifier().fit(X, y)
    save(tmp_path / "one.safetensors", fitted)
    for model in (fitted, load(tmp_path / "one.safetensors"), *getattr(fitted, "estimators_", ())):
        np.testing.assert_array_equal(model.predict_proba(X), wanted.predict_proba(X))
        np.testing.assert_array_equal(model.predict_log_proba(X), wanted.predict_log_proba(X))
        np.testing.assert_array_equal(model.predict(X), wanted.predict(X))
    mean, spread = fitted.predict_proba(X, return_std=True)
    assert mean.tolist() == [[1.0]] * 30
    assert spread.tolist() == [[0.0]] * 30


def test_several_outputs_of_which_one_never_varies():
    """Each as a tree has it; scikit-learn's MLP gives the constant class the probability of the other column."""
    Y = np.stack([X[:, 0] > 0, np.ones(30), X[:, 1] > 0], axis=1).astype(int)
    ours, tree = (MultiOutputClassifier(one).fit(X, Y) for one in (classifier(), DecisionTreeClassifier()))
    assert [each.shape for each in ours.predict_proba(X)] == [each.shape for each in tree.predict_proba(X)] == [(30, 2), (30, 1), (30, 2)]
    assert (ours.predict(X)[:, 1] == 1).all()
    chain = ClassifierChain(classifier()).fit(X, Y)
    assert (chain.predict(X)[:, 1] == 1).all()
    with pytest.raises(ValueError, match="need classifier with two classes"):  # as of a chain of trees, and no probability of another class
        chain.predict_proba(X)


@pytest.mark.filterwarnings("ignore:Number of classes in training fold:RuntimeWarning")
@pytest.mark.parametrize("classes", [2, 3])
def test_folds_that_lack_classes(classes):
    """A fold that knows one class is sure of it: 1 in its column and 0 in all others."""
    y = np.sort(np.arange(30) % classes)
    first = np.flatnonzero(y == 0)
    rest = np.flatnonzero(y)
    folds = [(first, rest), (rest, first)] if classes == 3 else KFold(2)
    with pytest.raises(ValueError, match="shape mismatch"):
        cross_val_predict(Theirs(**OPTIONS), X, y, cv=folds, method="predict_proba")
    P = cross_val_predict(classifier(), X, y, cv=folds, method="predict_proba")
    assert P.shape == (30, classes)
    np.testing.assert_array_equal(P[rest], np.eye(classes)[np.zeros(len(rest), int)])
    assert (P[first, 0] == 0.0).all()
