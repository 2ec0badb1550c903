"""The caller's wire, without a socket."""

import io
import wave
from base64 import b64decode, b64encode
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import orjson
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

import schemas
from actors.messages.caller import (
    AudioResponse,
    Chose,
    Clear,
    Close,
    ConfigAck,
    Error,
    FromCaller,
    HungUp,
    Interrupted,
    Notice,
    Pinged,
    Played,
    Pong,
    Receipt,
    Recorded,
    ResumeAsked,
    Sound,
    Summary,
    TextResponse,
    ToCaller,
    Transcript,
    Typed,
)
from actors.messages.caring import Help, HelpNumber
from actors.messages.resuming import Encoded, NotResumed, Resumed, ResumeOffer
from audio import Packed
from audio.clip_frame import LARGE, unpack
from personas import Profile
from personas.meter import Bill, Stay
from personas.pricing import Pricing
from schemas import Refused
from tests.kit.four import FOUR, MOHIT, TINA
from web.wires import app

BILL = Bill((Stay(FOUR.get(TINA), 61, cost=1016), Stay(FOUR.get(MOHIT), 5, cost=83)))
TARIFF = Pricing(333, "KWD", 3, 30, True).tariff
CODES = schemas.read("answer")["$defs"]["error"]["properties"]["code"]["enum"]
STREAM = {"mode": "stream", "input": "pcm16", "output": "pcm16"}
CLIP = b64encode(b"some bytes").decode()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"type": "config", "astrologer_id": "tina"}, Chose("tina")),
        (
            {"type": "config", "astrologer_id": "tina", "audio": {"mode": "clip"}, "app_version": 3},
            Chose("tina", "clip"),
        ),
        (
            {"type": "config", "astrologer_id": "tina", "audio": {"mode": "stream", "input": "pcm16"}},
            Chose("tina", "stream"),
        ),
        (
            {"type": "config", "astrologer_id": "tina", "profile": {"name": " Asha ", "birth_time": None}},
            Chose("tina", None, Profile(name="Asha")),
        ),
        ({"type": "played", "response_id": "1.2", "ms": 1234.5}, Played("1.2", 1234)),
        ({"type": "audio", "audio": CLIP}, Recorded(b"some bytes")),
        ({"type": "audio", "data": CLIP}, Recorded(b"some bytes")),
        ({"type": "audio", "audio": f"data:audio/webm;codecs=opus;base64,{CLIP}"}, Recorded(b"some bytes")),
        ({"type": "audio", "audio": f"{CLIP[:4]}\r\n{CLIP[4:]}\n"}, Recorded(b"some bytes")),
        ({"type": "audio", "audio": ""}, Recorded(b"")),
        ({"type": "audio", "audio": None, "data": CLIP}, Recorded(b"some bytes")),
        (
            {"type": "config", "astrologer_id": "tina", "audio": None, "profile": None},
            Chose("tina"),
        ),
        (
            {"type": "config", "astrologer_id": "tina", "audio": {"mode": None, "input": None}},
            Chose("tina"),
        ),
        (
            {"type": "config", "astrologer_id": "tina", "profile": {"name": "", "birth_date": "", "birth_time": ""}},
            Chose("tina", None, Profile()),
        ),
        ({"type": "text", "text": "a\u0000b\u200b \n c"}, Typed("a b\u200b \n c")),
        ({"type": "text", "text": " hello "}, Typed("hello")),
        ({"type": "interrupt"}, Interrupted()),
        ({"type": "ping"}, Pinged()),
        ({"type": "end"}, HungUp()),
    ],
)
def test_what_a_caller_says(sent: Any, said: Any) -> None:
    """Every message type, in all the forms that clients send; unknown extra fields do no harm."""
    assert app.read(orjson.dumps(sent)) == said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (r'{"type": "text", "text": "soon? \ud83d"}', "soon? \ufffd"),
        (r'{"type": "text", "text": "\ude00 \ud83d\ude00 \\ud83d"}', "\ufffd \U0001f600 \\ud83d"),
        ('\ufeff{"type": "text", "text": "soon?"}', "soon?"),
    ],
)
def test_half_an_emoji_costs_no_turn(sent: str, said: str) -> None:
    """Half of it, as JavaScript cuts texts, is U+FFFD; a whole one, and a backslash before a u, are what they are."""
    assert app.read(sent.encode()) == Typed(said)


def test_half_an_emoji_may_be_in_every_text() -> None:
    """In a profile as in what is typed."""
    sent = rb'{"type": "config", "astrologer_id": "tina", "profile": {"name": "Asha \ud83d", "birth_place": "\ude00"}}'
    assert app.read(sent) == Chose("tina", None, Profile(name="Asha \ufffd", birth_place="\ufffd"))


