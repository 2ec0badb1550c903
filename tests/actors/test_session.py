"""Moments of a session that no socket can hold still, on a stage, with an upstream whose frames the test writes."""

import pytest

from actors.messages.admission import Attached, Detached, From
from actors.messages.caller import Chose, Close, ConfigAck, Error, Interrupted, Pinged, Pong, Recorded, Typed
from actors.runtime import Down, MailboxOverflow
from actors.runtime.actor import MOST_WAITING
from actors.services import Limits
from actors.testing.probe import Probe
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from tests.kit.four import MOHIT, PRIYANKA, TINA


def test_a_choice_made_while_the_switch_before_it_gives_up_is_the_one_that_counts(scene: Scene) -> None:
    """What is said from then on is meant for it, and reaches it."""
    scene.on_the_line(TINA)
    scene.says(Chose(MOHIT))
    scene.wire(2).lose(3000, "no")
    scene.says(Chose(PRIYANKA))  # in the mailbox before the Down of Mohit's bridge
    third = scene.wire(3)
    assert scene.caller.fish_for(Error).code == "persona_switch_failed"
    third.welcome()
    third.answer("greeting")
    scene.says(Typed("are you there?"))
    assert third.texts() == [("user", "are you there?")]


def test_a_greeting_that_is_refused_does_not_hold_up_the_turns_behind_it(scene: Scene) -> None:
    """The caller is told, and what they said early is asked."""
    scene.says(Chose(TINA))
    scene.says(Typed("early"))
    wire = scene.wire(1)
    wire.welcome()
    wire.refuse("response.create")
    assert scene.caller.fish_for(Error).code == "upstream_unavailable"
    assert wire.kinds.count("response.create") == 2
    assert wire.texts() == [("user", "early")]


def test_the_greeting_stands_before_what_was_said_early_when_history_is_seeded(scene: Scene) -> None:
    """Else the model would think that it spoke last; and nothing is seeded that will be asked again."""
    scene.says(Chose(TINA))
    scene.says(Typed("early"))
    wire = scene.wire(1)
    wire.welcome()
    wire.answer("hello")
    wire.answer("yes")
    scene.stage.settle()
    scene.says(Typed("later"))
    assert wire.kinds.count("response.create") == 3
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert again.texts() == [("assistant", "hello"), ("user", "early"), ("assistant", "yes"), ("user", "later")]


def test_config_ack_comes_before_the_greeting_is_asked_for(scene: Scene) -> None:
    """And only when the voice asked for was confirmed."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome("alloy")  # not hers
    assert scene.caller.fish_for(Error).code == "upstream_refused"
    assert not any(isinstance(message, ConfigAck) for message in scene.caller.heard)
    assert "response.create" not in wire.kinds
    scene.supervisor.fish_for(Down, cause=None)


def test_an_interrupted_greeting_is_not_given_on_the_next_connection(scene: Scene) -> None:
    """The connection was lost, the caller said stop: what they say next is asked behind what they must hear."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome()
    assert "response.create" in wire.kinds
    wire.lose()
    again = scene.wire(2)
    scene.says(Interrupted())
    scene.says(Typed("to the point"))
    again.welcome()
    persona = scene.catalogue.get(TINA)
    asked = again.last("response.create")["response"]["instructions"]
    assert asked.endswith(persona.disclosure)
    again.answer(persona.disclosure)
    assert "instructions" not in again.last("response.create")["response"]
    assert again.texts() == [("user", "to the point")]


def test_what_an_older_connection_says_is_dropped(scene: Scene) -> None:
    """Connections are numbered; only the newest has the line, and only its end ends the call."""
    newer = Probe("newer")
    scene.session.tell(Attached(2, newer))
    scene.session.tell(From(1, Pinged()))
    scene.session.tell(Detached(1))
    scene.session.tell(From(2, Pinged()))
    newer.expect(Pong)
    newer.expect_nothing()
    scene.caller.expect_nothing()
    scene.session.tell(Detached(2))
    scene.supervisor.fish_for(Down, cause=None)


def test_a_caller_who_says_nothing_for_five_minutes_is_let_go(scene: Scene) -> None:
    """Not a second earlier than that since they last spoke; a ping is not speech."""
    wire = scene.on_the_line(TINA)
    scene.stage.advance(200)
    scene.says(Typed("hello"))
    wire.answer("Yes?")
    scene.stage.advance(150)
    scene.says(Pinged())
    scene.stage.advance(149)
    scene.caller.take()
    scene.stage.advance(1)
    assert scene.caller.fish_for(Close).code == 4408
    scene.caller.expect_nothing()


def test_a_call_is_ended_when_it_has_lasted_as_long_as_a_call_may(stage: Stage) -> None:
    """However lively it is."""
    scene = Scene(stage, limits=Limits(idle_seconds=60, call_seconds=600))
    wire = scene.on_the_line(TINA)
    for number in range(11):
        stage.advance(50)
        scene.says(Typed("still here"))
        wire.answer(f"So am I, {number}.")
    stage.advance(49)
    assert not any(isinstance(message, Close) for message in scene.caller.take())
    stage.advance(1)
    assert scene.caller.fish_for(Close).code == 1000
    scene.end()


@pytest.mark.parametrize("spoke_at", [0.1, 0.803, 1.1, 2.3])
def test_the_end_of_a_quiet_call_does_not_wait_for_a_rounding_error(stage: Stage, spoke_at: float) -> None:
    """The rest of the time rounds to nothing, and is over."""
    scene = Scene(stage, limits=Limits(idle_seconds=3.0))
    wire = scene.on_the_line(TINA)
    stage.advance(spoke_at)
    scene.says(Typed("hello"))
    wire.answer("Yes?")
    scene.caller.take()
    stage.advance(3.0)
    assert scene.caller.fish_for(Close).code == 4408
    scene.end()


def test_a_bridge_that_is_told_too_much_ends_its_session(stage: Stage) -> None:
    """Not a loss that another connection would mend: the cause reaches the supervisor."""
    scene = Scene(stage)
    wire = scene.on_the_line(TINA)
    for _ in range(MOST_WAITING + 1):
        wire.say(type="rate_limits.updated")
    down = scene.supervisor.fish_for(Down)
    assert isinstance(down.cause, MailboxOverflow)
    assert len(scene.upstream.dialled) == 1


def test_what_was_said_after_a_clip_that_must_be_heard_again_is_said_again_after_it(scene: Scene) -> None:
    """Nobody has written down the clip, so it cannot be told as history; what follows it waits for it."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(bytes(48 * 200)))
    scene.stage.settle()
    scene.says(Typed("and another thing"))
    scene.says(Typed("the last one"))
    scene.stage.settle()
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    kinds = [kind for kind in again.kinds if kind in ("input_audio_buffer.commit", "response.create")]
    assert kinds[0] == "input_audio_buffer.commit"
    assert [text for role, text in again.texts() if role == "user"] == []
