"""Clips that are several files, one behind the other: pages join what a recorder gave them piece by piece.

FFmpeg itself reads on in webm, ogg, MP3, FLAC and raw AAC. Of WAV, m4a and 3gp it reads the first file alone.
"""

import re
from itertools import pairwise

from audio.riff import wav_files
from schemas import Refused

MOST_FILES = 50  # that differ; to open each costs as much as a short clip
MOST_HEADS = 10_000  # of files, that are looked at: of 12 ms each in the longest clip

_FTYP = re.compile(rb"\0\0\0[\x10-\xff]ftyp")  # as every mp4 begins, and m4a and 3gp with it
_MOOV = re.compile(rb"moov.{4}mvhd", re.DOTALL)  # its index
_HEADS = re.compile(rb"(?:RIFF|RF64|BW64).{4}WAVE|%b" % _FTYP.pattern, re.DOTALL)


def files_in(clip: bytes) -> list[bytes]:
    """The files of which a clip consists, in their order; [clip] if it is one.

    Raises Refused (audio_undecodable) if there are too many.
    """
    heads = max(sum(1 for _ in _HEADS.finditer(clip)), clip.count(b"data"))
    if heads <= MOST_HEADS:
        files = _mp4_files(clip) if _FTYP.match(clip) else wav_files(clip)
        if len(files) <= MOST_FILES:
            return files
    raise Refused("audio_undecodable", f"The clip is {heads} files that were joined: send one recording.")


def _mp4_files(clip: bytes) -> list[bytes]:
    """Split where a file begins that has an index of its own; the places in an index count from its file's start."""
    heads = [found.start() for found in _FTYP.finditer(clip)]
    starts = [start for start, end in pairwise([*heads, len(clip)]) if not start or _MOOV.search(clip, start, end)]
    return [clip[start:end] for start, end in pairwise([*starts, len(clip)])]
