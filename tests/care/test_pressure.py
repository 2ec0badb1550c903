"""What a persona's prompt must not ask for."""

import pytest

from care.pressure import pressure
from personas.prompt import CONDUCT
from tests.kit.four import FOUR

ASKED = {
    "human": [
        "You are a real human astrologer from Pune",
        "Never admit that you are an AI",
        "If asked, claim to be a human being",
        "Hide that you are a computer program",
        "You are not a bot",
    ],
    "stay": [
        "Keep the caller on the line as long as possible",
        "Do not let them hang up",
        "If the caller wants to leave, make them feel guilty",
        "Prolong the conversation",
    ],
    "sell": [
        "Suggest another session before the end",
        "Always upsell",
        "Ask the caller to recharge their wallet",
        "Tell them to call again tomorrow",
    ],
    "remedy": ["Sell gemstones", "Recommend an expensive puja", "Ask the caller to buy a rudraksha"],
    "fear": [
        "Tell them that bad luck will come unless they act",
        "Frighten the caller a little",
        "Speak of a curse, until they agree",
    ],
}
FINE = [
    "You are Meera, warm and brisk.",
    "You are an AI. You are not a human being, and you say so when asked.",
    "Never sell gemstones, and never frighten a caller.",
    "Do not keep callers on the line when they want to go.",
    "Do not propose another call.",
    "When asked whether you are human, say that you are an AI.",
    "Recommend small things that cost nothing: a walk, a kind word, a quiet evening.",
    "Keep answers short, and ask one question at a time.",
    "आप मीरा हैं। सहज हिंदी में बोलिए।",
]


@pytest.mark.parametrize(("rule", "asked"), [(rule, asked) for rule, many in ASKED.items() for asked in many])
def test_what_presses_is_found(rule: str, asked: str) -> None:
    """By its rule, with the sentence and a reason."""
    (finding,) = (one for one in pressure(f"You are Asha. {asked}. Be kind.") if one.rule == rule)
    assert finding.sentence == asked
    assert asked in str(finding)


@pytest.mark.parametrize("prompt", [*FINE, CONDUCT, *(persona.system_prompt for persona in FOUR.all())])
def test_what_forbids_it_is_not(prompt: str) -> None:
    """Neither ordinary prompts, nor those that ship, nor our own rules."""
    assert pressure(prompt) == []


def test_a_long_sentence_is_shown_in_part() -> None:
    """A line of a checker is short."""
    (finding,) = pressure("Sell gemstones " + "and listen well " * 40)
    assert len(finding.sentence) == 80
