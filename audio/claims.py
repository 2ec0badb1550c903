"""Sizes in the headers of webm and mp4 that are not true: a demuxer would believe them, and lose what is behind.

What is right is left as it is. WAV is read in `riff.py`; the other containers have no such sizes.
"""

import re

_EBML = b"\x1aE\xdf\xa3"
_CLUSTER = re.compile(rb"\x1fC\xb6u(?=[\x01-\xff])")
_SEGMENT = re.compile(rb"\x18S\x80g(?=[\x01-\xff])")  # holds all of a file behind its EBML head
_IN_CLUSTER = frozenset(b"\xe7\xa7\xab\xec\xbf\xa3")  # the first bytes of what a cluster may begin with
_BEHIND = (
    _EBML, b"\x1fC\xb6u", b"\x18S\x80g", b"\x1cS\xbbk", b"\x12T\xc3g", b"\x11M\x9bt", b"\x15I\xa9f", b"\x16T\xaek",
    b"\x19A\xa4i", b"\x10C\xa7p", b"\xec", b"\xbf",
)  # fmt: skip
"""The ids of what may follow a cluster of a webm: clusters, indices, tags, another file."""
_BOX = re.compile(
    rb"\0...(?:moov|moof|mdat|free|skip|wide|udta|uuid|sidx|styp|ftyp|mfra|meta|emsg|prft|pdin)", re.DOTALL
)
_HEAD = 8  # bytes of a box's head: its size and its kind


def with_true_sizes(file: bytes) -> bytes:
    """The file, with sizes of its clusters or boxes that reach to where the next one begins."""
    if file.startswith(_EBML):
        return _webm(file)
    return _mp4(file) if file[4:8] == b"ftyp" else file


def _webm(file: bytes) -> bytes:
    """What may not be believed becomes of unknown size, and so ends where the next begins.

    That is a cluster behind whose end nothing begins, and each of joined files: FFmpeg reads two that claim a size.
    """
    mended = bytearray(file)
    for found in _CLUSTER.finditer(file):
        begins, size = _size(file, found.end())
        if size is None or begins + size >= len(file) or file[begins] not in _IN_CLUSTER:
            continue
        if not file.startswith(_BEHIND, begins + size):
            _make_unknown(mended, found.end())
    if file.count(_EBML) > 1:
        for found in _SEGMENT.finditer(file):
            _make_unknown(mended, found.end())
    return bytes(mended)


def _size(file: bytes, at: int) -> tuple[int, int | None]:
    """Where an element's content begins whose size stands at `at`, and that size; None if it is unknown."""
    width = 9 - file[at].bit_length()
    unknown = (1 << 7 * width) - 1
    size = int.from_bytes(file[at : at + width]) & unknown
    return at + width, None if size == unknown else size


def _make_unknown(file: bytearray, at: int) -> None:
    """Unless the file is cut off in the size: it would become longer."""
    width = 9 - file[at].bit_length()
    if at + width <= len(file):
        file[at : at + width] = ((2 << 7 * width) - 1).to_bytes(width)


def _mp4(file: bytes) -> bytes:
    """The data reaches to the next box, wherever its own box says that it ends."""
    mended, at = bytearray(file), 0
    while at + _HEAD <= len(file):
        size = int.from_bytes(file[at : at + 4])
        end = at + (int.from_bytes(file[at + 8 : at + 16]) if size == 1 else size)
        if file[at + 4 : at + 8] == b"mdat":
            if at + _HEAD < end <= len(file) and (end == len(file) or _BOX.match(file, end)):
                at = end
                continue
            behind = _BOX.search(file, at + _HEAD)
            end = behind.start() if behind else len(file)
            if behind:
                mended[at : at + 4] = (end - at).to_bytes(4)
        elif end < at + _HEAD:
            break
        at = end
    return bytes(mended)
