"""A lesson and who looks at it: what a message makes of it. Frozen, and knows of no server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from mlpxp.errors import DataError, RangeError
from mlpxp.textbook.lesson._choices import KEPT, OWN, Choices, changed
from mlpxp.textbook.lesson._examples import Examples, built_in, from_csv
from mlpxp.textbook.lesson._lesson import LONGEST, Lesson, advance, begin, choose, step
from mlpxp.textbook.lesson._messages import Message

__all__ = ["PACES", "Talk", "answer", "began", "went_on"]

PACES = (1, 10, 100)
_PATIENCE = 0.1  # seconds until a picture, however far it has come


@dataclass(frozen=True, eq=False)
class Talk:
    """Where a page stands.

    Attributes
    ----------
    lesson : Lesson
    running : bool
    pace : int
        Epochs a picture.
    example : int
        Whose numbers are shown.
    own : Examples or None
        What was read from a CSV text.
    """

    lesson: Lesson
    running: bool = False
    pace: int = 1
    example: int = 0
    own: Examples | None = None


def began() -> Talk:
    """Return the talk as a page finds it."""
    choices = Choices()
    return Talk(begin(choices, _built_in(choices.data)))


def went_on(talk: Talk) -> Talk:
    """Return a running talk one picture further; where the lesson can't go on it stops running."""
    lesson = advance(talk.lesson, talk.pace, _PATIENCE)
    return replace(talk, lesson=lesson, running=talk.running and not lesson.trouble and len(lesson.costs) < LONGEST)


def answer(talk: Talk, message: Message) -> Talk:
    """Return what a message makes of a talk.

    Raises
    ------
    MlpxpError
        It can't be done; in one sentence.
    """
    lesson = talk.lesson
    match message.word:
        case "step":
            return replace(talk, lesson=step(lesson), running=False)
        case "epoch":
            return replace(talk, lesson=advance(lesson), running=False)
        case "run":
            return replace(talk, running=not lesson.trouble)
        case "pause":
            return replace(talk, running=False)
        case "reset":
            return replace(talk, lesson=begin(lesson.choices, lesson.examples), running=False)
        case "pace":
            if message.value not in PACES:
                raise RangeError(f"pace must be one of {', '.join(map(str, PACES))} epochs, got {message.value}")
            return replace(talk, pace=message.value)
        case "example":
            if not 0 <= message.value < lesson.examples.m:
                raise RangeError(f"example must be a whole number from 1 to {lesson.examples.m}, got {message.value + 1}")
            return replace(talk, example=message.value)
        case "choose":
            return _chosen(talk, message)
        case "table":
            own = from_csv(message.value)
            choices = changed(lesson.choices, {"data": OWN})
            return replace(talk, lesson=begin(choices, own), running=False, example=0, own=own)
    return talk


def _chosen(talk: Talk, message: Message) -> Talk:
    before, wanted = talk.lesson, changed(talk.lesson.choices, message.value)
    if wanted.data == OWN and talk.own is None:
        raise DataError("there is no CSV yet: paste one, or choose a file")
    same = wanted.data == before.choices.data
    examples = before.examples if same else talk.own if wanted.data == OWN else _built_in(wanted.data)
    lesson = choose(before, message.value, examples)  # type: ignore[arg-type]  # own is there, see above
    goes_on = talk.running and set(message.value) <= KEPT
    return replace(talk, lesson=lesson, running=goes_on, example=talk.example if same else 0)


@lru_cache
def _built_in(name: str) -> Examples:
    return built_in(name)
