"""Estimators with scikit-learn's contract, a thin shell over :func:`mlpxp.train`: on any backend, and with what its users asked for.

::

    _classifier.py, _regressor.py
                         the two, with their constructors
    _shell.py            what both share: fit, and how the fitted attributes are made and asked
    _documentation.py    what their parameters and attributes mean, written once
    _parameters.py       what each parameter may be, and which can't go together
    _inputs.py           X, y and weights, as they come in
    _labels.py           which labels may be learnt, and what a class weighs
    _initial.py          random numbers in scikit-learn's order
    _examples.py, _validation.py
                         the examples as training takes them; those that are set aside
    _losses.py           a user's own loss, looked at once
    _learning.py         the optimizer, the rates, and by which rule a fit is judged
    _stochastic.py       the solvers sgd, adam and adamw
    _lbfgs.py            the solver lbfgs
    _scoring.py          the score of an epoch
    _state.py            what is known of a fit beside the public attributes: one value
    _curves.py           what a fit by epochs leaves behind
    _answers.py          what the last layer's outputs mean: labels, probabilities, numbers
    fitted.py            the door for all who don't fit
    their_privates.py    what is private to scikit-learn, reached for here and nowhere else
    errors.py            scikit-learn's errors that are mlpxp's too
"""

from mlpxp.estimators._classifier import MLPClassifier
from mlpxp.estimators._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
