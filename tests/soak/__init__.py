"""The long versions of the hard tests; pytest collects none of them.

`make soak` runs every module here that has a ``main()``, one after the other, each as ``python -m tests.soak.NAME --seconds S`` from the
repository's root, and prints the rows that they print last as one table. Such a module is bounded by ``--seconds`` (its share of 15
minutes), takes its random numbers from ``--seed``, prints one row as its last line, and ends with an exit code that is not 0 where
anything failed.
"""
