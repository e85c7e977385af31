"""Results as values, in words, in pictures and on a page: for the benchmarks, the command line and the lesson.

::

    results.py    tables, series and facts, as frozen values
    wording.py    numbers in words
    pictures.py   the values as figures
    page.py       the values as one HTML file
"""
