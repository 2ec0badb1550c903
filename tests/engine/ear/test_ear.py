"""The ear understands the voice, and does not invent words."""

import re
from pathlib import Path

import av
import numpy as np
import pytest

from engine.ear.ear import Ear, windows
from engine.voice.voice import Voice
from upstream.models import LOCAL, named

SECOND = 24_000
VOICES = ["marin", "cedar", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("shimmer", "echo"))]


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear()


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Should I accept the marriage proposal from my parents?", "should accept marriage proposal parents"),
        ("Will my boyfriend come back to me next year?", "will boyfriend come back next year"),
    ],
)
def test_english_is_heard_word_for_word(ear: Ear, voice: Voice, name: str, text: str, words: str) -> None:
    """Every content word of an English question comes back, from women and men."""
    heard = ear.hear(b"".join(voice.say(text, name)), "en")

    assert set(words.split()) <= set(re.findall("[a-z]+", heard.lower()))


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    ("text", "keyword"),
    [("क्या मेरी शादी इस साल होगी?", "शादी"), ("क्या वह मुझसे प्यार करता है?", "प्यार")],
)
def test_hindi_is_heard_by_its_keywords(ear: Ear, voice: Voice, name: str, text: str, keyword: str) -> None:
    """What a Hindi question is about comes back in Devanagari, from women and men."""
    assert keyword in ear.hear(b"".join(voice.say(text, name)), "hi")


@pytest.mark.parametrize("language", ["as it is", pytest.param(None, marks=pytest.mark.thorough)])
@pytest.mark.parametrize(
    ("clip", "words"),
    [
        ("en_come_back", "boyfriend come back"),
        ("en_proposal", "accept marriage proposal"),
        ("hi_love_me", "प्यार"),
        ("hi_marriage_delay", "शादी देरी"),
    ],
)
def test_recordings_of_other_voices_are_heard(ear: Ear, clip: str, words: str, language: str | None) -> None:
    """Callers that the engine did not speak itself are understood too, whether the language is given or not."""
    heard = ear.hear(recording(clip), clip[:2] if language else None).lower()

    assert [word for word in words.split() if word not in heard] == []


@pytest.mark.parametrize(
    ("text", "script"), [("My parents found a good match for me.", "[A-Za-z]"), ("क्या वह मुझसे प्यार करता है?", "[ऀ-ॿ]")]
)
def test_without_a_language_the_likelier_one_is_taken(ear: Ear, voice: Voice, text: str, script: str) -> None:
    """English comes back in Latin letters and Hindi in Devanagari, also when nobody said which it is."""
    letters = re.findall(r"[^\W\d_]", ear.hear(b"".join(voice.say(text, "marin")), None))

    assert letters
    assert all(re.match(script, letter) for letter in letters)


@pytest.mark.parametrize("language", [*(pytest.param(one, marks=pytest.mark.thorough) for one in ("en", "hi")), None])
@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "chord"])
def test_nothing_is_heard_where_nobody_speaks(ear: Ear, kind: str, language: str | None) -> None:
    """Silence, noise and a tone are not turned into words."""
    time = np.arange(3 * SECOND) / SECOND
    wave = {
        "silence": 0 * time,
        "noise": 3000 * np.random.default_rng(1).standard_normal(len(time)),
        "tone": 9000 * np.sin(2 * np.pi * 440 * time),
        "chord": np.sum([3000 * np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330)], axis=0),
    }[kind]

    assert ear.hear(wave.astype("<i2").tobytes(), language) == ""


def test_less_than_a_word_is_nothing(ear: Ear) -> None:
    """No audio, and a click of 50 ms, are heard as nothing."""
    assert ear.hear(b"", "en") == ""
    assert ear.hear(bytes(SECOND // 10), "en") == ""


def test_it_hears_what_is_told_of_it(ear: Ear) -> None:
    """No language that models.json promises is an error."""
    for language in named(LOCAL).can.languages.heard:
        assert ear.hear(bytes(48_000), language) == ""


def test_another_language_is_refused(ear: Ear) -> None:
    """Other languages are an error."""
    with pytest.raises(ValueError, match="hears en, hi"):
        ear.hear(bytes(SECOND), "fr")


def test_what_is_longer_than_a_window_is_heard_to_its_end(ear: Ear, voice: Voice) -> None:
    """Forty seconds are heard in two windows, and the words of both come back."""
    first = b"".join(voice.say("I want to ask about my marriage.", "marin"))
    last = b"".join(voice.say("And what about my career and my family?", "marin"))
    heard = ear.hear(first + bytes(2 * 30 * SECOND) + last, "en").lower()

    assert "marriage" in heard
    assert "family" in heard


def test_long_audio_is_cut_where_it_is_quiet() -> None:
    """A cut falls into the pause, never loses a sample, and short audio is not cut."""
    rate = 16_000
    noise = np.random.default_rng(1).standard_normal(50 * rate).astype(np.float32)
    noise[24 * rate : 25 * rate] = 0
    pieces = list(windows(noise))

    assert 24 * rate < len(pieces[0]) < 25 * rate
    assert np.array_equal(np.concatenate(pieces), noise)
    assert len(list(windows(noise[: 28 * rate]))) == 1


def recording(name: str) -> bytes:
    """A clip as a phone records it, decoded to PCM16 24 kHz mono."""
    resampler = av.AudioResampler("s16", "mono", SECOND)
    with av.open(Path(__file__).parents[3] / "clips" / f"{name}.m4a") as file:
        frames = [frame for decoded in file.decode(audio=0) for frame in resampler.resample(decoded)]
    return b"".join(frame.to_ndarray().tobytes() for frame in [*frames, *resampler.resample(None)])
