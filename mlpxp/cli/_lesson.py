"""``mlpxp lesson``: the page, live or as a file."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

__all__ = ["lesson"]

PORT = 8700


def lesson(
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Of this machine; if it is taken, the next is used.")] = PORT,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write the story as one page instead, its figures computed now.")
    ] = None,
) -> None:
    """Watch a network learn in the browser: boundary, half-planes, weights, and every number of backpropagation."""
    if html is not None:
        _write(html)
        return
    from mlpxp.textbook.lesson.server import HOSTS, check_libraries, listen, serve

    check_libraries()
    listening, used = listen(port)
    address = f"http://{HOSTS[0]}:{used}/"
    if used != port:
        print(f"port {port} is taken: {used} is used")
    print(f"the lesson is at {address} (Ctrl-C ends it)", flush=True)
    if browser and not _opened(address):
        print("no browser was found here: open that address in one", flush=True)
    serve(listening)


def _opened(address: str) -> bool:
    """Open a window; a browser that would take over the terminal is none."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(found) is not webbrowser.GenericBrowser and found.open(address)


def _write(path: str) -> None:
    from mlpxp.cli._options import check_outputs
    from mlpxp.cli._report import Report
    from mlpxp.errors import OutputError
    from mlpxp.files import write_atomically
    from mlpxp.textbook.lesson import story_page

    if not path.lower().endswith((".html", ".htm")):
        raise OutputError(f"a page must be named .html, got {path!r}")
    check_outputs({"html": path}, read=())
    write_atomically(path, story_page().encode())
    Report().written({"page": path})
