"""What training rows show: standardised, one-hot, back again, stored and read without a bit of difference."""

import dataclasses
import json

import numpy as np
import pytest

from mlpxp.data import Column, Matrix, Preparation, Table, drop_missing, load
from mlpxp.errors import DataError, DtypeError, FileFormatError, MlpxpError, RangeError, ShapeError, UnknownNameError

NAN = float("nan")


def number(name, *values):
    return Column(name, np.array(values))


def text(name, *values):
    categories = tuple(sorted({value for value in values if value is not None}))
    return Column(
        name, np.array([-1 if value is None else categories.index(value) for value in values], dtype=np.int32), "text", categories
    )


def table(*features, target=None, **options):
    return Table("data.csv", tuple(features), target, first_line=2, **options)


@pytest.fixture
def mixed():
    return table(
        number("size", 1.0, 2.0, 3.0, 6.0),
        text("city", "Rome", "Bern", "Rome", "Oslo"),
        number("same", 0.1, 0.1, 0.1, 0.1),
        target=text("y", "no", "yes", "yes", "no"),
    )


def outcome(call, *arguments, error=DataError, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert isinstance(caught.value, MlpxpError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --------------------------------------------------------------------------------------------------------------- inputs


def test_columns_by_hand(mixed):
    prepared = Preparation.fit(mixed, task="classification")
    assert prepared.feature_names == ("size", "city", "same")
    assert prepared.input_names == ("size", "city=Bern", "city=Oslo", "city=Rome", "same")
    assert (prepared.n_inputs, prepared.n_outputs, prepared.task) == (5, 1, "classification")
    scale = np.sqrt((4 + 1 + 0 + 9) / 4)
    wanted = [[-2 / scale, 0, 0, 1, 0], [-1 / scale, 1, 0, 0, 0], [0, 0, 0, 1, 0], [3 / scale, 0, 1, 0, 0]]
    np.testing.assert_allclose(prepared.inputs(mixed), wanted, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype(mixed, dtype):
    prepared = Preparation.fit(mixed, task="classification")
    assert prepared.inputs(mixed, dtype=dtype).dtype == dtype
    assert prepared.targets(mixed, dtype=dtype).dtype == dtype
    assert "dtype must be 'float32' or 'float64', got 'int8'" in outcome(prepared.inputs, mixed, dtype="int8", error=DtypeError)


def test_only_the_training_rows_count(mixed):
    prepared = Preparation.fit(mixed.take(np.array([0, 1])), task="classification")
    assert prepared.input_names == ("size", "city=Bern", "city=Rome", "same")
    X = prepared.inputs(mixed)
    np.testing.assert_allclose(X[:, 0], [-1, 1, 3, 9])
    np.testing.assert_array_equal(X[3, 1:3], [0, 0])
    assert prepared.notices(mixed) == ("column 'city': 1 row with 'Oslo', never seen in training, taken as none of the known categories",)
    assert prepared.notices(mixed.take(np.array([0, 1]))) == ()


def test_inputs_are_not_modified(mixed):
    before = [column.values.copy() for column in mixed.columns]
    prepared = Preparation.fit(mixed, task="classification")
    prepared.inputs(mixed)
    for column, values in zip(mixed.columns, before, strict=True):
        np.testing.assert_array_equal(column.values, values)


def test_columns_are_found_by_name(mixed):
    prepared = Preparation.fit(mixed, task="classification")
    size, city, same = mixed.columns
    shuffled = table(number("more", 1, 1, 1, 1), same, city, size)
    np.testing.assert_array_equal(prepared.inputs(shuffled), prepared.inputs(mixed))
    message = outcome(prepared.inputs, table(size, same, text("City", "a", "b", "c", "d")), error=UnknownNameError)
    assert "no column 'city', which the model reads; it has 'size', 'same', 'City'; did you mean 'City'?" in message


def test_text_where_numbers_were_and_numbers_where_text_was(mixed):
    prepared = Preparation.fit(mixed, task="classification")
    _, city, same = mixed.columns
    message = outcome(prepared.inputs, table(text("size", None, "big", "small", "big"), city, same))
    assert "column 'size' was numbers in training, got 'big' in row 2 (line 3)" in message
    codes = Preparation.fit(table(text("code", "1", "2", "A"), target=number("y", 0, 1, 1)), task="classification")
    coded = table(Column("code", np.array([2, 1, 2, 7]), "integer"))
    np.testing.assert_array_equal(codes.inputs(coded), [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert "'7', never seen" in codes.notices(coded)[0]


def test_refused_columns_raise_once_they_are_used(mixed):
    dates = dataclasses.replace(mixed.columns[0], refusal="column 'size' holds dates")
    assert "column 'size' holds dates" in outcome(Preparation.fit, table(dates, target=mixed.target), task="classification")
    prepared = Preparation.fit(mixed, task="classification")
    assert "column 'size' holds dates" in outcome(prepared.inputs, table(dates, *mixed.columns[1:]))


@pytest.mark.parametrize(
    "values", [[1e200, -1e200, 3e200], [1.7e308, -1.7e308, 0.0], [1e-310, 2e-310, 3e-310], [1e9 + 1, 1e9 + 2, 1e9 + 3]]
)
def test_extreme_numbers(values):
    data = table(number("x", *values), target=number("y", 0, 1, 1))
    X = Preparation.fit(data, task="classification").inputs(data)
    np.testing.assert_allclose([X.mean(), X.std()], [0, 1], atol=1e-6)


def test_beyond_the_range_of_float32():
    prepared = Preparation.fit(table(number("x", 1.0, 2.0), target=number("y", 0, 1)), task="classification")
    far = table(number("x", 1.0, 1e300))
    assert np.isfinite(prepared.inputs(far)).all()
    assert "row 2 (line 3) is too far from the training rows" in outcome(prepared.inputs, far, dtype="float32")


def test_a_target_beyond_the_range_of_float32():
    prepared = Preparation.fit(table(number("x", 1.0, 2.0), target=number("y", 0.5, 1)), task="regression")
    far = table(number("x", 1.0, 2.0), target=number("y", 1e300, 1.0))
    assert "row 1 (line 2) is too far from the training rows" in outcome(prepared.targets, far, dtype="float32")


def test_booleans_and_large_integers():
    data = table(
        Column("b", np.array([1, 0], dtype=np.uint8), "boolean"),
        Column("i", np.array([2**63, 2**64 - 1], dtype=np.uint64), "integer"),
        target=number("y", 0, 1),
    )
    np.testing.assert_allclose(Preparation.fit(data, task="classification").inputs(data), [[1, -1], [-1, 1]])


# --------------------------------------------------------------------------------------------------------------- blocks


def block(values, *, pixels=False, y=None):
    values = np.asarray(values)
    return Table("data.npz", Matrix(values, pixels), Column("y", np.arange(len(values)) % 2 if y is None else y, "integer"))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_pixels_share_one_mean_and_scale(dtype):
    data = block(np.array([[0, 10, 20], [0, 30, 0]], dtype=dtype), pixels=True)
    prepared = Preparation.fit(data, task="classification")
    values = data.features.values.astype(np.float64)
    np.testing.assert_allclose(prepared.inputs(data), (values - values.mean()) / values.std(), rtol=1e-14)
    assert prepared.inputs(data, dtype="float32").dtype == np.float32


def test_a_pixel_that_was_always_nought_stays_small():
    table = load("digits")
    prepared = Preparation.fit(table.take(np.arange(100)), task="classification")
    assert np.abs(prepared.inputs(table)).max() < 3


def test_other_blocks_are_scaled_column_by_column():
    values = np.array([[1.0, 100.0, 7.0], [3.0, 300.0, 7.0]])
    np.testing.assert_allclose(Preparation.fit(block(values), task="classification").inputs(block(values)), [[-1, -1, 0], [1, 1, 0]])


def test_large_blocks_are_worked_on_in_pieces(monkeypatch):
    values = np.random.default_rng(0).normal(5, 2, size=(100, 7))
    whole = Preparation.fit(block(values), task="classification")
    monkeypatch.setattr("mlpxp.data._moments.CHUNK", 50)
    pieces = Preparation.fit(block(values), task="classification")
    np.testing.assert_allclose(pieces.inputs(block(values)), whole.inputs(block(values)), atol=1e-13)
    np.testing.assert_allclose(whole.inputs(block(values)), (values - values.mean(axis=0)) / values.std(axis=0), atol=1e-13)


def test_a_block_of_another_width():
    prepared = Preparation.fit(block(np.eye(4)), task="classification")
    assert "the model reads 4 numbers a row, got a block of 3" in outcome(prepared.inputs, block(np.eye(3)), error=ShapeError)
    assert "the model reads 4 numbers a row, got 1 column ('x')" in outcome(prepared.inputs, table(number("x", 1.0)), error=ShapeError)


def test_a_block_and_columns_stand_for_each_other():
    values = np.random.default_rng(0).normal(size=(4, 2))
    of_block = Preparation.fit(block(values), task="classification")
    np.testing.assert_array_equal(
        of_block.inputs(table(number("x1", *values[:, 1]), number("x0", *values[:, 0]))), of_block.inputs(block(values))
    )
    of_columns = Preparation.fit(
        table(number("p", *values[:, 0]), number("q", *values[:, 1]), target=block(values).target), task="classification"
    )
    np.testing.assert_array_equal(of_columns.inputs(block(values)), of_block.inputs(block(values)))
    assert "the model reads 2 columns ('p', 'q'), got a block of 4" in outcome(of_columns.inputs, block(np.eye(4)), error=ShapeError)
    of_text = Preparation.fit(table(text("p", "u", "v"), target=number("y", 0, 1)), task="classification")
    assert "the model reads 1 column ('p')" in outcome(of_text.inputs, block(np.ones((2, 1))), error=ShapeError)


# -------------------------------------------------------------------------------------------------------------- missing


@pytest.fixture
def holes():
    return table(
        number("size", 1.0, NAN, 3.0, 5.0, 3.0),
        text("city", "Rome", "Bern", None, "Rome", "Bern"),
        target=text("y", "no", "yes", "no", "yes", "no"),
    )


def test_missing_values_are_named(holes):
    message = outcome(Preparation.fit, holes, task="classification")
    assert "row 2 (line 3), column 'size' has a missing value (empty or NaN), and 1 more value; " in message
    assert "--missing mean or --missing drop" in message
    part = outcome(Preparation.fit, holes.take(np.array([3, 2, 0])), task="classification")
    assert "row 3 (line 4), column 'city'" in part


def test_missing_mean(holes):
    prepared = Preparation.fit(holes, task="classification", missing="mean")
    X = prepared.inputs(holes)
    scale = np.sqrt(8 / 4)
    np.testing.assert_allclose(X, [[-2 / scale, 0, 1], [0, 1, 0], [0, 1, 0], [2 / scale, 0, 1], [0, 1, 0]])
    assert prepared.notices(holes) == (
        "column 'size': 1 missing value replaced by the training mean",
        "column 'city': 1 missing value replaced by the most frequent category, 'Bern'",
    )
    nothing = table(number("size", NAN, NAN), number("city", NAN, NAN))
    np.testing.assert_array_equal(prepared.inputs(nothing), [[0, 1, 0], [0, 1, 0]])


def test_missing_mean_in_a_block():
    data = block([[1.0, NAN], [3.0, 4.0], [NAN, 6.0], [5.0, 8.0]])
    X = Preparation.fit(data, task="classification", missing="mean").inputs(data)
    np.testing.assert_allclose(X[[0, 2], [1, 0]], [0, 0], atol=1e-15)
    np.testing.assert_allclose(X.mean(axis=0), [0, 0], atol=1e-15)


def test_missing_drop(holes):
    kept, n_dropped = drop_missing(dataclasses.replace(holes, test=holes))
    assert (len(kept), n_dropped, len(kept.test)) == (3, 4, 3)
    assert [kept.where(index) for index in range(3)] == ["row 1 (line 2)", "row 4 (line 5)", "row 5 (line 6)"]
    prepared = Preparation.fit(kept, task="classification", missing="drop")
    assert "fill it in, or leave the row out" in outcome(prepared.inputs, holes)
    assert drop_missing(kept)[1] == 0


def test_missing_drop_looks_at_the_target_too():
    kept, n_dropped = drop_missing(table(number("x", 1, 2, 3), target=text("y", "a", None, "b")))
    assert (len(kept), n_dropped) == (2, 1)
    kept, n_dropped = drop_missing(block([[1.0, NAN], [2.0, 3.0]]))
    assert (len(kept), n_dropped) == (1, 1)
    assert drop_missing(block(np.ones((2, 2), dtype=np.uint8)))[1] == 0


def test_nothing_left_to_drop():
    message = outcome(drop_missing, table(number("x", 1, NAN), number("z", NAN, 1), target=number("y", 0, 1)))
    assert "each of its 2 rows has a missing value" in message
    assert "column 'x' has no values at all" in outcome(drop_missing, table(number("x", NAN, NAN), target=number("y", 0, 1)))


def test_predicting_with_missing_values(mixed):
    prepared = Preparation.fit(mixed, task="classification")
    _, city, same = mixed.columns
    message = outcome(prepared.inputs, table(number("size", 1.0, 2.0, NAN, NAN), city, same))
    assert (
        "row 3 (line 4), column 'size' has a missing value (empty or NaN), and 1 more value; fill it in, or train the model with" in message
    )


@pytest.mark.parametrize("missing", [None, "mean", "drop"])
def test_infinity_is_always_refused(missing):
    data = table(number("x", 1.0, np.inf, -np.inf), target=number("y", 0, 1, 1))
    assert "row 2 (line 3), column 'x' has infinity, and 1 more value" in outcome(
        Preparation.fit, data, task="classification", missing=missing
    )
    data = block([[1.0, 2.0], [3.0, -np.inf]])
    assert "row 2, column 'x1' has infinity" in outcome(Preparation.fit, data, task="classification", missing=missing)
    prepared = Preparation.fit(block(np.eye(2)), task="classification", missing=missing)
    assert "infinity" in outcome(prepared.inputs, data)


def test_a_column_without_values():
    data = table(number("x", 1, 2), number("z", NAN, NAN), target=number("y", 0, 1))
    assert "column 'z' has no values at all; leave it out with --drop 'z'" in outcome(
        Preparation.fit, data, task="classification", missing="mean"
    )


# -------------------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize(
    ("target", "classes", "encoded"),
    [
        (text("y", "b", "a", "b"), ("a", "b"), [[1], [0], [1]]),
        (text("y", "b", "a", "c"), ("a", "b", "c"), [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
        (Column("y", np.array([7, 3, 7], dtype=np.uint8), "integer"), (3, 7), [[1], [0], [1]]),
        (Column("y", np.array([True, False, True]), "boolean"), (False, True), [[1], [0], [1]]),
        (number("y", 0.5, 1.5, 0.5), (0.5, 1.5), [[0], [1], [0]]),
    ],
)
def test_classes_there_and_back(target, classes, encoded):
    data = table(number("x", 1, 2, 3), target=target)
    prepared = Preparation.fit(data, task="classification")
    assert prepared.classes == classes
    assert [type(one) for one in prepared.classes] == [type(one) for one in classes]
    Y = prepared.targets(data)
    np.testing.assert_array_equal(Y, encoded)
    assert prepared.n_outputs == Y.shape[1]
    labels = prepared.decode(Y)
    assert [classes.index(one) for one in labels.tolist()] == target.distinct()[1].tolist()
    assert {type(one) for one in labels.tolist()} == {type(classes[0])}
    np.testing.assert_array_equal(prepared.labels(data), labels)


def test_probabilities(mixed):
    two = Preparation.fit(mixed, task="classification")
    A = np.array([[0.25], [0.9]])
    np.testing.assert_allclose(two.probabilities(A), [[0.75, 0.25], [0.1, 0.9]])
    assert two.decode(A).tolist() == ["no", "yes"]
    three = Preparation.fit(load("iris"), task="classification")
    A = np.array([[0.2, 0.5, 0.3]])
    np.testing.assert_array_equal(three.probabilities(A), A)
    assert three.decode(A).tolist() == ["versicolor"]


def test_outputs_of_another_shape(mixed):
    prepared = Preparation.fit(mixed, task="classification")
    for A in (np.zeros((3, 2)), np.zeros(3), np.zeros((1, 3, 1))):
        assert "A must have shape (m, 1)" in outcome(prepared.decode, A, error=ShapeError)
        assert "A must have shape (m, 1)" in outcome(prepared.probabilities, A, error=ShapeError)


def test_a_quantity_there_and_back():
    data = table(number("x", 1, 2, 3), target=number("price", 10.0, 20.0, 60.0))
    prepared = Preparation.fit(data, task="regression")
    Y = prepared.targets(data)
    np.testing.assert_allclose([Y.mean(), Y.std()], [0, 1], atol=1e-15)
    np.testing.assert_allclose(prepared.decode(Y), [10, 20, 60])
    np.testing.assert_array_equal(prepared.labels(data), [10, 20, 60])
    assert (prepared.task, prepared.classes, prepared.n_outputs) == ("regression", (), 1)
    assert "this model predicts a quantity, 'price'" in outcome(prepared.probabilities, Y)


def test_a_constant_quantity():
    data = table(number("x", 1, 2), target=number("y", 0.1, 0.1))
    prepared = Preparation.fit(data, task="regression")
    np.testing.assert_array_equal(prepared.targets(data), [[0], [0]])


def test_labels_that_training_never_saw(mixed):
    prepared = Preparation.fit(mixed, task="classification")
    data = dataclasses.replace(mixed, target=text("y", "no", "yes", "perhaps", "never"))
    for call in (prepared.targets, prepared.labels):
        message = outcome(call, data)
        assert "the target 'y' has 'never', 'perhaps' (first in row 3 (line 4)), which training never saw; known are 'no', 'yes'" in message


def test_labels_of_another_type_that_mean_the_same():
    letters = Preparation.fit(table(number("x", 1, 2, 3), target=text("y", "1", "2", "A")), task="classification")
    np.testing.assert_array_equal(letters.targets(table(number("x", 1), target=Column("y", np.array([2]), "integer"))), [[0, 1, 0]])
    numbers = Preparation.fit(table(number("x", 1, 2), target=Column("y", np.array([1, 2]), "integer")), task="classification")
    np.testing.assert_array_equal(numbers.targets(table(number("x", 1), target=number("y", 2.0))), [[1]])


BAD_TARGETS = {
    "one class": (text("y", "a", "a", "a"), "classification", "one class only, 'a'"),
    "missing": (
        text("y", "a", None, None),
        "classification",
        "the target 'y' is missing in row 2 (line 3), and 1 more row; --missing drop",
    ),
    "NaN": (number("y", 1.0, NAN, 2.0), "regression", "the target 'y' is missing in row 2 (line 3)"),
    "infinity": (number("y", 1.0, 2.0, np.inf), "regression", "the target 'y' is infinite in row 3 (line 4)"),
    "text": (text("y", "b", "a", "c"), "regression", "the target 'y' is text ('b' in row 1 (line 2)): regression needs numbers"),
    "none": (None, "classification", "has no target"),
}


@pytest.mark.parametrize("case", sorted(BAD_TARGETS))
def test_bad_targets(case):
    target, task, message = BAD_TARGETS[case]
    assert message in outcome(Preparation.fit, table(number("x", 1, 2, 3), target=target), task=task)


def test_as_many_classes_as_rows():
    data = table(number("x", *range(30)), target=Column("y", np.arange(30), "integer"))
    assert "has 30 classes in 30 rows, too few of each" in outcome(Preparation.fit, data, task="classification")


def test_no_rows():
    data = table(number("x", 1.0), target=number("y", 1.0)).take(np.arange(0))
    for task in ("classification", "regression"):
        assert "has no rows" in outcome(Preparation.fit, data, task=task)


def test_unknown_options(mixed):
    assert "task must be 'classification' or 'regression'" in outcome(Preparation.fit, mixed, task="clustering", error=RangeError)
    message = outcome(Preparation.fit, mixed, task="classification", missing="median", error=RangeError)
    assert "missing must be 'mean', 'drop' or None, got 'median'" in message


# ------------------------------------------------------------------------------------------------------------- metadata


def through_json(prepared):
    described, arrays = prepared.to_metadata()
    return Preparation.from_metadata(json.loads(json.dumps(described)), {name: array.copy() for name, array in arrays.items()})


@pytest.mark.parametrize("name", ["xor", "digits", "iris", "breast-cancer", "wine", "diabetes", "moons"])
def test_round_trip(name):
    data = load(name)
    prepared = Preparation.fit(data, task="regression" if name == "diabetes" else "classification", missing="mean")
    again = through_json(prepared)
    assert again == prepared
    assert [type(one) for one in again.classes] == [type(one) for one in prepared.classes]
    np.testing.assert_array_equal(again.inputs(data), prepared.inputs(data))
    np.testing.assert_array_equal(again.targets(data), prepared.targets(data))


def test_round_trip_of_mixed_columns(mixed, holes):
    assert through_json(Preparation.fit(mixed, task="classification")) == Preparation.fit(mixed, task="classification")
    prepared = Preparation.fit(holes, task="classification", missing="mean")
    assert through_json(prepared) == prepared
    only_text = Preparation.fit(table(text("p", "u", "v"), target=Column("y", np.array([True, False]), "boolean")), task="classification")
    assert through_json(only_text) == only_text
    assert through_json(only_text).classes == (False, True)
    assert all(isinstance(one, bool) for one in through_json(only_text).classes)


def spoiled(**changes):
    def spoil(described, arrays):
        described.update({key: value for key, value in changes.items() if key not in arrays})
        arrays.update({key: value for key, value in changes.items() if key in arrays})

    return spoil


CITY = {"name": "city", "kind": "text", "categories": ["Bern", "Rome"], "fill": "Rome"}
NONSENSE = {
    "newer version": (spoiled(version=2), "version 2, this mlpxp reads version 1: a newer mlpxp is needed"),
    "no version": (spoiled(version=None), "version must be a whole number"),
    "version true": (spoiled(version=True), "version must be a whole number"),
    "no features": (spoiled(features=None), "features must be a list or have a width"),
    "features empty": (spoiled(features=[]), "features must be a list or have a width"),
    "features of numbers": (spoiled(features=[1, 2]), "each feature must have a name"),
    "a kind unknown": (spoiled(features=[{"name": "a", "kind": "date"}]), "'number' or 'text'"),
    "a name twice": (spoiled(features=[CITY, CITY]), "names must differ"),
    "too many means": (spoiled(features=[CITY]), "one value for each of 0 numeric columns, got 2"),
    "categories twice": (
        spoiled(features=[{**CITY, "categories": ["a", "a"]}], mean=np.zeros(0), scale=np.ones(0)),
        "must be distinct texts",
    ),
    "categories absent": (spoiled(features=[{"name": "c", "kind": "text"}], mean=np.zeros(0), scale=np.ones(0)), "must be distinct texts"),
    "strange filling": (spoiled(features=[{**CITY, "fill": "Oslo"}], mean=np.zeros(0), scale=np.ones(0)), "one of its categories"),
    "width wrong": (spoiled(features={"width": 3}), "width must fit mean and scale"),
    "width of text": (spoiled(features={"width": "2"}), "width must fit mean and scale"),
    "no target": (spoiled(target=None), "target must have a name"),
    "nothing to learn": (spoiled(target={"name": "y"}), "target must have classes, or mean and scale"),
    "mean of text": (spoiled(target={"name": "y", "mean": "0", "scale": 1.0}), "target must have classes, or mean and scale"),
    "target scale": (spoiled(target={"name": "y", "mean": 0.0, "scale": -1.0}), "scale must be positive"),
    "target NaN": (spoiled(target={"name": "y", "mean": NAN, "scale": 1.0}), "target must have classes, or mean and scale"),
    "one class": (spoiled(target={"name": "y", "classes": ["a"]}), "classes must be distinct labels of one type"),
    "a class twice": (spoiled(target={"name": "y", "classes": ["a", "a"]}), "classes must be distinct labels"),
    "mixed classes": (spoiled(target={"name": "y", "classes": ["a", 1]}), "classes must be distinct labels of one type"),
    "classes of lists": (spoiled(target={"name": "y", "classes": [[1], [2]]}), "classes must be distinct labels"),
    "missing": (spoiled(missing="median"), "missing must be 'mean', 'drop' or null"),
    "missing a list": (spoiled(missing=["mean"]), "missing must be 'mean', 'drop' or null"),
    "mean too long": (spoiled(mean=np.zeros(3)), "equally long"),
    "mean of two dimensions": (spoiled(mean=np.zeros((2, 1))), "one row of floats"),
    "mean of integers": (spoiled(mean=np.zeros(2, dtype=np.int64)), "one row of floats"),
    "mean NaN": (spoiled(mean=np.array([0, NAN])), "mean must be finite"),
    "scale nought": (spoiled(scale=np.array([1.0, 0.0])), "scale must be positive"),
    "no arrays": (lambda _, arrays: arrays.clear(), "wanted the arrays mean and scale"),
}


@pytest.mark.parametrize("case", sorted(NONSENSE))
def test_nonsense_in_a_file(mixed, case):
    spoil, message = NONSENSE[case]
    described, arrays = Preparation.fit(mixed, task="classification").to_metadata()
    spoil(described, arrays)
    text = outcome(Preparation.from_metadata, described, arrays, error=FileFormatError)
    assert message in text
    assert "the preparation in the model file" in text


def test_metadata_that_is_no_object():
    for foreign in (None, [], "text", 3):
        assert "wanted an object" in outcome(Preparation.from_metadata, foreign, {}, error=FileFormatError)
