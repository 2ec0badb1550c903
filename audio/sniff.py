"""What kind of file an undecodable clip seems to be, so that the refusal can say what to change."""

import codecs
from itertools import pairwise

from audio import heads
from schemas import Refused

FORMATS = "m4a, webm, ogg, wav, mp3 or 3gp"

HINTS = {
    heads.AMR: "AMR without a container; put it into 3gp",
    heads.MP3: "an MP3 without sound",
    heads.WAV: "a WAV file that is damaged, or in a codec that is not supported",
    heads.OGG: "an ogg file that is damaged, or in a codec that is not supported",
    heads.WEBM: "a webm file that is damaged or was cut off in its header",
}
LOOKED_AT = 16_384  # bytes that are examined
BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\r\n")
LEAST_BASE64 = 16  # bytes; less is a word
CONTROL = frozenset(range(32)) - frozenset(b"\t\n\f\r")


def undecodable(clip: bytes) -> Refused:
    """The refusal of a clip that FFmpeg could not read: which formats work, and what this file seems to be."""
    like = looks_like(clip)
    hint = f"; this looks like {like}" if like else ""
    return Refused("audio_undecodable", f"The clip could not be decoded: send {FORMATS}{hint}.")


def looks_like(clip: bytes) -> str | None:
    """Name the kind of file, to follow "this looks like", e.g. "a PNG image"; None if it is not recognised."""
    if piece := heads.piece_at_start(clip):
        return f"{piece} without its beginning; send the whole recording"
    head = clip[:LOOKED_AT]
    if head[4:8] == b"ftyp":
        return _like_mp4(clip)
    if kind := heads.file_at_start(head):
        return HINTS.get(kind, kind)
    if clip.count(0) == len(clip):
        return "nothing but zeros"
    if text := like_text(head):
        return "a data: URL; send only the base64 that follows its comma" if head.startswith(b"data:") else text
    if piece := heads.piece_inside(clip):
        return f"{piece} without its beginning; send the whole recording"
    return "raw PCM without a container; put it into a WAV file" if is_like_pcm(clip) else None


def _like_mp4(clip: bytes) -> str:
    # Recorders write the index (moov) last; without it the samples cannot be located.
    if b"moov" not in clip:
        return "an m4a or mp4 file that was cut off; send the whole file, after the recording was stopped"
    return "an m4a, mp4 or 3gp file that is damaged, or in a codec that is not supported"


def like_text(head: bytes) -> str | None:
    """Name the kind of text that begins so; None if it is no text."""
    if not CONTROL.isdisjoint(head):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # accepts a character that is cut off at the end
    except UnicodeDecodeError:
        return None
    return "base64 that was encoded twice" if len(head) >= LEAST_BASE64 and BASE64.issuperset(head) else "text"


def is_like_pcm(clip: bytes, least: int = 1000) -> bool:
    """True for raw PCM of more than `least` samples.

    It is recognised by its autocorrelation: a sample resembles the next one, unlike in compressed data.
    """
    silent = (len(clip) - len(clip.lstrip(b"\0"))) // 2
    samples = memoryview(clip[: len(clip) // 2 * 2]).cast("h")[silent : silent + LOOKED_AT].tolist()
    power = sum(sample * sample for sample in samples)
    resemblance = sum(one * other for one, other in pairwise(samples))
    return len(samples) > least and resemblance > power / 2
