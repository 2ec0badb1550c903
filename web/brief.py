"""No error is long, wherever it was made: whatever is told of one takes 2 KB at most as it goes over the wire."""

from bisect import bisect_right

import orjson
from aiohttp import web

MOST_BYTES = 2048  # of an `error` frame, or of an answer that is a refusal with its headers
SENTENCE = 960  # bytes of the text as JSON, which a frame has twice
AND_SO_ON = " ... This is not all: mend it first."


def brief(text: str, most: int = SENTENCE) -> str:
    """The text, or as many whole characters of it as take at most so many bytes in JSON, and that this is not all."""
    start = text[: most + 1].encode(errors="replace").decode()  # half a surrogate pair is no character
    if _size(start) <= most:
        return start
    room = most - _size(AND_SO_ON)
    end = bisect_right(range(len(start)), room, key=lambda end: _size(start[:end])) - 1
    return start[:end] + AND_SO_ON


def reason(text: str) -> bytes:
    """As many whole characters as a close frame can carry: 123 bytes."""
    return text.encode(errors="replace")[:123].decode(errors="ignore").encode()


def _size(text: str) -> int:
    return len(orjson.dumps(text)) - len('""')


def refusal(status: int, code: str, message: str) -> web.Response:
    """What REST answers in place of what was asked for."""
    return web.Response(body=_told(code, message), status=status, content_type="application/json")


def _told(code: str, message: str) -> bytes:
    return orjson.dumps({"code": code, "message": brief(message)})


def shortened(path: str, answer: web.StreamResponse) -> web.StreamResponse:
    """An answer as it may go out: what is no success says so briefly, under /api in JSON as every refusal there."""
    if not isinstance(answer, web.Response) or answer.status < 400 or answer.content_type != "text/plain":
        return answer
    if path.startswith("/api/"):
        answer.body = _told("bad_message", (answer.text or answer.reason).strip())
        answer.content_type, answer.charset = "application/json", None
        return answer
    answer.text = brief(answer.text or answer.reason)
    return answer
