"""The tables of docs/realtime.md, "While the caller is away": what a scenario has checked it yields, as a cell.

A scenario brings a call into a state and yields its name; then the line goes. It yields what is so at once, and what
goes on while the caller is away; then they come back, and it yields what is so from then on.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from actors.call.resume.ledger import MOST_WHOLE
from actors.call.resume.pending import MOST_MESSAGES
from actors.messages.admission import GONE, Declined, Detached, Drain, Ended, Leaving, ReleaseSlots, Reserve, WentAway
from actors.messages.caller import (
    Chose,
    Clear,
    Close,
    ConfigAck,
    Error,
    Interrupted,
    Notice,
    ResponseStarted,
    Sound,
    SpeechStarted,
    Spoke,
    Typed,
)
from actors.messages.resuming import Resumed
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from tests.kit.away import FragileCall, sound
from tests.kit.four import MOHIT, PRIYANKA
from tests.kit.streaming import FRAME, LOUD_FRAME, asked, begin, finish, give, heard, write_down

TEXT = (Path(__file__).parents[2] / "docs" / "realtime.md").read_text()
AWAY_SECONDS = 8.0
TAB_CLOSED = Close(1001, "the tab was closed")
LONGEST = 90.0  # seconds of a call
LATER = 2.0  # seconds of talk after the return


class TableCall(FragileCall):
    """What a scenario needs to know: what came `before`, and for how many seconds after the return nobody was there."""

    before = b""
    off = 0.0
    seen_at: float | None = None
    resumed: Resumed

    def loses(self) -> None:
        """The line goes, and the server knows."""
        self.scene.session.tell(Detached(self.scene.connection, GONE, self.seen_at))
        self.scene.stage.settle()

    def returns(self) -> None:
        """They are back."""
        self.resumed = self.comes_back()


Scenario: TypeAlias = Callable[[TableCall], Iterator[str]]


def all_heard(call: TableCall, seconds: float) -> float:
    """So much of what comes is received, with receipts: seconds of sound."""
    amount = 0
    for _ in range(round(seconds * 2)):
        amount += len(sound(call.line.take()))
        call.acknowledge()
        call.scene.stage.advance(0.5)
    return (amount + len(sound(call.line.take()))) / 48_000


def notices(call: TableCall) -> list[str]:
    """The codes of what was told since the line was looked at last."""
    return [one.code for one in call.line.take() if isinstance(one, Notice | Error)]


def answering(call: TableCall, seconds: int, name: str = "answer") -> None:
    """The persona answers a question, and the model has made so many seconds of it."""
    call.scene.says(Typed("a question"))
    begin(call.wire, name, asked(call.wire))
    for number in range(seconds):
        give(call.wire, name, f"word{number} ")


def switched(call: TableCall) -> None:
    """Another persona is wanted, and their connection is dialled."""
    call.scene.says(Chose(MOHIT))
    call.scene.stage.settle()


# What of a call.


def the_clock(call: TableCall) -> Iterator[str]:
    answering(call, 6)
    finish(call.wire, "answer")
    call.scene.stage.advance(1.0)
    yield "playout clock"
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    call.scene.stage.settle()
    assert abs(call.wire.last("conversation.item.truncate")["audio_end_ms"] - 1000) < 20
    yield "stands at this moment"
    call.wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=400)
    call.wire.say(type="input_audio_buffer.committed", item_id="one")
    begin(call.wire, "another")
    give(call.wire, "another", "word ", 2.0)
    finish(call.wire, "another")
    call.scene.stage.advance(5.0)
    call.wire.say(type="input_audio_buffer.speech_started", item_id="two", audio_start_ms=900)
    call.scene.stage.settle()
    assert call.wire.last("conversation.item.delete")["item_id"] == "item of another"
    yield "stands: nothing counts as heard"
    call.wire.say(type="input_audio_buffer.speech_stopped", item_id="two", audio_end_ms=1400)
    call.wire.say(type="input_audio_buffer.committed", item_id="two")
    begin(call.wire, "third")
    give(call.wire, "third", "word ", 4.0)
    finish(call.wire, "third")
    call.scene.stage.advance(1.0)
    lost = len(sound(call.line.take())) / 48_000
    call.line.dead = True
    call.scene.stage.advance(1.0)
    call.comes_back()
    call.scene.says(Interrupted())
    call.scene.stage.settle()
    heard_ms = call.wire.last("conversation.item.truncate")["audio_end_ms"]
    assert abs(heard_ms - lost * 1000) < 100
    answering(call, 4, "fourth")
    call.scene.stage.advance(0.5)
    call.goes()
    call.comes_back()
    call.scene.says(Interrupted())
    finish(call.wire, "fourth", "cancelled")
    call.scene.stage.settle()
    assert abs(call.wire.last("conversation.item.truncate")["audio_end_ms"] - 500) < 20
    yield "heard is what `received` admits, or less where the player had not played it yet"


def the_release(call: TableCall) -> Iterator[str]:
    answering(call, 6)
    finish(call.wire, "answer")
    call.line.dead = True
    call.scene.stage.advance(5.0)
    written = call.line.written
    yield "release"
    call.scene.stage.advance(1.0)
    assert call.line.written == written
    yield "nothing more is released; with a line that is dead and not known to be, after 3 s unacknowledged"
    call.wire.lose()
    call.scene.stage.advance(1.0)
    call.scene.wire(2).welcome()
    call.scene.stage.settle()
    assert (MOST_WHOLE, MOST_MESSAGES) == (8 * 2**20, 4096)
    yield "what is said waits, in its order: 8 MiB of whole replies, 4,096 messages"
    first = call.line.take()
    place = next(number for number, one in enumerate(first) if isinstance(one, Sound))
    assert not [one for one in first[:place] if isinstance(one, Notice)]
    assert 0.39 <= len(sound(first)) / 48_000 <= 0.46
    call.acknowledge()
    rest = []
    for _ in range(14):
        call.scene.stage.advance(0.5)
        call.acknowledge()
        rest += call.line.take()
    assert [one.code for one in rest if isinstance(one, Notice)] == ["reconnecting", "resumed"]
    assert len(sound(first)) + len(sound(rest)) == 6 * 48_000
    yield "what was not received comes first, then what waited; sound at the pace at which it plays, 0.4 s at once"


def the_uplink(call: TableCall) -> Iterator[str]:
    answering(call, 4)
    finish(call.wire, "answer")
    call.scene.stage.advance(0.5)
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    call.scene.says(Spoke(bytes(FRAME)))
    call.scene.stage.settle()
    before = len(heard(call.wire))
    old = call.scene.connection
    yield "uplink"
    newest, call.scene.connection = call.scene.connection, old
    call.scene.stage.advance(0.5)
    assert len(heard(call.wire)) == before
    yield "audio stops"
    call.scene.stage.advance(5.0)
    assert len(heard(call.wire)) == before
    call.scene.connection = newest
    yield "a turn is not ended by our silence"
    late, call.scene.connection = call.scene.connection, old
    call.scene.says(Spoke(bytes(FRAME)))
    call.scene.connection = late
    assert len(heard(call.wire)) == before  # that comes again, on the newest connection
    call.scene.says(Spoke(bytes(FRAME)))
    assert len(heard(call.wire)) == before + FRAME
    assert call.resumed.uplink_ms == 15_000
    call.wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=20)
    call.wire.say(type="input_audio_buffer.committed", item_id="one")
    write_down(call.wire, "one", "a question")
    begin(call.wire, "another")
    give(call.wire, "another", "word ", 3.0)
    call.scene.stage.advance(0.2)
    call.goes()
    assert call.comes_back().uplink_ms == 300
    finish(call.wire, "another")
    call.scene.stage.advance(5.0)
    call.goes()
    assert call.comes_back().uplink_ms == 15_000
    yield (
        "what was not handled comes, and of what the microphone took the newest 300 ms; all 15 s if the caller was "
        "speaking, or nothing is left to be said"
    )


def the_upstream(call: TableCall) -> Iterator[str]:
    said = len(call.wire.sent)
    yield "upstream"
    call.scene.stage.settle()
    assert len(call.wire.sent) == said
    yield "is told nothing"
    call.wire.lose()
    call.scene.stage.advance(1.0)
    call.wire = call.scene.wire(2)
    call.wire.welcome()
    call.scene.stage.settle()
    said = len(call.wire.sent)
    yield "goes on: answers are made, what is lost is reconnected, what is due is rolled over"
    assert len(call.wire.sent) == said
    call.scene.says(Typed("a question"))
    assert call.wire.texts()[-1] == ("user", "a question")
    yield "nothing of it is begun again"


def the_meter(call: TableCall) -> Iterator[str]:
    answering(call, 6)
    finish(call.wire, "answer")
    call.scene.stage.advance(1.0)
    call.line.take()
    call.seen_at = call.scene.stage.now
    call.scene.stage.advance(3.0)  # nothing is seen of them
    yield "meter"
    yield "stands, since the last sign of life where that is known"
    call.scene.session.tell(Drain(30.0))
    call.wire.lose()
    call.scene.stage.advance(1.0)
    call.scene.wire(2).welcome()
    call.scene.stage.advance(3.0)
    yield "stands, whoever is swapped in"
    call.scene.stage.advance(1.0)
    yield "goes on; what they heard since of what they had received is added"


def the_waits(call: TableCall) -> Iterator[str]:
    call.scene.says(Typed("a question"))
    call.scene.stage.settle()
    yield "waits"
    call.scene.stage.advance(4.0)
    yield "those for the caller (idle, choice, silence in speech, `say_again`) stand; those for the model go on"
    call.scene.stage.advance(7.0)
    call.wire = call.scene.wire(2)
    call.wire.welcome()
    begin(call.wire, "answer", asked(call.wire))
    give(call.wire, "answer", "word ")
    finish(call.wire, "answer")
    yield "an answer that does not come is asked again"
    call.scene.stage.advance(299.0)
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    call.scene.stage.advance(2.0)
    assert call.line.fish_for(Close).code == 4408
    call.off = 301.0  # the minutes are not what this is about
    yield "idle time goes on where it stood"


def the_timers(call: TableCall) -> Iterator[str]:
    yield "other timers"
    call.scene.supervisor.fish_for(WentAway)
    call.scene.stage.advance(20.0)
    call.comes_back()
    call.goes(TAB_CLOSED)
    call.scene.stage.advance(4.0)
    assert not [one for one in call.scene.supervisor.take() if isinstance(one, Leaving)]
    call.comes_back()
    call.goes()
    yield "grace: 30 s, 5 s after 1001"
    call.scene.stage.advance(5.0)
    yield "the longest time of a call goes on"
    call.scene.stage.advance(30.0)  # and no grace ends it
    call.scene.says(Spoke(bytes(FRAME)))
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    call.scene.stage.settle()
    call.goes()
    call.scene.stage.advance(5.0)
    before = len(heard(call.wire))
    call.comes_back()
    call.scene.stage.advance(1.5)
    assert len(heard(call.wire)) > before  # silence that ends what is open
    call.scene.stage.advance(LONGEST - 0.1 - call.scene.stage.now)
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    call.scene.stage.advance(0.2)
    assert call.line.fish_for(Close).code == 1000
    yield "the microphone is listened to again"


SUBJECTS: list[Scenario] = [the_clock, the_release, the_uplink, the_upstream, the_meter, the_waits, the_timers]


# In which state.


def choosing(call: TableCall) -> Iterator[str]:
    call.scene.supervisor.by_hand = True
    call.scene.says(Chose(MOHIT))
    call.scene.says(Chose(PRIYANKA))
    asked_for = [call.scene.supervisor.expect(Reserve) for _ in range(2)]
    yield "choosing"
    assert not [one for one in call.scene.supervisor.take() if isinstance(one, ReleaseSlots)]
    yield "the choice stays"
    call.scene.supervisor.answer(asked_for[0])
    asked_for[1].session.tell(Declined(asked_for[1].choice, "busy", "not now"))
    call.scene.wire(2).welcome()
    yield "it is granted or refused"
    call.off = LATER
    call.scene.stage.advance(LATER)
    told = call.line.take()
    assert [type(one) for one in told][:3] == [Notice, Error, ConfigAck]
    yield "what was decided is told"


def greeting(call: TableCall) -> Iterator[str]:
    switched(call)
    call.scene.wire(2).welcome()
    begin(call.scene.wire(2), "hello", asked(call.scene.wire(2)))
    give(call.scene.wire(2), "hello", "I am ", 2.0)
    call.scene.stage.advance(1.0)
    call.before = sound(call.line.take())
    yield "greeting"
    call.scene.stage.settle()
    call.line.expect_nothing()
    yield "what was not received of it is owed"
    give(call.scene.wire(2), "hello", "Mohit.", 2.0)
    finish(call.scene.wire(2), "hello")
    yield "the model makes it"
    assert len(call.before) / 48_000 + all_heard(call, 6.0) == 4.0
    assert asks(call, 2) == 1
    yield "its sound comes from where it was received"


def asks(call: TableCall, number: int) -> int:
    """How many answers were asked of this connection."""
    return call.scene.wire(number).kinds.count("response.create")


def idle(call: TableCall) -> Iterator[str]:
    yield "idle"
    assert call.scene.session.is_alive()
    yield "the call stays"
    call.scene.stage.advance(15.0)
    call.scene.wire(2).welcome()
    yield "rollovers go on"
    assert call.resumed.uplink_ms == 15_000
    yield "all that the microphone took is wanted"


def the_caller_speaks(call: TableCall) -> Iterator[str]:
    call.scene.says(Spoke(bytes(FRAME)))
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    call.line.fish_for(SpeechStarted)
    call.before = heard(call.wire)
    yield "the caller speaks"
    call.scene.stage.settle()
    assert heard(call.wire) == call.before
    yield "the turn stays open"
    call.scene.stage.advance(12.0)
    assert heard(call.wire) == call.before
    assert len(call.scene.upstream.dialled) == 1
    yield "no silence of ours closes it"
    call.scene.says(Spoke(bytes(FRAME)))
    assert heard(call.wire) == call.before + bytes(FRAME)
    yield "they go on with it"


def thinking(call: TableCall) -> Iterator[str]:
    call.scene.says(Typed("a question"))
    call.scene.stage.settle()
    yield "thinking"
    assert "response.cancel" not in call.wire.kinds
    yield "the answer is still wanted"
    begin(call.wire, "answer", asked(call.wire))
    give(call.wire, "answer", "one ")
    finish(call.wire, "answer")
    yield "it is made, and waits"
    told = call.line.take()
    assert isinstance(told[0], ResponseStarted)
    assert len(sound(told)) / 48_000 + all_heard(call, 2.0) == 1.0
    yield "it is heard from its beginning"


def answering_a_question(call: TableCall) -> Iterator[str]:
    answering(call, 3)
    call.scene.stage.advance(1.0)
    call.before = sound(call.line.take())
    yield "answering"
    call.line.expect_nothing()
    assert "response.cancel" not in call.wire.kinds
    yield "it stops where it was received"
    give(call.wire, "answer", "more ")
    finish(call.wire, "answer")
    yield "it is made to its end, and waits"
    assert len(call.before) / 48_000 + all_heard(call, 6.0) == 4.0
    yield "it goes on where it was received"


def interrupted_late(call: TableCall) -> Iterator[str]:
    answering(call, 4)
    finish(call.wire, "answer")
    call.scene.stage.advance(1.0)
    call.line.take()
    call.scene.says(Spoke(bytes(FRAME)))
    yield "an interruption that the model tells of late"
    assert "conversation.item.truncate" not in call.wire.kinds
    yield "nobody knows of it"
    call.scene.stage.advance(3.0)
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    call.scene.stage.settle()
    assert abs(call.wire.last("conversation.item.truncate")["audio_end_ms"] - 1000) < 20
    yield "it is one: the answer stops where it was heard when the line went"
    told = call.line.take()
    assert isinstance(told[0], Clear)
    assert not sound(told)
    assert all_heard(call, 2.0) == 0.0
    yield "`clear` comes, and no more of that answer"


def switching(call: TableCall) -> Iterator[str]:
    switched(call)
    assert notices(call) == ["switching"]
    call.scene.stage.advance(1.0)
    yield "switching"
    assert not call.scene.wire(2).ended
    yield "the other persona is still being called"
    wire = call.scene.wire(2)
    wire.welcome()
    begin(wire, "hello", asked(wire))
    give(wire, "hello", "I am Mohit.")
    finish(wire, "hello")
    call.scene.stage.settle()
    assert call.wire.ended
    yield "they are put on the line, and greet"
    told = call.line.take()
    assert isinstance(told[0], ConfigAck)
    assert len(sound(told)) / 48_000 + all_heard(call, 2.0) == 1.0
    call.off = 1.0
    yield "`config_ack` and the greeting come"


def reopening(call: TableCall) -> Iterator[str]:
    call.wire.lose()
    assert notices(call) == ["reconnecting"]
    yield "reopening"
    assert not call.scene.wire(2).ended
    yield "the next connection is still being made"
    call.scene.wire(2).welcome()
    call.scene.stage.settle()
    call.line.expect_nothing()
    yield "it takes over"
    assert notices(call) == ["resumed"]
    call.scene.says(Typed("a question"))
    assert call.scene.wire(2).texts()[-1] == ("user", "a question")
    yield "`resumed` is told"


def rolling_over(call: TableCall) -> Iterator[str]:
    call.scene.stage.advance(10.1)
    assert len(call.scene.upstream.dialled) == 2
    call.line.take()
    yield "rolling over"
    assert not call.scene.wire(2).ended
    yield "the next connection is still being made"
    call.scene.wire(2).welcome()
    call.scene.stage.settle()
    assert call.wire.ended
    yield "it takes over"
    call.line.expect_nothing()
    yield "nothing is told"


def draining(call: TableCall) -> Iterator[str]:
    call.scene.says(Typed("a question"))
    begin(call.wire, "answer", asked(call.wire))
    loud = b64encode(LOUD_FRAME * 100).decode()
    call.wire.say(type="response.output_audio.delta", response_id="answer", delta=loud)
    finish(call.wire, "answer")
    call.scene.stage.advance(0.2)
    call.scene.session.tell(Drain(12.0))
    call.scene.stage.advance(0.3)
    yield "draining"
    assert not [one for one in call.scene.supervisor.take() if isinstance(one, Leaving)]
    yield "the call waits for them, at most as long as a call has for its end"
    call.scene.stage.advance(1.0)
    assert not [one for one in call.scene.supervisor.take() if isinstance(one, Leaving)]
    yield "nothing is cut"
    heard_now = all_heard(call, 3.0)
    assert heard_now >= 1.0
    assert call.scene.supervisor.fish_for(Leaving).code == 1001
    call.off = LATER + 2.0
    yield "it ends at the next pause"


STATES: list[Scenario] = [
    choosing, greeting, idle, the_caller_speaks, thinking, answering_a_question, interrupted_late, switching, reopening,
    rolling_over, draining,
]  # fmt: skip


# The tests.


@pytest.fixture
def call(stage: Stage, scenario: Scenario) -> Iterator[TableCall]:
    """Ten seconds of talk; a connection to the model is to be replaced after twenty."""
    scene = Scene(stage, limits=Limits(call_seconds=LONGEST) if scenario is the_timers else None)
    scene.upstream.can = replace(scene.upstream.can, session_seconds=40.0)
    yield TableCall(scene)
    scene.end()


@pytest.mark.parametrize("scenario", [*SUBJECTS, *STATES], ids=lambda scenario: scenario.__name__)
def test_what_is_so_stands_in_the_table(call: TableCall, scenario: Scenario) -> None:
    """In the words of the scenario that has checked it."""
    steps = scenario(call)
    name = next(steps)
    call.loses()
    goes, away = next(steps), next(steps)
    call.returns()
    back = next(steps)
    assert next(steps, None) is None
    assert f"| {name} | {goes} | {away} | {back} |" in TEXT


def test_the_tables_have_no_other_rows() -> None:
    """Each has a scenario."""
    section = TEXT.split("## While the caller is away", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and " when the line goes " not in line]
    assert len(rows) == len(SUBJECTS) + len(STATES)


@pytest.mark.parametrize("scenario", STATES, ids=lambda scenario: scenario.__name__)
def test_what_holds_in_every_state(call: TableCall, scenario: Scenario) -> None:
    """Nothing is told to nobody, nothing is sent for them, the model stays, the time is right, and so is the bill."""
    steps = scenario(call)
    next(steps)
    line, talked, wires = call.line, call.scene.stage.now, call.scene.upstream.dialled
    line.take()
    sent = [heard(wire) for wire in wires]
    call.loses()
    next(steps)
    next(steps)
    call.scene.stage.advance(AWAY_SECONDS)
    line.expect_nothing()
    assert [heard(wire) for wire in wires[: len(sent)]] == sent
    assert not wires[-1].ended
    away = call.scene.stage.now - talked
    call.returns()
    assert call.resumed.away_ms == round(away * 1000)
    back = call.scene.stage.now
    next(steps)
    call.scene.stage.advance(LATER)
    talked += call.scene.stage.now - back - call.off
    call.goes(Close(1000, "hung up"))
    assert abs(call.scene.supervisor.fish_for(Ended).bill.seconds - talked) <= 1.5


@pytest.mark.parametrize("scenario", STATES, ids=lambda scenario: scenario.__name__)
def test_nobody_comes_back_in_any_state(call: TableCall, scenario: Scenario) -> None:
    """The call ends when the grace is over, or earlier where the server ends; nothing is kept."""
    next(scenario(call))
    call.loses()
    call.scene.supervisor.take()
    call.scene.stage.advance(29.9)
    early = [one.code for one in call.scene.supervisor.take() if isinstance(one, Leaving)]
    assert early == ([1001] if scenario is draining else [])
    call.scene.stage.advance(0.2)
    if not early:
        assert call.scene.supervisor.fish_for(Leaving).code == 1006
    call.scene.stage.advance(3.0)
    assert not call.scene.session.is_alive()
    assert call.scene.services.waiting.bytes == 0


@pytest.mark.parametrize("scenario", [the_meter])
def test_what_was_received_is_paid(call: TableCall, scenario: Scenario) -> None:
    """As the row of the meter says, to the second."""
    steps = scenario(call)
    next(steps)
    call.loses()
    next(steps), next(steps)
    call.returns()
    next(steps)
    call.goes(Close(1000, "hung up"))
    assert call.scene.supervisor.fish_for(Ended).bill.seconds == 10 + 1 + 2 + 1
