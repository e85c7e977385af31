"""The evidence: what the claims cost, counted and measured. ``mlpxp bench`` runs it, ``benchmarks/`` has it under pytest-benchmark.

::

    suite.py         the benchmarks by name, and a run of several in which nothing finished is lost
    names.py         what each is asked; nothing is imported for a list of them
    plan.py          what a benchmark is asked to do, checked before anything is measured
    problems.py      families of networks in which one thing grows
    machine.py       where it was measured
    record.py        a run as a value and as a JSON file
    report.py        a run as a page
    compare.py       two records side by side
    _timing.py, _slopes.py, _peak.py
                     how time is measured, the exponent of a power law, the memory of a function

    complexity.py   O(mP) against O(mP²) (K1, K2)
    cost.py          what a gradient costs beside the function (K2)
    memory.py        what backpropagation holds (K3)
    accuracy.py     how exact a gradient is, against 50 digits
    devices.py, _growth.py
                     library against library, device against device; how the time grows
    stacks.py        many small networks as one
    prediction.py    one row, and a million
    estimators.py    the estimators against scikit-learn's
    choice.py        one network on everything that is here
    peers.py, _peers_tables.py, tasks.py, agreement.py
                     the same training by other libraries, and whether all computed the same
    rivals.py, _rivals_in_sklearn.py, _rivals_in_torch.py, _rivals_in_jax.py
                     that training written by hand
    gpu.py, _gpu_in_cupy.py, _gpu_in_torch.py, _gpu_in_jax.py
                     a step on a GPU beside its matrix products
"""
