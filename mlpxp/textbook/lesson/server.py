"""The page's server: Starlette on loopback, a WebSocket a page. It serves three files, and answers what ``_messages.py`` lists.

A page of another origin can reach a server on loopback, by its address or by a name that it has made to point there (DNS rebinding).
So a request that names another host is refused (Starlette's ``TrustedHostMiddleware``), and so is one that comes from another origin.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlpxp.errors import DataError, MissingLibraryError, MlpxpError, OutputError
from mlpxp.textbook.lesson._messages import MOST_LETTERS, read
from mlpxp.textbook.lesson._talk import Talk, answer, began, went_on
from mlpxp.textbook.lesson._view import examples_view, lesson_view

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send
    from starlette.websockets import WebSocket

__all__ = ["HOSTS", "application", "check_libraries", "listen", "serve"]

HOSTS = ("127.0.0.1", "localhost")
TRIED = 20  # ports
_ASSETS = {"/": "page.html", **{f"/{name}": name for name in ("lesson.css", "lesson.js", "plane.js", "drawings.js", "numbers.js")}}
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def check_libraries() -> None:
    """Make sure that the libraries of the page are here.

    Raises
    ------
    MissingLibraryError
        One isn't.
    """
    try:
        import starlette
        import uvicorn
        import websockets  # which uvicorn imports when the first page connects: too late to say so
    except ImportError as error:
        raise MissingLibraryError(f"the lesson needs {error.name}, which can't be imported: pip install 'mlpxp[lesson]'") from error
    del starlette, uvicorn, websockets


def application() -> Starlette:
    """Return the application: the page's files, and the socket at ``/socket``."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import Response
    from starlette.routing import Route, WebSocketRoute

    def asset(name: str) -> Callable[[Request], Response]:
        content = (files("mlpxp.textbook.lesson") / "assets" / name).read_bytes()
        kind = _KINDS[name.rpartition(".")[2]]
        return lambda request: Response(content, media_type=kind, headers=_HEADERS)

    return Starlette(
        routes=[*(Route(path, asset(name)) for path, name in _ASSETS.items()), WebSocketRoute("/socket", _converse)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*HOSTS], www_redirect=False), Middleware(_SameOrigin)],
    )


@dataclass(frozen=True)
class _SameOrigin:
    """Refuse what comes from a page of another origin; a socket is opened by nothing but a page, and so must name its own."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.datastructures import Headers
        from starlette.responses import PlainTextResponse

        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin != f"http://{headers.get('host')}" and not (origin is None and scope["type"] == "http"):
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                else:
                    await PlainTextResponse("another origin", status_code=403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _converse(websocket: WebSocket) -> None:
    """Answer one page until it is gone. Each picture is sent once the one before was drawn: a slow page is never flooded."""
    await websocket.accept()
    inbox: asyncio.Queue[str | None] = asyncio.Queue(maxsize=32)
    reader = asyncio.create_task(_read_into(inbox, websocket))
    try:
        await _Page(websocket, inbox).talk()
    except Exception as error:  # the page went away while something was sent to it
        if type(error).__name__ not in {"WebSocketDisconnect", "ClientDisconnected"}:
            raise
    finally:
        reader.cancel()


async def _read_into(inbox: asyncio.Queue[str | None], websocket: WebSocket) -> None:
    """Put what the page sends into the inbox; ``None`` is the end, bytes are no message."""
    while (message := await websocket.receive())["type"] == "websocket.receive":
        await inbox.put(message.get("text") or "")
    await inbox.put(None)


class _Page:
    """What the server knows of a page that is open."""

    def __init__(self, websocket: WebSocket, inbox: asyncio.Queue[str | None]) -> None:
        self.websocket, self.inbox = websocket, inbox
        self.frame = 0  # the last that was sent
        self.drawn = 0  # the last that the page has drawn
        self.computed = 0.0  # when the lesson of the last frame was there
        self.delay: float | None = None  # from then until the page said that it has drawn it, in milliseconds
        self.known: Any = None  # the examples that the page has

    async def talk(self) -> None:
        talk = await asyncio.to_thread(began)
        await self.show(talk)
        while True:
            if talk.running and self.drawn == self.frame and self.inbox.empty():
                talk = await asyncio.to_thread(went_on, talk)
                await self.show(talk)
                continue
            text = await self.inbox.get()
            if text is None:
                return
            try:
                message = read(text)
                if message.word == "drawn":
                    self.note_drawn(message.value)
                    continue
                talk = await asyncio.to_thread(answer, talk, message)
            except MlpxpError as error:
                await self.send({"error": " ".join(str(error).split())})
                continue
            await self.show(talk)

    async def show(self, talk: Talk) -> None:
        self.computed = time.perf_counter()
        view = await asyncio.to_thread(lesson_view, talk.lesson, talk.example)
        view |= {"running": talk.running, "pace": talk.pace, "own": talk.own is not None, "delay": self.delay}
        if talk.lesson.examples is not self.known:
            self.known = talk.lesson.examples
            view["examples"] = examples_view(self.known)
        self.frame += 1
        await self.send(view | {"frame": self.frame})

    async def send(self, view: dict[str, Any]) -> None:
        await self.websocket.send_text(json.dumps(view, allow_nan=False, separators=(",", ":")))

    def note_drawn(self, frame: int) -> None:
        if not 0 < frame <= self.frame:
            raise DataError("drawn must be the number of a picture that was sent")
        if frame == self.frame != self.drawn:
            self.delay = round(1000 * (time.perf_counter() - self.computed), 1)
        self.drawn = max(self.drawn, frame)


def listen(port: int) -> tuple[socket.socket, int]:
    """Return a socket that listens on loopback, on this port or, where it is taken, on the next that isn't; and that port.

    Raises
    ------
    OutputError
        None of them can be used.
    """
    last: OSError | None = None
    for candidate in range(port, min(port + TRIED, 65536)):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # elsewhere it would share a port that is taken
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((HOSTS[0], candidate))
            one.listen()
        except OSError as error:
            one.close()
            if error.errno != errno.EADDRINUSE:
                raise OutputError(f"port {candidate} can't be used: {error.strerror or error}") from error
            last = error
        else:
            return one, candidate
    raise OutputError(f"the ports {port} to {min(port + TRIED, 65536) - 1} are all taken: name another with --port") from last


def serve(listening: socket.socket) -> None:
    """Answer on a socket until Ctrl-C, which ends it and is no error."""
    import uvicorn

    config = uvicorn.Config(
        application(),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=4 * MOST_LETTERS,
        ws_per_message_deflate=False,  # nothing is far on loopback
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
