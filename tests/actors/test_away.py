"""The table Away x state (docs/realtime.md): what goes on while the caller is away, and what is so afterwards."""

import pytest

from actors.messages.admission import (
    GONE,
    CameBack,
    Detached,
    Drain,
    Ended,
    Leaving,
    LetGo,
    LostSight,
    SeenAgain,
    WentAway,
)
from actors.messages.caller import (
    Clear,
    Close,
    Interrupted,
    Notice,
    ResponseDone,
    ResponseStarted,
    Sound,
    SpeechStarted,
    Spoke,
    Transcript,
    Typed,
)
from actors.testing.scene import Scene
from tests.kit.away import FragileCall, sound
from tests.kit.streaming import FRAME, asked, begin, finish, give, heard, turn, write_down

CLOSED_TAB = Close(1001, "the tab was closed")


def answering(call: FragileCall, seconds: float = 4.0) -> None:
    """The persona answers a question, and makes sound of so many seconds, each of its own."""
    call.scene.says(Typed("a question"))
    begin(call.wire, "answer", asked(call.wire))
    for second in range(round(seconds)):
        words = ("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten ")[second]
        give(call.wire, "answer", words)


# The line.


def test_a_call_goes_on_where_it_was(scene: Scene) -> None:
    """All sound comes once, in order; the clock stood while the caller was away."""
    call = FragileCall(scene)
    answering(call)
    finish(call.wire, "answer")
    scene.stage.advance(1.0)
    before = sound(call.line.take())
    call.goes()
    scene.stage.advance(20.0)
    call.line.expect_nothing()
    resumed = call.comes_back()
    assert (resumed.attach, resumed.away_ms) == (1, 20_000)
    scene.stage.advance(0.5)
    call.acknowledge()
    scene.stage.advance(4.0)
    call.acknowledge()
    scene.stage.advance(4.0)
    after = call.line.take()
    assert len(before) + len(sound(after)) == 4 * 48_000
    assert [type(one) for one in after if not isinstance(one, Sound | Transcript)] == [ResponseDone]


def test_what_was_written_into_a_dead_line_is_sent_again(scene: Scene) -> None:
    """The server did not know: at most three seconds were released, and come again at the pace at which they play."""
    call = FragileCall(scene)
    answering(call, 8)
    finish(call.wire, "answer")
    scene.stage.advance(1.0)
    before = call.line.take()
    call.line.dead = True
    scene.stage.advance(9.0)
    old, written = call.line, call.line.written
    call.comes_back()
    assert written - old.received > 0
    at_once = call.line.take()
    assert 0.3 * 48_000 < len(sound(at_once)) <= 0.46 * 48_000
    after = [*at_once]
    for _ in range(10):
        scene.stage.advance(1.0)
        call.acknowledge()
        after += call.line.take()
    assert len(sound(before)) + len(sound(after)) == 8 * 48_000
    assert isinstance(after[-1], ResponseDone)


def test_a_dead_line_stops_the_persona(scene: Scene) -> None:
    """No more than three seconds of sound are released that nobody acknowledges."""
    call = FragileCall(scene)
    answering(call, 10)
    scene.stage.advance(20.0)
    assert 3.0 <= len(sound(call.line.take())) / 48_000 <= 3.5
    call.acknowledge()
    scene.stage.advance(1.0)
    assert len(sound(call.line.take())) > 40_000


def test_the_newest_connection_is_handed_the_call_at_once(scene: Scene) -> None:
    """Without the server knowing that the old one is lost: that writes nothing more but why it is closed."""
    call = FragileCall(scene)
    answering(call)
    scene.stage.advance(0.2)
    old = call.line
    call.comes_back()
    assert old.take()[-1] == Close(4410, "you have resumed elsewhere: do not reconnect this one")
    scene.stage.advance(1.0)
    old.expect_nothing()
    assert sound(call.line.take())


@pytest.mark.parametrize(("how", "seconds"), [(None, 30.0), (CLOSED_TAB, 5.0)])
def test_nobody_comes_back_in_time(scene: Scene, how: Close | None, seconds: float) -> None:
    """The call ends with 1006, and is remembered."""
    call = FragileCall(scene)
    call.goes(how)
    scene.supervisor.fish_for(WentAway)
    scene.stage.advance(seconds - 0.1)
    scene.supervisor.expect_nothing()
    scene.stage.advance(0.2)
    assert scene.supervisor.fish_for(Leaving).code == 1006
    assert scene.supervisor.fish_for(Ended).bill.seconds == 10


@pytest.mark.parametrize("code", [1000, 1009, 4400])
def test_who_hung_up_is_not_waited_for(scene: Scene, code: int) -> None:
    """Nor who sent what no server takes."""
    call = FragileCall(scene)
    call.goes(Close(code, "over"))
    assert scene.supervisor.fish_for(Leaving).code == code


