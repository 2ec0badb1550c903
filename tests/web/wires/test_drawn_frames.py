"""Frames that are drawn from the schema: what fits is a message, what does not is refused, and nothing is a crash."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.decoding import given as without_null
from schemas.decoding import loads
from tests.kit.caller_frames import DEFS, KINDS, broken, drawn, fitting, frames, nearly, texts, understood, written
from tests.kit.parts import SECOND
from web.wires import app
from web.wires.binary import BinaryFrames


def fits(frame: bytes) -> bool:
    """Whether the schema takes it, as its own validator has it."""
    try:
        message = loads(frame)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(message, dict) or not isinstance(message.get("type"), str) or message["type"] not in KINDS:
        return False
    schema = {**DEFS[message["type"]], "$defs": DEFS}
    return bool(Draft202012Validator(schema).is_valid(without_null(message)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_the_schema_is_read_and_what_does_not_is_refused(kind: str) -> None:
    """A profile and base64 are looked at by others, who may refuse them, too."""

    @given(texts(kind))
    def each(frame: bytes) -> None:
        got = understood(app.read, frame)
        if not fits(frame):
            assert got in ("bad_json", "unknown_type", "bad_message")
        elif isinstance(got, str):
            assert (kind, got) in {("config", "bad_message"), ("audio", "bad_base64")}

    each()


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_drawn_on_both_sides_of_the_line(kind: str) -> None:
    """Without them the tests here would say little."""
    assert {fits(written(whole, True)) for whole in drawn(fitting(kind), 30)} == {True}
    assert {fits(written(near, True)) for near in drawn(nearly(kind), 50)} == {True, False}


@given(broken())
def test_a_broken_frame_is_a_message_or_a_refusal(frame: bytes) -> None:
    """As text, and in a binary frame."""
    understood(app.read, frame)
    understood(BinaryFrames(lambda: 0.0).read, frame)


@given(st.lists(st.tuples(frames() | st.binary(max_size=2000), st.floats(0, 3)), max_size=12))
def test_binary_frames_are_read_whatever_came_before(come: list[tuple[bytes, float]]) -> None:
    """Files that never end, halves of samples, messages: each frame is something, and none of it lasts for ever."""
    now = [0.0]
    wire = BinaryFrames(lambda: now[0])
    for frame, seconds in come:
        now[0] += seconds
        understood(wire.read, frame)
    now[0] += 10
    for at in range(0, len(SECOND), 960):
        now[0] += 0.02
        last = understood(wire.read, SECOND[at : at + 960])
    assert type(last).__name__ == "Spoke"
