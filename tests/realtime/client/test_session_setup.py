"""Updates that are answered in any order, or refused: what the opening, and a change of the setup, make of it."""

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import orjson
import pytest

from realtime.client import states
from realtime.client.protocol import Protocol
from upstream.commands import AskText, ConfigureSession, SetTurnDetection, UpdateInstructions
from upstream.facts import Configured, Event, Postponed, ReplyNumber, Setup, Turn, TurnId, Unusable

TINA = Setup("You are Tina.", "marin", "hi", listens=True)
ERRORS = ["invalid_value", "rate_limit_exceeded", "never heard of"]


class Upstream:
    """Answers each update when the test lets it: all that it was asked for it takes in order, unless it refuses."""

    def __init__(self) -> None:
        self.ours = Protocol()
        self.ours.send(ConfigureSession(TINA, (Turn("user", "Hello."),)))
        self.say("session.created", session={})
        self._session: dict[str, Any] = {}

    def say(self, kind: str, **fields: Any) -> list[Event]:
        return self.ours.receive(orjson.dumps({"type": kind, **fields}))

    def sent(self) -> list[dict[str, Any]]:
        return [orjson.loads(frame) for frame in self.ours.to_send()]

    def updates(self) -> list[dict[str, Any]]:
        return [event for event in self.sent() if event["type"] == "session.update"]

    def take(self, update: dict[str, Any]) -> list[Event]:
        """What it leaves out stays as it was; the whole session is told."""
        self._session |= update["session"]
        return self.say("session.updated", session=self._session)

    def refuse(self, update: dict[str, Any], code: str, named: bool = True) -> list[Event]:
        error = {"code": code, "message": "no", "event_id": update["event_id"] if named else None}
        return self.say("error", error=error)

    @property
    def state(self) -> states.State:
        return self.ours.states.session


