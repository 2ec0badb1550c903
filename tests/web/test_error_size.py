"""Whatever is said of a mistake takes 2 KB at most on the wire: every message, every route, every odd request."""

import asyncio
import re
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import schemas
from actors.messages.caller import Error, Recorded
from audio import Packed
from audio.clip_frame import unpack
from schemas import Refused
from tests.kit.shore import Porter, shore
from tests.kit.story import WITHIN, run
from web.error_size import CUT, MOST_BYTES, MOST_TEXT, close_reason, limit_text
from web.wires import app

CODES = schemas.read("answer")["$defs"]["error"]["properties"]["code"]["enum"]
KINDS = list(schemas.CALLER)
FIELDS = ["astrologer_id", "audio", "data", "mode", "input", "output", "profile", "name", "birth_date", "text", "ms"]
WIDE = "\N{GRINNING FACE}"

# Texts of every kind, and long ones without the cost of drawing each letter.
TEXTS = st.text(max_size=20) | st.builds(
    lambda part, times: part * times,
    st.sampled_from(["a", "\0", '"', "\\", "\N{DEVANAGARI LETTER KA}", WIDE, "\u200d", "\u2028", " ", "[", ","]),
    st.integers(0, 9000),
)
NAMES = st.sampled_from(FIELDS) | TEXTS
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES, inner, max_size=4)
        | st.builds(lambda value, times: [value] * times, inner, st.integers(0, 40))
        | st.builds(lambda value, times: {f"{n}": value for n in range(times)}, inner, st.integers(0, 40))
    ),
    max_leaves=6,
)
MANY = st.builds(lambda name, times: {f"{name}{n}": n for n in range(times)}, TEXTS.map(lambda x: x[:60]), st.just(900))
PROFILES = st.dictionaries(NAMES, VALUES, max_size=12) | MANY
MESSAGES = st.builds(
    lambda kind, fields, profile: {"type": kind, **fields, **profile},
    st.sampled_from(KINDS) | VALUES,
    st.dictionaries(NAMES, VALUES, max_size=6) | MANY,
    st.just({}) | st.builds(lambda told: {"astrologer_id": "tina", "profile": told}, PROFILES | VALUES),
)


def told(frame: bytes) -> bytes | None:
    """The error frame that this gets, also where it is found out later; None when it is understood."""
    try:
        said = app.read(frame)
        if isinstance(said, Recorded) and isinstance(said.clip, Packed):
            unpack(said.clip.frame)
    except Refused as refused:
        return app.write(Error(refused.code, refused.message))
    return None


def check(frame: bytes | None) -> None:
    """It is short, it is the wire's, and it says what to do."""
    if frame is not None:
        assert len(frame) <= MOST_BYTES
        error = orjson.loads(frame)
        schemas.ANSWER["error"].validate(error)
        assert error["code"] in CODES
        assert error["message"].strip() == error["message"] == error["error"] != ""


@given(MESSAGES)
@example({"type": "config", "astrologer_id": "x", "profile": {f"{WIDE * 40}{n}": n for n in range(300)}})
@example({"type": "config", "astrologer_id": "x", "profile": {"\0" * 40 + str(n): n for n in range(300)}})
@example({"type": "\0" * 60_000})
@example({"type": "text", "text": "\0" * 5000, "x": '"' * 5000})
@example({"type": "config", "astrologer_id": "x", "audio": {"mode": "\0" * 9000, "input": WIDE * 999, "output": "x"}})
def test_no_message_gets_a_long_error(message: dict[str, Any]) -> None:
    """Of any type, with anything in it."""
    check(told(orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS)))


@given(st.binary(max_size=60) | st.sampled_from(KINDS).map(lambda kind: f'{{"type":"{kind}","'.encode()), st.data())
def test_no_bytes_get_a_long_error(frame: bytes, data: st.DataObject) -> None:
    """Also those that are no JSON: cut off, with half a surrogate pair, with what is no UTF-8."""
    more = data.draw(st.sampled_from([b"", b'\\ud800":1}', b'\xff"}', b"[" * 2000, b'x":' + b"9" * 5000 + b"}"]))
    check(told(frame + more))


