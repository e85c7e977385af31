from fractions import Fraction

import numpy as np
import pytest

import mlpxp.textbook.separability._linear as module
from mlpxp.textbook.separability._linear import solve


@pytest.fixture(params=["elimination", "lifting"])
def _way(request, monkeypatch):
    monkeypatch.setattr(module, "_SMALL", 10**6 if request.param == "elimination" else 0)


def wholes(random, shape, bits):
    return [
        [int(one) * 2 ** int(by) + int(other) for one, by, other in zip(*row, strict=True)]
        for row in zip(random.integers(-9, 10, shape), random.integers(0, bits, shape), random.integers(-9, 10, shape), strict=True)
    ]


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("k", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("bits", [1, 40, 400])
def test_the_solution_is_the_one_that_was_put_in(k, bits):
    random = np.random.default_rng(k)
    for extra in (0, 2):
        A = wholes(random, (k + extra, k), bits)
        x = [Fraction(int(n), 6) for n in random.integers(-50, 50, k)]
        b = [sum(6 * a * one for a, one in zip(row, x, strict=True)) for row in A]
        assert all(one.denominator == 1 for one in b)
        assert solve(A, [int(one) for one in b]) == [6 * one for one in x]
        if extra:
            assert solve(A, [int(one) for one in b[:-1]] + [int(b[-1]) + 1]) is None  # one equation too many


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize(
    ("A", "b"),
    [
        ([[0]], [0]),
        ([[0]], [1]),
        ([[1, 2], [2, 4]], [1, 2]),
        ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [1, 1, 1]),
        ([[1, 2]], [1]),
        ([[1, 10**50], [3, 3 * 10**50], [0, 0]], [1, 3, 0]),
    ],
)
def test_without_one_solution_there_is_none(A, b):
    assert solve(A, b) is None


@pytest.mark.usefixtures("_way")
def test_a_matrix_that_is_singular_modulo_the_first_primes():
    p = next(module._primes((module._WORD - (2).bit_length()) // 2))
    assert solve([[p, 1], [0, p]], [1, p**2]) == [Fraction(1 - p, p), p]
    assert solve([[0, p], [1, 0]], [1, 0]) == [0, Fraction(1, p)]
    assert solve([[p]], [p + 1]) == [Fraction(p + 1, p)]


def test_primes_are_the_largest_first():
    primes = module._primes(10)
    assert [next(primes) for _ in range(4)] == [1021, 1019, 1013, 1009]
