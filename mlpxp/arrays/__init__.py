"""What the library asks of an array library, and no more. A backend of a stranger's needs to read nothing else.

::

    standard.py   arrays by the array API standard: namespace, dtype, device, trees of arrays
    backend.py    Backend, StandardBackend, and how a backend is found by its name
    devices.py    Device: a name of where arrays are, in one spelling for all libraries
    placing.py    work beside the arrays that are given: their device made the current one
    move.py       an array in another library, in the same memory where both can
    rows.py       examples that stay on the host and are read a batch at a time
    draws.py      random numbers, drawn on the host from one seed
    scalars.py    the checks of a number
    survey.py     which backends and devices there are here
"""
