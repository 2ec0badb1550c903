"""An answer that stalls while it is heard: found in 2 s, and after 4 s it goes on over another connection."""

from typing import Any

import pytest

from actors.messages.caller import (
    Chose,
    Close,
    Error,
    Interrupted,
    Notice,
    ResponseDone,
    ResponseStarted,
    Sound,
    Transcript,
    Typed,
)
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from realtime.contract import GO_ON
from tests.kit.four import MOHIT
from tests.kit.streaming import asked, begin, finish, give, on_the_line, turn, write_down

BYTES_PER_SECOND = 48_000


def codes(scene: Scene) -> list[str]:
    """What the caller was told since the last look, by its code: notices but of minutes, errors, closes."""
    told = [str(said.code) for said in scene.caller.take() if isinstance(said, Notice | Error | Close)]
    return [code for code in told if code != "minute"]


def said(scene: Scene) -> list[str]:
    """The persona's words as the caller was shown them whole, reply by reply."""
    shown = (said for said in scene.caller.heard if isinstance(said, Transcript))
    return [said.text for said in shown if said.role == "assistant" and said.final]


def sounds(scene: Scene) -> float:
    """Seconds of sound that the caller was sent."""
    return sum(len(said.pcm) for said in scene.caller.heard if isinstance(said, Sound)) / BYTES_PER_SECOND


def item_done(wire: Wire, response: str) -> None:
    """All of the item was said."""
    item = {"id": f"item of {response}", "status": "completed"}
    wire.say(type="response.output_item.done", response_id=response, item=item)


def half_answered(scene: Scene, seconds: float = 0.5) -> Wire:
    """The caller has typed, and three words of the answer have come, each with so much sound."""
    wire = on_the_line(scene)
    scene.says(Typed("will I marry?"))
    scene.stage.settle()
    begin(wire, "answer", asked(wire))
    for word in ("alpha ", "beta ", "gamma "):
        give(wire, "answer", word, seconds)
    scene.caller.take()
    return wire


def stalls(scene: Scene) -> tuple[int, int]:
    """How many were found, and how many of them went on over another connection."""
    counters = scene.services.counters
    return counters.answer_stalls, counters.answers_moved


def test_a_stall_is_found_in_two_seconds_and_the_answer_goes_on_after_four(scene: Scene) -> None:
    """The next connection is told what was heard, and asked for the rest: no word twice, none lost."""
    half_answered(scene)
    scene.stage.advance(1.9)
    assert stalls(scene) == (0, 0)
    scene.stage.advance(0.2)
    assert stalls(scene) == (1, 0)
    assert not codes(scene)
    scene.stage.advance(1.8)
    assert not codes(scene)
    scene.stage.advance(0.2)
    assert codes(scene) == ["reconnecting"]
    assert stalls(scene) == (1, 1)
    again = scene.wire(2)
    again.welcome()
    assert GO_ON in again.last("response.create")["response"]["instructions"]
    assert again.texts()[-1] == ("assistant", "alpha beta gamma")
    begin(again, "rest", asked(again))
    give(again, "rest", "delta ", 0.5)
    finish(again, "rest")
    scene.stage.advance(2)
    assert codes(scene) == ["resumed"]
    assert said(scene)[-2:] == ["alpha beta gamma", "delta"]
    assert sounds(scene) == pytest.approx(1.0 + 1.5 + 0.5)
    scene.stage.advance(60)
    assert stalls(scene) == (1, 1)
    assert len(scene.upstream.dialled) == 2


def test_what_stands_by_takes_over_at_once(scene: Scene) -> None:
    """It was called when the stall was found, and knows what was heard."""
    half_answered(scene)
    scene.stage.advance(2.1)
    again = scene.wire(2)
    scene.stage.advance(1.2)
    again.welcome()
    assert again.texts()[-1] == ("assistant", "alpha beta gamma")
    assert "response.create" not in again.kinds
    scene.stage.advance(0.6)
    assert codes(scene) == []
    scene.stage.advance(0.2)
    assert codes(scene) == ["reconnecting", "resumed"]
    assert GO_ON in again.last("response.create")["response"]["instructions"]
    assert len(scene.upstream.dialled) == 2


