"""Linear systems of whole numbers, solved exactly: small ones by elimination without fractions, large ones by p-adic lifting.

Elimination works with numbers of k times as many digits as went in: k^3 products of long numbers. Lifting inverts the matrix modulo a
prime that fits a machine word, and then finds the solution digit by digit, base p, from residuals alone.

References
----------
E. H. Bareiss, "Sylvester's identity and multistep integer-preserving Gaussian elimination", Mathematics of Computation 22 (1968), 565-578.
J. D. Dixon, "Exact solution of linear equations using p-adic expansions", Numerische Mathematik 40 (1982), 137-141.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve"]

_SMALL = 16  # unknowns
_WORD = 62  # bits that a sum of products may have in int64


def solve(A: Sequence[Sequence[int]], b: Sequence[int]) -> list[Fraction] | None:
    """Solve A x = b.

    Parameters
    ----------
    A : sequence of sequence of int, shape (r, k)
        With r at least k.
    b : sequence of int, length r

    Returns
    -------
    list of Fraction or None
        ``None`` if there is no solution, or more than one. What is returned has been put into the equations.
    """
    if len(A[0]) <= _SMALL:
        return _eliminated(A, b)
    matrix = np.array(A, dtype=object).reshape(len(b), -1)
    right = np.array(b, dtype=object)
    size = _bits_of_minors(matrix)
    digit = (_WORD - len(b).bit_length()) // 2  # so that the sum of r products of two digits fits a word
    for p, _ in zip(_primes(digit), range(1 + size // (digit - 1)), strict=False):  # more primes than these divide no minor but 0
        found = _left_inverse((matrix % p).astype(np.int64), p)
        if found is not None:
            rows, inverse = found
            return _lifted(matrix, right, rows, inverse, p, 2 * size + max(int(one).bit_length() for one in b) + 8)
    return None


def _eliminated(A: Sequence[Sequence[int]], b: Sequence[int]) -> list[Fraction] | None:
    """Eliminate upwards and downwards: every division is exact, and what is left is diagonal."""
    rows, k, before = [[*row, right] for row, right in zip(A, b, strict=True)], len(A[0]), 1
    for column in range(k):
        pivot = next((index for index in range(column, len(rows)) if rows[index][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        top = rows[column]
        rows = [
            row if row is top else [(top[column] * one - row[column] * other) // before for one, other in zip(row, top, strict=True)]
            for row in rows
        ]
        before = top[column]
    if any(row[k] for row in rows[k:]):
        return None
    return [Fraction(row[k], row[index]) for index, row in enumerate(rows[:k])]


def _lifted(
    matrix: NDArray[Any], right: NDArray[Any], rows: NDArray[np.intp], inverse: NDArray[np.int64], p: int, bits: int
) -> list[Fraction] | None:
    """Find the digits base p of the solution of some of the rows, until it solves all of them or has all of its digits."""
    k, digit = matrix.shape[1], p.bit_length()
    limb = _WORD - digit - k.bit_length()
    limbs = _limbs(matrix[rows], limb)
    residual, x, q = right[rows], np.zeros(k, dtype=object), 1
    known, steps, wanted = 0, 0, 1 + bits // (digit - 1)
    while known < wanted:
        steps = min(wanted, max(4, steps + steps // 2))
        for _ in range(steps - known):
            digits = inverse @ (residual % p).astype(np.int64) % p
            residual = (residual - sum((one @ digits).astype(object) << limb * i for i, one in enumerate(limbs))) // p
            x = x + digits.astype(object) * q
            q *= p
        known = steps
        solution = _rational(x.tolist(), q)
        if solution is not None:
            numerators, denominator = solution
            holds = matrix @ np.array(numerators, dtype=object) == right * denominator
            if holds.all():
                return [Fraction(one, denominator) for one in numerators]
            if holds[rows].all():
                return None
    return None


def _limbs(matrix: NDArray[Any], bits: int) -> list[NDArray[np.int64]]:
    """Matrices of so many bits an entry, whose sum is the matrix when the i-th is multiplied by 2^(bits · i)."""
    signs = np.where(matrix < 0, -1, 1)
    rest: Any = abs(matrix)
    limbs = []
    while rest.any():
        limbs.append(signs * (rest & (2**bits - 1)).astype(np.int64))
        rest = rest >> bits
    return limbs


def _rational(x: list[int], q: int) -> tuple[list[int], int] | None:
    """Numerators and the common denominator of the fractions with parts below the root of q/2 that are x modulo q."""
    limit = math.isqrt(q // 2)
    denominator = 1
    for one in x:
        rest = one * denominator % q
        if min(rest, q - rest) <= limit:
            continue
        previous, current, s, t = q, rest, 0, 1
        while current > limit:
            quotient, remainder = divmod(previous, current)
            previous, current, s, t = current, remainder, t, s - quotient * t
        denominator *= abs(t)
        if denominator > limit:
            return None
    numerators = [one * denominator % q for one in x]
    numerators = [one - q if 2 * one > q else one for one in numerators]
    return (numerators, denominator) if all(abs(one) <= limit for one in numerators) else None


def _left_inverse(A: NDArray[np.int64], p: int) -> tuple[NDArray[np.intp], NDArray[np.int64]] | None:
    """Return k independent rows of A (r, k) modulo p, and the inverse of the matrix that they make; ``None`` if there are fewer."""
    r, k = A.shape
    if k > r:
        return None
    work = np.hstack([A, np.eye(r, dtype=np.int64)])
    order = np.arange(r)
    for column in range(k):
        candidates = np.flatnonzero(work[column:, column])
        if not len(candidates):
            return None
        pivot = column + int(candidates[0])
        work[[column, pivot]], order[[column, pivot]] = work[[pivot, column]], order[[pivot, column]]
        work[column] = work[column] * pow(int(work[column, column]), -1, p) % p
        factors = work[:, column].copy()
        factors[column] = 0
        work = (work - factors[:, None] * work[column]) % p
    rows = order[:k]
    return rows, work[:k, k:][:, rows]


def _bits_of_minors(matrix: NDArray[Any]) -> int:
    """No minor of the matrix has more bits (Hadamard's inequality, by columns)."""
    return sum(sum(int(one) ** 2 for one in column).bit_length() // 2 + 1 for column in matrix.T)


def _primes(bits: int) -> Iterator[int]:
    """The odd primes of at most so many bits, from the largest down."""
    return (n for n in range(2**bits - 1, 2, -2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))
