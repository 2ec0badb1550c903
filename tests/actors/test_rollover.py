"""A connection that must be gone soon is replaced at a silent moment, and the caller never learns of it."""

import logging
from collections.abc import Callable, Iterator

import pytest

from actors.call.bridges import margin
from actors.call.line import RETRY_SECONDS
from actors.messages.caller import Chose, ConfigAck, Notice, ResponseDone, Spoke, Typed
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from tests.kit.four import FREE, MOHIT, TINA
from tests.kit.streaming import LOUD_FRAME, asked, begin, finish, give, heard, on_the_line, speak, turn, write_down
from upstream.facts import BYTES_PER_MS

DUE = 3300.5  # seconds: an hour without five minutes, and a look


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A caller who may stay for as long as they like."""
    return Scene(stage, FREE, Limits(idle_seconds=1e6, call_seconds=1e6))


@pytest.fixture(autouse=True)
def ended(scene: Scene) -> Iterator[None]:
    """Whatever happened, the session ends quietly."""
    yield
    scene.end()


def is_alone(scene: Scene, number: int) -> bool:
    """No connection was opened after this one."""
    scene.stage.settle()
    return len(scene.upstream.dialled) == number


def test_an_hour_ends_and_the_caller_is_told_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """The next connection knows all that was said; the one before goes on until it is ready, and then is closed."""
    wire = on_the_line(scene)
    speak(scene, 2000)
    turn(wire, "one", 0)
    write_down(wire, "one", "will I marry")
    begin(wire, "answer")
    give(wire, "answer", "In spring.")
    finish(wire, "answer")
    scene.stage.advance(DUE)
    scene.caller.take()
    again = scene.wire(2)
    assert not scene.wire(1).ended
    again.welcome()
    assert again.texts() == [("assistant", "Namaste."), ("user", "will I marry"), ("assistant", "In spring.")]
    assert "response.create" not in again.kinds
    scene.stage.settle()
    assert wire.ended
    scene.caller.expect_nothing()
    scene.says(Typed("and when"))
    assert again.texts()[-1] == ("user", "and when")
    with caplog.at_level(logging.INFO):
        scene.end()
    assert " rollovers=1 " in caplog.text


def test_the_last_moment_is_heard_by_the_next_connection_too(scene: Scene) -> None:
    """Speech may have begun in it of which the one before had no time to tell."""
    on_the_line(scene)
    scene.stage.advance(DUE)
    again = scene.wire(2)
    speak(scene, 200, mark=7)
    again.welcome()
    assert heard(again) == bytes([7]) * 200 * BYTES_PER_MS
    speak(scene, 20, mark=8)
    assert heard(again).endswith(bytes([8]) * 20 * BYTES_PER_MS)


def test_what_is_said_while_it_is_opened_discards_it(scene: Scene) -> None:
    """It would not know it. The next silent moment is used."""
    wire = on_the_line(scene)
    scene.stage.advance(DUE)
    stale = scene.wire(2)
    scene.says(Typed("will I marry"))
    scene.stage.settle()
    stale.welcome()
    scene.stage.settle()
    assert stale.ended
    assert not wire.ended
    assert is_alone(scene, 2)
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "In spring.")
    finish(wire, "answer")
    scene.stage.advance(3)
    again = scene.wire(3)
    again.welcome()
    assert again.texts()[-2:] == [("user", "will I marry"), ("assistant", "In spring.")]
    assert not any(isinstance(message, Notice) for message in scene.caller.heard)


def playing(scene: Scene, wire: Wire) -> None:
    """Half a minute of an answer."""
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha ", 30.0)
    finish(wire, "answer")


def asked_and_not_answered(scene: Scene, wire: Wire) -> None:
    """The model thinks."""
    scene.says(Typed("tell me"))


def speaking(scene: Scene, wire: Wire) -> None:
    """The caller speaks."""
    speak(scene, 200)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)


def not_written_down(scene: Scene, wire: Wire) -> None:
    """A turn was answered, and its words are on their way."""
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "alpha ", 0.1)
    finish(wire, "answer")


@pytest.mark.parametrize("noise", [playing, asked_and_not_answered, speaking, not_written_down])
def test_nothing_is_opened_while_it_is_not_silent(scene: Scene, noise: Callable[[Scene, Wire], None]) -> None:
    """Whatever it is that is not over."""
    wire = on_the_line(scene)
    scene.stage.advance(3290)
    noise(scene, wire)
    scene.stage.advance(0.1)
    wire.say(type="rate_limits.updated")  # or it would be taken for lost
    scene.stage.advance(9.0)
    assert is_alone(scene, 1)


def test_an_answer_that_plays_is_waited_for(scene: Scene) -> None:
    """Half a second after its end at the latest another connection is opened."""
    wire = on_the_line(scene)
    scene.stage.advance(3290)
    playing(scene, wire)
    scene.stage.advance(29.5)
    assert is_alone(scene, 1)
    scene.stage.advance(1.1)
    assert is_alone(scene, 2)


def test_one_that_cannot_be_opened_costs_nothing(scene: Scene) -> None:
    """The live one goes on, it is tried again later; what is lost then still has all its tries."""
    wire = on_the_line(scene)
    scene.stage.advance(DUE)
    for number in range(2, 10):
        scene.wire(number).lose(1006)
        scene.stage.advance(RETRY_SECONDS - 1)
        assert is_alone(scene, number)
        scene.stage.advance(1.1)
    assert not wire.ended
    assert not any(isinstance(message, Notice) for message in scene.caller.heard)
    wire.lose(1001)
    scene.caller.fish_for(Notice, code="reconnecting")


def test_one_that_is_refused_is_tried_again(scene: Scene) -> None:
    """The account may be mended before this connection ends; if not, the call ends then."""
    wire = on_the_line(scene)
    scene.stage.advance(DUE)
    scene.wire(2).lose(3000)
    scene.stage.advance(RETRY_SECONDS)
    assert not wire.ended
    scene.wire(3).welcome()
    scene.stage.settle()
    assert wire.ended


def test_a_connection_that_is_lost_while_the_next_is_opened_is_replaced_by_it(scene: Scene) -> None:
    """It knows all that was said, so no third one is opened; now the caller is told."""
    wire = on_the_line(scene)
    scene.stage.advance(DUE)
    again = scene.wire(2)
    wire.lose(1001)
    scene.caller.fish_for(Notice, code="reconnecting")
    scene.says(Typed("are you there"))
    scene.stage.settle()
    again.welcome()
    scene.caller.fish_for(Notice, code="resumed")
    assert again.texts()[-1] == ("user", "are you there")
    assert is_alone(scene, 2)


def test_a_connection_that_is_lost_with_a_turn_that_the_next_does_not_know(scene: Scene) -> None:
    """Then the next one is discarded, and another opened at once."""
    wire = on_the_line(scene)
    scene.stage.advance(DUE)
    stale = scene.wire(2)
    scene.says(Typed("will I marry"))
    assert wire.texts()[-1] == ("user", "will I marry")
    wire.lose(1001)
    again = scene.wire(3)
    assert stale.ended
    again.welcome()
    assert again.texts()[-1] == ("user", "will I marry")


def test_without_a_silent_moment_the_end_of_a_session_is_a_loss(scene: Scene) -> None:
    """The caller speaks for five minutes, and what is kept of it is heard by the next one."""
    wire = on_the_line(scene)
    scene.stage.advance(3290)
    speaking(scene, wire)
    scene.stage.settle()
    for _ in range(345):
        scene.says(Spoke(LOUD_FRAME))
        scene.stage.advance(0.9)  # or they would have let go of the button
        wire.say(type="rate_limits.updated")
    assert is_alone(scene, 1)
    wire.say(type="error", error={"code": "session_expired", "message": "an hour is over"})
    scene.caller.fish_for(Notice, code="reconnecting")
    scene.wire(2).welcome()
    scene.caller.fish_for(Notice, code="resumed")


def test_a_switch_while_the_next_is_opened_goes_first(scene: Scene) -> None:
    """What was opened for the persona before is not for the new one, whose greeting is heard once."""
    wire = on_the_line(scene)
    scene.stage.advance(DUE)
    stale = scene.wire(2)
    scene.says(Chose(MOHIT))
    mohit = scene.wire(3)
    assert stale.ended
    mohit.welcome()
    scene.caller.fish_for(ConfigAck, astrologer_id=MOHIT)
    begin(mohit, "greeting", asked(mohit))
    give(mohit, "greeting", "Hello.")
    finish(mohit, "greeting")
    scene.stage.advance(3)
    scene.caller.fish_for(ResponseDone, status="completed")
    assert wire.ended
    assert is_alone(scene, 3)


def test_a_call_of_clips_rolls_over_as_well(scene: Scene) -> None:
    """And again after another hour."""
    scene.on_the_line(TINA)
    for number in (2, 3):
        scene.stage.advance(DUE)
        scene.wire(number).welcome()
        scene.stage.settle()
        assert scene.wire(number - 1).ended
    scene.caller.expect_nothing()


@pytest.mark.parametrize(
    ("seconds", "expected"), [(3600.0, 300.0), (1800.0, 180.0), (300.0, 60.0), (36000.0, 300.0), (80.0, 40.0)]
)
def test_how_long_before_the_end(seconds: float, expected: float) -> None:
    """The last tenth, one minute to five; of a short life half."""
    assert margin(seconds) == expected
