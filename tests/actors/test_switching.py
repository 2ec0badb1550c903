"""The caller chooses another persona, whatever is going on at that moment."""

import orjson
import pytest

from actors.messages.caller import (
    Chose,
    Clear,
    Close,
    ConfigAck,
    Error,
    Notice,
    ResponseDone,
    ResponseStarted,
    Sound,
    SpeechStarted,
    Typed,
)
from actors.runtime import Stop
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from personas import SHIPPED, Catalogue
from tests.kit.four import FOUR, MOHIT, PRIYANKA, TINA
from tests.kit.streaming import FRAME, asked, begin, finish, give, heard, on_the_line, speak, turn, write_down


def greets(scene: Scene, wire: Wire, words: str) -> None:
    """The connection is ready, and the greeting is heard to its end."""
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", words, 0.5)
    finish(wire, "greeting")
    scene.stage.advance(1)


def acknowledged(scene: Scene) -> list[str]:
    """Who came on the line, in order."""
    scene.stage.settle()
    return [message.astrologer_id for message in scene.caller.heard if isinstance(message, ConfigAck)]


def fails(scene: Scene, number: int) -> None:
    """The connection of this number is refused in a way that no other try would mend."""
    scene.wire(number).lose(4000, "no")
    scene.caller.fish_for(Error, code="persona_switch_failed")


def test_while_the_persona_speaks(scene: Scene) -> None:
    """It falls silent at once, and nothing of it comes any more, however late; it knows what of it was heard."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    give(wire, "answer", "alpha ", 0.5)
    give(wire, "answer", "beta ", 9.0)
    scene.stage.advance(0.6)
    scene.caller.take()
    scene.says(Chose(MOHIT))
    scene.caller.fish_for(Notice, code="switching")
    assert scene.caller.fish_for(Clear).response_id == "1.2"
    give(wire, "answer", "gamma ", 5.0)
    finish(wire, "answer", "cancelled")
    scene.stage.advance(3)
    greets(scene, scene.wire(2), "Hello.")
    since = scene.caller.heard[scene.caller.heard.index(Clear("1.2")) :]
    assert {message.response_id for message in since if isinstance(message, Sound)} == {"2.1"}
    scene.says(Chose(TINA))
    scene.wire(3).welcome()
    assert scene.wire(3).texts() == [("assistant", "Namaste."), ("user", "tell me"), ("assistant", "alpha")]


def test_while_the_caller_speaks(scene: Scene) -> None:
    """What they say from then on is for the new persona, who hears it as soon as it greets."""
    wire = on_the_line(scene)
    speak(scene, 400, mark=1)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.caller.fish_for(SpeechStarted)
    scene.says(Chose(MOHIT))
    speak(scene, 400, mark=2)
    other = scene.wire(2)
    other.welcome()
    begin(other, "greeting", asked(other))
    scene.stage.settle()
    speak(scene, 200, mark=3)
    assert heard(other) == bytes([2]) * 15 * FRAME + bytes([3]) * 10 * FRAME
    assert bytes([2]) not in heard(wire)


def test_while_the_caller_speaks_and_nobody_comes(scene: Scene) -> None:
    """Then all of it is for the persona who is still there, each word once."""
    wire = on_the_line(scene)
    speak(scene, 400, mark=1)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.caller.fish_for(SpeechStarted)
    scene.says(Chose(MOHIT))
    speak(scene, 400, mark=2)
    fails(scene, 2)
    speak(scene, 200, mark=3)
    assert heard(wire) == bytes([1]) * 20 * FRAME + bytes([2]) * 20 * FRAME + bytes([3]) * 10 * FRAME


def test_during_another_switch(scene: Scene) -> None:
    """The last choice wins: whoever was being called never speaks, and is not acknowledged."""
    wire = on_the_line(scene)
    scene.says(Chose(MOHIT))
    called = scene.wire(2)
    scene.says(Chose(PRIYANKA))
    scene.stage.settle()
    called.welcome()
    assert called.last("session.update")["session"]["audio"]["output"]["voice"] == FOUR.get(PRIYANKA).voice
    begin(called, "greeting", asked(called))
    give(called, "greeting", "Hi.", 0.5)
    scene.stage.advance(1)
    assert acknowledged(scene) == [TINA, PRIYANKA]
    assert [m.astrologer_id for m in scene.caller.heard if isinstance(m, ResponseStarted)] == [TINA, PRIYANKA]
    assert wire.ended


def test_and_back_before_anybody_came(scene: Scene) -> None:
    """The persona who never left the line is acknowledged anew, and greets: it was chosen."""
    on_the_line(scene)
    scene.says(Chose(MOHIT))
    scene.wire(2)
    scene.says(Chose(TINA))
    scene.stage.settle()
    greets(scene, scene.upstream.dialled[-1], "Namaste.")
    assert acknowledged(scene) == [TINA, TINA]


def test_during_a_reopening(scene: Scene) -> None:
    """The one who is lost is not waited for."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    scene.stage.settle()
    wire.lose()
    assert not scene.wire(2).ended
    scene.says(Chose(MOHIT))
    scene.stage.settle()
    greets(scene, scene.upstream.dialled[-1], "Hello.")
    assert acknowledged(scene) == [TINA, MOHIT]
    assert [wire.ended for wire in scene.upstream.dialled] == [True] * (len(scene.upstream.dialled) - 1) + [False]


