"""Estimators with scikit-learn's contract, a thin shell over :func:`mlpxp.train`: on any backend, and with what its users asked for.

::

    _classifier.py, _regressor.py
                       the two, with their parameters
    _shell.py          what both share: constructor, fitted attributes, fit and predict
    _parameters.py     what each parameter may be, and which can't go together
    _inputs.py         X, y and weights, as they come in
    _labels.py         which labels may be learnt, and what a class weighs
    _examples.py, _validation.py
                       the examples as train takes them; those that are set aside
    _losses.py         a user's own loss, looked at once
    stochastic.py      the solvers sgd, adam and adamw: train with scikit-learn's options
    _rates.py          their optimizer, and η from epoch to epoch
    _lbfgs.py          the solver lbfgs
    _initial.py        random numbers in scikit-learn's order
    _monitor.py, _scoring.py
                       when a fit stops, and by what score
    curves.py          what a fit by epochs leaves behind
    probabilities.py   probabilities and their logarithms
    fitted.py          the fitted attributes of what was fitted elsewhere
    _moving.py         a fitted estimator in another array library
    errors.py          scikit-learn's errors that are mlpxp's too
"""

from mlpxp.estimators._classifier import MLPClassifier
from mlpxp.estimators._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
