"""Every answer is checked here from its definition, in fractions, by code of its own."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

import mlpxp.textbook.separability.separation as module
from mlpxp import DataError, ShapeError, separate
from mlpxp.textbook.separability import Separation
from mlpxp.textbook.separability import _dyadic as dyadic
from mlpxp.textbook.separability import _projection as projection
from mlpxp.textbook.separability._nearest import Nearest

SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]


def exactly(X):
    return [[Fraction(x) for x in row] for row in np.asarray(X, dtype="float64").tolist()]


def dot(a, b):
    return sum(Fraction(one) * other for one, other in zip(a, b, strict=True))


def check(X, y, found):
    """Assert that an answer is right, from what a hyperplane and a certificate are."""
    rows, (first, second) = exactly(X), sorted(set(y))
    signs = [1 if label == second else -1 for label in y]
    assert found.classes == (first, second)
    if found.separable:
        assert found.certificate is None
        assert found.constraints == ()
        assert len(found.w) == len(rows[0])
        nearest = min(sign * (dot(found.w, row) + Fraction(found.b)) for row, sign in zip(rows, signs, strict=True))
        assert nearest > 0
        squared = nearest**2 / sum(Fraction(one) ** 2 for one in found.w)
        assert Fraction(found.margin) ** 2 <= squared
        above = math.nextafter(found.margin, math.inf)
        assert math.isinf(above) or squared < Fraction(above) ** 2
    else:
        assert (found.w, found.b, found.margin) == (None, None, None)
        numbers = found.certificate
        assert len(numbers) == len(rows)
        assert all(type(number) is int and number >= 0 for number in numbers)
        assert math.gcd(*numbers) == 1
        assert sum(map(bool, numbers)) <= len(rows[0]) + 2
        for column in zip(*rows, strict=True):
            assert sum(number * sign * x for number, sign, x in zip(numbers, signs, column, strict=True)) == 0
        assert sum(number * sign for number, sign in zip(numbers, signs, strict=True)) == 0
        counted = [(one.index, one.multiplicity, one.sign, one.label, list(one.x)) for one in found.constraints]
        wanted = [(i, number, signs[i], y[i], rows[i]) for i, number in enumerate(numbers) if number]
        assert counted == wanted


def whole(random, m, n):
    return random.integers(-2, 3, size=(m, n)).astype(float), random.integers(0, 2, m)


def floats(random, m, n):
    return random.normal(size=(m, n)), random.integers(0, 2, m)


def planted(random, m, n):
    X = random.normal(size=(m, n)) + 100.0 * random.integers(0, 2)
    z = (X - X.mean(axis=0)) @ random.normal(size=n)
    return X, (z > np.median(z)).astype(int)


def repeated(random, m, n):
    rows = random.integers(0, m, m) // 3
    X, y = planted(random, m, n)
    return X[rows], np.where(random.random(m) < 0.05, 1 - y[rows], y[rows])


def nearly_flat(random, m, n):
    """Within rounding of a hyperplane, on which side decides the last bit."""
    X = random.normal(size=(m, n))
    X[:, -1] = X[:, :-1] @ random.normal(size=n - 1) if n > 1 else 1.0
    y = random.integers(0, 2, m)
    return np.where((y == 1)[:, None] & (np.arange(n) == n - 1), np.nextafter(X, np.inf), X), y


def flat(random, m, n):
    """On a line."""
    return np.outer(random.integers(-5, 6, m), random.integers(-3, 4, n)) / 8 + 0.1, random.integers(0, 2, m)


def of_all_sizes(random, m, n):
    X = random.normal(size=(m, n)) * 10.0 ** random.integers(-300, 300, size=n)
    return X, (X[:, 0] > 0).astype(int) if random.random() < 0.7 else random.integers(0, 2, m)


def denormal(random, m, n):
    X = random.integers(0, 5, size=(m, n)) * 5e-324
    return X, (X[:, 0] > 1e-323).astype(int) if random.random() < 0.7 else random.integers(0, 2, m)


KINDS = [whole, floats, planted, repeated, nearly_flat, flat, of_all_sizes, denormal]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_answer_is_right(kind):
    """125 data sets of each of 8 kinds: 1,000."""
    random = np.random.default_rng(KINDS.index(kind))
    answers = set()
    for number in range(125):
        m, n = int(random.integers(2, 25)), 1 + number % 5
        X, y = kind(random, m, n)
        y[:2] = 0, 1
        found = separate(X, y)
        check(X, y.tolist(), found)
        assert found.verify(X, y)
        answers.add(found.separable)
    assert answers == {True, False}


def test_xor_has_the_certificate_of_the_book():
    found = separate(SQUARE, [0, 1, 1, 0])
    assert not found.separable
    assert found.certificate == (1, 1, 1, 1)
    check(SQUARE, [0, 1, 1, 0], found)


@pytest.mark.parametrize("y", [y for y in np.ndindex(2, 2, 2, 2) if 0 < sum(y) < 4])
def test_of_the_functions_of_two_bits_only_xor_and_its_negation_can_t_be_separated(y):
    found = separate(SQUARE, list(y))
    check(SQUARE, list(y), found)
    assert found.separable == (y not in {(0, 1, 1, 0), (1, 0, 0, 1)})


def test_the_hyperplane_of_and_is_exact():
    found = separate(SQUARE, [0, 0, 0, 1])
    assert (found.w, found.b) == ((2.0, 2.0), -3.0)
    assert found.margin == math.nextafter(math.sqrt(0.125), 0.0)
    assert math.sqrt(0.125) ** 2 > 0.125  # so that the float above it is too large


def squared_distance(p, a, b):
    """Of a point from a segment."""
    edge, way = [y - x for x, y in zip(a, b, strict=True)], [y - x for x, y in zip(a, p, strict=True)]
    length = dot(edge, edge)
    share = min(max(dot(edge, way) / length, 0), 1) if length else 0
    rest = [x - share * y for x, y in zip(way, edge, strict=True)]
    return dot(rest, rest)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("seed", range(10))
def test_in_the_plane_no_margin_is_larger(seed, offset):
    """The margin is half the distance of the hulls: of a corner of the one from an edge of the other."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(20, 2)) + offset
    z = (X - offset) @ random.normal(size=2)
    y = (z > np.median(z)).astype(int)
    rows = exactly(X)
    sides = [[row for row, label in zip(rows, y, strict=True) if label == side] for side in (0, 1)]
    squared = min(squared_distance(p, *edge) for one, other in (sides, sides[::-1]) for p in one for edge in combinations(other, 2))
    found = separate(X, y)
    assert found.separable
    assert Fraction(found.margin) ** 2 * 4 <= squared
    assert Fraction(found.margin) ** 2 * 4 > squared * (1 - Fraction(1, 10**6 if offset else 10**13))


