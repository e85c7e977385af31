"""Universal approximation (U1), measured: one hidden layer approximates every continuous function on a box, and what that costs.

::

    _expression.py     a formula as a function, read without ever being executed
    _derivatives.py    its derivative, as a formula
    _intervals.py      its values over whole cells, proved: no pole is missed, and L, max|f''| and ω are bounds
    _targets.py        a function on a box, and what is known of it
    _approximants.py   a network that stands for a function, and its errors on a dense grid
    _fitting.py        training: as many networks as there are seeds, as one stack
    _constructive.py   the staircase of sigmoids, with a proved bound
    _interpolant.py    ReLU's piecewise-linear interpolant
    _sawtooth.py       what depth saves, exactly
    _width.py, _depth.py, _dimension.py, _polynomial.py
                     the four measurements: error against width, deep against wide, width against dimension, the activation that fails
"""

from mlpxp.textbook.approximation._approximants import Approximant
from mlpxp.textbook.approximation._constructive import sigmoid_staircase, staircase_bound
from mlpxp.textbook.approximation._depth import DepthStudy, deep_against_wide, sizes_within
from mlpxp.textbook.approximation._dimension import FAMILIES, DimensionStudy, grid_cells, width_against_dimension
from mlpxp.textbook.approximation._expression import Expression, parse_expression, parse_number
from mlpxp.textbook.approximation._fitting import Fitting
from mlpxp.textbook.approximation._interpolant import interpolation_bound, relu_interpolant
from mlpxp.textbook.approximation._polynomial import PolynomialStudy, best_polynomial, polynomial_failure, polynomial_network, power
from mlpxp.textbook.approximation._sawtooth import SawtoothCount, count_sawtooth, deep_sawtooth, sawtooth_text
from mlpxp.textbook.approximation._targets import TARGETS, Bound, Target, make_target
from mlpxp.textbook.approximation._width import WidthStudy, error_against_width, log_slope

__all__ = [
    "FAMILIES",
    "TARGETS",
    "Approximant",
    "Bound",
    "DepthStudy",
    "DimensionStudy",
    "Expression",
    "Fitting",
    "PolynomialStudy",
    "SawtoothCount",
    "Target",
    "WidthStudy",
    "best_polynomial",
    "count_sawtooth",
    "deep_against_wide",
    "deep_sawtooth",
    "error_against_width",
    "grid_cells",
    "interpolation_bound",
    "log_slope",
    "make_target",
    "parse_expression",
    "parse_number",
    "polynomial_failure",
    "polynomial_network",
    "power",
    "relu_interpolant",
    "sawtooth_text",
    "sigmoid_staircase",
    "sizes_within",
    "staircase_bound",
    "width_against_dimension",
]
