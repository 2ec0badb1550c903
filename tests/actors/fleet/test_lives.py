"""The lives of calls on one server, when what the register says comes in an unlucky order."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from actors.call.resume.token import digest
from actors.fleet.call_questions import KEPT_SECONDS, Answer, ClaimAnswered, Questions, SaveAnswered
from actors.fleet.lives import Lives
from actors.messages.admission import Resume
from actors.messages.moving import Keep, Superseded, TookCall, YieldCall
from actors.services import Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import CurrentCatalogue
from register import Claim, Epoch, Kicked, Memory, MemoryRegister, Past, Taken, YieldAsked
from register.record import Identity, Record, encode
from tests.kit.four import FOUR

TOKEN = b"t" * 32
RECORD = Record(Identity("u1"), "tina", "1", "stream", began=1.0, saved=1.0)


class Told:
    """Lives over a register in memory, whose answers wait until they are heard."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.answers = stage, list[Answer]()
        self.memory = Memory(lambda: stage.clock.wall().timestamp())
        self.register, self.other = MemoryRegister("a", self.memory), MemoryRegister("b", self.memory)
        self.questions = Questions(self.register, self.answers.append, lambda: None)
        self.session: Any = Probe("session")
        services = Services(CurrentCatalogue(FOUR), Wires(), cast(Pool, Decoders()), clock=stage.clock)
        self.lives = Lives(self.questions, services, Probe("supervisor"))

    def keeps(self, handled: int) -> None:
        """The session sends its record."""
        self.lives.keep(Keep(self.session, TOKEN, replace(RECORD, handled=handled)))
        self.stage.settle()

    def hears(self, change: Callable[[Answer], Answer] = lambda answer: answer) -> Answer:
        """The oldest answer comes, perhaps as another one."""
        self.stage.settle()
        answer = change(self.answers.pop(0))
        match answer:
            case ClaimAnswered(session, claim):
                self.lives.claimed(session, claim)
            case SaveAnswered(keep, saved, claim):
                self.lives.saved(keep, saved, claim)
        self.stage.settle()
        return answer


@pytest.fixture
def told(stage: Stage) -> Told:
    """One call, whose claim is under way."""
    one = Told(stage)
    one.lives.announce(one.session, "u1", TOKEN)
    return one


def unanswered(answer: Answer) -> Answer:
    """The register was away."""
    assert isinstance(answer, SaveAnswered)
    return replace(answer, saved=None)


def test_a_kick_that_comes_before_the_claim_is_not_forgotten(told: Told) -> None:
    """The user has called elsewhere since: this call ends as soon as it knows its own epoch."""
    told.lives.kicked(Kicked("u1", Epoch(10**18)))
    told.session.expect_nothing()
    told.hears()
    told.session.expect(Superseded(moved=False, saved_ms=0))


def test_who_called_elsewhere_before_a_claim_was_given_up_has_called_last(told: Told) -> None:
    """A claim without an answer counts from when the call began, not from when it was given up."""
    told.stage.advance(0.1)
    told.lives.kicked(Kicked("u1", told.memory.next_epoch(None)))
    told.stage.advance(0.2)
    told.hears(lambda _: ClaimAnswered(told.session, None))
    told.session.expect(Superseded(moved=False, saved_ms=0))


def test_a_kick_of_an_older_life_ends_nothing(told: Told) -> None:
    """It was late."""
    told.lives.kicked(Kicked("u1", Epoch(1)))
    told.hears()
    told.lives.kicked(Kicked("u1", Epoch(1)))
    told.session.expect_nothing()


def test_a_newer_record_is_saved_after_one_that_was_lost(told: Told) -> None:
    """And not the lost one over it."""
    told.hears()
    told.keeps(1)
    told.keeps(2)
    told.hears(unanswered)
    answer = told.hears()
    assert isinstance(answer, SaveAnswered)
    assert answer.keep.record.handled == 2
    assert told.answers == []


def test_one_save_at_a_time(told: Told) -> None:
    """What comes meanwhile waits, and of that the newest is saved."""
    told.hears()
    for handled in (1, 2, 3):
        told.keeps(handled)
    assert len(told.answers) == 1
    told.hears()
    assert [one.keep.record.handled for one in told.answers if isinstance(one, SaveAnswered)] == [3]


