"""WAV files by what is in them: recorders write headers that claim too little, and pages join several files to one.

RIFF size WAVE  fmt ...  data size  samples ............  LIST ...  RIFF size WAVE  fmt ...  data size  samples
                ^ kept              ^ to the next chunk, or to the end of the file           ^ joined if fmt is alike
"""

import re
import struct
from collections.abc import Iterator
from itertools import chain, groupby, pairwise
from operator import itemgetter

_BEGINS = re.compile(rb"(?:RIFF|RF64|BW64).{4}WAVE", re.DOTALL)
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")  # tag, channels, rate, bytes a second, bytes of a block, bits of a sample
_EXTENSION = struct.Struct("<HHIH")  # its size, bits that count, which loudspeakers, tag
_PCM, _EXTENDED = 1, 0xFFFE
_KNOWN = frozenset(
    (b"data", b"LIST", b"id3 ", b"ID3 ", b"fact", b"cue ", b"bext", b"JUNK", b"junk", b"iXML", b"PEAK", b"smpl")
)


def wav_files(clip: bytes) -> list[bytes]:
    """The WAV files of which a clip consists, with true headers; files of one format are joined. [clip] if it is none.

    Bits that are padded to whole bytes become these bytes, and PCM of more than 32 bits becomes PCM of 32.
    """
    if not _BEGINS.match(clip):
        return [clip]
    starts = [found.start() for found in _BEGINS.finditer(clip)]
    whole = memoryview(clip)
    sounds = chain.from_iterable(_sounds(whole[start:end]) for start, end in pairwise([*starts, len(clip)]))
    alike = groupby((sound for sound in sounds if sound[1]), key=itemgetter(0))
    return [_file(shape, [samples for _, samples in several]) for shape, several in alike] or [clip]


def _sounds(file: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The format and the samples of each chunk of data in one file."""
    at, shape = 12, b""
    while at + _CHUNK.size <= len(file):
        name, size = _CHUNK.unpack_from(file, at)
        at += _CHUNK.size
        if name == b"data" and shape:
            samples = _samples(file[at:], size)
            size = len(samples)
            yield shape, samples
        elif name == b"fmt ":
            shape = bytes(file[at : at + size])
        at += size + size % 2


def _samples(rest: memoryview, claimed: int) -> memoryview:
    """As many as the header claims, if another chunk follows there; else all that there is."""
    for end in (claimed, claimed + claimed % 2):
        if end <= len(rest) and _is_chunk(rest[end:]):
            return rest[:claimed]
    return rest


def _is_chunk(rest: memoryview) -> bool:
    if len(rest) < _CHUNK.size:
        return not len(rest)
    name, size = _CHUNK.unpack_from(rest)
    return name in _KNOWN or (bool(re.fullmatch(rb"[\w ]{4}", name)) and size <= len(rest) - _CHUNK.size)


def _file(shape: bytes, several: list[memoryview]) -> bytes:
    """One file of samples of one format."""
    if len(shape) < _FORMAT.size:
        shape = shape.ljust(_FORMAT.size, b"\0")
    block = _FORMAT.unpack_from(shape)[4]
    if len(several) > 1 and block:
        several = [samples[: len(samples) // block * block] for samples in several]
    shape, data = _in_whole_bytes(shape, b"".join(several))
    head = b"WAVE" + _CHUNK.pack(b"fmt ", len(shape)) + shape + _CHUNK.pack(b"data", len(data))
    return _CHUNK.pack(b"RIFF", len(head) + len(data)) + head + data


def _in_whole_bytes(shape: bytes, data: bytes) -> tuple[bytes, bytes]:
    """PCM of 24 bits in 32 as PCM of 32, which FFmpeg takes for something else; likewise of any number of bits."""
    tag, channels, rate, _, block, bits = _FORMAT.unpack_from(shape)
    valid = bits
    if tag == _EXTENDED and len(shape) >= _FORMAT.size + _EXTENSION.size:
        _, valid, _, tag = _EXTENSION.unpack_from(shape, _FORMAT.size)
    width = block // channels if channels else 0
    if tag != _PCM or not 1 <= width <= 8 or block % channels or (valid == bits == 8 * width <= 32):
        return shape, data
    if width > 4:
        data = _uppermost(data, width)
    elif width == 4 and valid == 24 and _low(data):
        data = _shifted(data)
    width = min(width, 4)
    return _FORMAT.pack(_PCM, channels, rate, rate * width * channels % 2**32, width * channels, 8 * width), data


def _uppermost(data: bytes, width: int) -> bytes:
    """The upper four bytes of each sample of `width` bytes, little-endian."""
    samples = len(data) // width
    upper = bytearray(4 * samples)
    for byte in range(4):
        upper[byte::4] = data[width - 4 + byte : samples * width : width]
    return bytes(upper)


def _low(data: bytes) -> bool:
    """True if the 24 bits are the lower ones of 32, though the format says the upper ones: the rest is their sign."""
    return any(data[::4]) and not data[3::4].translate(None, b"\0\xff")


def _shifted(data: bytes) -> bytes:
    return (b"\0" + data[:-1])[: len(data)]
