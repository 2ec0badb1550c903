"""The binary frames of a caller: PCM16 of a stream, or something else that was sent as one.

Nearly every frame is 20 ms of PCM, as the one before, and is passed on after a look at its size and its first byte.
What begins as a file, a message or text is recognised, and is no audio of a stream: so it does not decide how the
caller speaks.
"""

import re
from collections.abc import Callable

from actors.messages.caller import FromCaller, Spoke, Stray
from audio import file_at_start, like_text, piece_at_start, unwrapped
from schemas import Refused
from web.wires import app
from web.wires.files import LEAST_PCM, FileInFrames

LONGEST_FRAME = 480_000  # bytes: ten seconds of PCM16 at 24 kHz
UNPROVEN = 50  # frames with sound, a second of them, that are also compared with samples of 32 bits
ODD_SECONDS = 1.0  # an odd byte is half of a sample for so long; after that, something else was cut off
LOOKED_AT = 4096  # bytes of a frame; the first frames of MP3 and AAC have 1,500 at most
NONE = -1
LEAST_TEXT = 4  # bytes; two samples of PCM that read as text are no loss

_BEGINNINGS = frozenset(b"{\x1a\x1f\x89\xa3#%FIOPRcf.r")
"""First bytes of JSON and of most files. Frames of another size than the last are looked at whatever their first is."""
_OTHER = re.compile(
    rb"(?:[\t\n\r\x20-\x7e]|[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|\xf0\x9f..){8}|\xef\xbb\xbf"
    rb"|[\t\n\r\x20-\x7e]{4,7}\Z|(?:[\xe0-\xef][\x80-\xbf]{2}){2,7}\Z|(?:\xff\xfe)?\{\0|(?:\xfe\xff)?\0\{"
    rb"|\s*\{\s*[\"}]|[\x1a\x1f\x89][EC\x8bP]|\xa3[\x40-\xfe]|\x02#!|0&\xb2u|\xff\xd8\xff"
    rb"|\0\0..[a-z]{4}|[#%FGIMOPR.cfrw][!PODIgKFLaEVsviT]|\xff[\xe2\xe3\xf1-\xf3\xf8-\xfb]",
    re.DOTALL,
)
"""What the beginning of text and of every file of `audio/heads.py` matches, and few frames of PCM."""
_UTF16 = re.compile(rb"(?:\xff\xfe)?\{\0\s*\0?[\"\s]\0|(?:\xfe\xff)?\0\{\0")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*(?:\"[\x20-\x7e]{1,40}\"\s*:|\}\s*$)")
_FLOAT_TOPS = bytes((0, 0x80, *range(0x30, 0x40), *range(0xB0, 0xC0)))
"""The last byte of a sample of 32 bits (float, little-endian) from 1e-9 to 2, or of 0."""

PCM = "PCM16 little-endian, mono, 24 kHz"
FILE = "This binary frame is {}, and no PCM16: send the whole recording as base64 in an audio message, or stream " + PCM
FLOAT = "This binary frame seems to hold samples of 32 bits (float): stream " + PCM
TEXT = "This binary frame is {}: send messages as JSON, a recording as base64 in an audio message, and binary " + PCM


class BinaryFrames:
    """The binary frames of one connection, in their order. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._unproven = UNPROVEN
        self._file = FileInFrames(clock)  # whose later pieces may follow
        self._odd, self._odd_at = b"", 0.0
        self._usual = NONE  # bytes of the last frame, if none of these matters and it was whole

    def read(self, frame: bytes) -> FromCaller | None:
        """The message in a frame; None if it was half a sample, which waits for the next frame, or a silent piece.

        Raises Refused: empty_audio, audio_too_long, and for JSON as `app.read`.
        """
        if len(frame) == self._usual and frame[0] not in _BEGINNINGS:
            return Spoke(frame)
        if not frame:
            raise Refused("empty_audio", f"The frame is empty: send {PCM}.")
        if self._file.kind or self._unproven or _OTHER.match(frame):
            other = self._other(frame)
            return other if other or (self._file.kind and len(frame) <= LONGEST_FRAME) else self._pcm(frame)
        return Spoke(frame) if len(frame) == self._usual else self._pcm(frame)

    def _other(self, frame: bytes) -> FromCaller | None:
        """What a frame is if it is no PCM; None if it is, or if it is silence while a file may go on."""
        head = frame[:LOOKED_AT]
        if _OTHER.match(head):
            if _JSON.match(head):
                return app.read(frame.strip(b"\0 \t\r\n"))
            if _UTF16.match(head):
                return Stray(f"{TEXT.format('text in UTF-16')}.")
            if len(head) >= LEAST_TEXT and (text := like_text(head)):
                return Stray(f"{TEXT.format('base64' if 'base64' in text else text)}.")
            if kind := file_at_start(unwrapped(head)) or piece_at_start(head):
                self._usual = NONE
                return Stray(f"{FILE.format(self._file.begin(kind, frame))}.")
        if self._file.kind and self._file.holds(frame):
            return Stray(f"{FILE.format(self._file.kind)}.") if any(frame) else None
        if self._unproven and (tops := head[3::4].replace(b"\0", b"")):
            self._unproven -= 1
            if len(tops) > LEAST_PCM // 4 and not tops.translate(None, _FLOAT_TOPS):
                self._unproven = UNPROVEN
                return Stray(f"{FLOAT}.")
        return None

    def _pcm(self, frame: bytes) -> Spoke | None:
        """The whole samples of a frame, with the byte that was left of the one before."""
        if self._odd:
            if self._clock() - self._odd_at <= ODD_SECONDS:
                frame = self._odd + frame
            self._odd = b""
        if len(frame) % 2:
            self._odd, self._odd_at, frame = frame[-1:], self._clock(), frame[:-1]
        self._usual = NONE if self._odd or self._file.kind or self._unproven else len(frame)
        if len(frame) > LONGEST_FRAME:
            self._usual = NONE
            raise Refused("audio_too_long", "The frame holds more than 10 s of audio: send frames of 20 ms.")
        return Spoke(frame) if frame else None
