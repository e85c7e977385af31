import numpy as np

from mlpxp import separate

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]

XOR = """\
No line separates 0 from 1. A perceptron w · x + b > 0 would need
  example 1:  (0, 0) -> 0  asks b < 0            times 1
  example 2:  (0, 1) -> 1  asks w2 + b > 0       times 1
  example 3:  (1, 0) -> 1  asks w1 + b > 0       times 1
  example 4:  (1, 1) -> 0  asks w1 + w2 + b < 0  times 1
Those of 1 add up to  w1 + w2 + 2 b > 0
Those of 0 add up to  w1 + w2 + 2 b < 0
Both can't hold."""

AND = """\
A line separates 0 from 1:
  2 x1 + 2 x2 - 3 > 0 for each example of 1, and < 0 for each of 0;
  its distance from the nearest one, the margin, is 0.353553."""

BETWEEN = """\
No point separates 'in' from 'out'. A perceptron w · x + b > 0 would need
  example 1:  (-0.5) -> 'out'  asks -0.5 w1 + b > 0  times 2
  example 2:  (0) -> 'in'      asks b < 0            times 3
  and 1 more example, times a number of its own
Those of 'out' add up to  3 b > 0
Those of 'in' add up to  3 b < 0
Both can't hold."""

MANY = """\
No hyperplane separates 0 from 1. A perceptron w · x + b > 0 would need (to six digits)
  example 1:  0  asks w1 + 0.333333 w2 - 3 w3 + w4 + w5 + w6 + ... + b < 0  times 1
  example 2:  1  asks w1 + 0.333333 w2 - 3 w3 + w4 + w5 + w6 + ... + b > 0  times 1
Those of 1 add up to  w1 + 0.333333 w2 - 3 w3 + w4 + w5 + w6 + ... + b > 0
Those of 0 add up to  w1 + 0.333333 w2 - 3 w3 + w4 + w5 + w6 + ... + b < 0
Both can't hold."""


def test_xor_is_the_argument_of_the_book():
    assert str(separate(SQUARE, [0, 1, 1, 0])) == XOR


def test_a_line_is_written_out():
    assert separate(SQUARE, [0, 0, 0, 1]).explain() == AND


def test_only_so_many_examples_are_shown():
    found = separate([[-0.5], [0.0], [1.0]], ["out", "in", "out"])
    assert found.certificate == (2, 3, 1)
    assert found.explain(most=2) == BETWEEN


def test_many_features_are_cut_short():
    x = [1.0, 1 / 3, -3.0, 1.0, 1.0, 1.0, 1.0]
    assert str(separate([x, x], [0, 1])) == MANY


def test_numbers_that_are_too_long_for_text_are_rounded():
    random = np.random.default_rng(0)
    found = separate(random.normal(size=(5, 1)) * 1e-250, [0, 1, 0, 1, 0])
    assert all(len(line) < 140 for line in str(found).splitlines())
    X = random.normal(size=(60, 9)) * 10.0 ** random.integers(-300, 300, size=(60, 9))
    found = separate(X, random.integers(0, 2, 60))
    assert max(found.certificate).bit_length() > 15_000  # of more digits than Python's str of an int allows
    assert "times ≈" in str(found)
    assert all(len(line) < 250 for line in str(found).splitlines())
    assert len(repr(found)) < 200
