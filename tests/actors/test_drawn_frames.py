"""A call whose caller sends frames drawn from the schema, valid and broken: it goes on, or ends with a code."""

import logging
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import schemas
from actors.messages.caller import Close, ConfigAck, FromCaller, Malformed, Partial, Pinged, Pong, Sound
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from schemas import Refused
from tests.kit.caller_frames import frames
from tests.kit.examples import examples
from tests.kit.four import IDS, TINA
from web.wires import app
from web.wires.binary import BinaryFrames

ENDS = {1000, 4400, 4408}  # they hung up; too much was not understood, or came too fast; they chose nobody
LOUD = bytes([0, 32, 0, 224]) * 240
HELLO = b'{"type":"text","text":"hello"}'
CHOICES = [b'{"type":"config","astrologer_id":"%b"}' % id_.encode() for id_ in IDS]
CLIP = b'{"type":"audio","audio":"AAAA"}'
USUAL = st.sampled_from([HELLO, CLIP, b'{"type":"interrupt"}', b'{"type":"ping"}', *CHOICES])

came = st.lists(
    st.tuples(frames() | USUAL | st.just(LOUD), st.booleans(), st.sampled_from([0.0, 0.0, 0.02, 1.0, 5.0])),
    min_size=5,
    max_size=40,
)


class Call:
    """One call on a stage: what comes is read as the endpoint reads it, and the model answers what it is asked."""

    def __init__(self, stage: Stage, mode: str, *, chosen: bool) -> None:
        self.scene = Scene(stage)
        self.binary = BinaryFrames(stage.clock.now)
        self.answered: dict[Wire, int] = {}
        self.close: Close | None = None
        self.told: list[Any] = []
        if chosen:
            self.sends(b'{"type":"config","astrologer_id":"%b","audio":{"mode":"%b"}}' % (TINA.encode(), mode.encode()))

    def sends(self, frame: bytes, binary: bool = False) -> None:
        """A frame comes from the caller, and everybody does what they can."""
        self.scene.says(self._read(frame, binary))
        self._model()
        self.look()

    def _read(self, frame: bytes, binary: bool) -> FromCaller:
        try:
            return (self.binary.read(frame) or Partial()) if binary else app.read(frame)
        except Refused as refused:
            return Malformed(refused.code, refused.message)

    def _model(self) -> None:
        self.scene.stage.settle()
        for wire in list(self.scene.upstream.dialled):
            if wire not in self.answered and not wire.ended:
                self.answered[wire] = 0
                wire.welcome()
            asked = wire.kinds.count("response.create")
            if not wire.ended and asked > self.answered.get(wire, asked):
                self.answered[wire] = asked
                wire.answer(f"Answer {asked}.")

    def look(self) -> None:
        """Each message to the caller is of the schema; a close is the last of them."""
        for message in self.scene.caller.take():
            assert self.close is None, f"after {self.close} came {message}"
            self.told.append(message)
            if isinstance(message, Close):
                self.close = message
            elif not isinstance(message, Sound):
                sent = orjson.loads(app.write(message))
                assert list(schemas.ANSWER[sent["type"]].iter_errors(sent)) == []


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_whatever_is_sent_a_call_goes_on_or_ends_with_an_honest_code(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing raises, what is told is of the schema, and who is still there is answered."""
    seen = set()

    @settings(max_examples=examples(150))
    @given(came, st.booleans())
    @example([(HELLO, False, 0.0)], True)  # whether others go on, or hang up, is chance
    @example([(HELLO, False, 0.0), (b'{"type":"end"}', False, 0.0)], True)
    def each(come: list[tuple[bytes, bool, float]], chosen: bool) -> None:
        with Stage() as stage:
            call = Call(stage, mode, chosen=chosen)
            for frame, binary, seconds in come:
                call.sends(frame, binary or frame == LOUD)
                stage.advance(seconds)
                call.look()
                if call.close:
                    break
            seen.add(call.close.code if call.close else 0)
            if call.close is None:
                call.scene.says(Pinged())
                call.look()
                assert call.told[-1] == Pong()
            else:
                assert call.close.code in ENDS
            call.scene.end()
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]

    each()
    assert {0, 1000} <= seen


def test_the_model_of_these_calls_answers(stage: Stage) -> None:
    """So that what is drawn meets a call with a persona, and turns under way."""
    call = Call(stage, "clip", chosen=True)
    assert any(isinstance(message, ConfigAck) for message in call.told)
    call.sends(HELLO)
    assert ("user", "hello") in call.scene.wire(1).texts()
    assert [type(message).__name__ for message in call.told][-2:] == ["TextResponse", "AudioResponse"]
    call.scene.end()
