"""The lesson: a page in the browser on which a small network learns, one step after the other, computed by the library itself.

::

    choices.py    what can be chosen, checked; a frozen value
    examples.py   the points of the plane: built-in sets, or a CSV text
    lesson.py     a lesson as a frozen value: step, epoch, naive or by backpropagation, counted
    numbers.py    one example's Z, A, delta and gradients, each with its equation
    view.py       a lesson as what a page draws: numbers and texts, no markup
    messages.py   what a page may say: numbers and choices, nothing else
    talk.py       a lesson and who looks at it: what a message makes of it
    server.py     Starlette and uvicorn on loopback; the only file that knows of either
    assets/       the page: HTML, CSS and JavaScript, with no other address in them
    story/        the same story as sections of text, equations and figures, and as one HTML file

Everything but ``server.py`` is pure and is tested without a browser.

Starlette and uvicorn were chosen among marimo, Panel, NiceGUI, Dash, Streamlit and Gradio because a page that shows a hundred epochs
a second needs a socket on which nothing but small frames of numbers travel, and a page that can be read by a screen reader and
worked by keyboard is best written as HTML. marimo, Streamlit and Gradio run a cell or a script again for each picture, Dash asks for each
one; Panel and NiceGUI could push, but send widgets of their own over a protocol of their own, whose messages can't be reduced to
numbers and choices. Installed, those are 24 to 114 MB of packages, these two with websockets less than 1 MB.
"""

from mlpxp.lesson.story.page import story_page

__all__ = ["story_page"]
