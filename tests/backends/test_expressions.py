"""Expressions are values, and those that the tests compile hold every operation there is."""

from mlpxp_backends.expressions import ELEMENTWISE, Expression


def test_every_operation_that_waits_is_evaluated(everything):
    assert {step[0] for expression in everything for step in expression.steps} == ELEMENTWISE


def test_an_expression_is_a_key(everything):
    again = {Expression(*expression): None for expression in everything}
    assert again.keys() == everything.keys()
    assert all(hash(one) == hash(Expression(*one)) for one in everything)
