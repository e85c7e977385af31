"""Training: what is asked for is checked and prepared, then the loop runs.

::

    train.py         the door
    loop.py          epochs, callbacks, stopping, the best parameters
    step.py          one update, the function that a backend folds over the batches
    batches.py       how an epoch is cut into batches, and batches into folds
    _inputs.py       what each update of a fold is given: rows, η, λ, dropout keys
    checks.py        options, examples and parameters, checked
    checkpoints.py   when a checkpoint is written, and whose run it is of
    _judging.py      whether costs have to be finer than the parameters' dtype
    progress.py      the bar
"""
