"""Training: what is asked for is checked and prepared, then the loop runs.

::

    train.py         the door
    options.py       what is asked for, as checked values: a plan
    prepare.py       a run, made of a plan and data: placed, checked, cut into batches
    loop.py          epochs, stopping, callbacks, the best parameters
    step.py          one update, the function that a backend folds over the batches, and what it is given
    batches.py       how an epoch is cut into batches, and batches into folds
    checkpoints.py   when a checkpoint is written, and whose run it is of
    precision.py     what float32 has too few digits for
    progress.py      the bar
"""