def test_what_stands_by_is_not_taken_where_more_came_before_the_connection_was_lost(scene: Scene) -> None:
    """It does not know that the caller has heard it: another one is opened."""
    wire = half_answered(scene)
    scene.stage.advance(3.0)
    scene.wire(2).welcome()
    give(wire, "answer", "delta ", 0.5)
    scene.stage.advance(0.5)
    wire.lose()
    again = scene.wire(3)
    again.welcome()
    assert again.texts()[-1] == ("assistant", "alpha beta gamma delta")
    assert GO_ON in again.last("response.create")["response"]["instructions"]
    scene.stage.advance(3)
    assert scene.wire(2).ended


def test_who_says_something_meanwhile_says_it_to_whom_they_hear(scene: Scene) -> None:
    """What stands by does not know of it, and is left."""
    wire = half_answered(scene)
    scene.stage.advance(3.0)
    scene.wire(2).welcome()
    scene.says(Typed("wait"))
    scene.stage.settle()
    finish(wire, "answer", "cancelled")
    scene.stage.advance(1)
    assert wire.texts()[-1] == ("user", "wait")
    scene.stage.advance(3)
    assert [each.ended for each in scene.upstream.dialled[:2]] == [False, True]


def test_nothing_stands_by_where_the_turn_is_not_written_down(scene: Scene) -> None:
    """It would know an answer, and not what to; after four seconds it may be written down."""
    wire = on_the_line(scene)
    turn(wire, "mine", 0)
    begin(wire, "answer")
    give(wire, "answer", "alpha ", 0.5)
    scene.stage.advance(3.9)
    assert len(scene.upstream.dialled) == 1
    write_down(wire, "mine", "will I marry?")
    scene.stage.advance(0.2)
    scene.wire(2).welcome()
    assert scene.wire(2).texts()[-2:] == [("user", "will I marry?"), ("assistant", "alpha")]


def test_a_model_that_is_far_ahead_is_left_two_seconds_before_the_caller_would_hear_it(scene: Scene) -> None:
    """While more is left to play nobody is disturbed; the rest is there before the sound is at its end."""
    half_answered(scene, 4.0)
    began = scene.stage.now
    scene.stage.advance(9.9)
    assert stalls(scene) == (0, 0)
    scene.stage.advance(0.2)
    assert stalls(scene) == (1, 1)
    assert codes(scene) == ["reconnecting"]
    scene.stage.advance(1.2)
    again = scene.wire(2)
    again.welcome()
    scene.stage.advance(0.5)
    begin(again, "rest", asked(again))
    give(again, "rest", "delta ", 0.5)
    assert scene.caller.fish_for(Sound, response_id="2.1")
    assert scene.stage.now < began + 12.0


def test_an_answer_that_goes_on_by_itself_is_counted_and_left_alone(scene: Scene) -> None:
    """Each time that it stalls; what stands by for it does not take over, and is gone when all is silent."""
    wire = half_answered(scene)
    for number in range(3):
        scene.stage.advance(3.0)
        scene.wire(number + 2).welcome()
        scene.stage.advance(0.9)
        give(wire, "answer", f"word{number} ", 0.5)
    finish(wire, "answer")
    scene.stage.advance(20)
    assert stalls(scene) == (3, 0)
    assert not codes(scene)
    assert said(scene)[-1] == "alpha beta gamma word0 word1 word2"
    assert [each.ended for each in scene.upstream.dialled] == [False, True, True, True]
    scene.says(Typed("and when?"))
    assert wire.texts()[-1] == ("user", "and when?")


def test_a_model_that_is_slow_and_brings_something_every_two_seconds_is_not_stalled(scene: Scene) -> None:
    """Though its caller hears gaps, for a minute: a busy machine is no dead one."""
    wire = half_answered(scene)
    for number in range(32):
        scene.stage.advance(1.9)
        give(wire, "answer", f"word{number} ", 0.2)
    finish(wire, "answer")
    scene.stage.advance(20)
    assert stalls(scene) == (0, 0)
    assert not codes(scene)


