"""Rows set apart: stratified, the same for the same seed, or one clear line."""

import numpy as np
import pytest

from mlpxp.data import Column, Matrix, Table, load, split
from mlpxp.errors import DataError, RangeError


def table(labels, name="data"):
    return Table(name, Matrix(np.zeros((len(labels), 2))), Column("y", np.array(labels), "integer"))


def test_parts_are_whole_sorted_and_stratified():
    whole = load("iris")
    rest, part = split(whole, 0.2, seed=0, task="classification")
    assert (len(rest), len(part)) == (120, 30)
    assert np.array_equal(np.sort(np.concatenate([rest, part])), np.arange(150))
    assert np.array_equal(part, np.sort(part))
    assert np.bincount(whole.target.values[part]).tolist() == [10, 10, 10]


def test_the_seed_decides():
    whole = load("iris")
    first, again, other = (split(whole, 0.3, seed=seed, task="classification")[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_regression_is_not_stratified():
    rest, part = split(load("diabetes"), 0.25, seed=0, task="regression")
    assert (len(rest), len(part)) == (331, 111)


def test_none_set_apart():
    rest, part = split(table([0, 1, 2]), 0, seed=0, task="classification")
    assert rest.tolist() == [0, 1, 2]
    assert part.tolist() == []


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan"), float("inf")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(RangeError, match=r"must be in \[0, 1\), got"):
        split(table([0, 1] * 5), fraction, seed=0, task="classification")


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range(seed):
    with pytest.raises(RangeError, match="seed must be in 0"):
        split(table([0, 1] * 5), 0.2, seed=seed, task="classification")


def test_a_class_with_one_example():
    with pytest.raises(
        DataError, match=r"the class 7 has one example, in row 3 \(so have 8\): .* say 0 to set none apart, or remove the class"
    ):
        split(table([0, 0, 7, 0, 8, 1, 1]), 0.3, seed=0, task="classification")


def test_no_room_for_each_class():
    with pytest.raises(DataError, match="a split into 3 rows and 1 row has no room for each of 2 classes"):
        split(load("xor"), 0.2, seed=0, task="classification")
    with pytest.raises(DataError, match="no room for each of 3 classes"):
        split(table([0, 1, 2] * 3), 0.8, seed=0, task="classification")


def test_too_few_rows():
    with pytest.raises(DataError, match=r"data has 1 row: too few to set 0\.5 of them apart"):
        split(table([0]), 0.5, seed=0, task="regression")


def test_the_target_must_be_whole():
    holes = Table("data", Matrix(np.zeros((4, 2))), Column("y", np.array([0.0, np.nan, 1.0, 1.0])))
    with pytest.raises(DataError, match="the target 'y' is missing in row 2"):
        split(holes, 0.5, seed=0, task="classification")
    with pytest.raises(DataError, match="has no target"):
        split(Table("data", holes.features), 0.5, seed=0, task="classification")
