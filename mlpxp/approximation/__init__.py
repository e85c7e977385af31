"""Universal approximation (U1), measured: one hidden layer approximates every continuous function on a box, and what that costs.

::

    expression.py    a formula as a function, read without ever being executed
    derivatives.py   its derivative, as a formula
    intervals.py     its values over whole cells, proved: no pole is missed, and L, max|f''| and ω are bounds
    targets.py       a function on a box, and what is known of it
    approximants.py  a network that stands for a function, and its errors on a dense grid
    fitting.py       training: as many networks as there are seeds, as one stack
    constructive.py  the staircase of sigmoids, with a proved bound
    interpolant.py   ReLU's piecewise-linear interpolant
    sawtooth.py      what depth saves, exactly
    width.py, depth.py, dimension.py, polynomial.py
                     the four measurements: error against width, deep against wide, width against dimension, the activation that fails
"""

from mlpxp.approximation.approximants import Approximant
from mlpxp.approximation.constructive import sigmoid_staircase, staircase_bound
from mlpxp.approximation.depth import DepthStudy, deep_against_wide, sizes_within
from mlpxp.approximation.dimension import FAMILIES, DimensionStudy, grid_cells, width_against_dimension
from mlpxp.approximation.expression import Expression, parse_expression, parse_number
from mlpxp.approximation.fitting import Fitting
from mlpxp.approximation.interpolant import interpolation_bound, relu_interpolant
from mlpxp.approximation.polynomial import PolynomialStudy, best_polynomial, polynomial_failure, polynomial_network, power
from mlpxp.approximation.sawtooth import SawtoothCount, count_sawtooth, deep_sawtooth, sawtooth_text
from mlpxp.approximation.targets import TARGETS, Bound, Target, make_target
from mlpxp.approximation.width import WidthStudy, error_against_width, log_slope

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