def test_an_end_that_is_late_is_no_stall(scene: Scene) -> None:
    """All was said: there is nothing to go on with."""
    wire = half_answered(scene)
    item_done(wire, "answer")
    scene.stage.advance(11)
    assert stalls(scene) == (0, 0)
    assert codes(scene) == []
    assert len(scene.upstream.dialled) == 1
    assert scene.caller.heard.count(ResponseDone("1.2", "completed")) == 1


def test_a_function_call_after_some_words_is_no_stall(scene: Scene) -> None:
    """The words were said whole; what the model writes then nobody hears."""
    wire = half_answered(scene)
    item_done(wire, "answer")
    wire.say(type="response.output_item.added", response_id="answer", item={"id": "call", "type": "function_call"})
    for _ in range(5):
        scene.stage.advance(2)
        wire.say(type="response.function_call_arguments.delta", response_id="answer", delta="{}")
    finish(wire, "answer")
    scene.stage.advance(1)
    assert stalls(scene) == (0, 0)
    assert codes(scene) == []


def test_a_model_that_thinks_between_two_items_is_waited_for_and_a_stall_in_the_second_is_one(scene: Scene) -> None:
    """What has begun was said whole until the second begins to be heard."""
    wire = half_answered(scene)
    item_done(wire, "answer")
    wire.say(type="response.output_item.added", response_id="answer", item={"id": "second"})
    scene.stage.advance(9)
    assert stalls(scene) == (0, 0)
    give(wire, "answer", " delta ", 0.5)
    scene.stage.advance(4.1)
    assert stalls(scene) == (1, 1)
    assert codes(scene) == ["reconnecting"]


def test_words_without_any_sound_are_no_stall_inside_an_answer(scene: Scene) -> None:
    """Nothing plays yet: an engine that is busy may take longer than four seconds for the first of it."""
    wire = on_the_line(scene)
    scene.says(Typed("will I marry?"))
    scene.stage.settle()
    begin(wire, "answer", asked(wire))
    wire.say(type="response.output_audio_transcript.delta", response_id="answer", delta="alpha ")
    scene.stage.advance(14.9)
    assert stalls(scene) == (0, 0)
    assert not codes(scene)
    scene.stage.advance(0.2)
    assert codes(scene) == ["reconnecting"]
    assert stalls(scene) == (0, 0)


def test_a_second_stall_of_the_same_answer_ends_that_turn_and_no_other(scene: Scene) -> None:
    """The caller knows, keeps what was said, and is answered on the connection that is there."""
    half_answered(scene)
    scene.stage.advance(4.1)
    again = scene.wire(2)
    again.welcome()
    begin(again, "rest", asked(again))
    give(again, "rest", "delta epsilon ", 0.5)
    scene.stage.advance(3.9)
    assert codes(scene) == ["reconnecting", "resumed"]
    scene.stage.advance(0.2)
    assert codes(scene) == ["upstream_unavailable"]
    statuses = [done.status for done in scene.caller.heard if isinstance(done, ResponseDone)]
    assert statuses == ["completed", "incomplete", "incomplete"]
    assert stalls(scene) == (2, 1)
    scene.says(Typed("and when?"))
    assert again.texts()[-1] == ("user", "and when?")
    finish(again, "rest", "cancelled")
    scene.stage.settle()
    begin(again, "next", asked(again))
    give(again, "next", "In May.", 0.5)
    finish(again, "next")
    scene.stage.advance(60)
    assert codes(scene) == []
    assert said(scene)[-1] == "In May."
    assert [each.ended for each in scene.upstream.dialled] == [True, False, True]  # the third stood by


def test_an_answer_in_between_gives_the_next_stall_its_connection(scene: Scene) -> None:
    """It is the same answer that is not asked for twice."""
    for number in (1, 2):
        wire = half_answered(scene) if number == 1 else scene.wire(2)
        if number == 2:
            scene.says(Typed("and when?"))
            scene.stage.settle()
            begin(wire, "second", asked(wire))
            give(wire, "second", "In ", 0.5)
        scene.stage.advance(4.1)
        assert codes(scene)[-1] == "reconnecting"
        again = scene.wire(number + 1)
        again.welcome()
        begin(again, "rest", asked(again))
        give(again, "rest", "May.", 0.5)
        finish(again, "rest")
        scene.stage.advance(2)
        assert codes(scene) == ["resumed"]
    assert stalls(scene) == (2, 2)


