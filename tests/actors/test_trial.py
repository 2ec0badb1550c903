"""The upstream has refused our account: the server itself finds out when it is served again."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from actors.bridge import OPENING_SECONDS, OpenAIBridgeActor
from actors.messages.admission import AccountBlocked, Admitted, Connected, From, Inquired, Report
from actors.messages.caller import Chose, Close
from actors.messages.identity import Identity
from actors.runtime import LoopRef, Stop
from actors.services import Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from actors.trial import USER, TrialActor
from audio import Pool
from personas import CurrentCatalogue
from supervisor import SupervisorActor
from tests.kit.four import FOUR, TINA

USAGE = {"input_token_details": {"text_tokens": 40}, "output_token_details": {"text_tokens": 2}}


class House:
    """A supervisor, and the connections to the model: those of calls, and those that it makes by itself."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.wires = stage, Wires()
        self.services = Services(CurrentCatalogue(FOUR), self.wires, cast(Pool, Decoders()))
        self.supervisor = stage.launch(SupervisorActor, self.services)

    def calls(self, user: str, chooses: bool = True) -> Probe:
        """Somebody calls, and if they are let in they choose, or say nothing at all."""
        self.stage.settle()
        caller = Probe(user)
        self.supervisor.tell(Connected(Identity(user), 1, caller))
        for admitted in [message for message in caller.box if isinstance(message, Admitted)]:
            if chooses:
                admitted.session.tell(From(1, Chose(TINA)))
        self.stage.settle()
        return caller

    def refuses(self, user: str) -> bool:
        """Whether this user, who calls, is turned away because of the account."""
        return codes(self.calls(user, chooses=False)) == [4503]

    def is_open(self) -> bool:
        """What /ready is told."""
        self.stage.settle()
        asker = Probe("asker")
        self.supervisor.tell(Inquired(asker))
        return asker.expect(Report).admitting

    def bar(self, user: str = "one") -> None:
        """A call is refused for the sake of our account."""
        self.calls(user)
        self.wires.dialled[-1].lose(3000, "the key")
        self.stage.settle()

    @property
    def trials(self) -> list[Wire]:
        """The server's own connections."""
        self.stage.settle()
        return [wire for wire in self.wires.dialled if wire.user == USER]

    def alive(self, kind: type[Any]) -> list[LoopRef[Any]]:
        """Its actors of this kind."""
        self.stage.settle()
        return [ref for ref in self.stage.actors() if ref.actor_class is kind]


@pytest.fixture
def house(stage: Stage) -> Iterator[House]:
    """When the test is over the server ends."""
    house = House(stage)
    yield house
    house.supervisor.tell(Stop())
    stage.advance(10)
    stage.expect_terminated(house.supervisor)


def cut(wire: Wire) -> None:
    """It begins to answer, and the line is lost."""
    begin(wire)
    wire.lose()


def codes(caller: Probe) -> list[int]:
    """By which code, if the call is over."""
    return [message.code for message in caller.box if isinstance(message, Close)]


def begin(wire: Wire) -> None:
    """The model begins to answer."""
    wire.welcome()
    wire.say(
        type="response.created", response={"id": "r", "metadata": wire.last("response.create")["response"]["metadata"]}
    )


def done(status: str, usage: Any = None, **details: Any) -> Callable[[Wire], None]:
    """The model begins to answer, and ends like this."""

    def act(wire: Wire) -> None:
        begin(wire)
        response = {"id": "r", "status": status, "status_details": details or None, "usage": usage}
        wire.say(type="response.done", response=response)

    return act


def failed(code: str, message: str = "no") -> Callable[[Wire], None]:
    return done("failed", error={"code": code, "message": message})


def error(code: str) -> Callable[[Wire], None]:
    """The model is told to answer, and will not begin."""

    def act(wire: Wire) -> None:
        wire.welcome()
        wire.refuse("response.create", code)

    return act


def unwelcome(code: str) -> Callable[[Wire], None]:
    return lambda wire: wire.say(type="error", error={"code": code, "message": "no"})


