"""Moments of a streamed call that no socket can hold still."""

from base64 import b64decode

import pytest

from actors.messages.caller import (
    Chose,
    Clear,
    Close,
    Error,
    Interrupted,
    Notice,
    Played,
    ResponseDone,
    ResponseStarted,
    Sound,
    SpeechStarted,
    Spoke,
    Transcript,
    Typed,
)
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from realtime.contract import GO_ON, SAY_EXACTLY
from tests.kit.four import MOHIT, PRIYANKA, TINA
from tests.kit.streaming import FRAME, asked, begin, finish, give, heard, on_the_line, speak, turn, write_down
from upstream.facts import BYTES_PER_MS


def test_a_stream_is_asked_to_be_listened_to(scene: Scene) -> None:
    """Server VAD is on before any audio."""
    scene.says(Chose(TINA, "stream"))
    wire = scene.wire(1)
    wire.welcome()
    update = wire.last("session.update")["session"]["audio"]["input"]["turn_detection"]
    assert update["type"] == "server_vad"
    assert "input_audio_buffer.append" not in wire.kinds


def test_of_what_is_said_before_the_greeting_only_the_last_moment_is_heard(scene: Scene) -> None:
    """And not before the greeting has begun, or it would be answered first."""
    scene.says(Chose(TINA, "stream"))
    speak(scene, 2000)
    wire = scene.wire(1)
    wire.welcome()
    speak(scene, 1000, mark=2)
    assert heard(wire) == b""
    begin(wire, "greeting", asked(wire))
    assert heard(wire) == bytes([2]) * 300 * BYTES_PER_MS
    speak(scene, 20, mark=3)
    assert heard(wire).endswith(bytes([3]) * FRAME)


@pytest.mark.parametrize("quiet", [0.0, 3200.0])
def test_half_a_minute_may_come_at_once_however_long_it_was_quiet(stage: Stage, quiet: float) -> None:
    """And more as it is spoken, for as long as one likes; who sends faster is closed, and not heard."""
    scene = Scene(stage, limits=Limits(idle_seconds=1e6, call_seconds=1e6))
    wire = on_the_line(scene)
    stage.advance(quiet)
    for _ in range(1490):
        scene.says(Spoke(bytes(FRAME)))
    for _ in range(3000):
        stage.advance(0.02)
        scene.says(Spoke(bytes(FRAME)))
    assert len(heard(wire)) == (1490 + 3000) * FRAME
    for _ in range(30):
        scene.says(Spoke(bytes(FRAME)))
    scene.caller.fish_for(Error, code="too_many_messages")
    assert scene.caller.fish_for(Close).code == 4400
    assert len(heard(wire)) <= 1501 * FRAME + 3000 * FRAME
    scene.end()