def test_a_rest_of_which_nothing_is_left_is_an_answer(scene: Scene) -> None:
    """All was said before it stalled: the caller is told of no failure, and is not asked to say it again."""
    half_answered(scene)
    scene.stage.advance(4.1)
    again = scene.wire(2)
    again.welcome()
    begin(again, "rest", asked(again))
    finish(again, "rest")
    scene.stage.advance(20)
    assert codes(scene) == ["reconnecting", "resumed"]
    assert said(scene)[-1] == "alpha beta gamma"
    assert len([started for started in scene.caller.heard if isinstance(started, ResponseStarted)]) == 2


@pytest.mark.parametrize("by", [Interrupted(), Typed("wait"), "speech"])
def test_who_interrupts_meanwhile_hears_no_more_of_it(scene: Scene, by: Any) -> None:
    """Nobody waits for the rest, so that nothing stalls."""
    wire = half_answered(scene)
    scene.stage.advance(1.0)
    if by == "speech":
        turn(wire, "mine", 0)
    else:
        scene.says(by)
    scene.stage.advance(5)
    assert stalls(scene) == (0, 0)
    assert "reconnecting" not in codes(scene)


def test_a_switch_meanwhile_is_what_the_caller_waits_for(scene: Scene) -> None:
    """Whoever was on the line has fallen silent."""
    half_answered(scene)
    scene.stage.advance(1.0)
    scene.says(Chose(MOHIT))
    scene.stage.advance(4.5)
    assert stalls(scene) == (0, 0)
    assert codes(scene) == ["switching"]
    assert len(scene.upstream.dialled) == 2


def test_no_rollover_begins_in_a_stall(stage: Stage) -> None:
    """The session of the model is near its end: the answer goes on over one new connection, not over two."""
    scene = Scene(stage, limits=Limits(idle_seconds=1e6, call_seconds=1e6))
    wire = on_the_line(scene)
    stage.advance(3600 - 360 - 3 - stage.now)
    scene.says(Typed("will I marry?"))
    stage.settle()
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha ", 0.5)
    stage.advance(4.2)
    assert len(scene.upstream.dialled) == 2
    assert stalls(scene) == (1, 1)
    scene.end()


def test_a_greeting_that_stalls_goes_on_with_the_words_that_are_left(scene: Scene) -> None:
    """Its words are known."""
    scene.says(Chose(MOHIT, "stream"))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    words = scene.catalogue.get(MOHIT).greeting.split()
    give(wire, "greeting", f"{words[0]} ", 0.5)
    give(wire, "greeting", f"{words[1]} ", 0.5)
    scene.stage.advance(4.1)
    assert codes(scene) == ["reconnecting"]
    scene.wire(2).welcome()
    assert scene.wire(2).last("response.create")["response"]["instructions"].endswith(" ".join(words[2:]))


def test_nobody_pays_for_the_time_in_which_another_connection_is_made(scene: Scene) -> None:
    """Metered until the stalled one is left, and from when the next one is there."""
    half_answered(scene)
    begun = scene.stage.now
    scene.stage.advance(4.1)
    scene.wire(2)
    scene.stage.advance(40)
    assert codes(scene)[-1] == "4503"
    assert scene.caller.heard[-2].bill.seconds == int(begun + 4.0)


def test_what_a_stalled_connection_says_after_it_was_left_is_of_nobody(scene: Scene) -> None:
    """It goes on after all, a moment too late."""
    wire = half_answered(scene)
    scene.stage.advance(4.1)
    give(wire, "answer", "delta ", 0.5)
    finish(wire, "answer")
    again = scene.wire(2)
    again.welcome()
    begin(again, "rest", asked(again))
    give(again, "rest", "delta ", 0.5)
    finish(again, "rest")
    scene.stage.advance(3)
    assert said(scene)[-2:] == ["alpha beta gamma", "delta"]
    assert sounds(scene) == pytest.approx(1.0 + 1.5 + 0.5)
