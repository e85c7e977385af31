"""The data sets that have a name: scikit-learn's small real ones, and a few made up of points in the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpxp.data._optional import datasets_for
from mlpxp.data._table import Column, Matrix, Table

__all__ = ["BUILTINS"]

POINTS = 1_000
SEED = 0


def _xor() -> Table:
    """The truth table of exclusive or. Its four rows are the whole domain, so they are its test set too."""
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    features, target = _plane(X), Column("y", np.array([0, 1, 1, 0]), "integer")
    return Table("xor", features, target, test=Table("xor", features, target))


def _digits() -> Table:
    """1,797 handwritten digits of 8 x 8 pixels, 0 to 16."""
    bunch = datasets_for("the built-in data set 'digits'").load_digits()
    return Table("digits", Matrix(bunch.data.astype(np.uint8), pixels=True), Column("digit", bunch.target.astype(np.int64), "integer"))


def _iris() -> Table:
    """150 irises of three species, by their petals and sepals."""
    return _classified("iris", datasets_for("the built-in data set 'iris'").load_iris(), "species")


def _wine() -> Table:
    """178 wines of three cultivars, by their chemistry."""
    return _classified("wine", datasets_for("the built-in data set 'wine'").load_wine(), "cultivar")


def _breast_cancer() -> Table:
    """569 tumours, malignant or benign, by the nuclei of their cells."""
    return _classified("breast-cancer", datasets_for("the built-in data set 'breast-cancer'").load_breast_cancer(), "diagnosis")


def _diabetes() -> Table:
    """442 patients and how their diabetes went on within a year (regression)."""
    bunch = datasets_for("the built-in data set 'diabetes'").load_diabetes(scaled=False)
    return Table("diabetes", _columns(bunch.feature_names, bunch.data), Column("progression", bunch.target))


def _moons() -> Table:
    """Two half moons that reach into each other."""
    X, y = datasets_for("the built-in data set 'moons'").make_moons(POINTS, noise=0.2, random_state=SEED)
    return Table("moons", _plane(X), Column("moon", y.astype(np.int64), "integer"))


def _circles() -> Table:
    """A circle within another."""
    X, y = datasets_for("the built-in data set 'circles'").make_circles(POINTS, noise=0.1, factor=0.5, random_state=SEED)
    return Table("circles", _plane(X), Column("circle", y.astype(np.int64), "integer"))


def _spirals() -> Table:
    """Two spirals of one and a half turns, wound into each other."""
    random = np.random.default_rng(SEED)
    y = np.arange(POINTS) % 2
    turn = 3 * np.pi * np.sqrt(random.uniform(0.02, 1.0, POINTS))  # the root spreads the points evenly along the arms
    angle = turn + np.pi * y
    X = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1) + random.normal(scale=0.3, size=(POINTS, 2))
    return Table("spirals", _plane(X), Column("spiral", y.astype(np.int64), "integer"))


def _plane(X: NDArray[np.float64]) -> tuple[Column, ...]:
    return _columns(("x1", "x2"), X)


def _columns(names: Sequence[str], X: NDArray[np.float64]) -> tuple[Column, ...]:
    return tuple(Column(name, np.ascontiguousarray(values)) for name, values in zip(names, X.T, strict=True))


def _classified(name: str, bunch: Any, target: str) -> Table:
    """A scikit-learn bunch with its class names as the labels."""
    names = [str(one) for one in bunch.target_names]
    categories = tuple(sorted(names))
    codes = np.array([categories.index(one) for one in names], dtype=np.int32)[bunch.target]
    return Table(name, _columns([str(one) for one in bunch.feature_names], bunch.data), Column(target, codes, "text", categories))


BUILTINS: dict[str, Callable[[], Table]] = {
    "xor": _xor,
    "digits": _digits,
    "iris": _iris,
    "breast-cancer": _breast_cancer,
    "wine": _wine,
    "diabetes": _diabetes,
    "moons": _moons,
    "circles": _circles,
    "spirals": _spirals,
}
"""The built-in names and what makes each."""
