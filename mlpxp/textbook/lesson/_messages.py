"""What a page may say: a word from a short list, with numbers and choices. Nothing that is sent is ever evaluated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mlpxp.errors import DataError

__all__ = ["MOST_LETTERS", "WORDS", "Message", "read"]

WORDS: dict[str, tuple[type, ...] | None] = {  # what goes with each: nothing, or a value of this type
    "step": None,
    "epoch": None,
    "run": None,
    "pause": None,
    "reset": None,
    "choose": (dict,),
    "example": (int,),
    "pace": (int,),
    "drawn": (int,),
    "table": (str,),
}
MOST_LETTERS = 500_000
_WHOLE = 2**53  # beyond it a page's numbers aren't exact


@dataclass(frozen=True)
class Message:
    """A word, and what goes with it."""

    word: str
    value: Any = None


def read(text: str) -> Message:
    """Read a message: ``{"step": null}``, ``{"choose": {"data": "moons"}}``.

    Raises
    ------
    DataError
        It is anything else.
    """
    if len(text) > MOST_LETTERS:
        raise DataError(f"a message must have at most {MOST_LETTERS:,} letters, got {len(text):,}")
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise DataError("a message must be JSON, got something else") from None
    if not isinstance(found, dict) or len(found) != 1:
        raise DataError(f"a message must be one word with its value, one of {', '.join(WORDS)}")
    ((word, value),) = found.items()
    if word not in WORDS:
        raise DataError(f"a message must be one of {', '.join(WORDS)}, got something else")
    wanted = WORDS[word]
    right = value is None if wanted is None else isinstance(value, wanted) and not isinstance(value, bool)
    if not right or (isinstance(value, int) and abs(value) > _WHOLE):
        raise DataError(
            f"{word} must come with {'nothing' if wanted is None else {dict: 'choices', int: 'a whole number', str: 'a text'}[wanted[0]]}"
        )
    if isinstance(value, dict):
        value = {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
    return Message(word, value)


def _no_constant(name: str) -> Any:
    raise ValueError(name)
