"""Small clips that are costly to decode, or would be without limits; `FINE` and `COARSE` have them by name."""

import random
import struct
from collections.abc import Callable, Iterable, Iterator

from audio import MAX_CLIP_BYTES, RATE
from tests.audio.sounds import encoded

MOST = MAX_CLIP_BYTES - 8192  # bytes, so that there is room for a head
SILENCE = bytes(RATE * 4)
OPUS = b"OpusHead\1\1\x38\1\x80\xbb\0\0\0\0\0"
EBML = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff")
RIFF = b"RIFF\xff\xff\xff\xffWAVE"
ESDS = bytes(4) + bytes.fromhex("031900010004114015000000000000000000000005021188060102")


def filled(unit: bytes, size: int = MOST) -> bytes:
    """A unit repeated up to a size."""
    return unit * (size // len(unit))


def adts(rate: int, channels: int, raw: bytes) -> bytes:
    """A frame of raw AAC; rate and channels are the numbers of the format."""
    size = len(raw) + 7
    shape = bytes(
        [0x40 | rate << 2 | channels >> 2, (channels & 3) << 6 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F]
    )
    return b"\xff\xf1" + shape + b"\xfc" + raw


def smallest(layout: str) -> bytes:
    """The shortest frame of AAC that is silent."""
    clip, frames = encoded(SILENCE, "adts", "aac", 48_000, layout), []
    while clip:
        size = (clip[3] & 3) << 11 | clip[4] << 3 | clip[5] >> 5
        frames.append(clip[7:size])
        clip = clip[size:]
    return min(frames[2:], key=len)


def rates_of_aac() -> bytes:
    """Raw AAC with another sample rate in every frame."""
    frame = smallest("mono")
    return filled(adts(3, 1, frame) + adts(4, 1, frame), 518 * 1024)


def channels_of_aac() -> bytes:
    """Raw AAC with another number of channels in every frame."""
    return filled(adts(3, 1, smallest("mono")) + adts(3, 2, smallest("stereo")))


def rates_of_mp3() -> bytes:
    """MP3 with another sample rate in every frame of 8 kbit/s."""
    frames = (b"\xff\xe3" + bytes([0x10 | rate << 2, 0xC4]) + bytes(576_000 // hertz - 4) for rate, hertz in MPEG_25)
    return filled(b"".join(frames))


MPEG_25 = ((0, 11_025), (2, 8_000))


def rates_of_flac() -> bytes:
    """FLAC with another sample rate in every frame of 192 samples."""
    return b"".join(
        (flac_head(192, 48_000, 1), *(flac_frame(count, 192, (10, 9)[count % 2], 1) for count in range(9000)))
    )


def tiny_frames_of_flac() -> bytes:
    """Frames of 16 samples."""
    return b"".join((flac_head(16, 48_000, 1), *(flac_frame(count, 16, 10, 1) for count in range(90_000))))


def loud_numbers_of_flac() -> bytes:
    """11 KB that are two minutes of eight channels at 192 kHz."""
    return b"".join((flac_head(65_535, 192_000, 8), *(flac_frame(count, 65_535, 3, 8) for count in range(350))))


def empty_frames_of_aac() -> bytes:
    """Half a million empty frames."""
    return filled(adts(3, 1, b"\xe0"))


def surround_of_aac() -> bytes:
    """Eight channels at 96 kHz."""
    return filled(adts(0, 7, smallest("7.1")))


def short_frames_of_opus() -> bytes:
    """A packet every 2.5 ms, for two minutes less a second, of noise."""
    noise = random.Random(20_261_129)
    blocks = (element("a3", b"\x81\0\0\x80\xe0" + noise.randbytes(16)) for _ in range(400 * 119))
    return EBML + element("1654ae6b", track(1)) + element("1f43b675", element("e7", b"\0") + b"".join(blocks))


def chunks_of_wav() -> bytes:
    """Half a million empty chunks."""
    return RIFF + filled(b"JUNK\0\0\0\0")


def tags_of_wav() -> bytes:
    """Tags with different names: FFmpeg searches all of them for each."""
    tags = b"".join(name + b"\2\0\0\0a\0" for name in names(400_000))
    return RIFF + b"LIST" + struct.pack("<I", len(tags) + 4) + b"INFO" + tags


def shapes_of_wav() -> bytes:
    """The format chunk, repeated."""
    return RIFF + filled(b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))


def streams_of_ogg() -> bytes:
    """The beginnings of eighty thousand streams."""
    return b"".join(page(serial, 0, 2, 0, OPUS) for serial in range(20_000))


def chains_of_ogg() -> bytes:
    """Thousands of streams, one after the other."""
    tags, sound = b"OpusTags" + bytes(8), b"\xf8\xff\xfe"
    links = (page(n, 0, 2, 0, OPUS) + page(n, 1, 0, 0, tags) + page(n, 2, 4, 960, sound) for n in range(5000))
    return b"".join(links)


def tags_of_ogg() -> bytes:
    """Tags with different names in one packet: the budget is not checked until all are read."""
    tags = b"".join(struct.pack("<I", 6) + name + b"=a" for name in names(390_000))
    packet = b"OpusTags" + struct.pack("<II", 0, 390_000) + tags
    whole = 255 * 255
    pages = [page(1, 0, 2, 0, OPUS)]
    for start in range(0, len(packet), whole):
        pages.append(page(1, len(pages), 1 if start else 0, 0, packet[start : start + whole]))
    return b"".join([*pages, page(1, len(pages), 4, 960, b"\xf8\xff\xfe")])


def other_track_of_webm() -> bytes:
    """Millions of packets in a track that is not decoded."""
    block = element("a3", b"\x82\0\0\x84\xff" + b"\xf8" * 256)
    return EBML + element("1654ae6b", track(1) + track(2)) + element("1f43b675", element("e7", b"\0") + filled(block))


def lacing_of_webm() -> bytes:
    """256 packets in each block."""
    block = element("a3", b"\x81\0\0\x84\xff" + b"\xf8\xff\xfe" * 256)
    return EBML + element("1654ae6b", track(1)) + element("1f43b675", element("e7", b"\0") + filled(block))


def void_of_webm() -> bytes:
    """Two million void elements."""
    return EBML + filled(b"\xec\x80")


def tracks_of_webm() -> bytes:
    """Thirty thousand tracks."""
    return EBML + element("1654ae6b", b"".join(track(number) for number in range(1, 30_000)))


def edits_of_mp4() -> bytes:
    """A hundred thousand edits of three thousand samples."""
    edits = atom(
        b"edts", atom(b"elst", struct.pack(">II", 0, 100_000) + struct.pack(">IiI", 60_000, 0, 65_536) * 100_000)
    )
    return mp4(3000, edits)


def samples_of_mp4() -> bytes:
    """4 KB that claim to have five million samples."""
    return mp4(5_000_000)


def fragments_of_mp4() -> bytes:
    """Fifty thousand fragments."""
    extends = atom(b"mvex", atom(b"trex", struct.pack(">IIIIII", 0, 1, 1, 1024, 10, 0)))
    one = struct.pack(">II", 0, 1)
    run = atom(b"moof", atom(b"mfhd", one) + atom(b"traf", atom(b"tfhd", one) + atom(b"trun", one)))
    return mp4(1, more=extends) + filled(run)


def atoms_of_mp4() -> bytes:
    """Half a million empty atoms."""
    return atom(b"ftyp", b"M4A \0\0\0\0M4A ") + filled(b"\0\0\0\x08free")


FINE: dict[str, Callable[[], bytes]] = {
    made.__name__: made
    for made in (
        rates_of_aac, channels_of_aac, rates_of_mp3, rates_of_flac, tiny_frames_of_flac, loud_numbers_of_flac,
        empty_frames_of_aac, surround_of_aac, short_frames_of_opus, chunks_of_wav, streams_of_ogg, chains_of_ogg,
        other_track_of_webm, lacing_of_webm, void_of_webm, tracks_of_webm, samples_of_mp4, atoms_of_mp4,
    )
}  # fmt: skip
"""Clips in which FFmpeg returns every few milliseconds, so that the budget can be checked."""

COARSE: dict[str, Callable[[], bytes]] = {
    made.__name__: made for made in (tags_of_ogg, tags_of_wav, shapes_of_wav, edits_of_mp4, fragments_of_mp4)
}
"""Clips in which FFmpeg may not return in time."""


def names(count: int) -> Iterator[bytes]:
    """Different names of four letters."""
    for number in range(count):
        yield bytes(65 + number // 26**place % 26 for place in range(4))


def element(kind: str, content: bytes) -> bytes:
    """An element of EBML; `kind` is its id in hexadecimal."""
    return bytes.fromhex(kind) + struct.pack(">Q", len(content) | 1 << 56) + content


def track(number: int) -> bytes:
    """A track of a webm, of Opus."""
    sound = element("e1", element("b5", struct.pack(">d", 48_000.0)) + element("9f", b"\1"))
    head = element("d7", struct.pack(">I", number)) + element("83", b"\2") + element("86", b"A_OPUS")
    return element("ae", head + element("63a2", OPUS) + sound)


def atom(kind: bytes, content: bytes) -> bytes:
    """An atom of an mp4."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def mp4(samples: int, edits: bytes = b"", more: bytes = b"") -> bytes:
    """An m4a that claims to have so many samples of a byte each."""
    entry = bytes(6) + struct.pack(">H8xHHHHI", 1, 1, 16, 0, 0, 48_000 << 16) + atom(b"esds", ESDS)
    tables = (
        atom(b"stsd", struct.pack(">II", 0, 1) + atom(b"mp4a", entry)),
        atom(b"stts", struct.pack(">IIII", 0, 1, samples, 1024)),
        atom(b"stsc", struct.pack(">IIIII", 0, 1, 1, samples, 1)),
        atom(b"stsz", struct.pack(">III", 0, 1, samples)),
        atom(b"stco", struct.pack(">III", 0, 1, 40)),
    )
    minf = atom(b"minf", atom(b"smhd", bytes(8)) + atom(b"stbl", b"".join(tables)))
    head = atom(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, 48_000, 48_000, 0)) + atom(
        b"hdlr", bytes(8) + b"soun" + bytes(13)
    )
    numbered = atom(b"tkhd", b"\0\0\0\7" + bytes(8) + struct.pack(">I", 1) + bytes(68))
    movie = atom(b"mvhd", bytes(12) + struct.pack(">II", 1000, 1000) + bytes(80))
    trak = atom(b"trak", numbered + edits + atom(b"mdia", head + minf))
    return atom(b"ftyp", b"M4A \0\0\0\0M4A ") + atom(b"mdat", bytes(4096)) + atom(b"moov", movie + trak + more)


def page(serial: int, number: int, flags: int, granule: int, body: bytes) -> bytes:
    """A page of an ogg; a body of 255 times 255 bytes continues in the next page."""
    lacing = b"\xff" * (len(body) // 255) + (bytes([len(body) % 255]) if len(body) < 255 * 255 else b"")
    head = b"OggS\0" + struct.pack("<BqIIIB", flags, granule, serial, number, 0, len(lacing)) + lacing
    return head[:22] + struct.pack("<I", checksum(head + body, CRC_32, 32)) + head[26:] + body


def flac_head(block: int, rate: int, channels: int) -> bytes:
    """The beginning of a FLAC file, of 16 bits."""
    shape = (rate << 44 | channels - 1 << 41 | 15 << 36).to_bytes(8, "big")
    return b"fLaC\x80\0\0\x22" + struct.pack(">HH6x", block, block) + shape + bytes(16)


def flac_frame(number: int, block: int, rate: int, channels: int) -> bytes:
    """A frame of FLAC in which each channel has a constant value; `rate` is the code of the format."""
    head = b"\xff\xf8" + bytes([0x70 | rate, channels - 1 << 4 | 8]) + chr(number).encode("utf-8", "surrogatepass")
    head += struct.pack(">H", block - 1)
    value = b"\0" + struct.pack(">h", 5000 if number % 2 else -5000)
    frame = head + bytes([checksum(head, CRC_8, 8)]) + value * channels
    return frame + struct.pack(">H", checksum(frame, CRC_16, 16))


def checksum(content: Iterable[int], table: list[int], bits: int) -> int:
    """A CRC, the highest bit first."""
    sum_ = 0
    for byte in content:
        sum_ = (sum_ << 8 & (1 << bits) - 1) ^ table[sum_ >> bits - 8 ^ byte]
    return sum_


def crc_table(polynomial: int, bits: int) -> list[int]:
    """The CRC of each single byte."""
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial * (value >> bits - 1)) & (1 << bits) - 1
        table.append(value)
    return table


CRC_8, CRC_16, CRC_32 = crc_table(0x07, 8), crc_table(0x8005, 16), crc_table(0x04C11DB7, 32)
