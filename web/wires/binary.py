"""The binary frames of a caller: PCM16 of a stream, or something else that was sent as one.

Nearly every frame is 20 ms of PCM, as the one before, and is passed on after a look at its size and its first byte.
What begins as a file, a message or text is recognised, and is no audio of a stream: so it does not decide how the
caller speaks.
"""

import re
from collections.abc import Callable

from actors.messages.caller import FromCaller, Partial, Spoke, Stray
from audio import file_at_start, is_like_pcm, like_text, piece_at_start
from schemas import Refused
from web.wires import app

LONGEST_FRAME = 480_000  # bytes: ten seconds of PCM16 at 24 kHz
UNPROVEN = 50  # frames with sound, a second of them, that are also compared with samples of 32 bits
ODD_SECONDS = 1.0  # an odd byte is half of a sample for so long; after that, something else was cut off
LOOKED_AT = 4096  # bytes of a frame; the first frames of MP3 and AAC have 1,500 at most
NONE = -1
LEAST_TEXT = 16  # bytes; so many samples are never all in the alphabet of base64
LEAST_PCM = 64  # samples in which PCM is recognised

_BEGINNINGS = frozenset(b"{\x1a\x1f\x89\xa3#%FIOPRcf")
"""First bytes of JSON and of most files. Frames of another size than the last are looked at whatever their first is."""
_OTHER = re.compile(
    rb"[\t\n\r\x20-\x7e]{8}|\xef\xbb\xbf|\s*\{\s*[\"}]|[\x1a\x1f\x89][EC\x8bP]|\xa3[\x40-\xfe]"
    rb"|\0\0..[a-z]{4}|[#%FIOPRcf][!PODIgKFLa]|\xff[\xe2\xe3\xf1-\xf3\xf8-\xfb]",
    re.DOTALL,
)
"""What the beginning of text and of every file of `audio/heads.py` matches, and few frames of PCM."""
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
        self._file = ""  # the kind of a file whose later pieces may follow
        self._odd, self._odd_at = b"", 0.0
        self._usual = NONE  # bytes of the last frame, if none of these matters and it was whole

    def read(self, frame: bytes) -> FromCaller:
        """The message in a frame; Partial if it was half a sample, which waits for the next frame.

        Raises Refused: empty_audio, audio_too_long, and for JSON as `app.read`.
        """
        if len(frame) == self._usual and frame[0] not in _BEGINNINGS:
            return Spoke(frame)
        if not frame:
            raise Refused("empty_audio", f"The frame is empty: send {PCM}.")
        if self._file or self._unproven or _OTHER.match(frame):
            return self._other(frame) or self._pcm(frame)
        return Spoke(frame) if len(frame) == self._usual else self._pcm(frame)

    def _other(self, frame: bytes) -> FromCaller | None:
        """What a frame is if it is no PCM; None if it is."""
        head = frame[:LOOKED_AT]
        if _OTHER.match(head):
            if _JSON.match(head):
                return app.read(frame.strip(b"\0 \t\r\n"))
            if len(head) >= LEAST_TEXT and (text := like_text(head)):
                return Stray(f"{TEXT.format('base64' if 'base64' in text else text)}.")
            if kind := file_at_start(head) or piece_at_start(head):
                self._file, self._usual = self._file or kind, NONE
                return Stray(f"{FILE.format(self._file)}.")
        if self._file:
            if any(head) and not is_like_pcm(head, LEAST_PCM):
                return Stray(f"{FILE.format(self._file)}.")
            self._file = ""
        if self._unproven and (tops := head[3::4].replace(b"\0", b"")):
            self._unproven -= 1
            if len(tops) > LEAST_PCM // 4 and not tops.translate(None, _FLOAT_TOPS):
                self._unproven = UNPROVEN
                return Stray(f"{FLOAT}.")
        return None

    def _pcm(self, frame: bytes) -> Spoke | Partial:
        """The whole samples of a frame, with the byte that was left of the one before."""
        if self._odd:
            if self._clock() - self._odd_at <= ODD_SECONDS:
                frame = self._odd + frame
            self._odd = b""
        if len(frame) % 2:
            self._odd, self._odd_at, frame = frame[-1:], self._clock(), frame[:-1]
        self._usual = NONE if self._odd or self._file or self._unproven else len(frame)
        if len(frame) > LONGEST_FRAME:
            self._usual = NONE
            raise Refused("audio_too_long", "The frame holds more than 10 s of audio: send frames of 20 ms.")
        return Spoke(frame) if frame else Partial()
