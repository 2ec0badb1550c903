"""What a recording begins with: a whole file, or a later piece of one that a recorder gave away bit by bit."""

import re
from itertools import islice

WEBM, OGG, WAV, MP3, AMR = "a webm file", "an ogg file", "a WAV file", "an MP3 file", "an AMR file"
_FILES = {
    b"\x1aE\xdf\xa3": WEBM,
    b"OggS": OGG,
    b"fLaC": "a FLAC file",
    b"#!AM": AMR,
    b"#!SI": "a SILK file",
    b"\x02#!S": "a SILK file",
    b"caff": "a CAF file",
    b"FORM": "an AIFF file",
    b".snd": "an AU file",
    b"riff": "a Wave64 file",
    b"wvpk": "a WavPack file",
    b"MThd": "a MIDI file",
    b"0&\xb2u": "a WMA file",
    b"\x89PNG": "a PNG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"#EXT": "a playlist",
    b"ffco": "a playlist",
}
_SHORT = {b"\xff\xd8\xff": "a JPEG image", b"\x1f\x8b\x08": "a gzip archive", b"FLV": "an FLV video", b"ID3": MP3}
_RIFF = {b"WAVE": WAV, b"AVI ": "an AVI video", b"WEBP": "a WebP image"}
_WEBM, _OGG, _MP4 = "a piece of a webm", "a piece of an ogg file", "a piece of an m4a or mp4"
_PIECES = {b"\x1fC\xb6u": _WEBM}
_BOXES = {b"ftyp": "an m4a, mp4 or 3gp file"} | dict.fromkeys((b"moov", b"wide", b"free"), "an mp4 file")
_FRAGMENTS = frozenset((b"moof", b"styp", b"sidx", b"mdat", b"emsg", b"prft"))
_FIRST_PAGE = 2  # a bit of the sixth byte of an ogg page
_BLOCK = re.compile(rb"\xa3(?:[\x81-\xfe]|[\x40-\x7f].)\x81..[\x00\x80]", re.DOTALL)  # size, track, time, flags
_BLOCKS = 3  # in a piece of a webm; noise has one in 16 MB
_INSIDE = (
    (re.compile(rb"\x1fC\xb6u"), _WEBM),
    (re.compile(rb"OggS\0"), _OGG),
    (re.compile(rb"moof.{4}mfhd", re.DOTALL), _MP4),
)
_INDEX = re.compile(rb"moov.{4}mvhd", re.DOTALL)
_WRAPPING = re.compile(rb"\xef\xbb\xbf|[\r\n\t ]+|--[^\r\n]{1,200}\r\n(?:[\w-]+:[^\r\n]*\r\n)+\r\n")
# kbit/s of MP3, by the version: 1, or 2 and 2.5; and Hz, by the bits of the version
_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_RATES = {3: (44_100, 48_000, 32_000, 0), 2: (22_050, 24_000, 16_000, 0), 0: (11_025, 12_000, 8_000, 0)}


def file_at_start(head: bytes) -> str | None:
    """Name the kind of file that begins with these bytes, e.g. "a webm file"."""
    if found := _FILES.get(head[:4]) or _BOXES.get(head[4:8]) or _SHORT.get(head[:3]):
        return found
    if head.startswith((b"RIFF", b"RF64", b"BW64")):
        return _RIFF.get(head[8:12], WAV)
    if _is_followed(head, _mp3_frame(head)):
        return MP3
    return "an AAC file" if _is_followed(head, _adts_frame(head)) else None


def piece_at_start(clip: bytes) -> str | None:
    """Name the kind of recording of which these bytes are a later piece, e.g. "a piece of a webm"."""
    if _BLOCK.match(clip):
        return _WEBM
    if clip.startswith(b"OggS") and len(clip) > 5 and not clip[5] & _FIRST_PAGE:
        return _OGG
    if clip[4:8] in _FRAGMENTS and not _INDEX.search(clip):
        return _MP4
    return _PIECES.get(clip[:4])


def piece_inside(clip: bytes) -> str | None:
    """The same of a piece that was cut anywhere, from what is found further on. Only for what cannot be decoded."""
    if len([*islice(_BLOCK.finditer(clip), _BLOCKS)]) == _BLOCKS:
        return _WEBM
    return next((name for inside, name in _INSIDE if inside.search(clip)), None)


def unwrapped(clip: bytes) -> bytes:
    """A file without a byte order mark, line breaks, or the head of a multipart body before it."""
    start = 0
    while wrapping := _WRAPPING.match(clip, start):
        start = wrapping.end()
    if not start or not file_at_start(clip[start : start + 4096]):
        return clip
    end = clip.rfind(b"\r\n--", -300) if b"--" in clip[:start] else -1
    return clip[start:end] if end > start else clip[start:]


def _is_followed(head: bytes, size: int) -> bool:
    """True if another frame begins behind the first, as loud samples may look like one."""
    return size > 0 and head[size : size + 1] == b"\xff" and head[size + 1 : size + 2] == head[1:2]


def _adts_frame(head: bytes) -> int:
    """Bytes of the frame of raw AAC that begins here, 0 if none does."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5


def _mp3_frame(head: bytes) -> int:
    """Bytes of the frame of MP3 that begins here, 0 if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or (version := head[1] >> 3 & 3) == 1:
        return 0
    bitrate, rate = _BITRATES[version == 3][head[2] >> 4], _RATES[version][head[2] >> 2 & 3]
    if not bitrate or not rate:
        return 0
    return (144 if version == 3 else 72) * bitrate * 1000 // rate + (head[2] >> 1 & 1)
