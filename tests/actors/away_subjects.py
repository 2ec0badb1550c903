"""What of a call: its clock, its sound, its bill; as scenarios of test_away_table.py."""

from collections.abc import Iterator

from actors.call.resume.ledger import MOST_WHOLE
from actors.call.resume.pending import MOST_MESSAGES
from actors.messages.admission import Drain, Leaving, WentAway
from actors.messages.caller import Close, Interrupted, Notice, Sound, Spoke, Typed
from tests.kit.away import sound
from tests.kit.away_call import LONGEST, Scenario, TableCall, answering
from tests.kit.streaming import FRAME, asked, begin, finish, give, heard, write_down

TAB_CLOSED = Close(1001, "the tab was closed")


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
