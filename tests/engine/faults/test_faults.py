"""Faults without sockets: the steps for the events of one connection."""

import json
from typing import Any

import pytest
from openai.types.realtime import RealtimeResponse

from engine.faults.faults import (
    Abort,
    Accept,
    Binary,
    Close,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Error,
    Expire,
    Fail,
    Fault,
    Garbage,
    Half,
    Huge,
    Kind,
    Late,
    Refuse,
    Stall,
    Step,
    Strip,
    Unknown,
    Wait,
)
from engine.faults.misbehaviour import Misbehaviour
from realtime.server.settings import Event
from tests.engine.stand_ins import Wire
from tests.kit.shapes import check_server_event

DELTA = {"type": "response.output_audio.delta", "response_id": "r1", "event_id": "e1", "delta": "AAAA"}
COMPLETED: Event = {"id": "r1", "status": "completed", "status_details": None, "usage": {}}
DONE: Event = {"type": "response.done", "response": COMPLETED}
ENDS: list[Kind] = [Close(1011), Abort(), Stall()]


def delivered(steps: list[Step]) -> list[Any]:
    """The events that the steps deliver, which is all they do."""
    events = []
    for step in steps:
        assert isinstance(step, Deliver)
        events.append(json.loads(step.frame))
    return events


def struck(kind: Kind, event: Event = DELTA) -> list[Step]:
    """The steps for an event that triggers this fault."""
    return Misbehaviour([Fault(kind, on=event["type"])]).sending(event)


def test_without_faults_all_is_passed_on() -> None:
    """Without faults, an event sent is delivered, one received is accepted, and nothing else happens."""
    sound = Misbehaviour()
    assert sound.connecting() == sound.opened() == []
    assert sound.ages == []
    assert delivered(sound.sending(DELTA)) == [DELTA]
    assert sound.received({"type": "response.create"}) == [Accept({"type": "response.create"})]
    assert sound.received({"no": "type"}) == [Accept({"no": "type"})]


def test_a_fault_strikes_once_at_its_turn() -> None:
    """The second of its kind is lost; the first, the third and those of other types are not."""
    losing = Misbehaviour([Fault(Drop(), on=DELTA["type"], nth=2)])
    assert [len(losing.sending(event)) for event in (DELTA, DONE, DELTA, DELTA)] == [1, 1, 0, 1]


def test_each_moment_has_its_faults() -> None:
    """Before the handshake, after it, and at an age."""
    faults = [Fault(Refuse(429), "connect"), Fault(Wait(1.5), "open"), Fault(Abort(), 60), Fault(Unknown(), 0.5)]
    assert Misbehaviour(faults).connecting() == [Refuse(429)]
    aging = Misbehaviour(faults)
    assert aging.opened() == [Wait(1.5)]
    assert aging.ages == [0.5, 60]
    assert len(delivered(aging.aged(0.5))) == 1
    assert aging.aged(60) == [Abort()]


@pytest.mark.parametrize("end", ENDS)
def test_after_the_end_nothing_happens(end: Kind) -> None:
    """The triggering event is not sent, no event is accepted any more, and no later fault happens."""
    ending = Misbehaviour([Fault(end, DELTA["type"]), Fault(Unknown(), DELTA["type"]), Fault(Unknown(), DONE["type"])])
    assert ending.sending(DELTA) == [end]
    assert ending.sending(DONE) == ending.received({"type": "response.create"}) == ending.aged(3) == []


@pytest.mark.parametrize("kind", [Wait(2.0), Unknown(), Garbage(), Error("server_error")])
def test_some_come_before_what_they_strike(kind: Kind) -> None:
    """It is delivered after them, unchanged."""
    first, itself = struck(kind)
    assert delivered([itself]) == [DELTA]
    assert isinstance(first, Deliver) or first == kind


def test_an_error_looks_like_the_real_one() -> None:
    """It has the type that goes with its code, a message, and the shape that the SDK knows."""
    (told, _) = delivered(struck(Error("insufficient_quota")))
    check_server_event(told)
    assert told["error"]["type"] == told["error"]["code"] == "insufficient_quota"
    assert "quota" in told["error"]["message"]
    assert delivered(struck(Error("odd", "Odd.")))[0]["error"]["message"] == "Odd."


@pytest.mark.parametrize("echo", [True, False])
def test_an_error_may_refuse_what_came(echo: bool) -> None:
    """With `echo`, it names the event, which is ignored; without, the event is accepted."""
    asked = {"type": "response.create", "event_id": "c7"}
    error, *rest = Misbehaviour([Fault(Error("server_error", echo=echo), "response.create")]).received(asked)
    assert delivered([error])[0]["error"]["event_id"] == ("c7" if echo else None)
    assert rest == ([] if echo else [Accept(asked)])


