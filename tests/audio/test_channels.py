"""Speech is heard on whichever channel and track it is."""

import io
import struct

import av
import pytest

from audio.channels import power
from audio.codec import RATE, decode, seconds
from schemas import Refused
from tests.audio.sounds import encode, likeness, louder, riff, speech

SPOKEN = speech()
SILENCE = bytes(len(SPOKEN))
SAMPLES = memoryview(SPOKEN).cast("h").tolist()


def interleaved(*channels: list[int]) -> bytes:
    """PCM of several channels."""
    return struct.pack(
        f"<{len(channels) * len(channels[0])}h", *(one for each in zip(*channels, strict=True) for one in each)
    )


def scaled(factor: float) -> list[int]:
    return [round(sample * factor) for sample in SAMPLES]


def container(kind: str, codec: str, layout: str, *tracks: bytes) -> bytes:
    """A file with tracks of PCM that has these channels."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as output:
        streams = [output.add_stream(codec, rate=48_000, layout=layout) for _ in tracks]
        for stream in streams:
            stream.codec_context.open()
        for stream, pcm in zip(streams, tracks, strict=True):
            assert isinstance(stream, av.AudioStream)
            encode(pcm, stream, output, layout)
    return file.getvalue()


@pytest.mark.parametrize("factor", [-1.0, -0.98, -0.9])
def test_channels_that_cancel_each_other_out_are_heard(factor: float) -> None:
    """One is inverted, as balanced adapters and some headsets have it; also if it is a little weaker."""
    pcm = decode(riff(interleaved(SAMPLES, scaled(factor)), RATE, channels=2, bits=16))

    assert pcm == SPOKEN


@pytest.mark.parametrize(("kind", "codec"), [("ipod", "aac"), ("webm", "libopus"), ("mp3", "libmp3lame")])
def test_opposite_channels_of_every_container_are_heard(kind: str, codec: str) -> None:
    """Also where the encoder has seen to it that both are not quite opposite any more."""
    pcm = decode(container(kind, codec, "stereo", interleaved(SAMPLES, scaled(-1))))

    assert likeness(pcm, SPOKEN) > 0.95
    assert power(pcm) == pytest.approx(power(SPOKEN), rel=0.2)


@pytest.mark.parametrize("channel", range(6))
def test_speech_in_any_of_six_channels_is_heard(channel: int) -> None:
    """Also in the fourth, that of the deep loudspeaker, which FFmpeg leaves out of its mix."""
    channels = [[0] * len(SAMPLES) for _ in range(6)]
    channels[channel] = SAMPLES

    pcm = decode(riff(interleaved(*channels), RATE, channels=6, bits=16))

    assert likeness(pcm, SPOKEN) > 0.95


def test_an_offset_is_no_loud_channel() -> None:
    """A dead microphone with an offset beside one that works."""
    pcm = decode(riff(interleaved(SAMPLES, [9000] * len(SAMPLES)), RATE, channels=2, bits=16))

    assert likeness(pcm[RATE:], SPOKEN[RATE:]) > 0.9


def test_channels_that_agree_are_mixed() -> None:
    """Also where one is much weaker."""
    weak = memoryview(louder(SPOKEN, -30)).cast("h").tolist()

    mixed = memoryview(decode(riff(interleaved(SAMPLES, weak), RATE, channels=2, bits=16))).cast("h")

    assert max(mixed) == pytest.approx((max(SAMPLES) + max(weak)) / 2, rel=0.02)


def test_all_silent_is_silent() -> None:
    """No channel is taken for speech."""
    with pytest.raises(Refused, match="nothing_heard"):
        decode(riff(SILENCE * 2, RATE, channels=2, bits=16))


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "aac"), ("matroska", "libopus")])
def test_the_first_track_with_sound_is_heard(kind: str, codec: str) -> None:
    """Screen recorders write a track for the machine and one for the microphone; either may be silent."""
    for tracks in ((SILENCE, SPOKEN), (SPOKEN, SILENCE), (SILENCE, SILENCE, SPOKEN)):
        pcm = decode(container(kind, codec, "mono", *tracks))

        assert likeness(pcm, SPOKEN) > 0.95
        assert seconds(pcm) == pytest.approx(seconds(SPOKEN), abs=0.1)
