"""What a run tells and where it stands, as values that a file can hold.

::

    history.py    an epoch, the history of a run, why it stopped, and what comes of it
    stopping.py   the rules by which a run is judged
    snapshot.py   where a run stands between two folds
"""
