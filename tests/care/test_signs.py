"""The lists of signs: danger is seen, grief and idiom are not. The sentences are in sentences/, see its README.md."""

import json
import unicodedata
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.signs import Signs, Worried, shipped

FOLDER = Path(__file__).parent / "sentences"
RIGHT = ["", "second_", "third_", "fourth_", "sixth_", "seventh_"]
BEFORE = [
    "he left me, ",
    "my husband died and ",
    "wo chala gaya, ",
    "I do not know. ",
    "pati ne mujhe chhod diya ",
    "koi nahi hai mera, ",
    "my friend says no, ",
    "usne kaha nahi, ",
    "उसने मुझे छोड़ दिया, ",
    "मां नहीं रहीं। ",
]
BEHIND = [", he said", " because of him", " uske bina", " and I do not know", " मैं क्या करूं", " nahi to kya"]
KNOWN_MISSES = {
    "suicide: I don't think I will make it to the weekend, I don't want to",
    "suicide: tonight I will finish my story",
}


def sentences(file: str) -> list[str]:
    """The lines of a file that are no comments."""
    return [line for line in (FOLDER / f"{file}.txt").read_text().splitlines() if line and not line.startswith("#")]


def missed(file: str) -> set[str]:
    """The sentences of danger of which the kind is not seen."""
    found = {line: shipped().all(line.partition(": ")[2]) for line in sentences(file)}
    return {line for line, signs in found.items() if line.partition(":")[0] not in {sign.kind for sign in signs}}


def false_alarms(file: str) -> set[str]:
    """The ordinary sentences in which a sign is seen."""
    return {line for line in sentences(file) if shipped().look(line)}


def test_there_are_as_many_as_were_asked_for() -> None:
    """A hundred of danger, three hundred of ordinary life, each once."""
    for kind, least in (("danger", 100), ("ordinary", 300)):
        lines = [line for prefix in [*RIGHT, "fifth_"] for line in sentences(prefix + kind)]
        assert len(sentences(kind)) >= least
        assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("prefix", RIGHT)
def test_danger_is_seen(prefix: str) -> None:
    """Of the kind that the sentence says."""
    assert missed(f"{prefix}danger") - KNOWN_MISSES == set()


@pytest.mark.parametrize("prefix", RIGHT)
def test_what_is_said_around_it_does_not_hide_danger(prefix: str) -> None:
    """An idiom, a denial or somebody else's story in the same breath takes nothing back."""
    for line in set(sentences(f"{prefix}danger")) - KNOWN_MISSES:
        kind, _, said = line.partition(": ")
        for text in [*(before + said for before in BEFORE), *(said + behind for behind in BEHIND)]:
            assert kind in {sign.kind for sign in shipped().all(text)}, text


@pytest.mark.parametrize("prefix", RIGHT)
def test_ordinary_life_is_not(prefix: str) -> None:
    """Grief, love, idiom, illness of long ago, and what others have done."""
    assert false_alarms(f"{prefix}ordinary") == set()


def test_what_was_never_tuned_keeps_its_rates() -> None:
    """The set that measures: no change of the lists may make it worse than it is."""
    assert len(missed("fifth_danger")) <= 13
    assert len(false_alarms("fifth_ordinary")) <= 4


def test_the_surest_comes_first_and_then_the_most_urgent() -> None:
    """One answer for a text with several signs."""
    signs = shipped()
    assert signs.look("I am 14 and my father beats me and I want to die") == Worried("suicide", sure=True)
    assert signs.look("there is no hope left, my chest hurts badly") == Worried("medical", sure=True)
    assert signs.look("") is None


def test_a_sign_anywhere_in_a_long_text_is_found() -> None:
    """A typed turn may have 4,000 characters."""
    words = "and then he said that the wedding is in May " * 40
    for text in (f"I want to die {words}", f"{words} I want to die", f"{words} I want to die {words}"):
        assert shipped().look(text) == Worried("suicide", sure=True)


@given(st.text(alphabet=st.sampled_from("aeimnrtdhkcs 'मरनाहीं.\u200d1"), max_size=900))
def test_no_text_raises(text: str) -> None:
    """Whatever a recogniser writes, also in the letters of the lists."""
    signs = shipped()
    signs.look(text)
    assert signs.asks(text) in (True, False)
    assert signs.affirms(text) in (True, False)


@pytest.mark.parametrize(
    "asked",
    [
        "Are you thinking of killing yourself?",
        "Have you thought about ending your life?",
        "क्या आप खुद को नुकसान पहुंचाने के बारे में सोच रहे हैं?",
        "क्या आपके मन में आत्महत्या का ख्याल आता है?",
    ],
)
def test_a_direct_question_is_known(asked: str) -> None:
    """The persona asks; what comes next is an answer to it."""
    assert shipped().asks(asked)


def test_other_questions_are_not() -> None:
    """The daily ones."""
    for asked in ("When were you born?", "आपकी शादी कब हुई?", "Do you want to know about your career?"):
        assert not shipped().asks(asked), asked


def test_yes_and_no() -> None:
    """An answer with a no in it is no yes."""
    for said in ("yes", "haan ji", "हाँ, कभी कभी", "Sometimes."):
        assert shipped().affirms(said), said
    for said in ("no", "nahi", "नहीं, ऐसा नहीं है", "yes I mean no", "hello"):
        assert not shipped().affirms(said), said


@pytest.mark.parametrize(
    "said", ["I am {}", "मैं {} साल का हूं", "main {} saal ki hun", "my age is {}", "I am in class {}"]
)
def test_an_age_is_read_by_its_number(said: str) -> None:
    """From 6 to 17 a child speaks; who writes the same digits otherwise is none: 1, 66, 111, 100, 1166."""
    for number in [*range(130), 166, 177, 222, 1000, 1100, 1166, 1777]:
        child = Worried("child", sure=True) in shipped().all(said.format(number))
        assert child is (6 <= number < 18), number


def test_the_file_is_tidy() -> None:
    """No phrase twice, no list for nobody, and no letters that only look like those of the two scripts."""
    text = (files("care") / "signs.json").read_text()
    data = json.loads(text)
    said = [*data["idioms"], *(phrase for group in data["signs"] for phrase in group["say"])]
    assert [phrase for phrase, often in Counter(said).items() if often > 1] == []
    assert [name for name in data["lists"] if f"{{{name}}}" not in text] == []
    scripts = {unicodedata.name(letter).partition(" ")[0] for letter in text if letter.isalpha()}
    assert scripts == {"LATIN", "DEVANAGARI"}


def test_lists_that_name_an_unknown_kind_are_refused() -> None:
    """When they are loaded."""
    data: dict[str, Any] = {"lists": {}, "idioms": [], "asked": [], "yes": [], "no": []}
    with pytest.raises(ValueError, match="there is no kind 'sorrow'"):
        Signs({**data, "signs": [{"kind": "sorrow", "sure": True, "say": ["alas"]}]})