def test_a_call_that_has_hardly_begun_is_begun_anew(scene: Scene) -> None:
    """Nothing of it is worth keeping a place for."""
    call = FragileCall(scene, greeted=False)
    call.goes()
    assert scene.supervisor.fish_for(Leaving).code == 1006


def test_a_place_that_is_needed_is_given_up(scene: Scene) -> None:
    """But not by a caller who is back."""
    call = FragileCall(scene)
    call.goes()
    call.comes_back()
    scene.supervisor.fish_for(CameBack)
    scene.session.tell(LetGo())
    scene.stage.settle()
    scene.supervisor.expect_nothing()
    call.goes()
    scene.session.tell(LetGo())
    scene.supervisor.fish_for(Leaving)


# Attempts.


def test_a_lost_answer_to_a_resume_does_no_harm(scene: Scene) -> None:
    """The same attempt is accepted again, until a frame has come on the newest connection."""
    call = FragileCall(scene)
    answering(call)
    finish(call.wire, "answer")
    scene.stage.advance(1.0)
    before = sound(call.line.take())
    received = call.line.received
    call.goes()
    call.tries()  # of which the client sees nothing
    scene.stage.advance(0.3)
    call.line = call.tries(attach=0, received=received)
    call.attach = 2
    after = call.line.take()
    for _ in range(6):
        scene.stage.advance(1.0)
        call.acknowledge()
        after += call.line.take()
    assert len(before) + len(sound(after)) == 4 * 48_000
    call.tries(attach=0, received=received)
    assert call.refused() == "stale"


@pytest.mark.parametrize(
    ("attach", "received", "token", "code"),
    [(0, None, "guessed", "unknown"), (1, 0, "", "stale"), (0, 0, "", "stale"), (0, 9999, "", "stale")],
)
def test_a_false_attempt_changes_nothing(
    scene: Scene, attach: int, received: int | None, token: str, code: str
) -> None:
    """And whoever has the token still comes back."""
    call = FragileCall(scene)
    call.goes()
    call.tries(attach, received, token)
    assert call.refused() == code
    assert call.comes_back().attach == 1


def test_what_the_client_sent_is_handled_once(scene: Scene) -> None:
    """The answer says how many frames were handled on the connection that is lost; late ones of it are dropped."""
    call = FragileCall(scene)
    handled = 2  # the choice and the receipt
    for _ in range(5):
        scene.says(Spoke(bytes(FRAME)))
    lost = scene.connection
    before = len(heard(call.wire))
    call.goes()
    assert call.comes_back().received == handled + 5
    scene.connection, newest = lost, scene.connection
    scene.says(Spoke(bytes(FRAME)))
    scene.connection = newest
    assert len(heard(call.wire)) == before


# The states.


def test_away_while_the_persona_thinks(scene: Scene) -> None:
    """The model makes its answer, and it waits."""
    call = FragileCall(scene)
    scene.says(Typed("a question"))
    scene.stage.settle()
    call.goes()
    begin(call.wire, "answer", asked(call.wire))
    give(call.wire, "answer", "one ")
    finish(call.wire, "answer")
    scene.stage.advance(5.0)
    assert call.comes_back().uplink_ms == 300
    scene.stage.advance(2.0)
    told = call.line.take()
    assert isinstance(told[0], ResponseStarted)
    assert len(sound(told)) == 48_000
    assert isinstance(told[-1], ResponseDone)


def test_away_while_idle(scene: Scene) -> None:
    """The time away is no silence of the caller's; all that they said meanwhile is wanted."""
    call = FragileCall(scene)
    scene.stage.advance(280.0)
    call.goes()
    scene.stage.advance(25.0)
    scene.supervisor.fish_for(WentAway)
    assert call.comes_back().uplink_ms == 15_000
    scene.stage.advance(8.0)
    call.line.expect_nothing()
    scene.stage.advance(30.0)
    assert call.line.fish_for(Close).code == 4408


def test_what_the_model_hears_of_late_while_they_are_away(scene: Scene) -> None:
    """The rest of the time for which they are away is no silence of theirs either."""
    call = FragileCall(scene)
    scene.says(Spoke(bytes(9600)))
    scene.stage.settle()
    call.goes()
    scene.stage.advance(5.0)
    turn(call.wire, "one", 0)
    write_down(call.wire, "one", "hello")
    begin(call.wire, "answer")
    give(call.wire, "answer", "one ")
    finish(call.wire, "answer")
    scene.stage.advance(20.0)
    call.comes_back()
    scene.stage.advance(299.0)
    assert not [one for one in call.line.take() if isinstance(one, Close)]
    scene.stage.advance(2.0)
    assert call.line.fish_for(Close).code == 4408


