"""Whom the caller wants, and how often they may say so."""

import pytest

from actors.call.choices import Choices
from actors.call.line import Selection
from actors.messages.ids import ChoiceId
from personas import Profile
from schemas import Refused
from tests.kit.four import FOUR, HARSH, MOHIT, TINA

ASHA, USHA = Profile(name="Asha"), Profile(name="Usha")


def grant(choices: Choices, choice: int, astrologer_id: str) -> Selection:
    selection = Selection(ChoiceId(choice), FOUR.get(astrologer_id))
    choices.granted(selection, "private")
    return selection


def switched(choices: Choices, now: float) -> None:
    """One more choice, granted at once."""
    grant(choices, choices.ask(MOHIT, None, now), MOHIT)


def test_whoever_is_wanted_already_is_a_repetition() -> None:
    """Asked for, or granted; also who was found by words, once it is known."""
    choices = Choices(6)
    first = choices.ask(TINA, None, 0)
    assert choices.repeats(TINA)
    assert choices.repeat(None)
    grant(choices, first, TINA)
    assert choices.repeats(TINA)
    assert not choices.repeat(None)
    sought = choices.ask("", None, 0)
    assert not choices.repeats(TINA)
    grant(choices, sought, MOHIT)
    assert choices.repeats(MOHIT)


def test_the_newest_profile_goes_with_a_choice_that_is_not_decided() -> None:
    """And one without a profile takes none away."""
    choices = Choices(6)
    choice = choices.ask(TINA, ASHA, 0)
    choices.repeat(USHA)
    choices.repeat(None)
    assert choices.granted(Selection(choice, FOUR.get(TINA)), "private").profile == USHA


def test_the_newest_mode_goes_with_a_choice_that_is_not_decided() -> None:
    """And one without a mode takes none away; what was refused asks for nothing any more."""
    choices = Choices(6)
    refused, choice = choices.ask(HARSH, None, 0, "clip"), choices.ask(TINA, None, 0, "clip")
    choices.repeat(None, "stream")
    choices.repeat(USHA)
    assert choices.modes == {"clip", "stream"}
    choices.refused(refused, None)
    assert choices.modes == {"stream"}
    assert choices.granted(Selection(choice, FOUR.get(TINA)), "private").mode == "stream"
    assert choices.modes == set()


def test_a_refused_choice_falls_back_to_the_one_before() -> None:
    """To what is not decided yet, else to who is wanted, else to nobody."""
    choices = Choices(6)
    first = choices.ask(TINA, None, 0)
    assert choices.refused(first, None) == choices.newest == 0
    wanted = grant(choices, choices.ask(TINA, None, 0), TINA)
    undecided, refused = choices.ask(MOHIT, None, 0), choices.ask(HARSH, None, 0)
    assert choices.refused(refused, wanted) == choices.newest == undecided
    assert choices.repeats(MOHIT)
    assert choices.refused(undecided, wanted) == choices.newest == wanted.choice
    assert choices.repeats(TINA)


def test_a_choice_that_comes_to_nothing_leaves_a_newer_one() -> None:
    """What the caller wants now is not changed by what became of what they wanted before."""
    choices = Choices(6)
    wanted = grant(choices, choices.ask(TINA, None, 0), TINA)
    older, newer = choices.ask(MOHIT, None, 0), choices.ask(HARSH, None, 0)
    assert choices.refused(older, wanted) == wanted.choice
    assert choices.newest == newer
    assert choices.repeats(HARSH)


def test_only_what_is_needed_no_more_is_released() -> None:
    """A choice that is not decided is never named, though it may have its place already; and none is named twice."""
    choices = Choices(6)
    choice = choices.ask("", None, 0)
    assert choices.release(None) == frozenset()
    tina = grant(choices, choice, TINA)
    assert choices.release(tina, None) == choices.release(tina, tina) == frozenset()
    undecided = choices.ask(HARSH, None, 0)
    assert choices.release(tina) == frozenset()
    assert choices.release() == frozenset({choice})
    harsh = grant(choices, undecided, HARSH)
    assert choices.release(harsh) == frozenset()
    assert choices.release() == frozenset({undecided})


def test_what_a_granted_choice_brings_holds_for_the_call() -> None:
    """A refused one brings nothing; a choice without a profile takes none away, and each brings a policy of memory."""
    choices = Choices(6)
    choices.refused(choices.ask(HARSH, USHA, 0), None)
    assert not choices.profile
    choices.granted(Selection(choices.ask(TINA, ASHA, 0), FOUR.get(TINA)), "shared")
    assert [choices.profile, choices.memory] == [ASHA, "shared"]
    choices.granted(Selection(choices.ask(MOHIT, None, 0), FOUR.get(MOHIT)), "none")
    assert [choices.profile, choices.memory] == [ASHA, "none"]


def test_so_many_switches_a_minute() -> None:
    """The first that is granted is none, and each is forgotten after a minute."""
    choices = Choices(2)
    for now in (0, 10, 20):
        switched(choices, now)
    with pytest.raises(Refused, match=r"You switched 2 times in a minute: try again in 31 s\.") as refused:
        choices.ask(TINA, None, 39.5)
    assert refused.value.code == "switch_too_often"
    assert choices.count == choices.newest == 3
    with pytest.raises(Refused, match=r"in 1 s\."):
        choices.ask(TINA, None, 69)
    switched(choices, 70)


def test_a_refused_choice_is_no_switch() -> None:
    """Before anybody is on the line, and after."""
    choices = Choices(1)
    for _ in range(5):
        choices.refused(choices.ask(TINA, None, 0), None)
    switched(choices, 0)
    for _ in range(5):
        choices.refused(choices.ask(TINA, None, 0), None)
    switched(choices, 0)
    with pytest.raises(Refused, match="once"):
        choices.ask(TINA, None, 0)


def test_what_is_asked_in_one_breath_counts_before_it_is_granted() -> None:
    """Or as many as one likes would be granted."""
    choices = Choices(2)
    for _ in range(3):
        choices.ask(TINA, None, 0)
    with pytest.raises(Refused, match="switched 2 times"):
        choices.ask(TINA, None, 0)
