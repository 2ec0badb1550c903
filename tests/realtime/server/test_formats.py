"""G.711 on the wire: what a telephone says is heard, and what is said can be heard on a telephone."""

import math
import struct
from base64 import b64decode, b64encode
from typing import Any

import pytest

from realtime.server.acts import Hear
from realtime.server.formats import PCM, FromWire, ToWire
from tests.engine.stand_ins import Wire, kinds, refusal
from tests.kit.parts import SECOND, tone

LAWS = [{"type": "audio/pcmu"}, {"type": "audio/pcma"}]


def loudness(pcm: bytes) -> float:
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return math.sqrt(sum(each * each for each in samples) / len(samples))


def part_at(pcm: bytes, hertz: float) -> float:
    """How much of the loudness is at this pitch, 0 to 1."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    turn = 2 * math.pi * hertz / 24_000
    cosine = sum(each * math.cos(turn * at) for at, each in enumerate(samples))
    sine = sum(each * math.sin(turn * at) for at, each in enumerate(samples))
    return math.hypot(cosine, sine) * math.sqrt(2) / len(samples) / loudness(pcm)


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.update(audio={"input": {"turn_detection": None}})
    return wire


@pytest.mark.parametrize("law", LAWS)
def test_a_tone_comes_through_both_ways(law: dict[str, str]) -> None:
    """As loud, at its pitch, and as long: a byte for each 8,000th of a second."""
    pcm = tone(1.0, 440)

    said = ToWire(law).data(pcm)
    heard = FromWire(law).pcm(said)

    assert (len(said), len(heard)) == (8_000, 48_000)
    assert loudness(heard) == pytest.approx(loudness(pcm), rel=0.05)
    assert part_at(heard, 440) > 0.99


@pytest.mark.parametrize("law", LAWS)
def test_what_a_telephone_cannot_carry_is_no_noise_in_it(law: dict[str, str]) -> None:
    """A tone of 7 kHz does not fold to 1 kHz."""
    heard = FromWire(law).pcm(ToWire(law).data(tone(1.0, 7_000)))

    assert loudness(heard) < 0.02 * loudness(tone(1.0, 7_000))


@pytest.mark.parametrize("law", LAWS)
def test_pieces_join_without_a_seam(law: dict[str, str]) -> None:
    """In pieces of any length, the same bytes as at once."""
    pcm = tone(0.5, 300)
    said = ToWire(law)
    pieces = b"".join(said.data(pcm[at : at + 902]) for at in range(0, len(pcm), 902))
    assert pieces == ToWire(law).data(pcm)[: len(pieces)]
    assert len(pieces) == len(pcm) // 6

    heard = FromWire(law)
    assert b"".join(heard.pcm(pieces[at : at + 7]) for at in range(0, len(pieces), 7)) == FromWire(law).pcm(pieces)


@pytest.mark.parametrize(("law", "silence"), [(LAWS[0], b"\xff"), (LAWS[1], b"\xd5")])
def test_silence_is_silence(law: dict[str, str], silence: bytes) -> None:
    """As the standard writes it, and without a hum."""
    assert ToWire(law).data(bytes(4800)) == silence * 800
    heard = FromWire(law).pcm(silence * 800)
    assert max(map(abs, struct.unpack("<2400h", heard))) <= 8


def test_the_extremes_are_clipped_and_not_wrapped() -> None:
    """The loudest square wave stays within its bounds."""
    loudest = struct.pack("<240h", *([32767] * 120 + [-32768] * 120)) * 20
    for law in LAWS:
        heard = FromWire(law).pcm(ToWire(law).data(loudest))
        assert loudness(heard) > 20_000


def test_pcm_passes_as_it_is() -> None:
    """No step is added for whoever speaks PCM."""
    assert FromWire(PCM).pcm(SECOND) is SECOND
    assert ToWire(PCM).data(SECOND) is SECOND


@pytest.mark.parametrize("law", LAWS)
def test_a_telephone_is_heard_and_answered(wire: Wire, law: dict[str, str]) -> None:
    """A committed turn is PCM for the ear; the answer comes in the format asked for, and says so."""
    (updated,) = wire.update(audio={"input": {"format": law}, "output": {"format": law}})
    assert [updated["session"]["audio"][side]["format"] for side in ("input", "output")] == [law, law]

    wire.append(ToWire(law).data(tone(1.0, 440)), 160)
    wire.say("input_audio_buffer.commit")
    work = next(act for act in wire.work if isinstance(act, Hear))
    assert len(work.pcm) == 48_000
    assert part_at(work.pcm, 440) > 0.98
    wire.hear("Hello")
    new = wire.answer()

    audio = b"".join(b64decode(each["delta"]) for each in new if each["type"] == "response.output_audio.delta")
    assert len(audio) == 8_000
    assert part_at(FromWire(law).pcm(audio), 440) > 0.98
    assert new[-2]["response"]["audio"]["output"]["format"] == law
    item_id = new[-2]["response"]["output"][0]["id"]
    assert kinds(wire.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1000)) == [
        "conversation.item.truncated"
    ]


def test_turns_are_found_on_a_telephone() -> None:
    """Server VAD hears speech in it, at the place where it is."""
    wire = Wire()
    wire.update(audio={"input": {"format": LAWS[0]}})

    new = wire.append(b"\xff" * 8_000 + ToWire(LAWS[0]).data(SECOND) + b"\xff" * 8_000, 160)

    started = next(event for event in new if event["type"] == "input_audio_buffer.speech_started")
    assert started["audio_start_ms"] == pytest.approx(700, abs=40)
    assert "input_audio_buffer.committed" in kinds(new)


def test_a_single_response_may_have_its_own_format(wire: Wire) -> None:
    """`response.audio.output.format` counts for it alone."""
    wire.say("response.create", response={"audio": {"output": {"format": LAWS[1]}}})
    new = wire.think("Hello.") + wire.speak(("Hello.", SECOND))
    assert len(b64decode(next(each for each in new if each["type"] == "response.output_audio.delta")["delta"])) == 1600

    wire.say("response.create")
    new = wire.think("Hello.") + wire.speak(("Hello.", SECOND))
    assert len(b64decode(next(each for each in new if each["type"] == "response.output_audio.delta")["delta"])) == 9600


@pytest.mark.parametrize(
    ("wanted", "code", "name"),
    [
        ({"type": "audio/pcmu", "rate": 8000}, "unknown_parameter", "rate"),
        ({"type": "audio/opus"}, "invalid_value", "type"),
        ({"rate": 24_000}, "missing_required_parameter", "type"),
        ({"type": "audio/pcm", "rate": 8000}, "invalid_value", "rate"),
    ],
)
def test_other_formats_are_refused(wire: Wire, wanted: Any, code: str, name: str) -> None:
    """By their path."""
    assert refusal(wire.update(audio={"input": {"format": wanted}})) == (code, f"session.audio.input.format.{name}")


def test_the_buffer_is_as_long_for_a_telephone(wire: Wire) -> None:
    """Its bound is one of time."""
    wire.update(audio={"input": {"format": LAWS[0]}})
    assert wire.say("input_audio_buffer.append", audio=b64encode(b"\xff" * 800).decode()) == []
    ten_minutes = b64encode(b"\xff" * 8_000 * 600).decode()
    assert refusal(wire.say("input_audio_buffer.append", audio=ten_minutes)) == ("invalid_value", "audio")
