"""A call whose model does not have every language."""

import logging
from collections.abc import Iterator

import pytest

from actors.caring.settings import Caring
from actors.messages.caller import Chose, ConfigAck, Error, Mode, Notice, Recorded, TextResponse, Transcript, Typed
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from personas import Catalogue
from tests.kit.four import TINA
from tests.kit.languages import MARATHI, SEVEN, TAMIL, data
from tests.kit.parts import SECOND
from upstream.models import LOCAL, named

CAN = named(LOCAL).can


@pytest.fixture
def scene(stage: Stage) -> Iterator[Scene]:
    """A call that the local engine answers."""
    scene = Scene(stage, SEVEN, languages=CAN.languages)
    scene.upstream.can = CAN
    yield scene
    scene.end()


def test_whoever_is_on_the_line_stays(scene: Scene) -> None:
    """A persona that the engine cannot speak for is refused; the next turn goes to the one before."""
    wire = scene.on_the_line(TINA)
    scene.says(Chose(TAMIL))
    assert scene.caller.fish_for(Error).code == "language_not_served"
    scene.says(Typed("hello"))
    scene.stage.settle()
    assert ("user", "hello") in wire.texts()


def test_who_can_only_be_typed_to_says_so(scene: Scene) -> None:
    """Right after config_ack; typed turns are answered."""
    scene.says(Chose(MARATHI))
    wire = scene.wire(1)
    wire.welcome()
    scene.stage.settle()
    said = [message for message in scene.caller.take() if isinstance(message, ConfigAck | Notice)]
    assert isinstance(said[0], ConfigAck)
    assert isinstance(said[1], Notice)
    assert (said[1].code, len(said)) == ("typed_only", 2)
    assert "English and Hindi" in said[1].message
    wire.answer("x")
    scene.says(Typed("कधी"))
    scene.stage.settle()
    assert ("user", "कधी") in wire.texts()


def test_a_turn_in_a_language_that_is_not_served_fails_alone(scene: Scene) -> None:
    """The upstream's own error becomes ours; the call goes on over the same connection."""
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(SECOND))
    scene.stage.settle()
    metadata = wire.last("response.create")["response"]["metadata"]
    wire.say(type="response.created", response={"id": "a", "metadata": metadata})
    error = {"type": "invalid_request_error", "code": "language_not_served", "message": "no"}
    details = {"type": "failed", "error": error}
    wire.say(type="response.done", response={"id": "a", "status": "failed", "status_details": details})
    assert scene.caller.fish_for(Error).code == "language_not_served"
    scene.says(Typed("hello"))
    scene.stage.settle()
    assert len(scene.upstream.dialled) == 1
    assert ("user", "hello") in wire.texts()


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_a_greeting_without_a_word_is_shown(stage: Stage, mode: Mode) -> None:
    """No model is asked to say it; the call goes on with what the caller says, and the persona knows it greeted."""
    content = data()
    content["astrologers"][0]["greeting"] = "🙏"
    scene = Scene(stage, Catalogue.from_data(content), caring=Caring(leave_out_disclosure=True))
    scene.says(Chose(TINA, mode=mode))
    wire = scene.wire(1)
    wire.welcome()
    scene.stage.settle()
    said = scene.caller.take()
    assert Transcript("assistant", "🙏", "1.0") in said
    assert (TextResponse("1.0", "🙏") in said) == (mode == "clip")
    assert not any(isinstance(message, Error) for message in said)
    assert not [event for event in wire.sent if event["type"] == "response.create"]
    scene.says(Typed("hello"))
    scene.stage.settle()
    assert ("user", "hello") in wire.texts()
    scene.end()


def test_estimated_tokens_are_marked_and_cost_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """What the local engine counts is not what OpenAI bills."""
    scene.upstream.prices = named("gpt-realtime-2.1").prices
    scene.on_the_line(TINA)
    with caplog.at_level(logging.INFO, "actors.session"):
        scene.end()
    ended = caplog.records[-1].getMessage()
    assert "tokens=estimated" in ended
    assert "usd=" not in ended
