"""What a page may say, and what comes of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mlpxp import DataError, Layer, MlpxpError, RangeError
from mlpxp.textbook.lesson._messages import Message, read
from mlpxp.textbook.lesson._talk import answer, began, went_on
from mlpxp.textbook.lesson._view import examples_view, lesson_view


def say(talk, word, value=None):
    return answer(talk, read(json.dumps({word: value})))


JUNK = [
    "",
    "run",
    "[]",
    "{}",
    "null",
    "1",
    '{"run": null, "step": null}',
    '{"eval": "1"}',
    '{"__import__": "os"}',
    '{"run": true}',
    '{"step": {}}',
    '{"choose": "xor"}',
    '{"choose": []}',
    '{"example": 1.5}',
    '{"example": true}',
    '{"example": "0"}',
    '{"example": 1e400}',
    '{"example": ' + "9" * 400 + "}",
    '{"example": ' + "9" * 9000 + "}",
    '{"pace": null}',
    '{"table": 1}',
    '{"drawn": NaN}',
    '{"choose": {"learning_rate": Infinity}}',
    "[" * 100_000,
    '{"table": "' + "x" * 600_000 + '"}',
    "\ud800",
]


@pytest.mark.parametrize("text", JUNK, ids=range(len(JUNK)))
def test_junk_is_refused_in_one_sentence(text):
    with pytest.raises(DataError) as raised:
        read(text)
    assert len(str(raised.value)) < 200
    assert "\n" not in str(raised.value)


def test_messages_that_are_read():
    assert read('{"run": null}') == Message("run")
    assert read('{"choose": {"widths": [3, 2]}}') == Message("choose", {"widths": (3, 2)})


def test_run_pause_step_epoch_and_reset():
    talk = say(began(), "run")
    assert talk.running
    talk = went_on(went_on(talk))
    assert len(talk.lesson.costs) == 2
    assert len(went_on(say(talk, "pace", 10)).lesson.costs) == 12
    assert not say(talk, "pause").running
    stepped = say(talk, "step")
    assert (len(stepped.lesson.costs), stepped.running) == (3, False)
    assert len(say(talk, "epoch").lesson.costs) == 3
    talk = say(talk, "reset")
    assert (talk.lesson.costs, talk.lesson.counted, talk.running) == ((), 0, False)


def test_a_choice_begins_anew_but_for_those_that_need_not():
    talk = went_on(say(began(), "run"))
    faster = say(talk, "choose", {"learning_rate": 2.0})
    assert (faster.running, len(faster.lesson.costs)) == (True, 1)
    other = say(say(talk, "example", 3), "choose", {"data": "moons"})
    assert (other.running, other.lesson.costs, other.example, other.lesson.examples.m) == (False, (), 0, 200)
    assert say(say(talk, "example", 3), "choose", {"widths": []}).example == 3


def test_a_csv_of_ones_own():
    talk = say(began(), "table", "a,b,c\n1,2,x\n3,4,y\n")
    assert (talk.lesson.choices.data, talk.lesson.examples.m) == ("yours", 2)
    again = say(say(talk, "choose", {"data": "xor"}), "choose", {"data": "yours"})
    assert again.lesson.examples is talk.lesson.examples


@pytest.mark.parametrize(
    ("word", "value", "error"),
    [
        ("example", 4, RangeError),
        ("example", -1, RangeError),
        ("pace", 7, RangeError),
        ("choose", {"data": "yours"}, DataError),
        ("choose", {"widths": [[1]]}, RangeError),
        ("table", "a,b,c\n1,2,x\n3,,y\n", DataError),
        ("table", "a\ud800", MlpxpError),
    ],
)
def test_what_cannot_be_done(word, value, error):
    with pytest.raises(error):
        say(began(), word, value)


def test_a_view_is_json_without_gaps():
    talk = say(began(), "run")
    for _ in range(3):
        view = lesson_view(talk.lesson, talk.example) | {"examples": examples_view(talk.lesson.examples)}
        assert json.loads(json.dumps(view, allow_nan=False)) == view
        talk = went_on(talk)


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e306])
def test_weights_of_any_size_keep_their_direction(size):
    """A hidden unit's line is drawn from what is sent: to so many decimals small weights would have none, and large ones overflow."""
    lesson = began().lesson
    (W, b), *rest = lesson.parameters
    lesson = replace(lesson, parameters=(Layer(W * size, b + size), *rest))
    sent = lesson_view(lesson, 0)["layers"][0]
    np.testing.assert_allclose(sent["W"], W * size, rtol=1e-5)
    np.testing.assert_allclose(sent["b"], (b + size)[:, 0], rtol=1e-5)
    json.dumps(sent, allow_nan=False)


def test_a_long_curve_is_thinned_and_ends_where_the_lesson_is():
    talk = say(say(began(), "run"), "pace", 100)
    while len(talk.lesson.costs) < 1000:
        talk = went_on(talk)
    curve = lesson_view(talk.lesson, 0)["curve"]
    assert len(curve["epochs"]) == len(curve["costs"]) <= 300
    assert curve["epochs"][-1] == len(talk.lesson.costs)
    assert curve["costs"][-1] == talk.lesson.costs[-1]


def test_the_picture_is_the_librarys_prediction():
    import base64

    import mlpxp

    lesson = went_on(say(began(), "run")).lesson
    view, plane = lesson_view(lesson, 0), examples_view(lesson.examples)
    shares = np.frombuffer(base64.b64decode(view["shares"][0]), dtype="<u2").reshape(plane["grid"], plane["grid"]) / 65535
    right, up = (np.linspace(*plane[name], plane["grid"]) for name in ("right", "up"))
    point = np.asarray([[right[50]], [up[3]]])
    assert shares[3, 50] == pytest.approx(float(mlpxp.predict(lesson.network, lesson.parameters, point)[0, 0]), abs=1e-5)
