"""The guardian on a stage: what it tells its owner, and what a crash costs."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.caring.judging import Judge
from actors.counters import Counters
from actors.guardian import GUARDIAN, LAST_ANSWERS, GuardianActor, GuardianInbox, Guarding, Unreadable
from actors.messages.guardian import HelpNamed, KnowHelplines, Said, Transcript, Worried
from actors.messages.ids import Generation
from actors.runtime import Hired, MailboxOverflow, Stop
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from care.folding import Folded
from care.helplines import numbers
from care.signs import Signs, shipped
from upstream.facts import TurnId

SUICIDE = Worried("suicide", sure=True)
POISON = "a word that no list can bear"


class Brittle(Signs):
    """The lists that ship, and a text with which they crash."""

    def __init__(self) -> None:
        self.__dict__ |= vars(shipped())

    def find(self, words: Folded) -> Iterator[tuple[Worried, int]]:
        if "ber" in words:
            raise KeyError(POISON)
        return super().find(words)


@dataclass
class Beside:
    """What a guardian needs of a server."""

    counters: Counters = field(default_factory=Counters)
    judge: Judge | None = None


def transcript(turn: int, role: str = "user") -> Transcript:
    return Transcript("user" if role == "user" else "assistant", Generation(1), TurnId(turn))


def hears(guardian: Hired[GuardianInbox], turn: int, text: str, final: bool = True) -> None:
    """The caller has said this."""
    guardian.tell(Said(transcript(turn), text, final))


def says(guardian: Hired[GuardianInbox], turn: int, text: str, final: bool = True) -> None:
    """The persona has said this."""
    guardian.tell(Said(transcript(turn, "assistant"), text, final))


@pytest.fixture
def owner() -> Probe:
    return Probe("owner")


@pytest.fixture
def beside() -> Beside:
    return Beside()


@pytest.fixture
def guardian(stage: Stage, owner: Probe, beside: Beside) -> Hired[GuardianInbox]:
    """It knows India's numbers; each test ends it."""
    return stage.launch(GuardianActor, owner, shipped(), numbers("IN", "suicide"), beside)


def end(stage: Stage, guardian: Hired[GuardianInbox]) -> None:
    guardian.tell(Stop())
    stage.expect_terminated(guardian)


def test_it_tells_each_kind_once(stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]) -> None:
    """And nothing of what is ordinary."""
    hears(guardian, 1, "when will I be married")
    owner.expect_nothing()
    hears(guardian, 2, "I want to die")
    hears(guardian, 3, "मुझे मरना है")
    hears(guardian, 4, "my husband beats me")
    assert owner.take() == [SUICIDE, Worried("hurt", sure=True)]
    end(stage, guardian)


def test_it_tells_while_the_caller_still_speaks(stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]) -> None:
    """In pieces, as the recogniser sends them."""
    for piece in ("I wa", "nt to di", "e and I do not", " know whom to tell"):
        hears(guardian, 1, piece, final=False)
    owner.expect(SUICIDE)
    hears(guardian, 1, "I want to die and I do not know whom to tell")
    owner.expect_nothing()
    end(stage, guardian)


def test_it_knows_that_help_was_named(stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]) -> None:
    """By the persona; a caller who reads out a number has no help yet."""
    hears(guardian, 1, "they gave me 14416")
    owner.expect_nothing()
    says(guardian, 1, "Please call one four four one six.")
    owner.expect(HelpNamed(transcript(1, "assistant")))
    end(stage, guardian)


def test_it_reads_both_sides_together(stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]) -> None:
    """A question of the persona and a yes of the caller are a sign."""
    says(guardian, 1, "क्या आपके मन में आत्महत्या का ख्याल आता है?")
    hears(guardian, 2, "हां")
    owner.expect(SUICIDE)
    end(stage, guardian)


def test_a_long_text_is_read_in_parts(stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]) -> None:
    """All of it, one message of its own for each part."""
    hears(guardian, 1, "and then the wedding was in May " * 100 + "I want to die" + " and they danced" * 100)
    owner.expect(SUICIDE)
    end(stage, guardian)


def test_how_personas_press_is_counted_without_words(
    stage: Stage, owner: Probe, guardian: Hired[GuardianInbox], beside: Beside
) -> None:
    """Once for each answer and rule, also where the answer is long; what a caller says, or a piece, does not count."""
    stays, sells = "Please stay on the line with me.", "You should buy a yellow sapphire from me."
    says(guardian, 1, stays, final=False)
    hears(guardian, 1, sells)
    stage.settle()
    assert not beside.counters.pressed
    says(guardian, 1, f"{stays} {'The wedding is in May. ' * 40} {stays} {sells}")
    says(guardian, 2, stays)
    says(guardian, 3, "Your Moon is in Rohini, and you may go whenever you like.")
    stage.settle()
    assert beside.counters.pressed == {"stay": 2, "remedy": 1}
    owner.expect_nothing()
    end(stage, guardian)


