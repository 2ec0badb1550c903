from base64 import b64decode

import pytest

from engine.pace import BYTES_PER_MS, HEAD_MS, Pace
from tests.engine.sockets import Engine, append, ask, receive_until, with_engine
from tests.kit.parts import SECOND, ScriptedEar, Tones


def played(pace: Pace, pcm: bytes) -> list[float]:
    """When each piece is sent, by a clock that runs only while one waits."""
    now, times = 100.0, []
    for piece in pace.pieces(pcm):
        now += pace.wait(piece, now)
        times.append(now - 100.0)
    return times


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_after_the_head_audio_comes_at_its_pace(factor: float) -> None:
    """Ten seconds take as long as they say; the head is there at once, and nothing is ever late."""
    times = played(Pace(factor), 10 * SECOND)

    assert times[:3] == [0, 0, 0]
    assert times == sorted(times)
    for number, at in enumerate(times):
        assert at == pytest.approx(max(0, number * 0.2 - HEAD_MS / 1000) / factor)


def test_what_was_made_slowly_does_not_wait_as_well() -> None:
    """The clock of the speech runs on while the next sentence is made."""
    pace = Pace(1.0)
    assert pace.wait(SECOND, 0.0) == 0.0
    assert pace.wait(SECOND, 5.0) == 0.0
    assert pace.wait(SECOND, 5.0) == 0.0
    assert pace.wait(bytes(BYTES_PER_MS), 0.5) == 2.0


def test_without_a_pace_all_goes_at_once() -> None:
    """In one piece; nothing is one piece too, for it may have words."""
    assert list(Pace(0).pieces(SECOND)) == [SECOND]
    assert played(Pace(0), 10 * SECOND) == [0]
    assert list(Pace(0).pieces(b"")) == list(Pace(4).pieces(b"")) == [b""]


def test_the_pieces_are_the_audio() -> None:
    """Nothing is lost or added."""
    assert b"".join(Pace(4).pieces(SECOND + SECOND[:1000])) == SECOND + SECOND[:1000]


def test_a_paced_answer_can_be_interrupted_on_the_socket() -> None:
    """Who speaks once audio has come sees the answer cancelled by turn detection, and the next one served."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await ask(socket, "Will I marry?")
            await receive_until(socket, "response.output_audio.delta")
            await append(socket, SECOND + bytes(len(SECOND)), 960)
            cut = (await receive_until(socket, "response.done"))[-1]["response"]
            assert cut["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            await receive_until(socket, "input_audio_buffer.committed")
            assert (await receive_until(socket, "response.created"))[-1]["response"]["id"] != cut["id"]

    with_engine(test, ear=ScriptedEar("Stop."), voice=Tones(120.0), pace=1.0)


def test_a_paced_answer_comes_whole() -> None:
    """Its words with its first audio, and all of its audio before it is done."""

    async def test(engine: Engine) -> None:
        async with engine.call() as socket:
            await ask(socket, "Hello")
            events = await receive_until(socket, "response.done")
        audio = b"".join(b64decode(each["delta"]) for each in events if each["type"] == "response.output_audio.delta")
        sentences = [each for each in events if each["type"] == "response.output_audio_transcript.delta"]
        assert len(audio) == len(SECOND) * len(engine.voice.asked) == len(SECOND) * len(sentences)
        assert events[-1]["response"]["status"] == "completed"

    with_engine(test, voice=Tones(1.0), pace=50.0)
