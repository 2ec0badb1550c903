"""The detector tells speech from everything else."""

from collections.abc import Iterator

import numpy as np
import pytest
import soxr

from engine.ear.vad import FRAME, Loudness, Silero, Vad, speech_seconds
from engine.voice.voice import Voice

SECOND = 24_000


@pytest.fixture(scope="module")
def speech() -> bytes:
    return b"".join(Voice().say("My parents found a good match for me, and I do not know what to say.", "marin"))


def test_speech_is_counted_in_seconds(speech: bytes) -> None:
    """Most of a spoken clip is speech, and silence around it adds nothing."""
    heard = speech_seconds(speech)

    assert 0.6 * _seconds(speech) < heard <= _seconds(speech)
    assert speech_seconds(bytes(2 * SECOND) + speech + bytes(2 * SECOND)) == pytest.approx(heard, abs=0.3)


@pytest.mark.parametrize("kind", ["silence", "noise", "quiet noise", "tone", "hum"])
def test_what_is_not_speech_counts_as_none(kind: str) -> None:
    """Silence, noise, a tone and mains hum have no seconds of speech."""
    assert speech_seconds(sound(kind, 3 * SECOND)) == 0


def test_frames_are_likely_speech_while_someone_speaks(speech: bytes) -> None:
    """Frame by frame the probability is high in speech and falls back after it."""
    vad = Vad()
    during = [vad.probability(frame) for frame in _frames(speech)]
    after = [vad.probability(bytes(2 * FRAME)) for _ in range(30)]

    assert max(during) > 0.9
    assert np.median(during) > 0.5
    assert after[-1] < 0.1


def test_streams_do_not_share_their_state(speech: bytes) -> None:
    """Two streams that are fed alternately give the same as each alone."""
    alone = Vad()
    expected = [alone.probability(frame) for frame in _frames(speech)]
    one, other = Vad(), Vad()
    noise = _frames(sound("noise", len(speech) // 2))

    heard = []
    for frame, between in zip(_frames(speech), noise, strict=True):
        heard.append(one.probability(frame))
        other.probability(between)

    assert heard == expected


def test_a_frame_of_another_size_is_refused() -> None:
    """A wrong frame size raises ValueError."""
    with pytest.raises(ValueError, match="a frame is 512 samples"):
        Vad().probability(bytes(100))


@pytest.mark.parametrize("size", [1, 961, 1000, 48_000])
def test_a_stream_is_heard_as_a_clip_is(speech: bytes, size: int) -> None:
    """Fed in pieces, also within a sample, every frame has the same probability as in one piece."""
    clip, silero, vad = speech[:96_000], Silero(), Vad()
    expected = [vad.probability(frame) for frame in _frames(clip)]

    heard = [likely for at in range(0, len(clip), size) for likely in silero.hear(clip[at : at + size])]

    assert len(expected) - len(heard) in (0, 1)
    assert heard == pytest.approx(expected[: len(heard)], abs=0.05)


def test_hiss_that_the_resampler_takes_out_is_not_heard() -> None:
    """A tone above 8 kHz does not come back as one below."""
    silero = Silero()
    silero.hear((9000 * np.sin(2 * np.pi * 10_000 * np.arange(SECOND) / SECOND)).astype("<i2").tobytes())

    assert silero._vad is not None
    assert np.abs(silero._vad._context).max() < 0.001


@pytest.mark.parametrize(("amplitude", "likely"), [(0, 0.0), (300, 0.0), (360, 1.0), (460, 1.0), (20_000, 1.0)])
@pytest.mark.parametrize("size", [1, 999, 10_000])
def test_loudness_is_above_40_db(amplitude: int, likely: float, size: int) -> None:
    """A square wave of 328 is -40 dBFS; a frame is 32 ms, whatever the pieces."""
    pcm = np.full(SECOND // 10, amplitude, "<i2").tobytes()
    loudness = Loudness()

    assert [each for at in range(0, len(pcm), size) for each in loudness.hear(pcm[at : at + size])] == [likely] * 3


def sound(kind: str, samples: int) -> bytes:
    """PCM16 at 24 kHz without speech."""
    time = np.arange(samples) / SECOND
    noise = np.random.default_rng(1).standard_normal(samples)
    wave = {
        "silence": 0 * time,
        "noise": 3000 * noise,
        "quiet noise": 100 * noise,
        "tone": 9000 * np.sin(2 * np.pi * 440 * time),
        "hum": 9000 * np.sin(2 * np.pi * 50 * time),
    }[kind]
    return wave.astype("<i2").tobytes()


def _frames(pcm24k: bytes) -> Iterator[bytes]:
    """Complete frames at the detector's rate."""
    samples = soxr.resample(np.frombuffer(pcm24k, "<i2"), SECOND, 16_000)
    for start in range(0, len(samples) - FRAME + 1, FRAME):
        yield samples[start : start + FRAME].astype("<i2").tobytes()


def _seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / SECOND
