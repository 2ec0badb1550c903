"""A call goes on at another node: one that takes it from a node that lives, or from what a dead one saved."""

from base64 import b64encode
from collections import Counter

import pytest

from actors.messages.admission import Drain
from actors.messages.caller import Close, ConfigAck, Notice, ResponseDone, Sound, Summary, Transcript, Typed
from actors.messages.resuming import Moved, NotResumed, Resumed
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import Catalogue
from realtime.contract import GO_ON
from register import Past, Taken
from tests.kit.fleet_stage import USER, FleetCall, FleetStage
from tests.kit.four import FOUR, TINA
from tests.kit.parts import tone
from tests.kit.streaming import asked, begin, finish, give


@pytest.fixture
def fleet(stage: Stage) -> FleetStage:
    """Two nodes."""
    return FleetStage(stage)


def answers(call: FleetCall, question: str, *words: str) -> None:
    """The caller asks something, and the persona has answered; it was heard to its end."""
    call.says(Typed(question))
    wire = call.node.wire()
    begin(wire, question, asked(wire))
    for some in words:
        give(wire, question, some)
    finish(wire, question)
    for _ in range(len(words) + 1):
        call.node.stage.advance(1.0)
        call.acknowledge()
    call.line.take()


def say(wire: Wire, response: str, words: str, pcm: bytes) -> None:
    """Some more of an answer: words, then the sound of them."""
    wire.say(type="response.output_audio_transcript.delta", response_id=response, delta=words)
    wire.say(type="response.output_audio.delta", response_id=response, delta=b64encode(pcm).decode())


def moved(call: FleetCall, fleet: FleetStage) -> Resumed:
    """The caller is at node b, whose connection to the model is there."""
    told = call.tries(fleet.b)
    assert isinstance(told, Resumed), told
    fleet.b.wire().welcome()
    fleet.stage.advance(0.1)
    return told


def test_a_call_goes_on_where_its_node_died(fleet: FleetStage) -> None:
    """Persona, history and price are there, and nobody greets again."""
    call = fleet.call()
    answers(call, "Is it true?", "It is. ")
    fleet.stage.advance(6.0)
    fleet.a.dies()
    fleet.stage.advance(2.0)
    told = moved(call, fleet)
    assert told.attach == 1
    assert told.received == 5  # all of them
    assert told.moved
    assert (told.moved.asked_again, told.moved.forgotten, told.moved.node) == (False, None, "b")
    assert 2000 <= told.moved.lost_ms <= 7500
    assert fleet.b.wire().texts() == [
        ("assistant", "Namaste."),
        ("user", "Is it true?"),
        ("assistant", "It is."),
    ]
    assert "response.create" not in fleet.b.wire().kinds
    assert [type(one) for one in call.line.take()] == [Notice]
    answers(call, "And now?", "It still is.")
    fleet.end()
    bill = call.line.fish_for(Summary).bill
    assert 15 <= bill.seconds <= 30
    assert bill.stays[0].persona.id == TINA


def test_what_was_asked_last_is_asked_again(fleet: FleetStage) -> None:
    """The question waits for its answer when the node dies."""
    call = fleet.call()
    call.says(Typed("When?"))
    fleet.stage.advance(0.5)
    fleet.a.dies()
    told = moved(call, fleet)
    assert told.moved
    assert told.moved.asked_again
    wire = fleet.b.wire()
    assert wire.texts() == [("assistant", "Namaste."), ("user", "When?")]
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "Soon.")
    finish(wire, "answer")
    fleet.stage.advance(2.0)
    call.line.fish_for(ResponseDone)
    assert [one.text for one in call.line.heard if isinstance(one, Transcript) and one.role == "user"] == []
    fleet.end()


def test_an_answer_goes_on_where_it_was_heard(fleet: FleetStage) -> None:
    """What the caller heard until the last save is not said again."""
    call = fleet.call()
    call.says(Typed("Tell me."))
    wire = fleet.a.wire()
    begin(wire, "answer", asked(wire))
    for word in ("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight "):
        give(wire, "answer", word)
    for _ in range(5):
        fleet.stage.advance(1.0)
        call.acknowledge()
    fleet.a.dies()
    told = moved(call, fleet)
    assert told.moved
    assert told.moved.asked_again
    seeded = fleet.b.wire().texts()
    assert seeded[:2] == [("assistant", "Namaste."), ("user", "Tell me.")]
    role, heard = seeded[2]
    assert role == "assistant"
    assert heard.split()[0] == "one"
    assert "eight" not in heard
    assert "response.create" in fleet.b.wire().kinds
    fleet.end()


