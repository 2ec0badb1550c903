"""Errors of bounded size: an error frame or an error response takes 2 KB at most, whatever it quotes."""

from bisect import bisect_right

import orjson
from aiohttp import web

MOST_BYTES = 2048  # of an `error` frame, or of an error response with its headers
MOST_TEXT = 960  # bytes of the text as JSON; a frame has it twice
MOST_REASON = 123  # bytes, as RFC 6455 allows in a close frame
NOTHING_THERE = (404, 405)
CUT = " ... This is not all: mend it first."


def limit_text(text: str, most: int = MOST_TEXT) -> str:
    """The text, cut so that its JSON takes at most `most` bytes; a text that was cut ends with `CUT`."""
    start = text[: most + 1].encode(errors="replace").decode()  # lone surrogates cannot be encoded
    if _size(start) <= most:
        return start
    room = most - _size(CUT)
    end = bisect_right(range(len(start)), room, key=lambda end: _size(start[:end])) - 1
    return start[:end] + CUT


def close_reason(text: str) -> bytes:
    """The text in UTF-8, cut at a character so that it fits into a close frame."""
    return text.encode(errors="replace")[:MOST_REASON].decode(errors="ignore").encode()


def _size(text: str) -> int:
    return len(orjson.dumps(text)) - len('""')


def error_response(status: int, code: str, message: str) -> web.Response:
    """A REST error: `{code, message}`."""
    return web.Response(body=_error(code, message), status=status, content_type="application/json")


def _error(code: str, message: str) -> bytes:
    return orjson.dumps({"code": code, "message": limit_text(message)})


def limit_response(path: str, answer: web.StreamResponse) -> web.StreamResponse:
    """The response, with the text of an error cut to the limit; as JSON under /api, and where there is nothing."""
    if not isinstance(answer, web.Response) or answer.status < 400 or answer.content_type != "text/plain":
        return answer
    if path.startswith("/api/") or answer.status in NOTHING_THERE:
        answer.body = _error("bad_message", _sentence(answer))
        answer.content_type, answer.charset = "application/json", None
        return answer
    answer.text = limit_text(answer.text or answer.reason)
    return answer


def _sentence(answer: web.Response) -> str:
    """What an error response says, and for those that aiohttp makes what to do."""
    match answer.status:
        case 404:
            return "There is no such address: docs/wire.md lists those that there are."
        case 405:
            return f"This address does not take that method: send {answer.headers.get('Allow') or 'another'}."
    return (answer.text or answer.reason).strip()
