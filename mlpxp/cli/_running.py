"""What happens around a command: whatever goes wrong ends in one line and an exit code, never in a traceback."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup

from mlpxp.cli._wording import one_line
from mlpxp.errors import MlpxpError

__all__ = ["BAD_INPUT", "INTERRUPTED", "Program", "interruptions_ignored"]

BAD_INPUT = 2
BROKEN_PIPE = 1  # as Python and rich have it
INTERRUPTED = 130  # 128 + SIGINT


class Program(TyperGroup):
    """A group of commands whose every error is one line on stderr."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command and leave with its exit code."""
        for stream in (sys.stdout, sys.stderr):  # a terminal without ² or the letters of a label shows their numbers instead
            if isinstance(stream, io.TextIOWrapper) and not (stream.encoding or "").lower().startswith("utf"):
                stream.reconfigure(errors="backslashreplace")
        sys.exit(self._exit_code(arguments, {**options, "standalone_mode": False}))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List the commands in plain text: what rich draws with takes longer to import than all the rest."""
        self.rich_markup_mode = None
        super().format_help(ctx, formatter)

    def _exit_code(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
        try:
            code = super().main(*arguments, **options)
            sys.stdout.flush()
        except BrokenPipeError:
            return _pipe_closed()
        except KeyboardInterrupt:
            return INTERRUPTED
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "mlpxp":
                raise
            return _failed(f"this needs {error.name.partition('.')[0]}, which is not installed: pip install 'mlpxp[cli]'")
        except MemoryError as error:
            return _failed(f"there is not enough memory: {error}" if str(error) else "there is not enough memory")
        except OSError as error:
            if error.errno == errno.EPIPE:
                return _pipe_closed()
            return _failed(str(error) if isinstance(error, MlpxpError) else f"the output can't be written: {error.strerror or error}")
        except Exception as error:
            if isinstance(error, MlpxpError):
                return _failed(str(error))
            if hasattr(error, "format_message"):  # an option that doesn't exist, a word for a number: typer has no public name for these
                return _failed(_usage(error))
            if type(error).__name__ == "Abort":  # older typers' KeyboardInterrupt
                return INTERRUPTED
            raise
        return code if isinstance(code, int) else 0


def _usage(error: Any) -> str:
    message = str(error.format_message()).rstrip(".")
    context = getattr(error, "ctx", None)
    return message if context is None else f"{message}; see {context.command_path} --help"


def _failed(message: str) -> int:
    with contextlib.suppress(OSError):
        print(f"mlpxp: error: {one_line(message)}", file=sys.stderr)
    return BAD_INPUT


def _pipe_closed() -> int:
    """Leave quietly: the reader of a pipe (``head``) has seen enough."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    return BROKEN_PIPE


@contextlib.contextmanager
def interruptions_ignored() -> Iterator[None]:
    """Don't let a second Ctrl-C take away what the first one has left to be saved."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
