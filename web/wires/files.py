"""A file that comes in binary frames: which frames are its later pieces, though the caller may also stream PCM.

A piece may look like PCM by chance, as padding and silence do, so several frames in a row must. The samples of a WAV
and the like are PCM, so there the size counts that the file claims, unless these samples are those of a stream.
"""

import struct
from collections.abc import Callable

from audio import MAX_CLIP_BYTES, RATE, is_like_pcm

LEAST_PCM = 64  # samples in which PCM is recognised
PROOF_FRAMES, PROOF_BYTES = 4, 3840  # in a row that look like PCM, after which it is a stream: 80 ms
PAUSE = 2.0  # seconds without a frame, after which no size counts any more

_SIZES = {  # by how a file of samples begins: where its size stands, and what is not counted in it
    b"RIFF": (struct.Struct("<I"), 4, 8),
    b"FORM": (struct.Struct(">I"), 4, 8),
    b".snd": (struct.Struct(">I"), 8, 24),
    b"riff": (struct.Struct("<Q"), 16, 0),
}
_ENDLESS = (b"caff", b"RF64", b"BW64")
_STREAMED = struct.pack("<HHI", 1, 1, RATE)  # of a WAV: PCM, mono, samples a second


class FileInFrames:
    """The file whose first frame came last; `kind` is its name, "" if there is none. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.kind = ""
        self._left = 0  # bytes that are certainly of the file
        self._frames = self._bytes = 0  # that looked like PCM
        self._at = 0.0

    def begin(self, kind: str, frame: bytes) -> str:
        """A frame is the beginning of a file, or a piece of it that is recognised. Returns the name of the file."""
        kind = self.kind or kind
        self._frames, self._bytes, self._at = 0, 0, self._clock()
        if left := _claimed(frame):
            self._left = left - len(frame)
        self.kind = "" if _is_head_of_stream(frame) else kind
        return kind

    def holds(self, frame: bytes) -> bool:
        """True if a frame is a later piece of the file, or silence, which may be of either; False ends the file."""
        now = self._clock()
        if now - self._at > PAUSE:
            self._left = 0
        self._at = now
        if self._left > 0:
            self._left -= len(frame)
            return True
        if any(frame):
            self._count(frame)
        if self._frames < PROOF_FRAMES or self._bytes < PROOF_BYTES:
            return True
        self.kind = ""
        return False

    def _count(self, frame: bytes) -> None:
        """Count a frame that looks like PCM; any other ends the row."""
        if is_like_pcm(frame, LEAST_PCM):
            self._frames, self._bytes = self._frames + 1, self._bytes + len(frame)
        else:
            self._frames = self._bytes = 0


def _is_head_of_stream(frame: bytes) -> bool:
    """True for a WAV file whose samples are PCM16, mono, 24 kHz: what follows is as good as a stream."""
    shape = frame[frame.find(b"fmt ", 12) + 8 :][:16]
    return frame.startswith(b"RIFF") and shape[:8] == _STREAMED and shape[14:] == b"\x10\0"


def _claimed(frame: bytes) -> int:
    """How many bytes a file of samples says that it has, at most those of a clip; 0 if that is unknown."""
    if frame.startswith(_ENDLESS):
        return MAX_CLIP_BYTES
    number, at, head = _SIZES.get(frame[:4], (None, 0, 0))
    if number is None or len(frame) < at + number.size:
        return 0
    (size,) = number.unpack_from(frame, at)
    return size + head if size + head <= MAX_CLIP_BYTES else 0
