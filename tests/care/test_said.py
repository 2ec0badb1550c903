"""What a persona says that presses callers is found, what is said every day is not. The sentences are in said/."""

import json
import time
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.said import pressed
from care.words import help_sentence, languages
from tests.kit.four import FOUR

FOLDER = Path(__file__).parent / "said"
RIGHT = ["", "second_", "third_"]
RULES = {"stay", "sell", "remedy", "fear", "human"}


def sentences(file: str) -> list[str]:
    """The lines of a file that are no comments."""
    return [line for line in (FOLDER / f"{file}.txt").read_text().splitlines() if line and not line.startswith("#")]


def missed(file: str) -> list[str]:
    """The sentences that press, and are not found by their rule."""
    parts = [line.partition(": ") for line in sentences(file)]
    return [said for rule, _, said in parts if rule not in pressed(said)]


def false_alarms(file: str) -> list[str]:
    """The ordinary sentences that are taken for pressing ones."""
    return [line for line in sentences(file) if pressed(line)]


def test_each_sentence_is_there_once_and_each_rule_has_some() -> None:
    """In two languages, one of them in two scripts."""
    lines = [
        line for prefix in [*RIGHT, "fourth_"] for kind in ("pressing", "ordinary") for line in sentences(prefix + kind)
    ]
    assert len(set(lines)) == len(lines) >= 600
    for prefix in [*RIGHT, "fourth_"]:
        assert {line.partition(":")[0] for line in sentences(f"{prefix}pressing")} == RULES


@pytest.mark.parametrize("prefix", RIGHT)
def test_what_presses_is_found(prefix: str) -> None:
    """By its rule."""
    assert missed(f"{prefix}pressing") == []


@pytest.mark.parametrize("prefix", RIGHT)
def test_what_is_said_every_day_is_not(prefix: str) -> None:
    """Comfort, refusals of remedies, advice to call somebody else, and the persona's own honesty."""
    assert false_alarms(f"{prefix}ordinary") == []


def test_what_was_never_tuned_keeps_its_rates() -> None:
    """The set that measures: no change of the lists may make it worse than it was when it was written."""
    assert len(missed("fourth_pressing")) <= 19
    assert len(false_alarms("fourth_ordinary")) <= 2


def test_a_sentence_is_found_within_a_long_answer() -> None:
    """Wherever it stands, and however long the answer is."""
    answer = "I hear you, and that sounds heavy. " * 30
    assert pressed(answer) == frozenset()
    assert pressed(f"{answer}You should buy a yellow sapphire. {answer}") == {"remedy"}
    assert pressed("Don't hang up now. Call me again tomorrow.") == {"stay", "sell"}


def test_what_the_server_itself_says_does_not_press() -> None:
    """The disclosure, the sentence with a helpline, and the greetings that ship."""
    from care.helplines import numbers
    from care.signs import KINDS

    said = [persona.disclosure for persona in FOUR.all()]
    said += [help_sentence(language, kind, numbers("IN", kind)) for language in languages() for kind in KINDS]
    said += [persona.greeting for persona in FOUR.all()]
    assert [line for line in said if pressed(line)] == []


def test_every_rule_says_what_it_is() -> None:
    """With phrases, and a message."""
    data = json.loads(files("care").joinpath("said.json").read_text(encoding="utf-8"))
    assert {one["rule"] for one in data["findings"]} == RULES
    assert all(one["message"] and one["say"] for one in data["findings"])


@given(st.text(max_size=700))
def test_whatever_is_said_it_never_raises(text: str) -> None:
    """Any text, also without a word."""
    assert pressed(text) <= RULES


def test_a_look_is_quick() -> None:
    """It may run on the loop beside a call, once an answer: far below a turn of it, also on a busy machine."""
    answer = " ".join(sentences("fourth_ordinary")[:10])
    pressed(answer)
    began = time.process_time()
    for _ in range(20):
        pressed(answer)
    assert (time.process_time() - began) / 20 < 0.05