def test_a_holder_that_lives_is_asked_first(fleet: FleetStage) -> None:
    """It saves, falls silent, closes with 4410, and nothing is lost; it remembers nothing of the call."""
    call = fleet.call()
    answers(call, "Is it true?", "It is. ")
    fleet.stage.advance(3.3)
    old = call.line
    told = moved(call, fleet)
    assert told.moved
    assert told.moved.lost_ms == 0
    assert told.away_ms < 1000
    assert old.take()[-1] == Close(4410, "this call goes on elsewhere: do not reconnect this connection")
    fleet.stage.advance(3.0)
    assert not fleet.a.has()
    old.expect_nothing()
    assert fleet.b.services.counters.calls_moved == Counter({"in": 1})
    assert fleet.a.services.counters.unbilled_seconds == 0
    fleet.end()


def test_a_wrong_token_spends_nothing(fleet: FleetStage) -> None:
    """Nor does it silence anybody."""
    call = fleet.call()
    told = call.tries(fleet.b, token="wrong")
    assert isinstance(told, NotResumed)
    assert told.code == "unknown"
    assert fleet.a.has()
    call.line.expect_nothing()
    fleet.end()


def test_a_call_that_is_tossed_about_stays_for_a_while(fleet: FleetStage) -> None:
    """Each move opens a connection to the model: a server takes a user's call three times in ten seconds."""
    call = fleet.call()
    for _ in range(3):
        assert isinstance(call.tries(fleet.b), Resumed)
        assert isinstance(call.tries(fleet.a), Resumed)
    told = call.tries(fleet.b)
    assert isinstance(told, NotResumed)
    assert told.code == "unavailable"
    error, close = call.asked.take()
    assert (error.code, error.limit, close.code) == ("busy", "takeovers", 4429)
    assert error.retry_after == 4  # of the first take 6 s ago
    assert fleet.a.has()
    other = fleet.call(user="other")
    assert isinstance(other.tries(fleet.b), Resumed)
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.end()


def test_a_wrong_token_uses_nobody_up(fleet: FleetStage) -> None:
    """However often a stranger guesses, whoever has the call comes back to it anywhere."""
    call = fleet.call()
    for _ in range(20):
        assert isinstance(call.tries(fleet.b, token="wrong", within=0.01), NotResumed)
    assert fleet.b.services.counters.takes_refused == {"unknown": 20}
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.end()


def test_a_call_that_ended_elsewhere_is_told_with_its_bill(fleet: FleetStage) -> None:
    """For ten minutes."""
    call = fleet.call()
    fleet.stage.advance(20.0)
    call.goes()
    fleet.stage.advance(500.0)
    assert not fleet.a.has()
    told = call.tries(fleet.b)
    assert isinstance(told, NotResumed)
    assert told.code == "ended"
    assert told.bill
    assert told.bill.seconds == 30
    assert told.bill.price == call_price(FOUR, 30)
    fleet.end()


def call_price(catalogue: Catalogue, seconds: int) -> object:
    """What so long with TINA costs."""
    pricing = catalogue.get(TINA).behaviour.pricing
    return (pricing.amount(pricing.price_of(max(0, seconds - pricing.free_seconds))),) if pricing else ()


def test_a_new_call_elsewhere_replaces_this_one(fleet: FleetStage) -> None:
    """With 4409, as on one node; and its bill is told here."""
    call = fleet.call()
    other = FleetCall(fleet.b)
    other.connects()
    assert call.line.fish_for(Close).code == 4409
    assert not fleet.a.has()
    assert fleet.b.has()
    fleet.end()


def test_a_node_that_slept_saves_nothing(fleet: FleetStage) -> None:
    """It was taken for dead; its call goes on elsewhere, and it learns that when it wakes."""
    call = fleet.call()
    old = call.line
    fleet.a.stops()
    told = moved(call, fleet)
    assert told.moved
    assert told.moved.lost_ms > 0
    fleet.stage.advance(5.0)
    fleet.a.goes_on()
    fleet.stage.advance(1.0)
    assert old.fish_for(Close).code == 4410
    fleet.stage.advance(3.0)
    assert not fleet.a.has()
    assert fleet.b.has()
    assert fleet.a.services.counters.unbilled_seconds > 0
    fleet.end()