def test_of_thousands_of_faults_eight_are_told() -> None:
    """And that there are more."""
    frame = told(orjson.dumps({"type": "config", "astrologer_id": "x", "profile": {f"f{n}": n for n in range(5200)}}))
    assert frame is not None
    message = orjson.loads(frame)["message"]
    assert message.count("is not a known field.") == 8
    assert "And more: mend these first." in message


@pytest.mark.parametrize(
    "what", [{"profile": 1}, {"audio": {"mode": 1}}, {"x": 1}, {"astrologer_id": 1}], ids=["profile", "mode", "x", "id"]
)
def test_a_message_of_too_many_parts_is_refused_before_it_is_read(what: dict[str, Any]) -> None:
    """Thirty thousand elements would hold the loop of all calls; a typed turn of nothing but commas is a turn."""
    frame = orjson.dumps({"type": "config", "astrologer_id": "x", **what}).replace(b"1", b"[" + b"0," * 30_000 + b"0]")
    error = told(frame)
    assert error is not None
    assert b"too much JSON" in error
    assert told(orjson.dumps({"type": "text", "text": "," * 4000})) is None


@given(TEXTS | st.text(st.characters(), max_size=2000), st.integers(100, 2000))
@example("\ud800" * 3000, MOST_TEXT)
@example(WIDE * 3000, MOST_TEXT)
def test_what_is_cut_is_cut_between_characters(text: str, most: int) -> None:
    """It fits, it begins as the text does, and says that it is not all of it."""
    cut = limit_text(text, most)
    assert len(orjson.dumps(cut)) - 2 <= most
    whole = text.encode(errors="replace").decode()
    if cut != whole:
        assert cut.endswith(CUT)
        assert whole.startswith(cut.removesuffix(CUT))
        more = whole[: len(cut) - len(CUT) + 1]
        assert len(orjson.dumps(more + CUT)) - 2 > most


@given(TEXTS)
def test_the_reason_of_a_close_is_whole_characters(text: str) -> None:
    """At most the 123 bytes that fit, and UTF-8 always: else the close itself would break the rules."""
    told = close_reason(text)
    assert len(told) <= 123
    assert text.startswith(told.decode())
    assert len(told) > 119 or told.decode() == text


# Every route, over a real socket.

ROUTES = [
    "/", "/client/page.js", "/client/x", "/health", "/metrics", "/nowhere", "/api/astrologers", "/api/astrologers/x",
    "/api/astrologers/match", "/api/nowhere", "/ws/user-1", "/ws-mobile/user-1",
]  # fmt: skip
LETTERS = ["a", "%00", "%FF", "%E0%A4%95", "%F0%9F%98%80", "%22", "%5C", "&", "=", "/", "..", "+"]
LONG = st.builds(lambda part, times: part * times, st.sampled_from(LETTERS), st.integers(0, 600))
PARAMETERS = ["language", "gender", "speciality", "status", "open", "limit", "after", "astrologer_id", "match", "mode"]
QUERIES = st.lists(st.tuples(st.sampled_from(PARAMETERS), LONG), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Host", "Origin", "Expect", "Upgrade", "Transfer-Encoding", "Content-Type", "If-None-Match",
         "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Content-Encoding", "Cookie", "Range", "bad(name"]
    ),
    st.builds(
        lambda part, times: part * times,
        st.sampled_from([b"x", b"9", b"\xff", b'"', b"\x01", b"websocket", b"\xe0\xa4\x95"]),
        st.integers(0, 700),
    ),
    max_size=3,
)  # fmt: skip
BODIES = st.binary(max_size=50) | VALUES.map(lambda value: orjson.dumps({"query": value, "language": value}))


