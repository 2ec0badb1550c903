"""The language of phrases: what it finds, what it hides, what is refused."""

import pytest

from care.folding import fold
from care.phrases import END, GAP, HIDDEN, Lists, Phrases, Unwritable

LISTS = {"want": ["want to", "wanna", "would like to"], "die": ["die", "be {gone}"], "gone": ["gone", "no more"]}


def found(phrase: str, text: str) -> list[int]:
    """Where the phrase ends in the text, as numbers of words."""
    return [end for _, end in Phrases([(phrase, None)], Lists(LISTS)).find((*fold(text), END))]


@pytest.mark.parametrize(
    ("phrase", "text", "ends"),
    [
        ("i {want} {die}", "I want to die", [4]),
        ("i {want} {die}", "I would like to be no more", [7]),
        ("i {want} {die}", "you want to die", []),
        ("i .. die", "I die", [2]),
        ("i .. die", f"I {'really ' * GAP} die", [GAP + 2]),
        ("i .. die", f"I {'really ' * (GAP + 1)} die", []),
        ("i really? die|leave", "I really leave", [3]),
        ("i really? die|leave", "I die, I leave", [2, 4]),
        ("want|{gone} now", "no more now", [3]),
        ("die|gone .", "die he did, gone", [5]),
        ("die|.", "die", [1, 2]),
    ],
)
def test_what_a_phrase_finds(phrase: str, text: str, ends: list[int]) -> None:
    """Words, lists of words, gaps, what may be missing, and the end."""
    assert found(phrase, text) == ends


def test_the_longest_way_is_taken() -> None:
    """So that all of it is hidden."""
    phrases = Phrases([("no|{more}", None)], Lists({"more": ["no more", "no more tears"]}))
    assert phrases.hide(fold("no more tears now")) == (HIDDEN, HIDDEN, HIDDEN, *fold("now"))


def test_no_gap_reaches_over_what_is_hidden() -> None:
    """Words on both sides of an idiom do not belong together."""
    words = Phrases([("of shame", None)], Lists({})).hide(fold("I am of shame die"))
    assert list(Phrases([("i .. die", None)], Lists({})).find(words)) == []


@pytest.mark.parametrize(
    ("phrase", "lists", "why"),
    [
        ("i {wish} die", {}, "there is no list 'wish'"),
        ("i ! die", {}, "'!' has no letters"),
        ("{none} die", {"none": []}, "'{none}' has no letters"),
        ("i? ..", {}, "has no word that must be there"),
        (".. die", {}, "begins or ends with a gap"),
        ("die ..", {}, "begins or ends with a gap"),
        ("{a}", {"a": ["{b}"], "b": ["{a}"]}, "is a list within itself"),
    ],
)
def test_what_makes_no_sense_is_refused(phrase: str, lists: dict[str, list[str]], why: str) -> None:
    """With the reason, when the lists are loaded."""
    with pytest.raises(Unwritable, match="^.*" + why.replace("{", r"\{").replace("?", r"\?")):
        Phrases([(phrase, None)], Lists(lists))


def test_what_phrases_have_in_common_is_kept_once() -> None:
    """A server has a thousand phrases with the same few lists in them."""
    lists = Lists(LISTS)
    assert lists.read("i {want} {die}")[1] is lists.read("we {want} it")[1]