def test_in_a_drain(scene: Scene) -> None:
    """Nobody is called any more."""
    on_the_line(scene)
    scene.session.tell(Stop())
    scene.says(Chose(MOHIT))
    assert scene.caller.fish_for(Close).code == 1001
    scene.stage.advance(3)
    assert len(scene.upstream.dialled) == 1


def test_a_drain_during_a_switch(scene: Scene) -> None:
    """Whoever is being called is not announced."""
    on_the_line(scene)
    scene.says(Chose(MOHIT))
    scene.wire(2)
    scene.session.tell(Stop())
    assert scene.caller.fish_for(Close).code == 1001
    scene.stage.advance(3)
    assert acknowledged(scene) == [TINA]
    assert all(wire.ended for wire in scene.upstream.dialled)


def test_a_switch_that_fails_is_as_if_it_had_not_been(scene: Scene) -> None:
    """The persona before knows all it knew, answers, and the other can be chosen again."""
    wire = on_the_line(scene)
    scene.says(Chose(MOHIT))
    scene.says(Typed("for Mohit"))
    fails(scene, 2)
    scene.caller.fish_for(Notice, code="say_again")
    scene.says(Typed("for Tina"))
    assert wire.texts()[-1] == ("user", "for Tina")
    assert not wire.ended
    scene.says(Chose(MOHIT))
    greets(scene, scene.wire(3), "Hello.")
    assert acknowledged(scene) == [TINA, MOHIT]


TINAS = [("assistant", "Namaste."), ("user", "will I marry"), ("assistant", "In spring.")]
MOHITS = [("assistant", "Hello.")]


@pytest.mark.parametrize(
    ("memory", "mohit_knows", "tina_knows"),
    [("private", [], TINAS), ("shared", TINAS, [*TINAS, *MOHITS]), ("none", [], [])],
)
@pytest.mark.parametrize("befalls", ["nothing", "a loss", "a rollover"])
def test_who_knows_what(
    stage: Stage,
    memory: str,
    mohit_knows: list[tuple[str, str]],
    tina_knows: list[tuple[str, str]],
    befalls: str,
) -> None:
    """The policy of the catalogue holds at a switch, on the way back, and on whatever connection comes after it."""
    scene = Scene(stage, _remembering(memory), Limits(idle_seconds=1e6, call_seconds=1e6))
    wire = on_the_line(scene)
    speak(scene, 2000)
    turn(wire, "one", 0)
    write_down(wire, "one", "will I marry")
    begin(wire, "answer")
    give(wire, "answer", "In spring.", 0.5)
    finish(wire, "answer")
    scene.stage.advance(2)
    scene.says(Chose(MOHIT))
    mohit = scene.wire(2)
    greets(scene, mohit, "Hello.")
    assert mohit.texts() == mohit_knows
    scene.says(Chose(TINA))
    tina = scene.wire(3)
    greets(scene, tina, "Again.")
    assert tina.texts() == tina_knows
    if befalls != "nothing":
        if befalls == "a loss":
            tina.lose()
        scene.stage.advance(3301 if befalls == "a rollover" else 0.1)
        after = scene.wire(4)
        after.welcome()
        assert after.texts() == ([] if memory == "none" else [*tina_knows, ("assistant", "Again.")])
    done = [message.status for message in scene.caller.heard if isinstance(message, ResponseDone)]
    assert done == ["completed"] * 4
    scene.end()


def _remembering(memory: str) -> Catalogue:
    """The personas who ship, with this policy."""
    return Catalogue.from_data({**orjson.loads(SHIPPED.read_bytes()), "memory": memory})
