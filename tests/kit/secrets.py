"""What no log line and no frame may hold, in any test. It is looked for while the tests run.

No log: keys, tokens, prompts, what a caller said or told of themselves. No frame: keys, tokens of others, prompts,
tracebacks, paths of this machine.
"""

import functools
import logging
import traceback
from collections import deque
from pathlib import Path
from typing import Any

import orjson
from aiohttp import WSMsgType

from actors.call.resume import token as resuming
from actors.messages.caller import Chose, Typed
from personas import SHIPPED
from web.auth.call_tokens import CallTokens
from web.call_socket import Socket
from web.wires import app

MOST_BYTES = 64 * 1024  # of what is looked through
_NEWEST = 100
PROMPTS = tuple(one["system_prompt"][:60] for one in orjson.loads(SHIPPED.read_bytes())["astrologers"])
INSIDES = ("Traceback (most recent call last)", str(Path(__file__).parents[2]))
SHORTEST = 12  # characters of what a caller says: shorter words are in a line by chance

_keys: set[str] = set()
_tokens: deque[str] = deque(maxlen=_NEWEST)  # that let somebody in
_resumes: deque[str] = deque(maxlen=_NEWEST)  # that their own caller is told, and no log
_words: deque[str] = deque(maxlen=_NEWEST)  # of callers
_found: list[str] = []


def key(text: str) -> str:
    """From now on this is a key, for all tests of the process; returns it."""
    _keys.add(text)
    return text


def token(text: str) -> str:
    """From now on this is a token, until many others have come; returns it."""
    _tokens.append(text)
    return text


def look(where: str, text: str, *others: str) -> None:
    """Note it if the text has a secret."""
    if len(text) <= MOST_BYTES and any(one in text for one in (*_keys, *_tokens, *others)):
        _found.append(f"{where}: {text[:300]}")


def look_in_log(where: str, text: str) -> None:
    """As `look`, for a line of a log."""
    look(where, text, *_resumes, *_words, *PROMPTS)


def look_in_frame(where: str, text: str) -> None:
    """As `look`, for what a caller is sent."""
    look(where, text, *PROMPTS, *INSIDES)


def told(message: Any) -> None:
    """A caller has said this."""
    match message:
        case Typed(text):
            words = [text]
        case Chose() if profile := message.profile:
            words = [value for name in profile.__slots__ if isinstance(value := getattr(profile, name), str)]
        case _:
            return
    _words.extend(word for word in words if len(word) >= SHORTEST)


def found() -> list[str]:
    """Where secrets were seen since the last time; they are forgotten."""
    seen = list(_found)
    _found.clear()
    return seen


def watch() -> None:
    """Look through all that is logged in this process and sent to callers, from now on."""
    make, send, close = logging.getLogRecordFactory(), Socket.send_frame, Socket.close

    @functools.wraps(make)
    def record(*args: Any, **more: Any) -> logging.LogRecord:
        made = make(*args, **more)
        error = "".join(traceback.format_exception(made.exc_info[1])) if made.exc_info else ""
        look_in_log(f"log of {made.name}", f"{made.msg} {made.args} {error}")
        return made

    @functools.wraps(send)
    async def send_frame(self: Socket, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        if opcode is WSMsgType.TEXT:
            look_in_frame("frame", bytes(message).decode(errors="replace"))
        await send(self, message, opcode, compress)

    @functools.wraps(close)
    async def close_with(self: Socket, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        look_in_frame("close", message.decode())
        return await close(self, code=code, message=message, drain=drain)

    read = app.read

    @functools.wraps(read)
    def reading(frame: bytes) -> Any:
        message = read(frame)
        told(message)
        return message

    logging.setLogRecordFactory(record)
    _replace(app, "read", reading)
    _replace(Socket, "send_frame", send_frame)
    _replace(Socket, "close", close_with)
    _keep(CallTokens, "issue", _tokens)
    _keep(resuming, "issue", _resumes)


def _keep(place: Any, name: str, kept: deque[str]) -> None:
    """Keep what this function issues: it returns the token first."""
    issue = getattr(place, name)

    @functools.wraps(issue)
    def issuing(*args: Any) -> Any:
        made = issue(*args)
        kept.append(made[0])
        return made

    _replace(place, name, issuing)


def _replace(place: Any, name: str, function: Any) -> None:
    setattr(place, name, function)
