"""Several channels to one: their mix, or the loudest of them where they cancel each other out."""

from collections.abc import Iterator
from operator import mul

from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler

WIDTH = 2  # bytes of a sample
WEAK = 100  # times the power, 20 dB: so much less than the loudest channel has no mix of channels that agree
MOST_MEASURED = 50_000  # samples of a channel of which the power is taken; these are 2 ms, and as good as all


class Mono:
    """Resamples frames of one shape to PCM16 of one channel.

    An adapter or a headset whose channels are opposite makes a silent mix, and FFmpeg leaves the channel of the deep
    loudspeaker out. So the channels are kept until all is read, and `pcm` chooses.
    """

    def __init__(self, layout: AudioLayout, rate: int) -> None:
        several = layout.nb_channels > 1
        self._apart = AudioResampler(format="s16p", layout=layout, rate=rate) if several else None
        self._mixer = AudioResampler(format="s16", layout="mono", rate=rate)
        self._mix = bytearray()
        self._channels = [bytearray() for _ in range(layout.nb_channels)] if several else []

    def __len__(self) -> int:
        """Bytes of PCM so far."""
        return len(self._mix)

    def add(self, frame: AudioFrame | None) -> None:
        """Take a frame; None after the last."""
        for piece in self._resampled(frame):
            for mixed in self._mixer.resample(piece):
                self._mix += _plane(mixed, 0)

    def pcm(self) -> bytes | bytearray:
        """The mix, or the loudest channel where the mix is 20 dB weaker."""
        if not self._channels:
            return self._mix
        loudest = max(self._channels, key=power)
        return loudest if power(self._mix) * WEAK < power(loudest) else self._mix

    def _resampled(self, frame: AudioFrame | None) -> Iterator[AudioFrame | None]:
        if not self._apart:
            yield frame
            return
        for piece in self._apart.resample(frame):
            for number, channel in enumerate(self._channels):
                channel.extend(_plane(piece, number))
            yield piece
        if frame is None:
            yield None


def power(pcm: bytes | bytearray) -> float:
    """The mean power of PCM16 without its offset; of a long one, that of samples at even distances."""
    samples = memoryview(pcm).cast("h")
    some = samples[:: (len(samples) // MOST_MEASURED) | 1].tolist()
    mean = sum(some) / len(some) if some else 0.0
    return sum(map(mul, some, some)) / len(some) - mean * mean if some else 0.0


def _plane(frame: AudioFrame, number: int) -> memoryview:
    return memoryview(frame.planes[number])[: frame.samples * WIDTH]
