"""Marks in the audio: they identify the caller and carry a timestamp, so that the receiver can compute the latency.

A mark has 24 bytes, which are 32 characters of base64. It is at the start of each 20 ms frame of a microphone and of
each 200 ms word of a reply. Times are microseconds of CLOCK_MONOTONIC, which all processes share.
"""

import hashlib
import re
import struct
import time
from base64 import b64encode
from binascii import a2b_base64
from typing import NamedTuple

from upstream.pseudonyms import Pseudonyms

MAGIC = b"\x7fMRK"
MARK = struct.Struct("<4sHBBHHIQ")
BYTES_PER_SECOND = 48_000  # PCM16, mono, 24 kHz
FRAME = BYTES_PER_SECOND // 50
WORD = BYTES_PER_SECOND // 5
CODED_MARK = MARK.size * 4 // 3
CODED_FRAME = FRAME * 4 // 3

GREETING_WORDS = 10
REST = b64encode(bytes(WORD - MARK.size))
"""What follows a mark in a word, in base64: silence."""
LOUD = b64encode(bytes((0, 32) * 3 + (0, 224) * 3) * ((WORD - MARK.size) // 12))
"""The same, as loud as speech."""
SAID = re.compile(r"\b([a-z])(\d\d)\b")
VOICES = ("marin", "cedar", "shimmer", "echo", "ballad", "alloy", "ash", "coral", "sage", "verse")


class Mark(NamedTuple):
    """A mark. `speaking` and `number` belong to frames, `voice` and `position` to words, the others to both."""

    magic: bytes
    who: int
    voice: int
    speaking: int
    turn: int
    position: int
    number: int
    at: int


ID_SECRET = "of all servers that are measured"
_NAMES = Pseudonyms(ID_SECRET)
_known: dict[str, int] = {}


def user(who: int) -> str:
    """The user id of a caller. The model can then identify the caller by a hash of that id (`known`)."""
    name = f"bench-{who}"
    _known[hashlib.sha256(name.encode()).hexdigest()[:32]] = _known[_NAMES.upstream(name)] = who
    return name


def known(identifier: str) -> int:
    """The number of the caller whose hash the server sent to the model; 0 for an unknown hash."""
    return _known.get(identifier, 0)


def now() -> int:
    """Microseconds of the monotonic clock."""
    return time.monotonic_ns() // 1000


def frame(who: int, turn: int, speaking: bool, number: int) -> bytes:
    """A frame of a microphone: 20 ms of PCM with a mark."""
    return MARK.pack(MAGIC, who, 0, speaking, turn, 0, number, now()) + bytes(FRAME - MARK.size)


def word(who: int, voice: int, turn: int, position: int) -> bytes:
    """The mark of a word; the rest of it is silence."""
    return MARK.pack(MAGIC, who, voice, 0, turn, position, 0, now())


def text(turn: int, position: int) -> str:
    """The text of a word: three characters, which take about 200 ms at the usual pace of speech."""
    return f"{chr(ord('a') + turn % 26)}{position:02} "


def in_sentence(turn: int, position: int, length: int) -> tuple[str, bool]:
    """The text of a word in sentences of so many words, with a full stop behind the last, and whether it goes on."""
    goes_on = bool(length and (position + 1) % length)
    return text(turn, position).replace(" ", ". ") if length and not goes_on else text(turn, position), goes_on


def texts(words: str) -> list[tuple[int, int]]:
    """The (turn, position) of each word in a text; the inverse of `text`."""
    return [(ord(turn) - ord("a"), int(position)) for turn, position in SAID.findall(words)]


def read(head: bytes) -> Mark | None:
    """The mark at the beginning of some PCM, or None."""
    found = Mark._make(MARK.unpack(head))
    return found if found.magic == MAGIC else None


def coded(audio: bytes) -> list[Mark]:
    """The marks in the base64 of complete frames. Only the first characters of each frame are decoded."""
    if len(audio) == CODED_FRAME:
        mark = Mark._make(MARK.unpack(a2b_base64(audio[:CODED_MARK])))
        return [mark] if mark.magic == MAGIC else []
    if len(audio) % CODED_FRAME:
        return _searched(a2b_base64(audio))
    marks = [
        Mark._make(MARK.unpack(a2b_base64(audio[at : at + CODED_MARK])))
        for at in range(0, len(audio) - CODED_MARK + 1, CODED_FRAME)
    ]
    if all(mark.magic == MAGIC for mark in marks):
        return marks
    return _searched(a2b_base64(audio))


def _searched(pcm: bytes) -> list[Mark]:
    """The marks in PCM that does not begin at a frame."""
    marks, at = [], pcm.find(MAGIC)
    while at >= 0 and at + MARK.size <= len(pcm):
        marks.append(Mark._make(MARK.unpack_from(pcm, at)))
        at = pcm.find(MAGIC, at + MARK.size)
    return marks
