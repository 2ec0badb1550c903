"""Clips that are several files, one behind the other: pages join what a recorder gave them piece by piece.

FFmpeg itself reads on in webm, ogg, MP3, FLAC and raw AAC. Of WAV, m4a and 3gp it reads the first file alone.
"""

import re

from audio.riff import wav_files

_FTYP = re.compile(rb"\0\0\0[\x10-\xff]ftyp")  # as every mp4 begins, and m4a and 3gp with it
_MOOV = re.compile(rb"moov.{4}mvhd", re.DOTALL)  # its index


def files_in(clip: bytes) -> list[bytes]:
    """The files of which a clip consists, in their order; [clip] if it is one."""
    return _mp4_files(clip) if _FTYP.match(clip) else wav_files(clip)


def _mp4_files(clip: bytes) -> list[bytes]:
    """Split where a file begins that has an index of its own; the places in an index count from its file's start."""
    starts = [found.start() for found in _FTYP.finditer(clip)]
    starts = [start for start in starts[1:] if _MOOV.search(clip, start, _next(starts, start, len(clip)))]
    return [clip[start:end] for start, end in zip([0, *starts], [*starts, len(clip)], strict=True)]


def _next(starts: list[int], start: int, end: int) -> int:
    return min((other for other in starts if other > start), default=end)
