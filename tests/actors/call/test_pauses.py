"""Where a reply may stop: in a pause, after a sentence if there is one, never inside a word."""

import random
from array import array
from collections.abc import Iterator
from itertools import pairwise

import pytest

from actors.call.pauses import NEAR, QUIET, Pauses, stops
from engine.voice.voice import Voice
from tests.kit.parts import tone
from upstream.facts import BYTES_PER_MS

RATE = 1000 * BYTES_PER_MS
ENGLISH = (
    "Your question about marriage deserves a calm and honest answer. Venus, which rules love, stands in the seventh "
    "house; that is good. When were you born, and where?"
)
HINDI = "आपका सवाल विवाह में देरी के बारे में है। शुक्र सातवें घर में है, यह शुभ है। आपकी जन्म तारीख क्या है?"


def gap(seconds: float, swing: int = 100) -> bytes:
    """A pause as a real voice has it: not quite silent."""
    dice = random.Random(1)
    return array("h", (dice.randint(-swing, swing) for _ in range(int(24_000 * seconds)))).tobytes()


def heard(pcm: bytes, start: int = 0) -> Pauses:
    """All of this was listened to from the byte `start` on."""
    pauses = Pauses(start)
    pauses.hear(bytearray(pcm[start:]), start, len(pcm))
    return pauses


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


def test_a_pause_is_150_ms_of_quiet() -> None:
    """What is shorter is the closure of a consonant."""
    pcm = tone(1.0) + gap(0.12) + tone(1.0) + gap(0.3) + tone(1.0)
    ((begin, end),) = heard(pcm).found
    assert begin == pytest.approx(2.12 * RATE, abs=20 * BYTES_PER_MS)
    assert end == pytest.approx(2.42 * RATE, abs=20 * BYTES_PER_MS)
    assert heard(tone(1.0) + gap(0.3, swing=3000) + tone(1.0)).found == []


def test_it_does_not_matter_in_which_pieces_the_sound_comes() -> None:
    """Also while some of it is released meanwhile, and where the pieces cut a window."""
    pcm = tone(1.0) + gap(0.3) + tone(0.5) + gap(0.2) + tone(0.3)
    pauses, released, come, dice = Pauses(0), 0, 0, random.Random(7)
    while come < len(pcm):
        come = min(len(pcm), come + 2 * dice.randint(100, 9000))
        pauses.hear(bytearray(pcm[released:come]), released, len(pcm))
        released = come - 2 * dice.randint(0, 200)
        released = min(released, pauses._heard)
    assert pauses.found == heard(pcm).found


def test_after_a_sentence_before_any_other_pause() -> None:
    """The words came with their sound: the pause after a comma is passed over, until any pause will do."""
    first = tone(1.0) + gap(0.2) + tone(1.5) + gap(0.3)
    pcm = first + tone(1.0)
    marks = [(0, "Well, this is so. "), (len(first), "And more")]
    ends = stops(marks, len(pcm), complete=False)
    place = heard(pcm).place(ends, len(pcm))
    assert place
    assert place.characters == len("Well, this is so.")
    assert len(first) - 0.3 * RATE + QUIET == pytest.approx(place.byte, abs=20 * BYTES_PER_MS)
    anywhere = heard(pcm).place(ends, RATE // 2)
    assert anywhere
    assert anywhere.characters is None
    assert pytest.approx(anywhere.byte, abs=20 * BYTES_PER_MS) == RATE + QUIET
    assert heard(pcm).place([], len(pcm)) is None


def test_a_sentence_whose_pause_is_over_does_not_count() -> None:
    """Else the next pause would be taken for it, in the middle of another sentence."""
    first = tone(1.0) + gap(0.3)
    second = tone(1.5) + gap(0.2) + tone(1.5) + gap(0.3)
    marks = [(0, "So it is. "), (len(first), "Well, then this is another one. "), (len(first + second), "Now")]
    pcm = first + second + tone(0.5)
    place = heard(pcm, start=len(first)).place(stops(marks, len(pcm), complete=False), len(pcm))
    assert place
    assert place.characters == len("So it is. Well, then this is another one.")


def test_words_that_came_ahead_of_their_sound_are_shared_out() -> None:
    """All of them in the first moment: once the reply is complete, the full stop is where its share of the sound is."""
    pcm = tone(2.9) + gap(0.3) + tone(2.8) + gap(0.3) + tone(3.0)
    marks = [(0, "This is one. "), (960, "And that two. "), (1920, "Now three.")]
    ends = stops(marks, len(pcm), complete=True)
    assert [end.characters for end in ends] == [12, 26, 37]
    place = heard(pcm).place(ends, len(pcm))
    assert place
    assert pytest.approx(place.byte, abs=NEAR) == 2.9 * RATE + QUIET


def test_what_ends_a_sentence() -> None:
    """. ? ! and danda, with quotes behind them; no point in a number, no comma."""
    said = "एक है। दो? Three! It costs 12.50 rupees, he said “now.” And"
    found = [said[: end.characters] for end in stops([(0, said)], RATE, complete=True)]
    assert found == ["एक है।", "एक है। दो?", "एक है। दो? Three!", said.removesuffix(" And")]


@pytest.mark.parametrize("text", [ENGLISH, HINDI], ids=["english", "hindi"])
@pytest.mark.parametrize("name", ["marin", "ash"])
@pytest.mark.parametrize("comes", ["in step", "ahead"])
def test_a_real_voice_is_never_cut_inside_a_sentence(voice: Voice, text: str, name: str, comes: str) -> None:
    """Wherever the search begins: the place is in the silence after a sentence, between the clauses of the engine."""
    clauses = list(voice.say(text, name))
    pcm, ends = b"".join(clauses), list(_ends(clauses))
    sentences = [text[: end.characters] for end in stops([(0, text)], 1, complete=True)]
    assert len(sentences) == len(clauses) == 3
    begins = [0, *(len(one) for one in sentences)]
    marks = [(end, text[a:b]) for end, (a, b) in zip([0, *ends], pairwise(begins), strict=False)]
    for start in range(0, len(pcm) - RATE, RATE // 4):
        known = marks if comes == "in step" else [(0, text)]
        place = heard(pcm, start).place(stops(known, len(pcm), complete=True), len(pcm))
        if place is None:
            assert start > ends[1] - RATE
            continue
        assert place.characters in begins
        (end,) = [end for end in ends if abs(place.byte - end) < 0.6 * RATE]
        quiet = array("h", pcm[place.byte - QUIET : place.byte])
        assert max(quiet) - min(quiet) < 1000, (start / RATE, place.byte / RATE)
        assert sentences[ends.index(end)] == text[: place.characters]


def _ends(clauses: list[bytes]) -> Iterator[int]:
    at = 0
    for clause in clauses:
        at += len(clause)
        yield at