def test_away_while_the_caller_speaks(scene: Scene) -> None:
    """Their turn is not closed by our silence; they go on with it."""
    call = FragileCall(scene)
    scene.says(Spoke(bytes(FRAME)))
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    call.line.fish_for(SpeechStarted)
    call.goes()
    before = len(heard(call.wire))
    scene.stage.advance(8.0)
    assert len(heard(call.wire)) == before
    assert call.comes_back().uplink_ms == 15_000
    scene.stage.advance(1.5)
    assert len(heard(call.wire)) > before  # now the microphone is silent


def test_speech_that_began_before_the_loss_interrupts(scene: Scene) -> None:
    """What was heard then is what the model remembers; nothing more of the answer comes."""
    call = FragileCall(scene)
    answering(call)
    finish(call.wire, "answer")
    scene.stage.advance(1.0)
    call.line.take()
    scene.says(Spoke(bytes(FRAME)))
    call.goes()
    scene.stage.advance(3.0)
    call.wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.stage.settle()
    heard_ms = call.wire.last("conversation.item.truncate")["audio_end_ms"]
    assert 900 <= heard_ms <= 1100
    call.comes_back()
    scene.stage.advance(2.0)
    told = call.line.take()
    assert not sound(told)
    assert isinstance(told[0], Clear)
    assert any(isinstance(one, SpeechStarted) for one in told)


def test_an_interruption_after_the_return_clears_at_once(scene: Scene) -> None:
    """No sound of the answer is sent before the `clear`, nor after it."""
    call = FragileCall(scene)
    answering(call, 8)
    finish(call.wire, "answer")
    scene.stage.advance(1.0)
    call.line.dead = True
    scene.stage.advance(6.0)
    call.comes_back()
    call.line.take()
    scene.says(Interrupted())
    told = call.line.take()
    assert any(isinstance(one, Clear) for one in told)
    assert not sound(told)
    scene.stage.advance(5.0)
    assert not sound(call.line.take())


@pytest.mark.parametrize("looks", [True, False])
def test_what_was_not_passed_on_while_the_server_stood_still_was_not_heard(scene: Scene, looks: bool) -> None:
    """It stands while a caller who is back catches up: their player is not flooded, and only what it got counts."""
    call = FragileCall(scene)
    answering(call, 8)
    finish(call.wire, "answer")
    scene.stage.advance(0.5)
    call.line.dead = True
    scene.stage.advance(6.0)
    call.comes_back()
    scene.stage.jump(20.0)
    if looks:
        call.line.take()
        scene.stage.advance(0.1)
        assert 0 < len(sound(call.line.take())) <= 0.2 * 48_000
    scene.says(Interrupted())
    assert call.line.fish_for(Transcript, final=True).text == "one"


def test_the_upstream_is_lost_while_the_caller_is_away(scene: Scene) -> None:
    """It is reconnected; the caller learns of it when they are back."""
    call = FragileCall(scene)
    call.goes()
    call.wire.lose()
    scene.stage.advance(2.0)
    scene.wire(2).welcome()
    scene.stage.advance(1.0)
    call.comes_back()
    assert [one.code for one in call.line.take() if isinstance(one, Notice)] == ["reconnecting", "resumed"]


def test_nothing_is_metered_while_the_caller_is_away(scene: Scene) -> None:
    """But for what they heard of what had come."""
    call = FragileCall(scene)
    answering(call, 8)
    finish(call.wire, "answer")
    scene.stage.advance(1.0)
    call.goes()
    scene.stage.advance(20.0)
    call.comes_back()
    scene.stage.advance(2.0)
    call.goes(Close(1000, "hung up"))
    assert scene.supervisor.fish_for(Ended).bill.seconds == 10 + 1 + 2


# Clips.


def test_a_whole_reply_that_was_lost_comes_again(scene: Scene) -> None:
    """With its words; twice, and then no more."""
    call = FragileCall(scene, "clip")
    call.line.dead = True
    scene.says(Typed("a question"))
    call.wire.answer("an answer")
    scene.stage.advance(1.0)
    for _ in range(2):
        line = call.tries()
        line.dead, call.line, call.attach = True, line, call.attach + 1
        call.line.received = 0
    call.tries()
    assert call.refused() == "too_much"


# Nothing is seen of them, and the server ends.


