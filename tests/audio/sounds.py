"""Makes clips of every kind from a recording, and compares two sounds."""

import io
import struct
from fractions import Fraction
from pathlib import Path
from statistics import correlation

import av

from audio.codec import RATE, WIDTH, decode

CLIPS = Path(__file__).parents[2] / "clips"


def clip(name: str) -> bytes:
    """A recording of the folder clips/, by file name."""
    return (CLIPS / name).read_bytes()


def speech(length: float | None = None) -> bytes:
    """PCM of a spoken question of 4.65 s, or `length` seconds from its first loud sample."""
    pcm = decode(clip("en_proposal.webm"))
    start = RATE * WIDTH // 2
    return pcm if length is None else pcm[start : start + int(length * RATE) * WIDTH]


def louder(pcm: bytes, decibels: float) -> bytes:
    """PCM with another gain."""
    factor = 10 ** (decibels / 20)
    samples = memoryview(pcm).cast("h")
    return struct.pack(f"<{len(samples)}h", *(round(sample * factor) for sample in samples))


def encoded(pcm: bytes, container: str, codec: str, rate: int = 48_000, layout: str = "mono", **options: str) -> bytes:
    """PCM in a container; container and codec by FFmpeg's names, options go to the muxer."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as output:
        # FFmpeg's own vorbis encoder asks to be called experimental.
        track = output.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
        assert isinstance(track, av.AudioStream)
        track.codec_context.open()
        encode(pcm, track, output)
    return file.getvalue()


def film(pcm: bytes | None) -> bytes:
    """An mp4 with one second of picture, and with sound if there is any."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        picture = output.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        sound = output.add_stream("aac", rate=48_000, layout="mono") if pcm else None
        for number in range(10):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
        if pcm and sound:
            encode(pcm, sound, output)
    return file.getvalue()


def riff(data: bytes, rate: int, channels: int = 1, bits: int = 8, claimed: int | None = None) -> bytes:
    """A WAV file whose header may claim another size than that of `data`."""
    size = len(data) if claimed is None else claimed
    block = channels * bits // 8
    shape = struct.pack("<HHIIHH", 1, channels, rate, rate * block % 2**32, block, bits)
    head = b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + b"WAVEfmt " + struct.pack("<I", len(shape)) + shape
    return head + b"data" + struct.pack("<I", size) + data


def likeness(one: bytes, other: bytes) -> float:
    """The correlation of two envelopes, at most 1; `one` may be up to 60 ms late (raw AAC has priming)."""
    return max(_correlation(one[late * RATE * WIDTH // 100 :], other) for late in range(7))


def _correlation(one: bytes, other: bytes) -> float:
    pairs = list(zip(_envelope(one), _envelope(other), strict=False))
    return correlation(*zip(*pairs, strict=True))


def _envelope(pcm: bytes) -> list[int]:
    """The peak of every 50 ms."""
    samples = memoryview(pcm).cast("h")
    step = RATE // 20
    return [max(samples[start : start + step]) for start in range(0, len(samples) - step, step)]


def encode(pcm: bytes, track: av.AudioStream, output: av.container.OutputContainer, layout: str = "mono") -> None:
    """Write PCM that has the channels of `layout` into a track."""
    context = track.codec_context
    resampler = av.AudioResampler(context.format, context.layout, context.sample_rate, context.frame_size or 1024)
    whole = av.AudioFrame("s16", layout, len(pcm) // WIDTH // av.AudioLayout(layout).nb_channels)
    whole.planes[0].update(pcm)
    whole.sample_rate, whole.pts, whole.time_base = RATE, 0, Fraction(1, RATE)
    for frame in [*resampler.resample(whole), *resampler.resample(None), None]:
        output.mux(track.encode(frame))
