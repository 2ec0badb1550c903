"""The most expensive message of each kind that a client may send: of the largest size, with the costliest content."""

from collections.abc import Callable
from itertools import count
from typing import Any

import orjson

from audio.clip_frame import LARGE
from schemas import MOST_PARTS
from web.reassembly import MAX_FRAME

LETTER = "\N{DEVANAGARI LETTER KA}"


def _full(shape: Callable[[int], Any], most: int = LARGE) -> bytes:
    """The largest frame of this shape that is parsed on the event loop."""
    fits, over = 0, most
    while fits + 1 < over:
        size = (fits + over) // 2
        fits, over = (size, over) if len(_bytes(shape(size))) <= most else (fits, size)
    return _bytes(shape(fits))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else orjson.dumps(value)


def _config(**fields: Any) -> dict[str, Any]:
    return {"type": "config", "astrologer_id": "x", **fields}


def _fields(number: int) -> dict[str, int]:
    return {f"{one:x}": 1 for one in range(number)}


def _lists(number: int) -> bytes:
    return b"[" + b"[]," * number + b"0]"


MESSAGES: dict[str, bytes] = {
    "a profile of unknown fields": _full(lambda size: _config(profile=_fields(size))),
    "a profile of fields that are nearly known": _full(
        lambda size: _config(profile={f"birthdate{one}": 1 for one in range(size)})
    ),
    "a profile of long texts": _full(lambda size: _config(profile={"name": "a" * size})),
    "a profile of hidden characters": _full(lambda size: _config(profile={"birth_place": "\u200d" * size})),
    "a message of unknown fields": _full(lambda size: _config(**_fields(size))),
    "one field, again and again": _full(lambda size: b'{"type":"ping"%b}' % (b',"a":1' * size)),
    "a mode of many fields": _full(lambda size: _config(audio={"mode": _fields(size), "input": _fields(size)})),
    "an id of many elements": _full(lambda size: {"type": "config", "astrologer_id": [0] * size}),
    "the longest id": _full(lambda size: {"type": "config", "astrologer_id": LETTER * size}),
    "the longest text": orjson.dumps({"type": "text", "text": "\N{GRINNING FACE}" * 4000}),
    "a text that is too long": _full(lambda size: {"type": "text", "text": LETTER * size}),
    "a text of blanks": _full(lambda size: {"type": "text", "text": "\N{EM SPACE}" * size}),
    "a text that is a list": _full(lambda size: {"type": "text", "text": [0] * size}),
    "lists, as many as may be": b'{"type":"ping","x":%b}' % _lists(MOST_PARTS // 2 - 4),
    "lists in lists": b'{"type":"ping","x":[%b]}' % b",".join([b"[" * 1000 + b"]" * 1000] * (MOST_PARTS // 1001)),
    "more lists than may be": _full(lambda size: b'{"type":"ping","x":%b}' % _lists(size)),
    "long numbers": _full(lambda size: b'{"type":"ping","x":[%b0]}' % (b"1.2345678901234567," * size)),
    "a number without end": _full(
        lambda size: b'{"type":"played","response_id":"1.1","ms":%b}' % (b"9" * max(size, 1))
    ),
    "escapes": _full(lambda size: b'{"type":"ping","x":"%b"}' % (b"\\u0915" * size)),
    "JSON that ends too soon": _full(lambda size: b'{"type":"ping","x":[%b' % (b"0," * size)),
    "a type of its own": _full(lambda size: {"type": LETTER * size}),
    "a small clip": _full(lambda size: {"type": "audio", "audio": "A" * (size // 4 * 4)}),
    "a small clip that is no base64": _full(lambda size: {"type": "audio", "audio": LETTER * size}),
}

CLIPS: dict[str, bytes] = {
    "a clip of 4 MiB": orjson.dumps({"type": "audio", "audio": "*" * (4 * 2**20 * 4 // 3)}),
    "a clip of 8 MiB": _full(lambda size: {"type": "audio", "audio": "*" * size}, MAX_FRAME - 1024),
}


def _words(letters: int) -> str:
    """Different words of so many letters, as many as a query may have."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    words = ("".join(alphabet[number // 26**place % 26] for place in range(letters)) for number in count())
    return " ".join(word for word, _ in zip(words, range(QUERY // (letters + 1)), strict=False))


QUERY = 500  # characters of a query that the server reads
QUERIES: dict[str, str] = {
    "one long word": "x" * QUERY,
    "words of a letter": _words(1),
    "words of eight letters": _words(8),
    "letters that are many": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * QUERY,
    "Devanagari": f"{LETTER}{LETTER}ि " * (QUERY // 4),
    "more than is read": "love marriage " * 5000,
}
