"""The folded form of words: spellings of one word meet, and no text raises."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.folding import LONGEST, WINDOW, fold, windows

ALIKE = {
    "Hindi, and its Latin spellings": "मैं जीना नहीं चाहता | main jeena nahi chahta | Mai Jeenaa nhi chahta",
    "chandrabindu and anusvara": "हूँ | हूं | hoon | hun | hu",
    "nukta, composed or not": "ज़िंदगी | ज़िंदगी | जिंदगी | zindagi | jindgi | zindagee",
    "the conjunct or the anusvara": "ज़िन्दगी | जिंदगी",
    "an ending with or without its nasal": "जाऊँगा | jaunga | jaoonga | jaauga | jauga",
    "marks and letters in a row": "marna!!! | MARNA | marnaaaa | m\u200darna",
    "elisions": "I don't wanna | i do not want to | I dont want to | I don’t wanna",
    "more of them": "I'm gonna | i am going to | im gonna",
    "digits": "१४ साल | 14 saal",
}
APART = ["मरना | मारना", "marna | maarna", "be | भाई", "the | they | थे", "age | गए"]


@pytest.mark.parametrize("written", ALIKE.values(), ids=list(ALIKE))
def test_spellings_of_one_text_meet(written: str) -> None:
    """In both scripts, with or without marks."""
    first, *others = written.split(" | ")
    for other in others:
        assert fold(other) == fold(first), other


@pytest.mark.parametrize("written", APART)
def test_words_that_must_not_meet_do_not(written: str) -> None:
    """To die and to beat; small words of English and words of Hindi that sound like them."""
    folded = [fold(word) for word in written.split(" | ")]
    assert len(set(folded)) == len(folded)


@pytest.mark.parametrize("script", ["0123456789", "०१२३४५६७८९"])
def test_a_number_stays_as_it_is(script: str) -> None:
    """A digit that is written twice counts twice, unlike a letter: 11 is not 1, and 100 is not 10."""
    digits = str.maketrans("0123456789", script)
    for number in [*range(2000), 11111, 100000, 14416]:
        written = str(number).translate(digits)
        assert fold(written) == (str(number),)
        assert fold(f"{written}kg") == (f"{number}kg",)
    assert fold("soooo noooo 11") == fold("so no 11")


def test_letters_that_are_not_known_stay() -> None:
    """A text in Tamil letters has its words, and no empty ones."""
    assert fold("தற்கொலை வேண்டாம்") == ("தற்கொலை", "வேண்டாம்")


@given(st.text())
def test_no_text_raises_and_no_word_is_empty(text: str) -> None:
    """Whatever a recogniser writes."""
    assert all(word and " " not in word for word in fold(text))


@given(st.integers(0, 3 * WINDOW))
def test_windows_have_every_character_and_overlap(length: int) -> None:
    """Each but the first begins with the end of the one before."""
    text = "".join(chr(0x4E00 + at) for at in range(length))
    parts = list(windows(text))
    assert parts[0] == text[:WINDOW]
    assert set("".join(parts)) == set(text)
    for before, after in pairwise(parts):
        assert before[-80:] == after[:80]


def test_of_an_endless_text_the_end_is_read() -> None:
    """The work for one text is bounded."""
    parts = list(windows("a" * LONGEST + "b" * LONGEST))
    assert set("".join(parts)) == {"b"}
