"""In which state a call is as the line goes; as scenarios of test_away_table.py."""

from base64 import b64encode
from collections.abc import Iterator

from actors.messages.admission import Declined, Drain, Leaving, ReleaseSlots, Reserve
from actors.messages.caller import Chose, Clear, ConfigAck, Error, Notice, ResponseStarted, SpeechStarted, Spoke, Typed
from tests.kit.away import sound
from tests.kit.away_call import LATER, Scenario, TableCall, all_heard, answering, notices, switched
from tests.kit.four import MOHIT, PRIYANKA
from tests.kit.streaming import FRAME, LOUD_FRAME, asked, begin, finish, give, heard


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
