"""The engine's own answers press nobody: over all its topics and phrases, in both languages, to the young as well."""

import datetime
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from care.said import pressed
from engine.mind.prompt import parse_prompt
from engine.mind.replies import phrases, reply
from engine.mind.topics import data, topic_of
from personas.prompt import YOUNG, build, parting
from tests.kit.four import FOUR, MOHIT, TINA
from upstream.facts import Turn

TURNS = 4
TODAY = datetime.date(2026, 11, 22)
YOUNGS = {"grown up": "", "young": YOUNG, "parting": parting(adults_only=True)}
LEAVING = ["I have to go now, bye", "bye", "अब मैं फोन रखती हूं, अलविदा", "chalo phir milenge, bye"]


def every(phrase: Any) -> Iterator[str]:
    """All texts within the phrases of a language."""
    match phrase:
        case str():
            yield phrase
        case dict():
            for one in phrase.values():
                yield from every(one)
        case list():
            for one in phrase:
                yield from every(one)


def talk(instructions: str, lines: list[str]) -> list[str]:
    """The answers of one call in which the caller says these lines."""
    prompt, turns = parse_prompt(instructions), list[Turn]()
    for line in lines:
        turns.append(Turn("user", line))
        turns.append(Turn("assistant", reply(prompt, turns)))
    return [turn.text for turn in turns if turn.role == "assistant"]


def openings(topic: dict[str, Any]) -> list[str]:
    """Words that bring up a topic: each of its patterns that does, alone and in a sentence."""
    words = [
        " ".join(filter(None, (word.replace("*", ""), topic.get("with", [""])[0].replace("*", ""))))
        for word in topic["words"]
    ]
    return [word for word in words if topic_of(word) == topic["name"]]


@pytest.mark.parametrize("language", ["en", "hi"])
def test_no_phrase_presses(language: str) -> None:
    """Not one of them, whatever it is composed with."""
    said = [one for one in every(phrases(language)) if " " in one]
    assert len(said) > 100
    assert [one for one in said if pressed(one)] == []


@pytest.mark.parametrize(("astrologer", "how"), [*product([TINA, MOHIT], YOUNGS)])
def test_no_answer_presses(astrologer: str, how: str) -> None:
    """Of any topic, asked about again and again."""
    instructions = build(FOUR.get(astrologer).standing, today=TODAY, young=YOUNGS[how])
    topics = {topic["name"]: openings(topic) for topic in data()["topics"]}
    assert [name for name, words in topics.items() if not words] == []
    for words in topics.values():
        lines = [words[turn % len(words)] for turn in range(TURNS)]
        found = [(answer, pressed(answer)) for answer in talk(instructions, lines) if pressed(answer)]
        assert found == []


@pytest.mark.parametrize(("leaving", "astrologer"), [*product(LEAVING, [TINA, MOHIT])])
def test_who_leaves_is_let_go_in_one_breath(leaving: str, astrologer: str) -> None:
    """No question, no reason to stay, no next call."""
    for young in YOUNGS.values():
        instructions = build(FOUR.get(astrologer).standing, today=TODAY, young=young)
        answer = talk(instructions, ["When will I get married?", leaving])[-1]
        assert "?" not in answer
        assert pressed(answer) == frozenset()