def test_another_life_is_not_yielded(told: Told) -> None:
    """The epoch that is asked for is not that of the call here: it is not here."""
    claimed = told.hears()
    assert isinstance(claimed, ClaimAnswered)
    assert isinstance(claimed.claim, Claim)
    told.lives.yield_(YieldAsked("u1", Epoch(claimed.claim.epoch - 1), "b", "1"))
    told.session.expect_nothing()
    told.lives.yield_(YieldAsked("u1", claimed.claim.epoch, "b", "2"))
    told.session.expect(YieldCall())


def test_who_asks_is_told_at_once_what_is_not_here(told: Told) -> None:
    """Another node does not wait for a call that this one does not have."""
    told.hears()
    before = told.register.presence.asked["answer"]
    told.lives.yield_(YieldAsked("nobody", Epoch(1), "b", "1"))
    told.stage.settle()
    assert told.register.presence.asked["answer"] == before + 1


def refused(answer: Answer) -> Answer:
    """The call has a newer life."""
    assert isinstance(answer, SaveAnswered)
    return replace(answer, saved=False)


def test_a_refused_save_is_of_a_call_that_moved(told: Told) -> None:
    """Nothing says why it was refused: the caller is told 4410, and nobody is billed here."""
    told.hears()
    told.keeps(1)
    told.hears(refused)
    told.session.expect(Superseded(moved=True, saved_ms=0))
    told.keeps(2)
    assert told.answers == []
    assert told.lives.users == set()


def test_a_life_that_is_older_after_a_sleep_has_moved(told: Told) -> None:
    """One that is the newest goes on."""
    answer = told.hears()
    assert isinstance(answer, ClaimAnswered)
    assert answer.claim
    told.lives.woke({"u1": answer.claim.epoch})
    told.session.expect_nothing()
    assert told.lives.users == {"u1"}
    told.lives.woke({"u1": Epoch(answer.claim.epoch + 1)})
    told.session.expect(Superseded(moved=True, saved_ms=0))
    assert told.lives.users == set()


def test_nothing_is_kept_of_a_life_that_has_ended(told: Told) -> None:
    """Its session is gone, and nothing of it waits to be saved."""
    told.hears()
    told.keeps(1)
    told.hears()
    told.lives.gone(told.session)
    assert told.lives.users == set()


def test_what_is_never_answered_is_kept_for_as_long_as_it_is_of_use(told: Told) -> None:
    """A record lives for 35 s: after that nobody could go on with the call."""
    told.hears()
    told.keeps(1)
    told.lives.gone(told.session)
    told.stage.advance(KEPT_SECONDS - 1.0)
    told.lives.gone(Probe("another session"))  # type: ignore[arg-type]
    assert told.lives.users == {"u1"}
    told.stage.advance(2.0)
    told.lives.gone(Probe("another session"))  # type: ignore[arg-type]
    assert told.lives.users == set()


class Crowded(MemoryRegister):
    """A register that takes its time, and counts how many calls are taken from it at once."""

    now = most = 0

    async def take(self, user: str, token: bytes, seconds: float) -> Taken | Past | None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.1)
        self.now -= 1
        return await super().take(user, token, seconds)


def test_four_calls_are_taken_at_once(stage: Stage) -> None:
    """Of those whose server died the others wait here, and not for a connection to the register."""
    memory, answers = Memory(lambda: stage.clock.wall().timestamp()), list[Answer]()
    dead, here = MemoryRegister("a", memory), Crowded("b", memory)
    questions = Questions(here, answers.append, lambda: None)
    users = [f"u{number}" for number in range(10)]

    async def called() -> None:
        for user in users:
            await dead.save(await dead.claim(user, digest("secret"), 60.0), encode(RECORD), 60.0)
        await dead.close()

    calling = asyncio.get_running_loop().create_task(called())
    stage.settle()
    assert calling.done()
    for user in users:
        questions.take(Resume(user, 1, Probe("caller"), Probe("verdict"), "secret", 0, 0))
    stage.advance(0.25)
    assert (here.most, len(answers)) == (4, 8)
    stage.advance(0.1)
    assert [one.claim.user for one in answers if isinstance(one, TookCall)] == users