async def answered(address: str, request: bytes) -> bytes:
    """One answer, whole."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(WITHIN):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            if length is None or request.startswith(b"HEAD "):
                return head
            return head + await reader.readexactly(int(length[1]))
    finally:
        writer.transport.abort()


def brief_answer(path: str, answer: bytes) -> None:
    """No success is short, is JSON under /api, and there says a code and a message."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if int(answer[9:12]) < 400:
        return
    assert len(answer) <= MOST_BYTES
    if path.startswith("/api/") and body:
        assert b"application/json" in head
        told = orjson.loads(body)
        assert set(told) == {"code", "message"}
        assert told["code"] in CODES
        assert told["message"]


@given(st.data())
def test_no_request_gets_a_long_answer_that_is_no_success(data: st.DataObject) -> None:
    """Any method, route, query, header and body."""
    method, path = data.draw(st.sampled_from(["GET", "POST", "HEAD", "PUT"])), data.draw(st.sampled_from(ROUTES))
    query, sent, body = data.draw(QUERIES), data.draw(HEADERS), data.draw(BODIES)
    fields = {"Host": b"localhost", "Content-Length": str(len(body)).encode(), "Connection": b"close", **sent}
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields.items())
    request = f"{method} {path}?{query} HTTP/1.1\r\n".encode() + lines + b"\r\n" + body

    async def story() -> bytes:
        async with shore(Porter(lambda connected: Silent())) as address:
            return await answered(address, request)

    answer = run(story())
    heard = answer.startswith(b"HTTP/1.1")  # what is no HTTP is answered as nobody in particular, by HTTP/1.0
    brief_answer(path if heard else "", answer)


class Silent:
    """In place of a session: it hears everything, and says nothing."""

    backlog = 0

    def tell(self, message: object, /) -> None:
        """Nothing comes of it."""


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/astrologers HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 6000 + b"\x01\r\n\r\n",
        b"\x01" * 9000 + b"\r\n\r\n",
        b"G" * 9000 + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://[" + b"x" * 6000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"\xff" * 6000 + b"\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: " + b"\x80" * 6000 + b"\r\nConnection: close\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: " + b"x" * 6000 + b"\r\nConnection: close\r\n\r\n",
        b"GET /ws/u HTTP/1.1\r\nHost: localhost\r\nUpgrade: " + b"w" * 6000 + b"\r\nConnection: close\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 6000 + b"\r\n\r\n",
        b"GET /ws/u HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + b"\xff" * 6000 + b"\r\n\r\n",
    ],
    ids=["header", "bytes", "method", "address", "host", "origin", "expect", "upgrade", "length", "key"],
)
def test_nobody_is_sent_back_what_they_sent(request_: bytes) -> None:
    """The guard and aiohttp repeat what they do not take: of 9 KB of it they made 36."""

    async def story() -> bytes:
        async with shore(Porter(lambda connected: Silent())) as address:
            return await answered(address, request_)

    answer = run(story())
    assert 400 <= int(answer[9:12]) < 500
    assert len(answer) <= MOST_BYTES


def test_whatever_fails_under_api_is_json() -> None:
    """A method that there is not, an address that there is not, a body that is too large, and a page of somebody."""

    async def story() -> list[bytes]:
        async with shore(Porter(lambda connected: Silent())) as address:
            head = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            large = b"Content-Length: 70000\r\n\r\n" + bytes(70_000)
            return [
                await answered(address, b"DELETE /api/astrologers" + head + b"\r\n"),
                await answered(address, b"GET /api/nowhere" + head + b"\r\n"),
                await answered(address, b"POST /api/astrologers/match" + head + large),
                await answered(address, b"GET /api/astrologers" + head + b"Origin: https://evil.example\r\n\r\n"),
            ]

    answers = run(story())
    assert [int(answer[9:12]) for answer in answers] == [405, 404, 413, 403]
    assert b"Allow: GET,HEAD" in answers[0]
    for answer in answers:
        assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_message"
