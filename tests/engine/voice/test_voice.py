"""The voice speaks a text, in ten distinguishable voices."""

import numpy as np
import pytest

from engine.voice.shaping import SHAPES
from engine.voice.voice import FIRST, LONGEST, Voice, clauses, runs

FEMALE = ("marin", "shimmer", "coral", "sage", "alloy")
MALE = ("cedar", "echo", "ash", "ballad", "verse")
TEXT = "Your question about marriage deserves a calm and honest answer."
RATE = 24_000


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


@pytest.fixture(scope="module")
def pitches(voice: Voice) -> dict[str, float]:
    return {name: pitch_of(b"".join(voice.say(TEXT, name))) for name in SHAPES}


def test_women_and_men_are_told_apart_by_pitch(pitches: dict[str, float]) -> None:
    """Every female voice is above 165 Hz and every male voice below 150 Hz."""
    assert set(pitches) == {*FEMALE, *MALE}
    assert min(pitches[name] for name in FEMALE) > 165
    assert max(pitches[name] for name in MALE) < 150


@pytest.mark.parametrize(("one", "other"), [("marin", "shimmer"), ("cedar", "echo")])
def test_the_personas_voices_differ(pitches: dict[str, float], one: str, other: str) -> None:
    """Voices that two personas of one gender use are at least 12 % apart in pitch."""
    assert abs(np.log(pitches[one] / pitches[other])) > np.log(1.12)


def test_no_two_voices_are_the_same(voice: Voice) -> None:
    """Ten names are ten sounds."""
    assert len({b"".join(voice.say("Hello.", name)) for name in SHAPES}) == len(SHAPES) == 10


def test_the_same_words_give_the_same_bytes(voice: Voice) -> None:
    """Speaking is deterministic, also after other words."""
    first = list(voice.say(TEXT, "echo"))
    list(voice.say("Something else.", "marin"))

    assert list(voice.say(TEXT, "echo")) == first


@pytest.mark.parametrize("text", [TEXT, "आपकी कुंडली में शुक्र और मंगल का योग बहुत अच्छा है।", "No."])
@pytest.mark.parametrize("name", ["marin", "ash"])
def test_loudness_is_even_and_nothing_is_clipped(voice: Voice, text: str, name: str) -> None:
    """Long and short clauses, in both languages, have the same loudness."""
    wave = np.frombuffer(b"".join(voice.say(text, name)), "<i2") / 32768

    assert 0.07 < np.sqrt((wave**2).mean()) < 0.1
    assert np.abs(wave).max() < 0.95


def test_an_unknown_voice_is_refused_at_once(voice: Voice) -> None:
    """A voice that does not exist is an error before anything is spoken, and the message lists those that do."""
    with pytest.raises(ValueError, match="no voice 'nova'; there are marin"):
        voice.say(TEXT, "nova")


@pytest.mark.parametrize("text", ["", "   \n", "...", "🙂🙏", "* # _", "你好", "؟"])
def test_nothing_speakable_yields_nothing(voice: Voice, text: str) -> None:
    """Empty text, marks, emoji and scripts that the voice does not read make no sound."""
    assert list(voice.say(text, "marin")) == []


def test_emoji_and_unknown_signs_change_nothing(voice: Voice) -> None:
    """What cannot be said is skipped; the words around it sound as without it."""
    assert list(voice.say("Hello 🙂 dear *friend*.", "marin")) == list(voice.say("Hello dear friend.", "marin"))


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("It takes 27 days.", "It takes twenty seven days."),
        ("यह 27 दिन लेगा।", "यह सत्ताईस दिन लेगा।"),
        ("It costs ₹500.", "It costs five hundred rupees."),
        ("ये ₹500 हैं।", "ये पाँच सौ रुपये हैं।"),
    ],
)
def test_numbers_are_spoken_in_the_language_around_them(voice: Voice, digits: str, words: str) -> None:
    """Digits sound like the words of the language that stands before them."""
    assert list(voice.say(digits, "marin")) == list(voice.say(words, "marin"))


def test_each_word_is_read_by_its_script() -> None:
    """English words inside Hindi are read as English; numbers and marks go with the word before."""
    assert list(runs("आपका order number 420, ठीक है?")) == [
        (True, "आपका "),
        (False, "order number 420, "),
        (True, "ठीक है?"),
    ]


def test_a_sentence_is_a_chunk() -> None:
    """Sentences are spoken one by one, in both scripts; titles do not end a sentence."""
    assert list(clauses("Yes. Dr. Rao called! नमस्ते।आप कैसे हैं?")) == [
        "Yes.",
        "Dr. Rao called!",
        "नमस्ते.",
        "आप कैसे हैं?",
    ]


def test_the_first_chunk_is_short() -> None:
    """A long first sentence is cut at an early comma, so that sound comes early; later ones are left whole."""
    long = "I looked at it again, and what I see there is nothing to be afraid of, dear friend."
    first, second, third = clauses(f"{long} {long}")

    assert first == "I looked at it again,"
    assert len(first) < FIRST
    assert f"{first} {second}" == third == long


def test_an_endless_sentence_is_cut() -> None:
    """Text without a stop or comma is spoken in pieces, and none of its words is lost."""
    endless = " ".join(["patience"] * 200)
    pieces = list(clauses(endless))

    assert max(map(len, pieces)) <= LONGEST
    assert " ".join(pieces) == endless
    assert max(map(len, clauses("a" * 5000))) <= LONGEST


def pitch_of(pcm: bytes) -> float:
    """The median pitch in Hz, by autocorrelation of 50 ms pieces, where the voice is loud and periodic."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, RATE // 20)[:: RATE // 40]
    loud = [piece - piece.mean() for piece in pieces if piece.std() > 1500]
    return float(np.median([pitch for piece in loud if (pitch := _pitch(piece)) is not None]))


def _pitch(piece: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    shifted = np.correlate(piece, piece, "full")[len(piece) - 1 :] / np.arange(len(piece), 0, -1)
    shortest, longest = RATE // 400, RATE // 70
    period = shortest + int(shifted[shortest:longest].argmax())
    return RATE / period if shifted[period] > 0.6 * shifted[0] else None
