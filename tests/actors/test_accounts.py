"""What a call used, and an answer that the upstream put off, as a session knows them."""

import logging

import pytest

from actors.messages.caller import AudioResponse, Chose, Error, Notice, Typed
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from tests.kit.four import MOHIT, TINA
from upstream.models import named

USAGE = {
    "input_token_details": {"text_tokens": 1000, "audio_tokens": 200, "cached_tokens": 100},
    "output_token_details": {"text_tokens": 30, "audio_tokens": 400},
}


def begin(wire: Wire, response: str) -> None:
    """The newest ask begins to be answered."""
    metadata = wire.last("response.create")["response"]["metadata"]
    wire.say(type="response.created", response={"id": response, "metadata": metadata})


def test_the_tokens_of_all_connections_are_summed(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Also what is told by one that retires; the line that ends the call has them, and what they cost."""
    scene.upstream.prices = named("gpt-realtime-2.1").prices
    first = scene.on_the_line(TINA)
    scene.says(Typed("hello"))
    scene.stage.settle()
    begin(first, "a")
    scene.says(Chose(MOHIT))
    second = scene.wire(2)
    second.welcome()
    scene.stage.settle()
    first.say(type="response.done", response={"id": "a", "status": "cancelled", "usage": USAGE})
    begin(second, "b")
    second.say(type="response.done", response={"id": "b", "status": "incomplete", "usage": USAGE})
    with caplog.at_level(logging.INFO, "actors.session"):
        scene.end()
    ended = caplog.records[-1].getMessage()
    assert "text_in=2000 audio_in=400 cached_in=200 text_out=60 audio_out=800" in ended
    assert f"usd={2 * (900 * 4 + 100 * 0.4 + 30 * 24 + 200 * 32 + 400 * 64) / 1e6:.4f}" in ended


def test_an_answer_that_was_put_off_is_heard_when_it_comes(scene: Scene) -> None:
    """The caller is told of no failure, and hears one answer."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("hello"))
    scene.stage.settle()
    begin(wire, "a")
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 1.2s."}
    wire.say(type="response.done", response={"id": "a", "status": "failed", "status_details": {"error": error}})
    scene.caller.take()
    scene.stage.advance(1.3)
    assert wire.texts().count(("user", "hello")) == 1
    wire.answer("hello yourself")
    said = scene.caller.take()
    assert [type(message).__name__ for message in said] == ["Transcript", "TextResponse", "AudioResponse"]
    assert isinstance(said[-1], AudioResponse)


@pytest.mark.parametrize("code", ["server_is_overloaded", "slow_down"])
def test_a_model_that_does_not_even_begin_is_told_as_busy_too(scene: Scene, code: str) -> None:
    """It refuses the response.create itself, where others begin one that fails."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("hello"))
    scene.stage.settle()
    refused = wire.last("response.create")["event_id"]
    error = {"type": "server_error", "code": code, "message": "Please try again later.", "event_id": refused}
    wire.say(type="error", error=error)
    scene.stage.settle()
    assert [message.code for message in scene.caller.take() if isinstance(message, Error | Notice)] == ["busy"]


@pytest.mark.parametrize("code", ["server_is_overloaded", "slow_down"])
def test_a_model_that_has_too_much_to_do_is_told_as_busy(scene: Scene, code: str) -> None:
    """At once, once, and by a word of its own; nothing is asked again until the caller does, and the line stays."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("hello"))
    scene.stage.settle()
    begin(wire, "a")
    error = {"type": "server_error", "code": code, "message": "Please try again later."}
    wire.say(type="response.done", response={"id": "a", "status": "failed", "status_details": {"error": error}})
    scene.stage.advance(30)
    assert [message.code for message in scene.caller.take() if isinstance(message, Error | Notice)] == ["busy"]
    assert wire.kinds.count("response.create") == 2  # the greeting, and what was refused
    scene.says(Typed("hello"))
    scene.stage.settle()
    wire.answer("hello yourself")
    scene.caller.fish_for(AudioResponse)
