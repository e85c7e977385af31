import operator

import pytest

from mlpxp import UnknownNameError
from mlpxp.textbook.teaching.examples import EXAMPLES, examples


@pytest.mark.parametrize(("name", "function"), [("and", operator.and_), ("or", operator.or_), ("xor", operator.xor)])
def test_the_truth_tables_are_python_s(name, function):
    X, Y = examples(name)
    assert sorted(map(tuple, X.T.tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert Y[0].tolist() == [function(int(a), int(b)) for a, b in X.T]


def test_what_is_returned_is_the_caller_s():
    X, _ = examples("xor")
    X[:] = 7.0
    assert examples("xor")[0].max() == 1.0


def test_a_name_that_there_isn_t():
    with pytest.raises(UnknownNameError, match=f"must be one of {', '.join(EXAMPLES)}, got 'nand'"):
        examples("nand")
