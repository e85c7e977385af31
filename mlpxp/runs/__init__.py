"""What a run tells and where it stands, as values that a file can hold.

::

    history.py    an epoch, the history of a run, and what comes of it
    stopping.py   why a run stops, and the watch that says when
    snapshot.py   where a run stands between two folds
"""
