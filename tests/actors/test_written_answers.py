"""An answer that the model writes and does not say: the caller gets the words, and the sound is asked for once more."""

from typing import Any

import pytest

from actors.messages.caller import (
    AudioResponse,
    Chose,
    Error,
    Interrupted,
    Notice,
    ResponseDone,
    ResponseStarted,
    Sound,
    TextResponse,
    Transcript,
    Typed,
)
from actors.testing.scene import Scene
from actors.testing.wire import Wire
from realtime.contract import SAY_EXACTLY
from tests.kit.four import TINA
from tests.kit.streaming import asked, on_the_line, speak, turn

WORDS = "Yes, in spring."
HOW = ["deltas", "done", "output"]


def write(wire: Wire, words: str = WORDS, how: str = "deltas", response: str = "") -> None:
    """The newest response.create is answered in writing, told in one of three ways."""
    response = response or f"written {len(wire.sent)}"
    wire.say(type="response.created", response={"id": response, "metadata": asked(wire)})
    wire.say(type="response.output_item.added", response_id=response, item={"id": f"item of {response}"})
    for word in words.split(" ") if how == "deltas" else []:
        wire.say(type="response.output_text.delta", response_id=response, delta=f"{word} ")
    if how != "output":
        wire.say(type="response.output_text.done", response_id=response, text=words)
    item = {"id": f"item of {response}", "content": [{"type": "output_text", "text": words}]}
    output = [item] if how == "output" else []
    wire.say(type="response.done", response={"id": response, "status": "completed", "output": output})


def to_say(wire: Wire) -> str:
    """What the newest response is to say exactly."""
    instructions: str = wire.last("response.create")["response"]["instructions"]
    return instructions.rpartition(f"{SAY_EXACTLY}\n")[2]


def told(scene: Scene, *kinds: Any) -> list[Any]:
    """What the caller was told of these kinds since the last look."""
    scene.stage.settle()
    return [said for said in scene.caller.take() if isinstance(said, kinds)]


@pytest.mark.parametrize("how", HOW)
def test_the_words_come_at_once_and_then_the_sound(scene: Scene, how: str) -> None:
    """As one reply; in the model's memory the words are there once."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    write(wire, how=how)
    words = told(scene, Transcript, TextResponse, Error)
    assert [type(said) for said in words] == [Transcript, Transcript, TextResponse]
    assert words[-1] == TextResponse("1.2", WORDS)
    assert wire.last("conversation.item.delete")["item_id"].startswith("item of written")
    assert to_say(wire) == WORDS
    wire.answer(WORDS)
    assert told(scene, Transcript, TextResponse, AudioResponse, Error) == [AudioResponse("1.2", bytearray(2))]
    scene.says(Typed("when?"))
    assert wire.texts()[-1] == ("user", "when?")


def test_a_model_that_writes_it_again_is_asked_over_another_connection(scene: Scene) -> None:
    """It reads nothing of its own there: that is what it writes like."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    write(wire)
    write(wire)
    again = scene.wire(2)
    again.welcome()
    assert {role for role, _ in again.texts()} == {"user", "system"}
    assert to_say(again) == WORDS
    again.answer(WORDS)
    sounds = told(scene, TextResponse, AudioResponse, Error)
    assert sounds == [TextResponse("1.2", WORDS), AudioResponse("1.2", bytearray(2))]


def test_a_model_that_only_writes_is_read(scene: Scene) -> None:
    """The caller has the words of each answer, and is told that it has no sound; another connection is tried once."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    write(wire)
    write(wire)
    again = scene.wire(2)
    again.welcome()
    write(again)
    assert [type(said) for said in told(scene, TextResponse, Error, AudioResponse)] == [TextResponse, Error]
    scene.says(Typed("when?"))
    write(again, "In May.")
    write(again, "In May.")
    first, last = told(scene, TextResponse, Error, AudioResponse, Notice)
    assert (first, last.code) == (TextResponse("2.2", "In May."), "upstream_unavailable")
    assert len(scene.upstream.dialled) == 2


def test_a_greeting_may_come_in_writing_too(scene: Scene) -> None:
    """It is said on the same terms, and then the caller is heard."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome()
    write(wire, "Namaste.")
    assert told(scene, TextResponse) == [TextResponse("1.1", "Namaste.")]
    persona = scene.catalogue.get(TINA)
    assert to_say(wire) == f"{persona.disclosure} {persona.greeting}"
    wire.answer("Namaste.")
    assert told(scene, AudioResponse) == [AudioResponse("1.1", bytearray(2))]
    scene.says(Typed("hello"))
    assert wire.texts()[-1] == ("user", "hello")


def test_in_a_stream_the_words_are_captions_and_the_sound_follows(scene: Scene) -> None:
    """Also to a turn that was spoken, which another connection need not hear."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    told(scene)
    wire.say(type="response.created", response={"id": "a"})
    wire.say(type="response.output_text.delta", response_id="a", delta=WORDS)
    wire.say(type="response.done", response={"id": "a", "status": "completed"})
    (shown,) = told(scene, Transcript, ResponseStarted)
    assert (shown.text, shown.item_id, shown.final) == (WORDS, "1.2", True)
    wire.answer(WORDS)
    scene.stage.advance(1)
    spoken = told(scene, Transcript, ResponseStarted, Sound, ResponseDone)
    assert [type(said) for said in spoken] == [ResponseStarted, Sound, ResponseDone]
    assert spoken[0].response_id == "1.2"


def test_a_caller_who_goes_on_does_not_wait_for_the_sound(scene: Scene) -> None:
    """They have read it, and interrupt: the next turn is answered."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    write(wire)
    scene.stage.settle()
    scene.says(Interrupted())
    scene.stage.settle()
    wire.say(type="response.created", response={"id": "sound", "metadata": asked(wire)})
    assert wire.last("response.cancel")["response_id"] == "sound"
    wire.say(type="response.done", response={"id": "sound", "status": "cancelled"})
    scene.says(Typed("when?"))
    wire.answer("In May.")
    assert told(scene, AudioResponse) == [AudioResponse("1.4", bytearray(2))]


def test_what_is_to_be_said_is_asked_again_after_a_loss(scene: Scene) -> None:
    """In the words that the caller has."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("will I marry?"))
    write(wire)
    wire.lose()
    again = scene.wire(2)
    again.welcome()
    assert to_say(again) == WORDS
    again.answer(WORDS)
    assert told(scene, AudioResponse) == [AudioResponse("1.2", bytearray(2))]