def test_the_margin_is_that_of_a_support_vector_machine():
    svm = pytest.importorskip("sklearn.svm")
    random = np.random.default_rng(0)
    for n in (3, 8):
        X = random.normal(size=(60, n))
        w = random.normal(size=n)
        y = (X @ w > 0).astype(int)
        theirs = svm.SVC(kernel="linear", C=1e8, tol=1e-8).fit(X, y)
        assert separate(X, y).margin == pytest.approx(1 / np.linalg.norm(theirs.coef_), rel=1e-5)
        np.testing.assert_allclose(separate(X, y).w, theirs.coef_[0], rtol=1e-3)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[1.0], [1.0]], [0, 1]),
        ([[1.0, 2.0]] * 5, [0, 1, 0, 1, 1]),
        ([[0.0], [0.0], [1.0]], [0, 1, 1]),
        ([[0, 0], [2, 0], [0, 2], [1, 1]], [0, 1, 1, 0]),
        ([[0, 0], [2, 2], [1, 1]], [0, 0, 1]),
    ],
)
def test_contradictory_labels_and_points_between(X, y):
    found = separate(X, y)
    assert not found.separable
    check(X, y, found)


def test_a_point_on_the_edge_of_the_other_class_s_hull():
    """Inseparable by nothing: moved by the last bit it is separable, and the margin is that bit's size."""
    X = np.array([[0.1, 0.1], [0.3, 0.3], [0.2, 0.2]])
    found = separate(X, [0, 0, 1])
    check(X, [0, 0, 1], found)
    assert not found.separable
    X[2, 0] = np.nextafter(0.2, 1.0)
    found = separate(X, [0, 0, 1])
    check(X, [0, 0, 1], found)
    assert found.separable
    assert 0 < found.margin < 1e-16


