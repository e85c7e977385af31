"""The points of the plane: built-in sets, and CSV texts good and bad."""

import numpy as np
import pytest

from mlpxp import DataError, FileFormatError, MlpxpError, UnknownNameError
from mlpxp.textbook.lesson._choices import DATA, OWN
from mlpxp.textbook.lesson._examples import MOST_BYTES, built_in, from_csv


@pytest.mark.parametrize("name", [name for name in DATA if name != OWN])
def test_the_built_in_sets(name):
    examples = built_in(name)
    assert examples.X.shape == (2, examples.m)
    assert examples.Y.shape == (1, examples.m)
    assert set(examples.Y[0]) == {0.0, 1.0}
    assert examples.m <= 200
    if name == "xor":
        assert examples.X.tolist() == [[0, 0, 1, 1], [0, 1, 0, 1]]
        assert examples.features == ("x1", "x2")
    else:
        np.testing.assert_allclose(examples.X.mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(examples.X.std(axis=1), 1.0, rtol=1e-12)


def test_a_csv():
    examples = from_csv("a;b;kind\n1;2;x\n3;5;y\n5;8;x\n")
    assert examples.classes == ("x", "y")
    assert examples.Y.tolist() == [[0, 1, 0]]
    np.testing.assert_allclose(examples.X.mean(axis=1), 0.0, atol=1e-12)
    assert examples.features == ("a, standardised", "b, standardised")
    assert (examples.target, examples.codes.tolist()) == ("kind", [0, 1, 0])


def test_more_than_two_classes_are_one_hot_and_the_target_may_be_another_column():
    examples = from_csv("kind,a,b\n0,1,2\n1,3,4\n2,5,5\n2,5,6\n1,1,1\n0,0,0\n", target="kind")
    assert examples.Y.shape == (3, 6)
    assert examples.codes.tolist() == [0, 1, 2, 2, 1, 0]


BROKEN = {
    "": (DataError, "empty"),
    "a,b,c\n": (DataError, "nothing beneath"),
    "1,2,x\n3,4,y\n": (DataError, "header"),
    "a,b\n1,x\n2,y\n": (DataError, "three columns"),
    "a,b,c,d\n1,2,3,x\n1,2,4,y\n": (DataError, "three columns"),
    "a,b,c\n1,2,x\n3,4,x\n": (DataError, "one class only"),
    "a,b,c\n1,2,x\n3,,y\n": (DataError, "no value in row 2 (line 3)"),
    "a,b,c\n1,2,x\n3,4,\n": (DataError, "no value in row 2"),
    "a,b,c\n1,2,x\ninf,4,y\n": (DataError, "infinite in row 2"),
    "a,b,c\n1,2,x\nq,4,y\nr,1,y\n": (DataError, "numbers"),
    "a,b,c\n1,2,0.5\n3,4,0.7\n3,4,0.9\n": (DataError, "classes"),
    "a,b,c\n1,2,x,7\n3,4,y\n": (FileFormatError, "line 2"),
    'a,b,c\n1,2,"x\n3,4,y\n': (MlpxpError, ""),
    "a,a,c\n1,2,x\n3,4,y\n": (DataError, "two columns named"),
    ",b,c\n1,2,x\n3,4,y\n": (DataError, "(an index that pandas wrote?): name it"),
    "a,b,c\n2020-01-01,2,x\n2020-01-02,4,y\n": (DataError, "turn it into numbers"),
    "a,b,c\nq,1,x\n" + "".join(f"{i},{i},y\n" for i in range(90)): (DataError, "'q' is not a number"),
    "a,b,c\n1,2,x\n": (DataError, "rows"),
    "a,b,c\n" + "".join(f"{i},{i},{i % 9}\n" for i in range(90)): (DataError, "classes"),
    "a,b,c\n" + "".join(f"{i},{i},{i % 2}\n" for i in range(2001)): (DataError, "2,000"),
    "x" * (MOST_BYTES + 1): (DataError, "kB"),
    "\0\0\0": (MlpxpError, ""),
    "<script>alert(1)</script>": (MlpxpError, ""),
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_csv_is_one_sentence(text):
    error, says = BROKEN[text]
    with pytest.raises(error) as raised:
        from_csv(text)
    message = str(raised.value)
    assert says in message
    assert "your CSV" in message
    assert "/" not in message.replace("</", "")  # not where it lay for a moment
    assert "\n" not in message
    assert "--" not in message  # options are the command line's


def test_a_target_that_is_not_there():
    with pytest.raises(UnknownNameError, match="your CSV has no column 'd'"):
        from_csv("a,b,c\n1,2,x\n3,4,y\n", target="d")