def test_what_cannot_be_seen_is_blank() -> None:
    """Each character by itself, as Unicode lists those that are ignored, are controls, or separate words."""
    unseen = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Z}\u2800\ufff9-\ufffc]")
    text = schemas.CALLER["text"]
    for code in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1100)):
        one = chr(code)
        assert bool(unseen.match(one)) is not text.is_valid({"type": "text", "text": one}), hex(code)


def opened(frame: bytes) -> None:
    """Read it, and open what a decoder would open."""
    match app.read(frame):
        case Recorded(Packed(large)):
            unpack(large)


@pytest.mark.parametrize(
    ("frame", "code", "names"),
    [
        ("", "bad_json", "JSON"),
        ("[1]", "bad_json", "object"),
        ("{}", "unknown_type", "config"),
        ('{"type": ["config"]}', "unknown_type", "ping"),
        ('{"type": "config"}', "bad_message", "astrologer_id"),
        ('{"type": "config", "astrologer_id": ""}', "bad_message", "GET /api/astrologers"),
        ('{"type": "config", "astrologer_id": "x", "audio": {"mode": "opus"}}', "bad_message", "audio.mode"),
        ('{"type": "config", "astrologer_id": "x", "profile": []}', "bad_message", "profile"),
        ('{"type": "config", "astrologer_id": "x", "profile": {"birth_date": "soon"}}', "bad_message", "birth_date"),
        ('{"type": "config", "astrologer_id": "x", "profile": {"name": 3}}', "bad_message", "name must be text"),
        ('{"type": "config", "astrologer_id": "x", "profile": {"birthdate": "x"}}', "bad_message", "birth_date"),
        ('{"type": "text", "text": 3}', "bad_message", "text must be text, not a number."),
        ('{"type": "text", "text": " "}', "bad_message", "text does not fit: ' '. What the caller typed; not blank."),
        ('{"type": "audio"}', "bad_message", "lacks something. One recorded utterance"),
        ('{"type": "audio", "audio": 3}', "bad_message", "audio must be base64 text, not a number"),
        ('{"type": "audio", "audio": [82, 73]}', "bad_message", "audio must be base64 text, not a list of numbers."),
        (f'{{"type": "audio", "audio": {[7] * 9000}}}', "bad_message", "must be base64 text, not a list of numbers."),
        (f'{{"type": "audio", "data": {[7] * 20_000}}}', "bad_message", "must be base64 text, not a list of numbers."),
        (
            f'{{"audio": {[7] * 900_000}, "type": "audio"}}',
            "bad_message",
            "must be base64 text, not a list of numbers.",
        ),
        (
            '{"type": "audio", "audio": {"type": "Buffer", "data": [82]}}',
            "bad_message",
            "base64 text, not a list of numbers.",
        ),
        ('{"type": "audio", "audio": {"0": 82, "1": 73}}', "bad_message", "base64 text, not a list of numbers."),
        (f'{{"type": "audio", "audio": {{"0": 7{", " * 20_000}}}}}', "bad_message", "text, not a list of numbers."),
        ('{"type": "audio", "audio": {"uri": "file:///a.m4a"}}', "bad_message", "base64 text, not an object."),
        (f'{{"type": "audio", "audio": {{"data": {[7] * 90_000}}}}}', "bad_message", "text, not a list of numbers."),
        ('{"type": "audio", "audio": null}', "bad_message", "lacks something. One recorded utterance"),
        ('{"type": "text", "text": null}', "bad_message", "text is missing"),
        ('{"type": "text", "text": "\\u200b\\ufeff\\u2060 \\u0000"}', "bad_message", "not blank"),
        ('{"type": "text", "text": "\u2800\u3164\u202e\U000e0020\ufffc"}', "bad_message", "not blank"),
        ('{"type": "config", "astrologer_id": 7, "audio": []}', "bad_message", "a number. audio must be an object"),
        ('{"type": "audio", "audio": "***"}', "bad_base64", "base64"),
        (f'{{"type": "audio", "audio": "{"A" * 6_000_000}"}}', "audio_too_big", "4 MiB"),
        (f'{{"type": "audio", "audio": "{"A" * 70_000}*"}}', "bad_base64", "base64"),
        (f'{{"type": "text", "text": "{"A" * 70_000}"}}', "bad_message", "only audio"),
        (f'{{"text": "{"A" * 70_000}", "type": "text"}}', "bad_message", "too long"),
        (f'{{"type": "ping", "x": "{"A" * 70_000}"}}', "bad_message", "only audio"),
        (f'{{"type": "pong", "x": "{"A" * 70_000}"}}', "unknown_type", "'pong'"),
        (f'{{"type": "audio", "audio": "{"A" * 70_000}', "bad_json", "JSON"),
        (f'{{"x": [{"[]," * 2_000_000}0], "type": "ping"}}', "bad_message", "too much"),
        (f'{{"type": {"[" * 1000}{"]" * 1000}}}', "unknown_type", "no string"),
        (f'{{"type": "config", "astrologer_id": {"[" * 1000}{"]" * 1000}}}', "bad_message", "not a list"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_to_do(frame: str, code: str, names: str) -> None:
    """The code is the wire's, the sentence names the field or what is expected, and is never long."""
    with pytest.raises(Refused) as refused:
        opened(frame.encode())
    assert refused.value.code == code
    assert names in refused.value.message
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("kind", ["config", "text", "ping"])
def test_a_large_frame_that_begins_as_another_message_is_refused_at_once(kind: str) -> None:
    """Before anybody is on the line as well, where nothing is decoded; sound that holds another type is sound."""
    with pytest.raises(Refused, match=rf"bad_message: This {kind} message is over 64 KB"):
        app.read(f'\n {{ "type" : "{kind}", "x": "{"A" * 70_000}"}}'.encode())
    sound = f'{{"type": "audio", "x": {{"type": "{kind}"}}, "audio": "{"A" * 70_000}"}}'
    assert isinstance(app.read(sound.encode()), Recorded)


def test_somebody_may_have_been_born_today_anywhere() -> None:
    """Where the day has begun already; a day later nobody was."""
    today = datetime.now(timezone(timedelta(hours=14))).date()
    config = {"type": "config", "astrologer_id": "tina", "profile": {"birth_date": today.isoformat()}}
    assert app.read(orjson.dumps(config)) == Chose("tina", None, Profile(birth_date=today.isoformat()))
    config["profile"] = {"birth_date": (today + timedelta(days=2)).isoformat()}
    with pytest.raises(Refused, match="birth_date"):
        app.read(orjson.dumps(config))


def test_a_large_frame_is_not_opened_on_the_loop() -> None:
    """It is handed on as it is, in any form that a small one may have."""
    clip = bytes(range(256)) * 400
    levels = b'{"levels": %b, "type": "audio", "audio": "%b"}' % (str([0.5] * 3000).encode(), b64encode(clip))
    assert unpack(levels) == clip
    for text in (
        b64encode(clip),
        b"data:audio/webm;base64," + b64encode(clip),
        b64encode(clip)[:60] + b"\\r\\n" + b64encode(clip)[60:],
    ):
        frame = b'{"type": "audio", "audio": "' + text + b'"}'
        assert len(frame) > LARGE
        assert app.read(frame) == Recorded(Packed(frame))
        assert unpack(frame) == clip


TEXTS = st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(repr)


@given(st.binary() | TEXTS.map(str.encode))
def test_no_frame_is_a_crash(frame: bytes) -> None:
    """Whatever comes is a message, or a refusal with a code of the app."""
    code = "internal"
    try:
        opened(frame)
    except Refused as refused:
        code = refused.code
    assert code in CODES


NUMBERS = (HelpNumber("Tele-MANAS", "14416", ("hi", "en")),)


@pytest.mark.parametrize(
    "message",
    [
        ConfigAck("tina", "Tina", "Hindi", "hi", "marin", "s-1", "There.", disclosure="I am an AI."),
        ConfigAck("tina", "Tina", "Hindi", "hi", "marin", "s-1", "Tina is on the line."),
        AudioResponse("1.1", bytes(4800)),
        TextResponse("1.1", "नमस्ते"),
        Transcript("user", "hello", "user.1"),
        Clear("1.1"),
        Notice("switching", "Wait."),
        ConfigAck("tina", "Tina", "Hindi", "hi", "marin", "s-1", "Hello.", TARIFF),
        Notice("minute", "So far.", 60, BILL.price),
        Summary(BILL),
        Summary(Bill()),
        Summary(BILL, NUMBERS),
        Help("Call them.", NUMBERS, metered=True),
        Help("Call them.", NUMBERS, metered=False),
        NotResumed("ended", "It has ended.", BILL, help=NUMBERS),
        Error("bad_json", "Send JSON."),
        Pong(),
        ConfigAck(TINA, "Tina", "Hindi", "hi", "marin", "s", "on the line", resume=ResumeOffer("secret", 0, 30)),
        Resumed(1, 20, 3000, 300),
        NotResumed("stale", "It has gone on."),
        NotResumed("ended", "It has ended.", BILL),
        Encoded(b'{"type":"pong"}'),
    ],
)
def test_what_the_server_says_is_as_the_schema_has_it(message: Any) -> None:
    """Every message to a caller validates against answer.schema.json."""
    sent = orjson.loads(app.write(message))
    assert list(schemas.ANSWER[sent["type"]].iter_errors(sent)) == []


def test_every_type_of_the_schema_is_sent() -> None:
    """The schema names no message that the wire does not have, and the wire has one for all that a caller is told."""
    assert set(schemas.ANSWER) == {*app._NAMES.values(), "audio_response", "error", "summary", "not_resumed"}
    written = {AudioResponse, Close, Encoded, Error, Help, NotResumed, Sound, Summary}
    assert set(get_args(ToCaller)) == {*app._NAMES, *written}


@pytest.mark.parametrize("kind", schemas.CALLER)
def test_every_type_of_the_schema_is_read(kind: str) -> None:
    """Of whatever a caller may send the wire makes a message."""
    fields: dict[str, dict[str, Any]] = {
        "config": {"astrologer_id": TINA},
        "audio": {"audio": b64encode(b"a clip").decode()},
        "text": {"text": "hello"},
        "played": {"response_id": "1.1", "ms": 20},
        "ack": {"received": 7},
        "resume": {"token": "secret", "attach": 0, "received": 7},
    }
    assert isinstance(app.read(orjson.dumps({"type": kind, **fields.get(kind, {})})), get_args(FromCaller))


@pytest.mark.parametrize("received", [0, 12, 12.0])
def test_any_message_may_say_what_was_received(received: float) -> None:
    """The message means what it means without it."""
    assert app.read(orjson.dumps({"type": "ping", "received": received})) == Receipt(int(received), Pinged())
    config = {"type": "config", "astrologer_id": TINA, "resumable": True, "received": received}
    assert app.read(orjson.dumps(config)) == Receipt(int(received), Chose(TINA, resumable=True))
    assert app.read(orjson.dumps({"type": "ack", "received": received})) == Receipt(int(received))


def test_a_resume_is_read_whole() -> None:
    """Its `received` is of another connection, and no receipt of this one."""
    frame = {"type": "resume", "token": "secret", "attach": 2, "received": 9}
    assert app.read(orjson.dumps(frame)) == ResumeAsked("secret", 2, 9)


def test_a_summary_in_full() -> None:
    """Money is whole numbers, and says itself how it is written."""

    def money(amount: int, text: str) -> dict[str, Any]:
        return {"amount": amount, "currency": "INR", "digits": 2, "text": text}

    assert orjson.loads(app.write(Summary(BILL))) == {
        "type": "summary",
        "seconds": 66,
        "by_persona": [
            {"astrologer_id": TINA, "name": "Tina Kulkarni", "seconds": 61, "price": money(1016, "10.16 INR")},
            {"astrologer_id": MOHIT, "name": "Mohit", "seconds": 5, "price": money(83, "0.83 INR")},
        ],
        "price": [money(1099, "10.99 INR")],
    }
    assert orjson.loads(app.write(Summary(Bill()))) == {"type": "summary", "seconds": 0, "by_persona": []}


def test_an_error_says_its_sentence_twice() -> None:
    """Older clients read the field `error`."""
    assert orjson.loads(app.write(Error("internal", "why"))) == {
        "type": "error",
        "code": "internal",
        "message": "why",
        "error": "why",
    }


@pytest.mark.parametrize("samples", [0, 50, (app.PIECE - 44) // 2, app.PIECE // 2, app.PIECE])
def test_a_reply_is_a_wav_file(samples: int) -> None:
    """24 kHz, 16 bit, mono, the very samples."""
    sent = orjson.loads(app.write(AudioResponse("1.1", b"\x01\x02" * samples)))
    with wave.open(io.BytesIO(file := b64decode(sent["audio"], validate=True))) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (24_000, 2, 1)
        assert sound.readframes(samples + 1) == b"\x01\x02" * samples
    assert file[44:].startswith(b"\x01\x02" * samples)
    assert int.from_bytes(file[4:8], "little") == len(file) - 8


def test_a_wav_file_says_behind_its_samples_that_the_voice_is_synthetic() -> None:
    """In a chunk of its own, of the length that it says: a player that skips the header plays no text."""
    file = b64decode(orjson.loads(app.write(AudioResponse("1.1", b"\x01\x02" * 50)))["audio"])
    chunk = file[144:]
    assert (chunk[:4], chunk[8:16]) == (b"LIST", b"INFOICMT")
    assert int.from_bytes(chunk[4:8], "little") == len(chunk) - 8
    assert b"an AI speaks" in chunk


def test_a_close_is_no_frame() -> None:
    """It is sent as a close frame instead."""
    with pytest.raises(AssertionError):
        app.write(Close(1000, "bye"))
