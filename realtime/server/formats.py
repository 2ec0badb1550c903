"""The formats of audio on the wire. Inside it is always PCM16 little-endian, mono, 24 kHz.

G.711 (`audio/pcmu`, `audio/pcma`) is what telephones speak: a byte for each sample, 8,000 samples a second. A converter
keeps what it needs of the audio before, so that pieces join without a click.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from math import cos, pi, sin
from operator import mul
from sys import byteorder
from typing import Any

from realtime.server.shape import one_of, record

RATE = 24_000  # samples a second, the only one for audio/pcm
PCM = {"type": "audio/pcm", "rate": RATE}
TELEPHONE = ("audio/pcmu", "audio/pcma")
FACTOR = 3  # from 8 to 24 kHz
TAPS = 8  # samples at 8 kHz that one at 24 kHz is made of
CUTOFF = 3800 / (RATE / 2)
STEP_BYTES = 384  # of G.711: 48 ms, which take about half a millisecond

_PCM = record(("type",), type=one_of("audio/pcm", *TELEPHONE), rate=one_of(RATE))
_G711 = record(("type",), type=one_of(*TELEPHONE))


def audio_format(value: Any, path: str) -> Any:
    """PCM16 at 24 kHz, or G.711 by either law."""
    match value:
        case {"type": "audio/pcmu" | "audio/pcma"}:
            return _G711(value, path)
        case _:
            return _PCM(value, path)


def whole(wanted: dict[str, Any]) -> dict[str, Any]:
    """A checked format as it is shown, also where the rate is left out."""
    return PCM if wanted["type"] == "audio/pcm" else wanted


def whole_samples(pcm: bytes) -> bytes:
    """Without the half of a sample at its end."""
    return pcm[: len(pcm) // 2 * 2]


class FromWire:
    """Makes PCM of one stream of audio in this format."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.format = wanted
        self._samples = _decoded(wanted["type"]) if wanted["type"] in TELEPHONE else None
        self._before = [0] * (TAPS - 1)

    def pcm_size(self, size: int) -> int:
        """How many bytes of PCM so many bytes are."""
        return size if self._samples is None else size * 2 * FACTOR

    def step(self, size: int) -> int:
        """How many bytes to convert at once, where so many bytes of PCM are read at once."""
        return size if self._samples is None else min(size, STEP_BYTES)

    def pcm(self, data: bytes) -> bytes:
        """The next piece."""
        if self._samples is None:
            return data
        heard = [*self._before, *map(self._samples.__getitem__, data)]
        self._before = heard[len(heard) - TAPS + 1 :]
        phases = _phases()
        windows = (heard[at : at + TAPS] for at in range(len(data)))
        return _packed([int(sum(map(mul, phase, window))) for window in windows for phase in phases])


class ToWire:
    """Makes this format of one stream of PCM."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self._bytes = _encoded(wanted["type"]) if wanted["type"] in TELEPHONE else None
        self._before = [0] * (FACTOR * TAPS - FACTOR)

    def data(self, pcm: bytes) -> bytes:
        """The next piece: whole samples."""
        if self._bytes is None:
            return pcm
        said = [*self._before, *_unpacked(pcm)]
        kernel, table = _kernel(), self._bytes
        size = len(kernel)
        starts = range(0, len(said) - size + 1, FACTOR)
        self._before = said[len(starts) * FACTOR :]
        return bytes(table[_clipped(int(sum(map(mul, kernel, said[at : at + size]))))] for at in starts)


@cache
def _kernel() -> tuple[float, ...]:
    """A low pass at 24 kHz below what 8 kHz can hold: a sinc within a Hamming window, of gain 1."""
    size = FACTOR * TAPS
    middle = (size - 1) / 2
    taps = [
        sin(pi * CUTOFF * (at - middle)) / (pi * (at - middle)) * (0.54 - 0.46 * cos(2 * pi * at / (size - 1)))
        for at in range(size)
    ]
    return tuple(tap / sum(taps) for tap in taps)


@cache
def _phases() -> tuple[tuple[float, ...], ...]:
    """The taps for each of the three samples that one becomes; of gain 1, so that no hum is left of a constant."""
    kernel = _kernel()
    phases = [kernel[FACTOR - 1 - phase :: FACTOR] for phase in range(FACTOR)]
    return tuple(tuple(tap / sum(phase) for tap in phase) for phase in phases)


@cache
def _decoded(law: str) -> tuple[int, ...]:
    """The 16-bit sample of each byte."""
    return tuple(map(_mu_law if law == "audio/pcmu" else _a_law, range(256)))


def _mu_law(byte: int) -> int:
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + 0x84) << ((byte & 0x70) >> 4)
    return 0x84 - size if byte & 0x80 else size - 0x84


def _a_law(byte: int) -> int:
    byte ^= 0x55
    segment = (byte & 0x70) >> 4
    size = ((byte & 0x0F) << 4) + (0x108 if segment else 8)
    size <<= max(segment - 1, 0)
    return size if byte & 0x80 else -size


@cache
def _encoded(law: str) -> dict[int, int]:
    """The byte that is nearest to each 16-bit sample."""
    byte_of = {sample: byte for byte, sample in enumerate(_decoded(law))}  # of two zeros the later, which is silence
    levels = sorted(byte_of)
    return {sample: byte_of[levels[_nearest(levels, sample)]] for sample in range(-32768, 32768)}


def _nearest(levels: Sequence[int], sample: int) -> int:
    at = bisect_left(levels, sample)
    if at == 0 or (at < len(levels) and levels[at] - sample <= sample - levels[at - 1]):
        return at
    return at - 1


def _clipped(sample: int) -> int:
    return max(-32768, min(32767, sample))


def _packed(samples: list[int]) -> bytes:
    packed = array("h", map(_clipped, samples))
    if byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpacked(pcm: bytes) -> "array[int]":
    samples = array("h", pcm)
    if byteorder == "big":
        samples.byteswap()
    return samples
