"""The long versions of the hard tests; pytest collects none of them.

`make soak` runs every module here that has a ``main()``, one after the other, each as ``python -m tests.soak.NAME`` from the repository's
root, and prints the rows of all their tables as one: what, times, outcomes, seconds. A module that takes ``--seconds`` is told its share of
15 minutes. It takes its random numbers from ``--seed``, and ends with an exit code that is not 0 where anything failed.
"""