SERVED = {
    "an answer": done("completed"),
    "half an answer": done("incomplete", reason="max_output_tokens"),
    "what it will not say": done("incomplete", reason="content_filter"),
    "a failure of that answer": failed("content_filter"),
    "too many tokens at the moment": failed("rate_limit_exceeded"),
    "too many questions at the moment": error("rate_limit_exceeded"),
    "what it does not understand": error("invalid_value"),
    "another voice": lambda wire: wire.welcome("hoarse"),
}
REFUSED = {
    "closed for the key": lambda wire: wire.lose(3000, "the key"),
    "closed for the model": lambda wire: wire.lose(4000, "the model"),
    "an error at once": unwelcome("invalid_api_key"),
    "an error for the answer": error("insufficient_quota"),
    "a failed answer": failed("insufficient_quota"),
    "no connection": lambda wire: wire.lose(1006, "no"),
    "lost while it answers": cut,
    "a fault of the upstream": failed("server_error"),
}
SILENT: dict[str, Callable[[Wire], Any]] = {
    "from the start": lambda wire: None,
    "after a welcome": lambda wire: wire.say(type="session.created"),
    "when it is asked": lambda wire: wire.welcome(),
    "while it answers": begin,
}


def test_the_server_asks_for_one_word_in_writing(stage: Stage, house: House) -> None:
    """By a connection of its own, 30 s after the refusal, once the session is as it was asked to be."""
    house.bar()
    stage.advance(29.9)
    assert house.trials == []
    stage.advance(0.1)
    (wire,) = house.trials
    wire.say(type="session.created")
    assert wire.kinds == ["session.update"]
    wire.consent()
    assert wire.kinds == ["session.update", "response.create"]
    asked = wire.last("response.create")["response"]
    assert asked["output_modalities"] == ["text"]
    assert asked["max_output_tokens"] <= 16
    assert asked["input"] == []


