"""Hindi spelling becomes phonemes as Hindi is read, and numbers become words."""

import pytest

from engine.voice.hindi import number_words, phonemes


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        ("सरकार", "sˈʌɹkɑɹ"),  # the last schwa and the one between VC and CV are silent
        ("लड़की", "lˈʌɹki"),  # a dotted letter
        ("समझना", "sˈʌməʤnɑ"),  # only one of two neighbouring schwas falls
        ("संभावना", "səmbˈɑwnɑ"),  # the nasal takes the place of what follows it
        ("अच्छा", "ˈʌʧɑ"),  # no double consonants
        ("दुःख", "dˈʊk"),  # a visarga inside a word is silent
        ("ज्ञान", "ɡjˈɑn"),
        ("ज़रूर", "zˈʌɹuɹ"),
        ("न", "nˈʌ"),  # the only vowel stays
    ],
)
def test_words_are_read_as_hindi_reads_them(spelled: str, said: str) -> None:
    """Each rule of reading, by a word that needs it."""
    assert phonemes(spelled) == said


def test_both_encodings_of_a_dotted_letter_are_read_alike() -> None:
    """Composed and decomposed spellings sound the same."""
    assert phonemes("\u0939\u095b\u093e\u0930") == phonemes("\u0939\u091c\u093c\u093e\u0930")


def test_punctuation_stays_and_other_signs_do_not() -> None:
    """Marks carry the intonation; emoji and stray signs are not read."""
    assert phonemes("नमस्ते, 🙏 * आप?") == "nˈʌməstA, ˈɑp?"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "शून्य"),
        (27, "सत्ताईस"),
        (100, "एक सौ"),
        (1995, "एक हज़ार नौ सौ पचानवे"),
        (125_420, "एक लाख पच्चीस हज़ार चार सौ बीस"),
        (30_000_000, "तीन करोड़"),
    ],
)
def test_numbers_are_counted_the_indian_way(number: int, words: str) -> None:
    """Hundreds, thousands, lakhs and crores."""
    assert number_words(number) == words


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("1,25,420", "एक लाख पच्चीस हज़ार चार सौ बीस"),
        ("०५", "शून्य पाँच"),  # digits of a telephone number or a date, one by one
        ("9876543210", "नौ आठ सात छह पाँच चार तीन दो एक शून्य"),
        ("3.5", "तीन दशमलव पाँच"),
        ("10%", "दस प्रतिशत"),
    ],
)
def test_digits_sound_like_their_words(digits: str, words: str) -> None:
    """Numbers in digits, in both scripts, are spoken."""
    assert phonemes(digits) == phonemes(words)
