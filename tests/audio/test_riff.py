"""PCM of any number of bits in a WAV file is heard as it was recorded."""

import struct

import pytest

from audio.codec import decode, seconds
from audio.riff import wav_files
from tests.audio.sounds import likeness, speech

SPOKEN = speech()
RATE = 24_000
SAMPLES = memoryview(SPOKEN).cast("h").tolist()
GUID = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")


def wave(data: bytes, bits: int, width: int, valid: int | None = None, channels: int = 1) -> bytes:
    """A WAV file with samples of `width` bytes; with `valid`, that many of its `bits` count."""
    block = width * channels
    shape = struct.pack("<HHIIHH", 1 if valid is None else 0xFFFE, channels, RATE, RATE * block, block, bits)
    if valid is not None:
        shape += struct.pack("<HHIH", 22, valid, 0, 1) + GUID
    chunks = b"WAVEfmt " + struct.pack("<I", len(shape)) + shape + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def padded(bits: int, width: int) -> bytes:
    """The speech in samples of so many bits, at the upper end of so many bytes."""
    fine = [(sample << 48) & ~((1 << (64 - bits)) - 1) for sample in SAMPLES]
    return b"".join((sample >> (64 - 8 * width)).to_bytes(width, "little", signed=True) for sample in fine)


@pytest.mark.parametrize(
    ("bits", "width"), [(12, 2), (16, 2), (20, 3), (24, 3), (24, 4), (32, 4), (36, 5), (45, 6), (53, 7), (64, 8)]
)
@pytest.mark.parametrize("extended", [False, True])
def test_any_number_of_bits_is_heard(bits: int, width: int, extended: bool) -> None:
    """Not too loud, too quiet, or as noise: each sample differs by a hundredth of the loudest at most."""
    data = padded(bits, width)
    clip = wave(data, 8 * width, width, bits) if extended else wave(data, bits, width)

    heard = memoryview(decode(clip)).cast("h").tolist()

    assert len(heard) == len(SAMPLES)
    assert max(abs(one - other) for one, other in zip(heard, SAMPLES, strict=True)) <= 16


def test_bits_at_the_lower_end_are_heard() -> None:
    """Some recorders write 24 bits into the lower three bytes of four."""
    data = b"".join(struct.pack("<i", sample << 8 | 1) for sample in SAMPLES)

    pcm = decode(wave(data, 32, 4, 24))

    assert seconds(pcm) == seconds(SPOKEN)
    assert likeness(pcm, SPOKEN) > 0.99
    assert max(memoryview(pcm).cast("h")) == pytest.approx(max(SAMPLES), abs=2)


def test_two_channels_stay_in_their_order() -> None:
    """One is silent, and nothing of the other is in it."""
    data = b"".join(struct.pack("<qq", sample << 48, 0) for sample in SAMPLES)

    (file,) = wav_files(wave(data, 64, 8, channels=2))

    pcm = memoryview(file[44:]).cast("i")
    assert not any(pcm[1::2])
    assert [sample >> 16 for sample in pcm[::2]] == SAMPLES


@pytest.mark.parametrize(
    "clip",
    [
        b"RIFF\0\0\0\0WAVE",
        wave(b"", 16, 2),
        wave(SPOKEN, 16, 2)[:40],
        b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",
        b"RIFF\0\0\0\0AVI LIST",
        b"OggS" + bytes(100),
    ],
)
def test_what_has_no_samples_is_left_to_ffmpeg(clip: bytes) -> None:
    """It says what is wrong."""
    assert wav_files(clip) == [clip]