def test_what_waits_is_joined(scene: Scene) -> None:
    """Frames that come in one moment go in one append, at most 200 ms in each."""
    wire = on_the_line(scene)
    before = wire.kinds.count("input_audio_buffer.append")
    speak(scene, 600)
    appends = [event for event in wire.sent if event["type"] == "input_audio_buffer.append"][before:]
    assert [len(b64decode(event["audio"])) // BYTES_PER_MS for event in appends] == [200, 200, 200]


def test_a_reply_that_the_model_had_no_time_for_is_asked_again(scene: Scene) -> None:
    """The caller sees nothing of the first try; a spoken turn is asked for by us then."""
    wire = on_the_line(scene)
    turn(wire, "one", 0)
    begin(wire, "early")
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 2s."}
    wire.say(type="response.done", response={"id": "early", "status": "failed", "status_details": {"error": error}})
    before = wire.kinds.count("response.create")
    scene.stage.advance(1.9)
    assert wire.kinds.count("response.create") == before
    scene.stage.advance(0.2)
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha", 0.1)
    finish(wire, "answer")
    scene.stage.advance(1)
    assert scene.caller.fish_for(ResponseStarted).response_id == "1.3"
    assert scene.caller.fish_for(ResponseDone).status == "completed"


def test_a_reply_that_was_heard_in_part_is_cancelled(scene: Scene) -> None:
    """What was heard answers the turn; the model need not go on with the rest."""
    wire = on_the_line(scene)
    scene.says(Typed("a question"))
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha ", 0.5)
    scene.stage.advance(0.3)
    scene.says(Interrupted())
    assert wire.last("response.cancel")["response_id"] == "answer"


def test_a_turn_interrupts_the_reply_where_it_was_heard(scene: Scene) -> None:
    """The caller is told to stop, the model forgets the rest, and late audio is dropped."""
    wire = on_the_line(scene)
    turn(wire, "one", 0)
    begin(wire, "answer")
    for word in ("alpha ", "beta ", "gamma ", "delta "):
        give(wire, "answer", word, 0.5)
    finish(wire, "answer")
    scene.stage.advance(1.1)
    scene.caller.fish_for(ResponseStarted)
    wire.say(type="input_audio_buffer.speech_started", item_id="two", audio_start_ms=5000)
    assert scene.caller.fish_for(Clear).response_id == "1.2"
    assert scene.caller.expect(Transcript).text == "alpha beta"
    assert scene.caller.expect(ResponseDone).status == "cancelled"
    scene.caller.expect(SpeechStarted)
    cut = wire.last("conversation.item.truncate")
    assert (cut["item_id"], cut["audio_end_ms"]) == ("item of answer", 1100)
    give(wire, "answer", "late ")
    scene.stage.advance(3)
    scene.caller.expect_nothing()


def test_the_players_report_says_what_was_heard(scene: Scene) -> None:
    """A player that is behind has heard less than the clock says."""
    wire = on_the_line(scene)
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "alpha beta gamma delta", 2.0)
    scene.stage.advance(1.0)
    scene.says(Played("1.2", 600))
    wire.say(type="input_audio_buffer.speech_started", item_id="two", audio_start_ms=5000)
    finish(wire, "answer", "cancelled")
    assert wire.last("conversation.item.truncate")["audio_end_ms"] == 600


def test_a_reply_of_which_nothing_was_heard_is_deleted(scene: Scene) -> None:
    """The model had only begun; the server ends it by itself, and no cancel is sent."""
    wire = on_the_line(scene)
    turn(wire, "one", 0)
    begin(wire, "answer")
    wire.say(type="input_audio_buffer.speech_started", item_id="two", audio_start_ms=5000)
    finish(wire, "answer", "cancelled")
    assert wire.last("conversation.item.delete")["item_id"] == "item of answer"
    assert "response.cancel" not in wire.kinds


def test_an_answer_that_was_not_wanted_any_more_is_cancelled_when_it_begins(scene: Scene) -> None:
    """The caller said `interrupt` between the turn and the first sign of its answer."""
    wire = on_the_line(scene)
    turn(wire, "one", 0)
    scene.stage.settle()
    scene.says(Interrupted())
    begin(wire, "answer")
    give(wire, "answer", "unwanted ")
    assert wire.last("response.cancel")["response_id"] == "answer"
    scene.stage.advance(3)
    assert not [m for m in scene.caller.heard if isinstance(m, Sound) and m.response_id == "1.2"]


def test_a_typed_turn_waits_until_the_caller_has_spoken(scene: Scene) -> None:
    """And is then answered together with what was said."""
    wire = on_the_line(scene)
    creates = wire.kinds.count("response.create")
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.stage.settle()
    scene.says(Typed("and this"))
    assert wire.kinds.count("response.create") == creates
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=900)
    wire.say(type="input_audio_buffer.committed", item_id="one")
    begin(wire, "answer to the speech")
    assert wire.last("response.cancel")["response_id"] == "answer to the speech"
    finish(wire, "answer to the speech", "cancelled")
    assert wire.kinds.count("response.create") == creates + 1


def test_a_turn_that_was_written_down_is_asked_again_in_words(scene: Scene) -> None:
    """Its audio is not played again; what was said since is."""
    wire = on_the_line(scene)
    speak(scene, 3000, mark=1)
    turn(wire, "one", 0)
    write_down(wire, "one", "when will I marry")
    speak(scene, 200, mark=2)
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.texts()[-1] == ("user", "when will I marry")
    assert "response.create" in again.kinds
    assert heard(again).endswith(bytes([2]) * 200 * BYTES_PER_MS)


