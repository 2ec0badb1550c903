"""When a judge is asked: one question at a time, so many a minute, with the last words of both sides."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from actors.caring.judging import MOST_CHARACTERS, MOST_TURNS, Judging, Talk
from actors.counters import Counters
from actors.guardian import GuardianActor, GuardianInbox
from actors.messages.guardian import Judged, Said, Transcript, Worried
from actors.messages.ids import Generation
from actors.runtime import Hired, Stop
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from care.signs import shipped
from upstream.facts import Role, TurnId

SUICIDE, UNSURE = Worried("suicide", sure=True), Worried("suicide", sure=False)


@dataclass
class Judge:
    """It notes what it is asked, and answers when the test says so."""

    pause: float = 10.0
    full: bool = False
    asked: list[Talk] = field(default_factory=list)
    given_up: int = 0
    tell: Callable[[Judged], None] = print

    def ask(self, talk: Talk, tell: Callable[[Judged], None]) -> Callable[[], None] | None:
        """As of Judge."""
        if self.full:
            return None
        self.asked.append(talk)
        self.tell = tell
        return self._give_up

    def _give_up(self) -> None:
        self.given_up += 1


@dataclass
class Beside:
    """What a guardian needs of a server."""

    judge: Judge | None
    counters: Counters = field(default_factory=Counters)


class Read:
    """A guardian who has a judge, and whose owner is a probe."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.judge, self.owner, self._turn = stage, Judge(), Probe("owner"), 0
        self.actor: Hired[GuardianInbox] = stage.launch(GuardianActor, self.owner, shipped(), (), Beside(self.judge))

    def says(self, text: str, role: Role = "user", final: bool = True) -> None:
        """One of them has said this."""
        self._turn += 1
        self.actor.tell(Said(Transcript(role, Generation(1), TurnId(self._turn)), text, final))
        self.stage.settle()

    def answers(self, *found: Worried) -> None:
        """The judge answers the question that was asked last."""
        self.judge.tell(Judged(found))
        self.stage.settle()

    def asked(self) -> list[Talk]:
        """What the judge was asked since."""
        asked, self.judge.asked = self.judge.asked, []
        return asked

    def end(self) -> None:
        """The call ends."""
        self.actor.tell(Stop())
        self.stage.expect_terminated(self.actor)


@pytest.fixture
def read(stage: Stage) -> Read:
    return Read(stage)


def test_the_judge_is_asked_with_what_both_sides_said(read: Read) -> None:
    """When the caller has said something; pieces of a transcript, and the persona's words alone, ask nothing."""
    read.says("Namaste.", "assistant")
    read.says("I have given", final=False)
    assert read.asked() == []
    read.says("I have given my dog away.")
    assert read.asked() == [(("assistant", "Namaste."), ("user", "I have given my dog away."))]
    read.end()


def test_one_question_at_a_time_and_so_many_a_minute(read: Read) -> None:
    """What is said meanwhile is asked about once, as soon as it may be; without anything new nothing is."""
    read.says("one")
    read.says("two")
    read.stage.advance(60)
    read.says("three")
    assert len(read.asked()) == 1
    read.answers()
    assert [talk[-1] for talk in read.asked()] == [("user", "three")]
    read.says("four")
    read.answers()
    read.stage.advance(9.9)
    assert read.asked() == []
    read.stage.advance(0.2)
    assert [talk[-1] for talk in read.asked()] == [("user", "four")]
    read.answers()
    read.stage.advance(600)
    assert read.asked() == []
    read.end()


def test_what_waits_is_asked_though_the_persona_has_spoken_since(read: Read) -> None:
    """The caller's words have been said to nobody yet."""
    read.says("one")
    read.says("two")
    read.says("Go on.", "assistant")
    read.stage.advance(60)
    read.answers()
    assert read.asked()[-1] == (("user", "one"), ("user", "two"), ("assistant", "Go on."))
    read.end()


def test_its_word_adds_and_takes_nothing_away(read: Read) -> None:
    """The owner is told what is new, once; what the lists have found stays."""
    read.says("my husband beats me and I am 12")
    read.owner.expect(Worried("hurt", sure=True))
    read.owner.expect(Worried("child", sure=True))
    other = Read(read.stage)
    other.says("there is no hope left")
    other.owner.expect(UNSURE)
    other.answers()
    other.owner.expect_nothing()
    other.stage.advance(10)
    other.says("it is as it is")
    other.answers(UNSURE, Worried("medical", sure=False), SUICIDE)
    assert other.owner.take() == [SUICIDE, Worried("medical", sure=False)]
    read.end()
    other.end()


def test_who_is_surely_in_danger_is_not_asked_about_any_more(read: Read) -> None:
    """By the lists, or by the judge; a child alone is not in danger."""
    read.says("I am 12 years old")
    assert len(read.asked()) == 1
    read.answers(SUICIDE)
    read.stage.advance(60)
    read.says("and nobody knows")
    assert read.asked() == []
    other = Read(read.stage)
    other.says("I want to die")
    assert other.asked() == []
    read.end()
    other.end()


@pytest.mark.parametrize("by_the_judge", [True, False], ids=["judge", "lists"])
def test_what_waits_is_not_asked_once_danger_is_sure(read: Read, by_the_judge: bool) -> None:
    """Words that came while a question was open, or in the pause: they go to nobody, and are not kept."""
    for told in ("one", "two"):
        read.says(told)
    read.stage.advance(60)
    if by_the_judge:
        read.answers(SUICIDE)
    else:
        read.says("I want to die and nobody knows of it yet", final=False)
        read.answers()
    assert read.owner.take()[0] == SUICIDE
    read.stage.advance(600)
    assert [talk[-1] for talk in read.asked()] == [("user", "one")]
    read.end()


def test_an_open_question_is_answered_once_danger_is_sure(read: Read) -> None:
    """Its words were sent before; it may have found something else."""
    read.says("one")
    read.says("I want to die")
    read.owner.expect(SUICIDE)
    assert read.judge.given_up == 0
    read.answers(SUICIDE, Worried("hurt", sure=False))
    read.owner.expect(Worried("hurt", sure=False))
    read.owner.expect_nothing()
    read.end()


def test_a_judge_who_cannot_take_it_is_asked_with_the_next_words(read: Read) -> None:
    """Nothing waits for it."""
    read.judge.full = True
    read.says("one")
    read.judge.full = False
    read.stage.advance(60)
    assert read.asked() == []
    read.says("two")
    assert read.asked() == [(("user", "one"), ("user", "two"))]
    read.end()


def test_a_question_that_is_open_is_given_up_at_the_end(read: Read) -> None:
    """Its answer would come to nobody."""
    read.says("one")
    read.end()
    assert read.judge.given_up == 1


def test_few_words_are_kept_and_sent() -> None:
    """The end of the last turns; without a judge none at all."""
    judge, told = Judge(), list[Judged]()
    judging = Judging(judge, told.append, lambda seconds, due: None)
    for number in range(40):
        judging.hear("assistant", f"{number} " + "x" * 5000)
    judging.hear("user", "")
    assert judge.asked == []
    judging.hear("user", "now" * 500 + "I go")
    (talk,) = judge.asked
    assert talk[-1][1].endswith("I go")
    assert len(talk) == MOST_TURNS
    assert max(len(text) for _, text in talk) == MOST_CHARACTERS
    judging.rest()
    assert not judging._talk
    alone = Judging(None, told.append, lambda seconds, due: None)
    alone.hear("user", "now")
    assert not alone._talk