def test_of_few_answers_it_is_kept_how_they_press(stage: Stage, guardian: Hired[GuardianInbox]) -> None:
    """A call may have thousands."""
    for number in range(4 * LAST_ANSWERS):
        says(guardian, number, "Please stay on the line with me.")
    stage.settle()
    actor = guardian._actor_weakref()
    assert isinstance(actor, GuardianActor)
    assert len(actor._pressed) == LAST_ANSWERS
    del actor
    end(stage, guardian)


def test_in_another_country_help_is_named_by_other_numbers(
    stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]
) -> None:
    """The caller has told where they are."""
    guardian.tell(KnowHelplines(numbers("GB", "suicide")))
    says(guardian, 1, "Please call one four four one six.")
    owner.expect_nothing()
    says(guardian, 2, "Please call 116 123.")
    owner.expect(HelpNamed(transcript(2, "assistant")))
    end(stage, guardian)


def test_what_is_known_is_not_told_and_not_taken_back(stage: Stage, owner: Probe, beside: Beside) -> None:
    """From a guardian before it, or from another server."""
    known = [SUICIDE, Worried("medical", sure=False)]
    guardian = stage.launch(GuardianActor, owner, shipped(), (), beside, known)
    hears(guardian, 1, "there is no hope left")
    hears(guardian, 2, "I want to die")
    owner.expect_nothing()
    hears(guardian, 3, "my husband beats me")
    owner.expect(Worried("hurt", sure=True))
    hears(guardian, 4, "I had a heart attack right now")
    owner.expect(Worried("medical", sure=True))
    end(stage, guardian)


def test_a_yes_at_the_begin_of_a_long_piece_is_an_answer(
    stage: Stage, owner: Probe, guardian: Hired[GuardianInbox]
) -> None:
    """Each part of it but the last is read to its end: the next one forgets what was asked."""
    says(guardian, 1, "Are you thinking of killing yourself?")
    hears(guardian, 2, "Yes. " + "And then the wedding was in May. " * 12, final=False)
    owner.expect(SUICIDE)
    end(stage, guardian)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.text(max_size=400), st.booleans()), max_size=12))
def test_no_words_crash_it(told: list[tuple[bool, int, str, bool]]) -> None:
    """In whatever order and language."""
    with Stage() as stage:
        guardian = stage.launch(GuardianActor, Probe("owner"), shipped(), numbers("IN", "suicide"), Beside())
        for caller, turn, text, final in told:
            (hears if caller else says)(guardian, turn, text, final)
        stage.settle()
        assert guardian.is_alive()
        end(stage, guardian)


def test_a_crash_names_its_transcript_and_logs_no_words(
    stage: Stage, owner: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    """So that the next guardian is not told it; what the caller said is in no log."""
    guardian = stage.launch(GuardianActor, owner, Brittle(), (), Beside())
    hears(guardian, 1, "I want to die")
    hears(guardian, 2, f"my secret: {POISON}")
    hears(guardian, 3, "my husband beats me")
    owner.expect(SUICIDE)
    owner.expect_nothing()
    stage.expect_terminated(guardian, Unreadable)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[1].transcript == transcript(2)  # type: ignore[union-attr]
    assert "in find" in caplog.text
    assert "KeyError" in caplog.text
    assert POISON not in caplog.text
    assert "secret" not in caplog.text


def test_two_more_guardians_and_then_none() -> None:
    """Whenever in the call they crash."""
    guarding = Guarding()
    for number, at in enumerate((0.0, 1000.0), 1):
        assert guarding.ended(Unreadable(transcript(number), "KeyError"), at)
    assert guarding.reads(transcript(9))
    assert not guarding.ended(Unreadable(transcript(3), "KeyError"), 5000.0)
    assert guarding.given_up
    assert not guarding.reads(transcript(9))
    assert GUARDIAN.limit == 2


def test_what_crashed_one_is_not_told_to_the_next() -> None:
    """Neither its other pieces nor the whole; everything else is."""
    guarding = Guarding()
    guarding.ended(Unreadable(transcript(2), "KeyError"), 0.0)
    assert not guarding.reads(transcript(2))
    assert guarding.reads(transcript(2, "assistant"))
    assert guarding.reads(Transcript("user", Generation(2), TurnId(2)))


def test_an_end_for_another_reason_bars_nothing() -> None:
    """A full mailbox is no fault of the words in it."""
    guarding = Guarding()
    assert guarding.ended(MailboxOverflow("1001 messages"), 0.0)
    assert guarding.ended(None, 0.0)
    assert guarding.reads(transcript(1))


def test_words_are_not_shown() -> None:
    """A message that is printed by mistake gives nothing away."""
    assert "die" not in repr(Said(transcript(1), "I want to die", final=True))
