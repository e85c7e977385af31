"""The lesson: a page in the browser on which a small network learns, one step after the other, computed by the library itself.

::

    _choices.py    what can be chosen, checked; a frozen value
    _examples.py   the points of the plane: built-in sets, or a CSV text
    _lesson.py     a lesson as a frozen value: step, epoch, naive or by backpropagation, counted
    _numbers.py    one example's Z, A, delta and gradients, each with its equation
    _view.py       a lesson as what a page draws: numbers and texts, no markup
    _messages.py   what a page may say: numbers and choices, nothing else
    _talk.py       a lesson and who looks at it: what a message makes of it
    server.py      Starlette and uvicorn on loopback; the only file that knows of either
    assets/        the page: HTML, CSS and JavaScript, with no other address in them
    story/         the same story as sections of text, equations and figures, and as one HTML file

Everything but ``server.py`` is pure and is tested without a browser.

Starlette and uvicorn were chosen among marimo, Panel, NiceGUI, Dash, Streamlit and Gradio, because a page that shows many pictures a
second needs a socket on which small frames of numbers travel, and a page that a screen reader can read and a keyboard can work is best
written as HTML. marimo, Streamlit and Gradio run a cell or a script again for each picture, and Dash asks for each one; Panel and
NiceGUI could push, but their widgets speak protocols of their own, which can't be reduced to numbers and choices. As wheels, with all
that they need, those are 24 to 114 MB; these two and websockets are less than 1.
"""

from mlpxp.textbook.lesson.story.page import story_page

__all__ = ["story_page"]
