"""Makes unusual recordings for attacks."""

import io
from collections.abc import Iterator
from itertools import chain

import av
import numpy as np

RATES = (96_000, 88_200)  # the most frames that fit into two minutes
COSTLY_SECONDS = 80
COSTLY_BYTES = 470_000


def quiet_tone(seconds: float) -> bytes:
    """An ogg file of Opus, as small as possible, that is loud enough to count as sound."""
    file = io.BytesIO()
    with av.open(file, "w", "ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 6_000
        for frame in _tone(48_000, seconds):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def alternating(seconds: float = COSTLY_SECONDS, size: int = COSTLY_BYTES) -> bytes:
    """Raw AAC in which each frame has another rate than the one before, so that each needs a new resampler."""
    bit_rate = round(size * 8 / seconds)
    streams = [_adts(rate, seconds / len(RATES), bit_rate) for rate in RATES]
    return b"".join(chain.from_iterable(zip(*(_frames(stream) for stream in streams), strict=False)))


def _adts(rate: int, seconds: float, bit_rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", "adts") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        for frame in _tone(rate, seconds):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _tone(rate: int, seconds: float) -> Iterator[av.AudioFrame]:
    second = (np.sin(np.arange(rate) * 2 * np.pi * 440 / rate) * 3000).astype(np.int16)
    for number in range(round(seconds)):
        frame = av.AudioFrame.from_ndarray(second[np.newaxis], format="s16", layout="mono")
        frame.rate, frame.pts = rate, number * rate
        yield frame


def _frames(adts: bytes) -> Iterator[bytes]:
    """The frames with their headers, in which the length has 13 bits."""
    at = 0
    while at + 7 <= len(adts):
        length = (adts[at + 3] & 3) << 11 | adts[at + 4] << 3 | adts[at + 5] >> 5
        yield adts[at : at + length]
        at += length
