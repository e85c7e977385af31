"""What help() shows of the estimators: all of it, though what both have is written once."""

import inspect
import re

import pytest

from mlpxp import MLPClassifier, MLPRegressor

pytest.importorskip("sklearn")

DIGITS = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]


def named(docstring, section):
    """The names that a section of a numpydoc docstring has entries of, in its order."""
    text = re.search(rf"^{section}\n-+\n(.*?)(?:\n\n|\Z)", docstring, flags=re.DOTALL | re.MULTILINE)[1]
    return [name for line in text.splitlines() if not line.startswith(" ") for name in line.partition(" : ")[0].split(", ")]


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_each_parameter_is_documented_in_the_constructor_s_order(kind):
    assert named(inspect.getdoc(kind), "Parameters") == list(inspect.signature(kind).parameters) == list(kind.__init__.__annotations__)[:-1]


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_each_attribute_of_a_fit_is_documented(kind):
    fitted = kind(hidden_layer_sizes=(3,), max_iter=9, early_stopping=True, validation_fraction=0.5, n_iter_no_change=1, tol=10.0)
    fitted.fit(DIGITS * 4, [0, 1, 1, 0] * 4)
    found = named(inspect.getdoc(kind), "Attributes")
    assert {name for name in vars(fitted) if name.endswith("_")} | {"estimators_", "feature_names_in_"} == set(found)
    assert len(found) == len(set(found))
    assert f"list of {kind.__name__}" in inspect.getdoc(kind)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_each_parameter_of_fit_is_documented(kind):
    assert named(inspect.getdoc(kind.fit), "Parameters") == list(inspect.signature(kind.fit).parameters)[1:]
    assert hasattr(kind, "set_fit_request")