@pytest.mark.parametrize("answers", SERVED.values(), ids=list(SERVED))
def test_who_is_served_lets_callers_in(
    stage: Stage, house: House, answers: Callable[[Wire], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the upstream says, if it is not that it refuses our account; until then all are turned away."""
    house.bar()
    stage.advance(30)
    assert house.refuses("two")
    assert not house.is_open()
    caplog.clear()
    with caplog.at_level(logging.INFO, "supervisor"):
        answers(house.trials[0])
        assert not house.refuses("three")
    assert house.is_open()
    assert not house.services.counters.account_blocked
    said = [record.getMessage() for record in caplog.records if record.name == "supervisor"]
    assert said == ["the upstream serves us again"]
    assert house.trials[0].ended
    assert house.alive(TrialActor) == []
    stage.advance(200)
    assert len(house.trials) == 1


@pytest.mark.parametrize("answers", REFUSED.values(), ids=list(REFUSED))
def test_who_is_refused_goes_on_trying(
    stage: Stage, house: House, answers: Callable[[Wire], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Each 30 s after the end of the one before, without a word in the log; and in the end callers are let in."""
    house.bar()
    stage.advance(30)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        for number in range(1, 5):
            answers(house.trials[-1])
            assert house.trials[-1].ended
            stage.advance(29.9)
            assert len(house.trials) == number
            assert house.refuses(f"user {number}")
            stage.advance(0.1)
            assert len(house.trials) == number + 1
    assert caplog.messages == []
    assert house.services.counters.account_blocked
    done("completed")(house.trials[-1])
    assert not house.refuses("last")


@pytest.mark.parametrize("says", SILENT.values(), ids=list(SILENT))
def test_who_is_silent_has_ten_seconds_at_most(stage: Stage, house: House, says: Callable[[Wire], Any]) -> None:
    """For all of it: a hung upstream is a trial that failed; one that does not get ready is given up even sooner."""
    house.bar()
    stage.advance(30)
    says(house.trials[0])
    stage.advance(OPENING_SECONDS - 0.1)
    assert [wire.ended for wire in house.trials] == [False]
    stage.advance(10.1 - OPENING_SECONDS)
    assert [wire.ended for wire in house.trials] == [True]
    assert house.alive(OpenAIBridgeActor) == []
    assert house.refuses("two")
    stage.advance(30)
    assert len(house.trials) == 2
    done("completed")(house.trials[1])
    assert not house.refuses("three")


def test_strangers_who_say_nothing_delay_nothing(stage: Stage, house: House) -> None:
    """They come before, during and after a trial that fails, and none of them is ever the one who tries."""
    house.bar()
    for second in range(39):
        assert house.refuses(f"before {second}")
        stage.advance(1)
    assert len(house.trials) == 1
    house.trials[0].lose(3000, "the key")
    for second in range(30):
        assert house.refuses(f"after {second}")
        stage.advance(1)
    assert len(house.trials) == 2
    for number in range(5):
        assert house.refuses(f"during {number}")
    done("completed")(house.trials[1])
    assert not house.refuses("in the end")
    assert {wire.user for wire in house.wires.dialled} == {"one", USER}


def test_many_who_are_refused_at_once_make_one_trial(
    stage: Stage, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Those who learn it later, also while it is tried, neither put it off nor make another; the log has it once."""
    for user in ("one", "two", "three", "four"):
        house.calls(user)
    first, second, third, fourth = house.wires.dialled
    first.lose(3000, "the key")
    second.lose(3000, "the key")
    stage.advance(29)
    third.lose(3000, "the key")
    stage.advance(1)
    (trial,) = house.trials
    fourth.lose(3000, "the key")
    house.supervisor.tell(AccountBlocked("once more"))
    stage.advance(5)
    assert house.trials == [trial]
    done("completed")(trial)
    assert house.is_open()
    assert len([record for record in caplog.records if record.name == "supervisor"]) == 1
    stage.advance(100)
    assert house.trials == [trial]


def test_a_refusal_that_is_told_late_is_found_out(stage: Stage, house: House) -> None:
    """A call that was refused before the trial tells of it after: shut once more, for 30 s and one trial."""
    for number in range(1, 4):
        house.supervisor.tell(AccountBlocked("of a connection of before"))
        assert house.refuses(f"user {number}")
        stage.advance(30)
        assert len(house.trials) == number
        done("completed")(house.trials[-1])
        assert not house.refuses(f"user {number}")


def test_a_refusal_while_the_last_trial_leaves_is_tried_once(stage: Stage, house: House) -> None:
    """The end of the old trial is not taken for that of the new one."""
    house.bar()
    stage.advance(30)
    old = house.trials[0]
    close, old.close = old.close, lambda: None  # type: ignore[method-assign]
    done("completed")(old)
    stage.settle()
    house.supervisor.tell(AccountBlocked("again"))
    assert len(house.alive(TrialActor)) == 2
    old.say(type="response.created", response={"id": "another"})
    old.say(type="response.done", response={"id": "another", "status": "completed"})
    assert not house.is_open()
    close()
    stage.settle()
    assert len(house.alive(TrialActor)) == 1
    stage.advance(30)
    assert len(house.trials) == 2
    house.trials[1].lose(3000, "the key")
    assert not house.is_open()


def test_a_connection_that_will_not_close_is_given_up(stage: Stage, house: House) -> None:
    """The upstream has answered, and takes no close."""
    house.bar()
    stage.advance(30)
    wire = house.trials[0]
    wire.close = lambda: None  # type: ignore[method-assign]
    done("completed")(wire)
    assert house.is_open()
    stage.advance(10)
    assert wire.ended
    assert house.alive(TrialActor) == []
    assert house.is_open()


@pytest.mark.parametrize("says", [*SILENT.values(), None], ids=[*SILENT, "not yet dialled"])
@pytest.mark.parametrize("on_the_line", [False, True])
def test_a_drain_ends_a_trial_at_once(
    stage: Stage, house: House, says: Callable[[Wire], Any] | None, on_the_line: bool
) -> None:
    """Wherever it is, also where calls have time to end; and what was barred then stays so without another."""
    if on_the_line:
        house.calls("early")
        early = house.wires.dialled[0]
        early.welcome()
        early.answer("Namaste.")
        early.close = lambda: None  # type: ignore[method-assign]
    house.bar()
    if says:
        stage.advance(30)
        says(house.trials[0])
    house.supervisor.tell(Stop())
    stage.settle()
    assert house.alive(TrialActor) == []
    assert all(wire.ended for wire in house.trials)
    assert house.supervisor.is_alive() is on_the_line
    if on_the_line:
        house.supervisor.tell(AccountBlocked("once more"))
        stage.settle()
        assert house.alive(TrialActor) == []
        stage.advance(10)
    stage.expect_terminated(house.supervisor)
    assert len(house.trials) == (1 if says else 0)


def test_a_refusal_during_a_drain_is_not_tried(stage: Stage, house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is let in any more, whatever the upstream says."""
    house.calls("early")
    house.wires.dialled[0].welcome()
    house.wires.dialled[0].answer("Namaste.")
    house.wires.dialled[0].close = lambda: None  # type: ignore[method-assign]
    house.supervisor.tell(Stop())
    house.supervisor.tell(AccountBlocked("the key"))
    assert house.alive(TrialActor) == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", [TrialActor, OpenAIBridgeActor])
@pytest.mark.parametrize("says", SILENT.values(), ids=list(SILENT))
def test_a_crash_is_a_trial_that_failed(
    stage: Stage, house: House, kind: type[Any], says: Callable[[Wire], Any]
) -> None:
    """Of the trial itself or of its bridge: nobody else ends, and the next one is 30 s later."""
    early = house.calls("early")
    house.wires.dialled[0].welcome()
    house.wires.dialled[0].answer("Namaste.")
    house.bar()
    stage.advance(30)
    says(house.trials[0])
    house.alive(kind)[-1].tell("no message of its")
    stage.settle()
    assert house.trials[0].ended
    assert codes(early) == []
    stage.advance(29.9)
    assert len(house.trials) == 1
    assert house.refuses("two")
    stage.advance(0.1)
    assert len(house.trials) == 2
    done("completed")(house.trials[1])
    assert not house.refuses("three")


def test_a_trial_that_crashes_while_it_waits_is_replaced(stage: Stage, house: House) -> None:
    """And the next one waits as long as the first."""
    house.bar()
    stage.advance(29)
    house.alive(TrialActor)[0].tell("no message of its")
    stage.advance(29)
    assert house.trials == []
    stage.advance(1)
    assert len(house.trials) == 1


def test_what_a_trial_uses_is_counted_for_no_call(stage: Stage, house: House, caplog: pytest.LogCaptureFixture) -> None:
    """In the figures of the server, once; no line that sums a call up has it."""
    caplog.set_level(logging.INFO)
    house.calls("early")
    house.wires.dialled[0].welcome()
    house.bar()
    stage.advance(30)
    done("completed", USAGE)(house.trials[0])
    house.trials[0].kinds  # noqa: B018  # let it settle
    used = house.services.counters.used
    assert (used.text_in, used.text_out, used.audio_out) == (40, 2, 0)
    house.supervisor.tell(Stop())
    stage.advance(10)
    ended = [message for message in caplog.messages if message.startswith("ended session=")]
    assert len(ended) == 2
    assert not [line for line in ended if "text_in" in line and "text_in=0" not in line]


def test_a_reply_to_somebody_on_the_line_lets_nobody_in(stage: Stage, house: House) -> None:
    """It proves nothing of the account as it is now."""
    house.calls("early")
    early = house.wires.dialled[0]
    early.welcome()
    house.bar()
    early.answer("Namaste.")
    assert not house.is_open()
    stage.advance(30)
    assert len(house.trials) == 1