def orders(refusable: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Update 0 is taken, any of the others may be refused: which are, and all orders in which the answers may come.

    What is taken is answered in order.
    """
    numbers = range(refusable + 1)
    for refused in (some for size in range(refusable + 1) for some in combinations(numbers[1:], size)):
        for order in permutations(numbers):
            taken = [number for number in order if number not in refused]
            if taken == sorted(taken):
                yield order, refused


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("tuning", [False, True])
def test_instructions_alone_neither_end_nor_delay_an_opening(tuning: bool, code: str, named: bool) -> None:
    """It is over when the setup is answered, whatever comes of them, and whenever; so is a change of the setup.

    Also when the error does not say what it refuses. What is changed after that is waited for as ever.
    """
    for order, refused in orders(refusable=3):
        up = Upstream()
        if tuning:
            up.take(*up.updates())
            up.ours.send(SetTurnDetection(False))
        for name in ("Asha", "Usha", "Nisha"):
            up.ours.send(UpdateInstructions(f"You are Tina. The caller is {name}."))
        updates = up.updates()
        for number in order:
            told = up.refuse(updates[number], code, named) if number in refused else up.take(updates[number])
            assert told == ([Configured(listens=not tuning)] if number == 0 else []), (order, refused)
            if number == 0:
                assert (up.state, up.ours.owed) == (states.Session.OPEN, False)
        up.ours.send(SetTurnDetection(tuning))
        passed = [up.state, up.take(*up.updates()), up.state]
        assert passed == [states.Session.TUNING, [Configured(listens=tuning)], states.Session.OPEN], (order, refused)


@pytest.mark.parametrize("named", [True, False])
def test_a_change_of_the_setup_does_not_wait_for_instructions_before_it(named: bool) -> None:
    """They are refused before or after it is answered, or nobody ever says so."""
    for error in ("before", "after", "never"):
        up = Upstream()
        up.take(*up.updates())
        up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
        up.ours.send(SetTurnDetection(False))
        alone, setup = up.updates()
        if error == "before":
            up.refuse(alone, "odd", named)
        assert up.take(setup) == [Configured()]
        if error == "after":
            up.refuse(alone, "odd", named)
        assert up.state is states.Session.OPEN


def test_instructions_that_are_taken_do_not_answer_for_the_setup_after_them() -> None:
    """Nothing is appended before the upstream shows that it stopped listening, or listens."""
    up = Upstream()
    up.take(*up.updates())
    up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    up.ours.send(SetTurnDetection(False))
    alone, setup = up.updates()
    assert up.take(alone) == []
    assert up.state is states.Session.TUNING
    assert up.take(setup) == [Configured()]


@pytest.mark.parametrize("named", [True, False])
def test_of_several_instructions_only_those_that_are_refused_are_not_waited_for(named: bool) -> None:
    """Or those that are taken would answer for the setup after them."""
    for refused in (0, 1):
        up = Upstream()
        up.take(*up.updates())
        up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
        up.ours.send(UpdateInstructions("You are Tina. The caller is Usha."))
        up.ours.send(SetTurnDetection(False))
        *alone, setup = up.updates()
        for number, update in enumerate(alone):
            assert (up.refuse(update, "odd", named) if number == refused else up.take(update)) == []
        assert up.state is states.Session.TUNING
        assert up.take(setup) == [Configured()]


def test_only_the_newest_setup_opens_whatever_instructions_are_between() -> None:
    """An older one is on its way still; the turns so far are seeded once."""
    up = Upstream()
    up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    up.ours.send(ConfigureSession(Setup("You are Mohit.", "cedar", "en"), (Turn("user", "Hello."),)))
    tina, asha, mohit = up.updates()
    assert up.take(tina) == []
    assert up.refuse(asha, "odd") == []
    assert up.state is states.Session.OPENING
    assert up.take(mohit) == [Configured()]
    assert [event["type"] for event in up.sent()] == ["conversation.item.create"]


def test_instructions_that_are_told_twice_to_be_refused_are_refused_once() -> None:
    """Nor is an update of which nobody heard."""
    up = Upstream()
    up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    setup, alone = up.updates()
    for _ in range(2):
        assert up.refuse(alone, "odd") == []
    assert up.refuse({"event_id": "instruct-99"}, "odd") == []
    assert up.take(setup) == [Configured(listens=True)]
    assert up.ours.anomalies == {"odd": 3}


@pytest.mark.parametrize("code", ["odd", "rate_limit_exceeded"])
def test_a_setup_that_is_refused_ends_the_opening_whatever_else_is_on_its_way(code: str) -> None:
    """As ever: of another try only what came too often is mended."""
    up = Upstream()
    up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    setup, _ = up.updates()
    assert up.refuse(setup, code) == [Unusable(code, "no", fatal=code == "odd")]


def test_a_session_that_does_not_take_instructions_goes_on_by_the_old_ones() -> None:
    """It says that it was updated, but shows that it was not."""
    up = Upstream()
    (setup,) = up.updates()
    up.take(setup)
    up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    up.updates()
    assert up.say("session.updated", session=setup["session"]) == []
    assert up.state is states.Session.OPEN


def test_a_limit_that_names_nothing_puts_off_what_is_asked_and_nothing_else() -> None:
    """Where nothing is asked it is counted."""
    up = Upstream()
    up.take(*up.updates())
    up.ours.send(UpdateInstructions("You are Tina. The caller is Asha."))
    (alone,) = up.updates()
    assert up.refuse(alone, "rate_limit_exceeded", named=False) == []
    assert up.ours.anomalies == {"rate_limit_exceeded": 1}
    up.ours.send(AskText(TurnId(1), "one"))
    assert up.refuse({}, "rate_limit_exceeded", named=False) == [Postponed(ReplyNumber(0), TurnId(1), 1.0)]


@pytest.mark.parametrize("late", [False, True])
def test_who_spoke_before_the_mode_changed_twice_is_not_heard_for_ever(late: bool) -> None:
    """The upstream forgot their speech when it stopped listening, also where it was to listen again by then."""
    up = Upstream()
    up.take(*up.updates())
    up.say("input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    up.ours.send(SetTurnDetection(False))
    (clips,) = up.updates()
    if not late:
        up.take(clips)
    up.ours.send(SetTurnDetection(True))
    (stream,) = up.updates()
    if late:
        up.take(clips)
    up.take(stream)
    up.ours.send(AskText(TurnId(1), "a question"))
    ask = next(event for event in up.sent() if event["type"] == "response.create")["response"]["metadata"]
    assert up.say("response.created", response={"id": "answer", "metadata": ask}) != []
    assert up.sent() == []