def test_a_turn_that_was_not_written_down_is_heard_again(scene: Scene) -> None:
    """From where it began."""
    wire = on_the_line(scene)
    speak(scene, 400, mark=1)
    speak(scene, 1600, mark=2)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=400)
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=2000)
    wire.say(type="input_audio_buffer.committed", item_id="one")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert heard(again) == bytes([2]) * 1600 * BYTES_PER_MS
    assert "response.create" not in again.kinds  # the model will find the turn by itself


def test_an_answer_that_was_cut_goes_on(scene: Scene) -> None:
    """The next connection knows what the caller got, and is asked for the rest only."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha beta ")
    give(wire, "answer", "gamma")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.texts()[-2:] == [("user", "tell me"), ("assistant", "alpha beta")]
    assert again.last("response.create")["response"]["instructions"].endswith(GO_ON)
    begin(again, "rest", asked(again))
    give(again, "rest", "gamma delta")
    finish(again, "rest")
    scene.stage.advance(5)
    done = [(m.response_id, m.status) for m in scene.caller.heard if isinstance(m, ResponseDone)]
    assert done[1:] == [("1.2", "incomplete"), ("2.1", "completed")]
    played = sum(len(m.pcm) for m in scene.caller.heard if isinstance(m, Sound)) / 48_000
    assert played == 1.0 + 1.0 + 1.0


def test_a_rest_that_was_lost_before_it_was_heard_is_asked_for_again(scene: Scene) -> None:
    """The second connection is lost too, as soon as it was told to go on."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha beta ")
    give(wire, "answer", "gamma")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    begin(again, "rest", asked(again))
    again.lose()
    scene.stage.advance(1)
    third = scene.wire(3)
    third.welcome()
    assert third.texts()[-2:] == [("user", "tell me"), ("assistant", "alpha beta")]
    assert third.last("response.create")["response"]["instructions"].endswith(GO_ON)


def test_a_turn_whose_answer_goes_on_is_not_heard_again(scene: Scene) -> None:
    """Also where it was not written down yet: the model would answer it once more, from the beginning."""
    wire = on_the_line(scene)
    speak(scene, 2000, mark=1)
    turn(wire, "one", 500)
    begin(wire, "answer")
    give(wire, "answer", "alpha beta ")
    give(wire, "answer", "gamma")
    speak(scene, 100, mark=2)
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.last("response.create")["response"]["instructions"].endswith(GO_ON)
    assert heard(again) == bytes([1]) * 500 * BYTES_PER_MS + bytes([2]) * 100 * BYTES_PER_MS


def test_a_greeting_that_was_cut_is_brought_to_its_end(scene: Scene) -> None:
    """In the words that are left of it."""
    scene.says(Chose(MOHIT, "stream"))
    wire = scene.wire(1)
    wire.welcome()
    words = wire.last("response.create")["response"]["instructions"].partition(SAY_EXACTLY)[2].split()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", " ".join(words[:3]) + " ")
    give(wire, "greeting", words[3])
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    rest = again.last("response.create")["response"]["instructions"].partition(SAY_EXACTLY)[2].split()
    assert rest == words[3:]


def test_what_is_said_from_the_choice_on_never_reaches_the_persona_before(scene: Scene) -> None:
    """Nor is it lost when the switch is refused."""
    wire = on_the_line(scene)
    speak(scene, 100, mark=1)
    scene.says(Chose("nobody"))
    speak(scene, 200, mark=2)
    scene.caller.fish_for(Error)
    speak(scene, 100, mark=3)
    assert heard(wire).endswith(bytes([1]) * 5 * FRAME + bytes([2]) * 10 * FRAME + bytes([3]) * 5 * FRAME)
    scene.says(Chose(PRIYANKA))
    speak(scene, 400, mark=4)
    other = scene.wire(2)
    other.welcome()
    begin(other, "greeting", asked(other))
    assert bytes([4]) not in heard(wire)
    assert heard(other) == bytes([4]) * 15 * FRAME


def test_words_that_could_not_be_kept_are_asked_for_again(scene: Scene) -> None:
    """Sixteen seconds without a connection are more than what is kept."""
    wire = on_the_line(scene)
    wire.lose()
    for _ in range(16):
        speak(scene, 1000)
        scene.stage.advance(0.001)
    scene.wire(2).welcome()
    assert "say it again" in scene.caller.fish_for(Notice, code="say_again").message