def test_the_call_length_counts_from_its_beginning(stage: Stage) -> None:
    """Also on another node; limits of its token are kept."""
    fleet = FleetStage(stage)
    call = fleet.call()
    fleet.a.dies()
    moved(call, fleet)
    session = fleet.b.session()
    assert session.is_alive()
    fleet.end()


def test_the_last_record_is_of_an_ended_call(fleet: FleetStage) -> None:
    """Nobody takes a call that was hung up."""
    call = fleet.call()
    fleet.end()
    taken = fleet.memory.calls.get(USER)
    assert taken
    assert taken.ended
    assert isinstance(Past(b""), Past)
    assert not isinstance(call.tries, Taken)


def test_sound_comes_again_after_the_move(fleet: FleetStage) -> None:
    """A whole turn at the new node."""
    call = fleet.call()
    fleet.a.dies()
    moved(call, fleet)
    call.says(Typed("Hello?"))
    wire = fleet.b.wire()
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "Yes.")
    finish(wire, "answer")
    fleet.stage.advance(2.0)
    heard = call.line.take()
    assert [one.response_id for one in heard if isinstance(one, Sound)]
    assert [one for one in heard if isinstance(one, ConfigAck)] == []
    fleet.end()


# A server that ends.


def test_a_drain_moves_calls_at_once(fleet: FleetStage) -> None:
    """Each is closed with 1012, and another node takes it without loss, as soon as its caller asks."""
    calls = [fleet.call(user=f"user-{number}") for number in range(5)]
    fleet.stage.advance(1.0)
    fleet.a.supervisor.tell(Drain(60.0))
    fleet.stage.advance(2.0)
    for call in calls:
        assert call.line.take()[-1] == Close(1012, "the server is restarting: resume at once")
    fleet.stage.expect_terminated(fleet.a.supervisor)
    fleet.a.dead = True
    for call in calls:
        told = moved(call, fleet)
        assert told.moved
        assert told.moved.lost_ms == 0
        assert not [one for one in call.line.take() if isinstance(one, Close)]
    assert fleet.b.services.counters.calls_moved == Counter({"in": 5})
    fleet.end()


def test_who_speaks_is_heard_to_the_end_of_a_sentence(fleet: FleetStage) -> None:
    """The reply that plays stops at its pause; the rest of it comes from the other node."""
    call = fleet.call()
    call.says(Typed("Tell me."))
    wire = fleet.a.wire()
    begin(wire, "answer", asked(wire))
    speech, quiet = tone(2.0), bytes(int(0.5 * 48_000))
    for words in ("This is the first sentence. ", "This is the second one. ", "And a third. "):
        say(wire, "answer", words, speech + quiet)
    fleet.stage.advance(0.5)
    call.acknowledge()
    fleet.a.supervisor.tell(Drain(60.0))
    for _ in range(8):
        fleet.stage.advance(0.5)
        call.acknowledge()
    heard = call.line.take()
    assert heard[-1].code == 1012
    said = [one.text for one in heard if isinstance(one, Transcript) and one.final and one.role == "assistant"]
    assert said == ["This is the first sentence."]
    told = moved(call, fleet)
    assert told.moved
    assert told.moved == Moved(0, asked_again=True, node="b")
    assert fleet.b.wire().texts()[-1] == ("assistant", "This is the first sentence.")
    assert GO_ON in fleet.b.wire().last("response.create")["response"]["instructions"]
    fleet.end()


def test_who_is_away_is_moved_at_once(fleet: FleetStage) -> None:
    """Nobody waits for them here."""
    call = fleet.call()
    call.goes()
    fleet.a.supervisor.tell(Drain(60.0))
    fleet.stage.advance(3.0)
    fleet.stage.expect_terminated(fleet.a.supervisor)
    fleet.a.dead = True
    assert moved(call, fleet).moved
    fleet.end()


def test_a_server_that_ends_sends_on_whom_it_moved(fleet: FleetStage) -> None:
    """Their client asked it because it had the call: it is closed with 1012, and another node is to be asked."""
    call = fleet.call()
    stays = FleetCall(fleet.a, "stays")
    stays.connects(resumable=False)
    fleet.a.supervisor.tell(Drain(60.0))
    fleet.stage.advance(2.0)
    assert call.line.take()[-1].code == 1012
    assert stays.line.take() == []
    told = call.tries(fleet.a)
    assert isinstance(told, NotResumed)
    assert call.asked.take() == [Close(1012, "the server is restarting: resume at once")]
    assert isinstance(call.tries(fleet.b), Resumed)
    fleet.stage.advance(60.0)
    assert stays.line.fish_for(Close).code == 1001
    fleet.end()
