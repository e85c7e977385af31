"""Arrays that mean something else: the core, untouched, run on them gives other answers.

:mod:`~mlpxp.instruments.counting` counts operations, bytes and memory; :mod:`~mlpxp.instruments.dual` and
:mod:`~mlpxp.instruments.complex_step` carry a derivative along. Each is a table of functions over
:mod:`~mlpxp.instruments._lifting`, and works on the arrays of any library, one another's included.

::

    counting.py         counting arrays; _counted.py has what each function costs
    dual.py             dual numbers
    complex_step.py     arrays with a derivative in the imaginary part
    _lifting.py         what the three share
    naive.py            naive differentiation, one parameter at a time
    gradient_check.py   backpropagation against three others
"""