def test_a_paced_reply_is_released_by_the_clock(scene: Scene) -> None:
    """Ten seconds that came at once: 400 ms ahead of the caller, to the end."""
    wire = on_the_line(scene)
    turn(wire, "one", 0)
    begin(wire, "answer")
    for word in range(50):
        give(wire, "answer", f"w{word} ", 0.2)
    finish(wire, "answer")
    for second in range(1, 10):
        scene.stage.advance(1.0)
        played = sum(len(m.pcm) for m in scene.caller.heard if isinstance(m, Sound) and m.response_id == "1.2") / 48_000
        assert second + 0.2 <= played <= second + 0.4 + 0.001
    scene.stage.advance(1.0)
    assert scene.caller.fish_for(ResponseDone).response_id == "1.2"


def test_speech_that_was_noticed_while_the_caller_changed_to_clips_holds_nothing_up(scene: Scene) -> None:
    """The model forgets it, and never tells that it is whole: what is typed next is asked at once."""
    wire = scene.on_the_line(TINA)
    scene.says(Chose(TINA, mode="stream"))
    wire.say(type="session.updated", session=wire.last("session.update")["session"])
    speak(scene, 200)
    scene.stage.settle()
    wire.say(type="input_audio_buffer.speech_started", item_id="item", audio_start_ms=0)
    scene.says(Chose(TINA, mode="clip"))  # in the mailbox before what the bridge makes of that
    scene.says(Typed("in writing, then"))
    assert wire.texts() == [("user", "in writing, then")]
    assert not any(isinstance(message, SpeechStarted) for message in scene.caller.heard)


def test_a_reply_that_was_being_made_is_heard_as_soon_as_the_caller_streams(scene: Scene) -> None:
    """Also when no more of it comes for now: its mode was not known when it began."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "namaste")
    scene.stage.settle()
    scene.says(Chose(TINA, mode="stream"))
    assert scene.caller.fish_for(ResponseStarted)
    assert scene.caller.fish_for(Sound)


def test_an_answer_that_was_cut_goes_on_also_when_the_next_connection_is_lost_before_it_does(scene: Scene) -> None:
    """It is not answered anew, and its first words are not forgotten."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha beta ")
    give(wire, "answer", "gamma")
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert asked(again)
    again.lose()
    scene.stage.advance(1)
    third = scene.wire(3)
    third.welcome()
    assert third.texts()[-2:] == [("user", "tell me"), ("assistant", "alpha beta")]
    assert third.last("response.create")["response"]["instructions"].endswith(GO_ON)


def test_what_a_lost_connection_had_been_asked_comes_before_what_the_microphone_kept(scene: Scene) -> None:
    """As it was said."""
    wire = on_the_line(scene)
    scene.says(Typed("first"))
    scene.stage.settle()
    speak(scene, 200)
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.kinds.index("response.create") < again.kinds.index("input_audio_buffer.append")


def test_what_was_said_to_nobody_is_not_heard_by_who_is_chosen_next(scene: Scene) -> None:
    """The first choice was refused, and there was nobody before."""
    scene.says(Chose("nobody", mode="stream"))
    speak(scene, 200, mark=1)
    scene.caller.fish_for(Error)
    scene.says(Chose(TINA, mode="stream"))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    speak(scene, 100, mark=2)
    assert heard(wire) == bytes([2]) * 5 * FRAME


def test_who_closes_the_microphone_in_the_middle_of_a_word_has_paused(scene: Scene) -> None:
    """The upstream waits for silence, and a typed turn for the end of the speech: after a second it is given both."""
    wire = on_the_line(scene)
    speak(scene, 400)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=100)
    scene.stage.settle()
    scene.says(Typed("and this"))
    speak(scene, 20)
    scene.stage.advance(0.9)
    assert heard(wire) == bytes([1]) * 21 * FRAME
    scene.stage.advance(0.2)
    assert heard(wire) == bytes([1]) * 21 * FRAME + bytes(30 * FRAME)
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=900)
    wire.say(type="input_audio_buffer.committed", item_id="one")
    scene.stage.advance(5)
    assert heard(wire) == bytes([1]) * 21 * FRAME + bytes(30 * FRAME)
    wire.say(type="response.created", response={"id": "of one"})  # nobody waits for an answer to that alone
    wire.say(type="response.done", response={"id": "of one", "status": "cancelled"})
    assert wire.texts()[-1] == ("user", "and this")