def test_where_no_floats_separate_the_hyperplane_is_of_fractions():
    """-w1 A must lie below 0.8 w2 d: with A = 1.7e308 and d = 5e-324 the least w1 and the greatest w2 that floats have give 0.946."""
    A, d = 1.7e308, 5e-324
    X, y = [[-A, 0.0], [A, d], [-A / 4, 0.0], [0.0, 0.0]], [1, 1, 0, 0]
    found = separate(X, y)
    check(X, y, found)
    assert found.separable
    assert found.verify(X, y)
    assert all(isinstance(one, Fraction) for one in (*found.w, found.b))


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-160, 1e160, 1.7e308])
def test_any_size_of_numbers(size):
    X = np.array(SQUARE) * size
    for y in ([0, 1, 1, 0], [0, 0, 0, 1]):
        found = separate(X, y)
        check(X, y, found)
        assert found.separable == (y == [0, 0, 0, 1])
        assert not found.separable or isinstance(found.b, float)


def test_exact_steps_find_the_same_from_a_bad_proposal(monkeypatch):
    """Floats only propose: were they of no use at all, the answers would be the same."""
    random = np.random.default_rng(3)
    problems = [kind(random, 14, n) for kind in KINDS for n in (1, 2, 4)]
    problems = [(X, np.concatenate([[0, 1], y[2:]])) for X, y in problems]
    answers = [separate(X, y) for X, y in problems]

    def useless(examples):
        return Nearest((int(examples.of(1)[-1]), int(examples.of(-1)[-1])), (1.0, 1.0), (math.nan,))

    monkeypatch.setattr(module, "propose", useless)
    for (X, y), answer in zip(problems, answers, strict=True):
        found = separate(X, y)
        check(X, y.tolist(), found)
        assert (found.separable, found.w, found.b) == (answer.separable, answer.w, answer.b)


def test_large_bases_are_not_solved_exactly_but_checked(monkeypatch):
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 6))
    y = (X @ random.normal(size=6) > 0.3).astype(int)
    exact = separate(X, y)
    monkeypatch.setattr(module, "_EXACT", 0)
    monkeypatch.setattr(module, "decide", lambda *_: pytest.fail("solved exactly"))
    found = separate(X, y)
    check(X, y.tolist(), found)
    assert found.margin == pytest.approx(exact.margin, rel=1e-9)


@pytest.mark.parametrize("labels", ["gap", "flipped", "random"])
def test_many_examples_take_no_exact_product_each(labels, monkeypatch):
    """20,000 x 10: what is counted is exact products, of which there would be 20,000 without the filter."""
    random = np.random.default_rng(0)
    X, w = random.normal(size=(20_000, 10)), random.normal(size=10)
    z = X @ w / np.linalg.norm(w)
    y = (z > 0).astype(int)
    X += 0.1 * np.sign(z)[:, None] * w / np.linalg.norm(w)
    if labels == "flipped":
        y[z.argmax()] = 0
    if labels == "random":
        y = random.integers(0, 2, len(X))
    products = []
    monkeypatch.setattr(projection, "dot", lambda *one: products.append(1) or dyadic.dot(*one))
    found = separate(X, y)
    assert found.separable == (labels == "gap")
    assert found.verify(X, y)
    assert len(products) < 500
    if not found.separable:
        kept = [one.index for one in found.constraints]
        check(X[kept], y[kept].tolist(), separate(X[kept], y[kept]))