def test_expiry_is_an_error_and_then_1001() -> None:
    """As at the end of a session's life."""
    told, close = Misbehaviour([Fault(Expire(), 3600)]).aged(3600)
    assert delivered([told])[0]["error"]["code"] == "session_expired"
    assert isinstance(close, Close)
    assert close.code == 1001


def test_what_was_struck_is_changed() -> None:
    """Twice, never, later, without a field, in another kind of frame."""
    assert delivered(struck(Duplicate())) == [DELTA, DELTA]
    assert struck(Drop()) == []
    assert struck(Delay(0.7)) == [Deliver(json.dumps(DELTA, separators=(",", ":")), after=0.7)]
    assert "usage" not in delivered(struck(Strip("response.usage"), DONE))[0]["response"]
    assert delivered(struck(Strip("response.nothing.here"), DONE)) == [DONE]
    (step,) = struck(Binary())
    assert isinstance(step, Deliver)
    assert isinstance(step.frame, bytes)
    assert "usage" in DONE["response"]  # whose copy is stripped


def test_half_a_document_is_no_json() -> None:
    """Its beginning comes, its end never."""
    (step,) = struck(Half())
    assert isinstance(step, Deliver)
    assert isinstance(step.frame, str)
    assert step.frame.startswith('{"type":"response.output_audio.delta"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(step.frame)


def test_huge_events_are_as_large_as_is_said() -> None:
    """In their delta where they have one, else in a field of their own."""
    assert len(delivered(struck(Huge(4000)))[0]["delta"]) == 4000
    assert len(delivered(struck(Huge(4000), DONE))[0]["padding"]) == 4000
    (step,) = struck(Huge())
    assert isinstance(step, Deliver)
    assert len(step.frame) > 16 * 2**20


def test_what_came_may_be_lost_or_taken_twice() -> None:
    """Faults strike in both directions."""
    commit = {"type": "input_audio_buffer.commit"}
    assert Misbehaviour([Fault(Drop(), commit["type"])]).received(commit) == []
    assert Misbehaviour([Fault(Duplicate(), commit["type"])]).received(commit) == [Accept(commit)] * 2


def test_a_response_fails_after_what_was_struck() -> None:
    """Then the session is to end it; where it had been made already, its response.done says so."""
    fail = Fail("rate_limit_exceeded")
    failing = Misbehaviour([Fault(fail, DELTA["type"])])
    assert failing.sending(DELTA)[1:] == [fail]
    (done,) = delivered(failing.sending(DONE))
    RealtimeResponse.model_validate(done["response"])
    assert done["response"]["status"] == "failed"
    assert done["response"]["status_details"]["error"]["type"] == "tokens"
    assert "try again in 1.2s" in done["response"]["status_details"]["error"]["message"]
    assert delivered(failing.sending(DONE)) == [DONE]
    assert delivered(struck(fail, DONE))[0]["response"]["status"] == "failed"
    assert Misbehaviour([Fault(fail, "response.create")]).received({"type": "response.create"})[-1] == fail


def test_late_deltas_come_after_a_cancelled_response() -> None:
    """The last of each type again; a response that completes is none."""
    late = Misbehaviour([Fault(Late(), "response.created", nth=2)])
    cancelled = {"type": "response.done", "response": {"id": "r1", "status": "cancelled"}}
    late.sending(DELTA)
    assert delivered(late.sending(cancelled)) == [cancelled]
    for number in range(2):
        late.sending({"type": "response.created", "response": {"id": f"r{number}"}})
        assert late.sending(DELTA)
        assert delivered(late.sending(DONE)) == [DONE]
    done, delta = delivered(late.sending(cancelled))
    assert done == cancelled
    assert delta == {**DELTA, "event_id": delta["event_id"]}
    assert delta["event_id"] != DELTA["event_id"]
    assert delivered(late.sending(cancelled)) == [cancelled]


def test_several_strike_in_the_order_of_the_script() -> None:
    """An error, then the close."""
    both = Misbehaviour([Fault(Error("invalid_api_key"), "open"), Fault(Close(3000, "why"), "open")])
    told, close = both.opened()
    assert delivered([told])[0]["error"]["code"] == "invalid_api_key"
    assert close == Close(3000, "why")


def test_a_session_ends_its_response_as_failed() -> None:
    """With the error in its response.done, and free for the next one; without a response nothing happens."""
    wire = Wire()
    error = Fail("rate_limit_exceeded").error
    assert wire.take(wire.session.fail(error)) == []
    wire.write("Hello")
    wire.say("response.create")
    wire.think("A long answer.")
    events = wire.take(wire.session.fail(error))
    done = next(event for event in events if event["type"] == "response.done")
    assert done["response"]["status_details"] == {"type": "failed", "error": error}
    assert done["response"]["output"][0]["status"] == "incomplete"
    assert wire.say("response.create")[0]["type"] == "response.created"