def test_who_is_not_seen_is_away(scene: Scene) -> None:
    """The connection is closed, so that a client who is there after all comes back at once."""
    call = FragileCall(scene)
    old, connection = call.line, scene.connection
    scene.session.tell(LostSight(connection, scene.stage.clock.now() - 25.0))
    scene.stage.settle()
    assert old.take()[-1] == Close(1011, "nothing was seen of you for 25 s: resume")
    scene.supervisor.fish_for(WentAway)
    scene.session.tell(SeenAgain(connection))
    scene.stage.advance(5.0)
    assert call.comes_back().away_ms == 5_000


def test_a_server_that_ends_waits_for_who_is_away(scene: Scene) -> None:
    """Within the time that a call has for its end; they are told when they are back."""
    call = FragileCall(scene)
    call.goes()
    scene.session.tell(Drain(10.0))
    scene.stage.advance(4.0)
    call.comes_back()
    scene.stage.advance(1.0)
    told = call.line.take()
    assert [one.code for one in told if isinstance(one, Notice | Close)] == ["draining", 1001]


def test_nobody_comes_back_to_a_server_that_ends(scene: Scene) -> None:
    """The call is over when its time is."""
    call = FragileCall(scene)
    call.goes()
    scene.session.tell(Drain(10.0))
    scene.stage.advance(9.0)
    assert not any(isinstance(one, Leaving) for one in scene.supervisor.take())
    scene.stage.advance(2.0)
    assert scene.supervisor.fish_for(Leaving).code == 1001


# The meter: until the last sign of life, or the end of what they received by then, whichever is later.


def billed(call: FragileCall) -> int:
    """They hang up: the seconds that they pay for."""
    call.goes(Close(1000, "hung up"))
    seconds: int = call.scene.supervisor.fish_for(Ended).bill.seconds
    return seconds


def test_who_comes_back_before_the_loss_is_known_pays_until_the_last_sign(scene: Scene) -> None:
    """The connection that they left was dead for a while."""
    call = FragileCall(scene)
    scene.stage.advance(1.0)
    seen_at = scene.stage.now
    call.line.seen_at = lambda: seen_at
    scene.stage.advance(20.0)
    call.comes_back()
    scene.stage.advance(2.0)
    assert billed(call) == 10 + 1 + 2


@pytest.mark.parametrize("known", [False, True])
def test_what_was_received_is_metered_until_it_has_played(scene: Scene, known: bool) -> None:
    """Also where that was after the last sign, and before the loss was known; a whole reply plays for long."""
    call = FragileCall(scene, "clip")
    scene.says(Typed("a question"))
    begin(call.wire, "answer", asked(call.wire))
    for word in ("one ", "two ", "three ", "four "):
        give(call.wire, "answer", word)
    finish(call.wire, "answer")
    call.acknowledge()
    seen_at = scene.stage.now
    call.line.seen_at = lambda: seen_at
    scene.stage.advance(20.0)
    if known:
        scene.session.tell(Detached(scene.connection, GONE, seen_at))
        scene.stage.advance(5.0)
    call.comes_back()
    scene.stage.advance(2.0)
    assert billed(call) == 10 + 4 + 2


def test_the_minute_that_was_told_is_not_paid_twice(scene: Scene) -> None:
    """It was full after the last sign; what they heard since lies in it."""
    call = FragileCall(scene)
    scene.stage.advance(47.0)
    answering(call)
    finish(call.wire, "answer")
    scene.stage.advance(0.5)
    seen_at = scene.stage.now
    scene.stage.advance(4.0)
    call.line.fish_for(Notice, code="minute")
    scene.session.tell(Detached(scene.connection, GONE, seen_at))
    scene.stage.advance(5.0)
    call.comes_back()
    scene.stage.advance(2.0)
    assert billed(call) == 10 + 47 + 3 + 2  # three seconds come unacknowledged


def test_what_waits_to_be_written_is_handed_over(scene: Scene) -> None:
    """Nothing gets through for a while before the line is lost; it comes over the next one, in its order."""
    call = FragileCall(scene)
    call.line.full = True
    call.scene.says(Typed("a question"))
    scene.stage.settle()
    call.goes()
    call.comes_back()
    assert [one.text for one in call.line.take() if isinstance(one, Transcript)] == ["a question"]


def test_what_is_kept_is_counted_until_it_is_received(scene: Scene) -> None:
    """A whole reply takes its room once, however often it is sent, and gives it back."""
    call = FragileCall(scene, "clip")
    call.line.dead = True
    scene.says(Typed("a question"))
    begin(call.wire, "answer", asked(call.wire))
    give(call.wire, "answer", "one ")
    finish(call.wire, "answer")
    scene.stage.settle()
    assert scene.services.waiting.bytes == 48_000
    call.comes_back()
    assert scene.services.waiting.bytes == 48_000
    call.acknowledge()
    assert scene.services.waiting.bytes == 0