def test_verify_sees_what_is_wrong():
    found = separate(SQUARE, [0, 1, 1, 0])
    assert found.verify(SQUARE, [0, 1, 1, 0])
    assert not found.verify(SQUARE, [0, 1, 1, 1])
    assert not found.verify(SQUARE[:3], [0, 1, 1])
    assert not found.verify([[0, 0], [0, 1], [1, 0], [1, 1 + 2**-52]], [0, 1, 1, 0])
    for certificate in [(1, 1, 1, 2), (0, 0, 0, 0), (-1, -1, -1, -1)]:
        assert not Separation(False, None, None, None, certificate, (0, 1)).verify(SQUARE, [0, 1, 1, 0])
    line = separate(SQUARE, [0, 0, 0, 1])
    assert line.verify(SQUARE, [0, 0, 0, 1])
    assert not line.verify(SQUARE, [0, 1, 1, 1])
    assert not line.verify(SQUARE, ["a", "a", "a", "b"])
    assert not line.verify([[0], [1]], [0, 1])
    assert not line.verify([[1.0, 0.5], [2.0, 2.0]], [0, 1])  # on the line itself


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([[0.0], [1.0]], [1, 1], DataError, r"y must hold two classes, one on each side of a hyperplane, got 1: 1"),
        ([[0.0]] * 7, "abcdefg", ShapeError, r"y must have shape \(7,\)"),
        ([[0.0]] * 7, list("abcdefg"), DataError, r"got 7: 'a', 'b', 'c', 'd', 'e', \.\.\."),
        ([[0.0], [math.nan]], [0, 1], DataError, r"X must be finite, got nan in feature 0 of example 1"),
        ([[0.0, math.inf], [0.0, 0.0]], [0, 1], DataError, r"X must be finite, got inf in feature 1 of example 0"),
        ([[0.0], [1.0]], [0, math.nan], DataError, r"y must hold a label for each example, got a missing one"),
        ([[0.0], [1.0]], ["a", None], DataError, r"y must hold a label for each example, got a missing one"),
        ([0.0, 1.0], [0, 1], ShapeError, r"X must have shape \(m, n_features\), .* got \(2,\)"),
        ([], [], ShapeError, r"X must have shape .* got \(0,\)"),
        (np.zeros((0, 2)), [], ShapeError, r"X must have shape .* got \(0, 2\)"),
        (np.zeros((2, 0)), [0, 1], ShapeError, r"X must have shape .* got \(2, 0\)"),
        ([[0.0], [1.0]], [0, 1, 1], ShapeError, r"y must have shape \(2,\), one label for each example of X, got \(3,\)"),
        ([[0.0], [1.0]], [[0], [1]], ShapeError, r"y must have shape \(2,\), .* got \(2, 1\)"),
        ([[0.0], [1.0, 2.0]], [0, 1], ShapeError, r"X and y must be arrays or equally long rows"),
        ([["a"], ["b"]], [0, 1], DataError, r"X must hold real numbers"),
        ([["1"], ["2"]], [0, 1], DataError, r"X must hold real numbers that float64 can hold, got <U1"),
        (np.array([["1"], [2]], dtype=object), [0, 1], DataError, r"X must hold real numbers that float64 can hold, got object"),
        (np.array([["2020-01-01"], ["2020-01-02"]], dtype="datetime64[D]"), [0, 1], DataError, r"X must hold real numbers"),
        ([[1j], [0]], [0, 1], DataError, r"X must hold real numbers that float64 can hold, got complex128"),
        (np.array([[2**53 + 1], [0]]), [0, 1], DataError, r"got 9007199254740993 in feature 0 of example 0, which it would round"),
        (np.array([[2**64 - 1], [0]], dtype="uint64"), [0, 1], DataError, r"got 18446744073709551615 in feature 0"),
        (np.array([[Fraction(1, 3)], [0]]), [0, 1], DataError, r"got 1/3 in feature 0 of example 0, which it would round"),
        (np.array([[10**400], [0]]), [0, 1], DataError, r"X must hold real numbers that float64 can hold"),
    ],
)
def test_what_can_t_be_separated_is_refused_in_one_line(X, y, error, message):
    with pytest.raises(error, match=message) as caught:
        separate(X, y)
    assert "\n" not in str(caught.value)


def test_labels_of_any_kind_are_sorted():
    X = [[0.0], [1.0]]
    for y, classes in (
        (["b", "a"], ("a", "b")),
        ([True, False], (False, True)),
        ([2.5, -1], (-1, 2.5)),
        ([1, "a"], (1, "a")),
    ):
        found = separate(X, np.array(y, dtype=object))
        assert found.classes == classes
        assert (found.w[0] > 0) == (y[1] == classes[1])


def test_arrays_of_any_library_and_data_frames_come_in():
    wanted = separate(SQUARE, [0, 0, 0, 1])
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "y": [0, 0, 0, 1]})
    assert separate(frame[["a", "b"]], frame["y"]) == wanted
    strict = pytest.importorskip("array_api_strict")
    assert separate(strict.asarray(SQUARE), strict.asarray([0, 0, 0, 1])) == wanted
    assert separate(np.array(SQUARE, dtype="float16"), np.array([0, 0, 0, 1], dtype="int8")) == wanted
    before = np.array(SQUARE, dtype=float)
    separate(before, [0, 0, 0, 1])
    assert before.tolist() == SQUARE
