"""Clips or a stream: what a choice brings holds once it is granted, and one that is refused leaves nothing behind."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from actors.messages.admission import Declined, Reserve
from actors.messages.caller import (
    AudioResponse,
    Chose,
    Clear,
    Close,
    ConfigAck,
    Error,
    Mode,
    Notice,
    Recorded,
    ResponseDone,
    ResponseStarted,
    SearchedPersona,
    SpeechStarted,
    Spoke,
    Stray,
    Transcript,
    Typed,
)
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from tests.actors.test_choosing import closed, edited
from tests.kit.four import HARSH, MOHIT, PRIYANKA, TINA
from tests.kit.streaming import FRAME, asked, begin, finish, give, heard, speak, turn
from upstream.facts import BYTES_PER_MS

CATALOGUE = edited(**{HARSH: closed(), PRIYANKA: {"status": "inactive"}})
LIMITS = Limits(idle_seconds=1e6, call_seconds=1e6)
OTHER: dict[Mode, Mode] = {"clip": "stream", "stream": "clip"}
CLIP = bytes([7]) * 500 * BYTES_PER_MS


def greet(scene: Scene, wire: Wire, streamed: bool, words: str = "Namaste.") -> None:
    """The persona is there, and its greeting was heard to its end."""
    wire.welcome()
    begin(wire, words, asked(wire))
    give(wire, words, words, 0.5)
    finish(wire, words)
    scene.caller.fish_for(ConfigAck)
    scene.stage.advance(1)
    scene.caller.fish_for(ResponseDone if streamed else AudioResponse)


def called(stage: Stage, mode: Mode, limits: Limits = LIMITS) -> tuple[Scene, Wire]:
    """A call in this mode: Tina has greeted."""
    scene = Scene(stage, CATALOGUE, limits)
    scene.says(Chose(TINA, mode))
    wire = scene.wire(1)
    greet(scene, wire, mode == "stream")
    return scene, wire


def errors(scene: Scene) -> list[str]:
    """What was wrong, as the caller was told, since it was taken last."""
    return [message.code for message in scene.caller.take() if isinstance(message, Error)]


def clips(wire: Wire) -> int:
    """So many were asked of the model."""
    return wire.kinds.count("input_audio_buffer.commit")


# Ways to be refused. `meanwhile` is what comes before the answer.


Way = Callable[[Scene, Mode, Callable[[], None]], None]


def at_once(wish: Chose | SearchedPersona) -> Way:
    def refused(scene: Scene, mode: Mode, meanwhile: Callable[[], None]) -> None:
        scene.says(replace(wish, mode=mode))
        meanwhile()
        scene.stage.settle()

    return refused


def busy(scene: Scene, mode: Mode, meanwhile: Callable[[], None]) -> None:
    """All who were asked for talk to others; some time goes by until that is known."""
    scene.supervisor.by_hand = True
    scene.says(Chose(MOHIT, mode))
    asked_for = scene.supervisor.fish_for(Reserve)
    meanwhile()
    scene.stage.settle()
    asked_for.session.tell(Declined(asked_for.choice, "busy", "is talking to others"))
    scene.supervisor.by_hand = False
    scene.stage.settle()


def superseded(scene: Scene, mode: Mode, meanwhile: Callable[[], None]) -> None:
    """Another choice that names no mode comes before it is refused, and is refused as well."""
    scene.says(Chose("nobody", mode))
    scene.says(Chose(HARSH))
    meanwhile()
    scene.stage.settle()


def told_again(scene: Scene, mode: Mode, meanwhile: Callable[[], None]) -> None:
    """The mode comes with a second config for whoever was asked for."""
    scene.says(Chose("nobody"))
    scene.says(Chose("nobody", mode))
    meanwhile()
    scene.stage.settle()


WAYS: dict[str, Way] = {
    "unknown": at_once(Chose("nobody")),
    "inactive": at_once(Chose(PRIYANKA)),
    "closed": at_once(Chose(HARSH)),
    "by words": at_once(SearchedPersona("qqq")),
    "busy": busy,
    "superseded": superseded,
    "told again": told_again,
    "not at all": lambda scene, mode, meanwhile: meanwhile(),
}


# What goes on meanwhile, and what comes of it.


def playing(scene: Scene, wire: Wire, mode: Mode, refuse: Callable[[Callable[[], None]], None]) -> None:
    """A long reply plays: it goes on, and what is typed then interrupts it."""
    scene.says(Typed("Will I marry?"))
    begin(wire, "long", asked(wire))
    give(wire, "long", "a long answer", 10.0)
    finish(wire, "long")
    scene.stage.advance(2)
    refuse(lambda: None)
    scene.stage.advance(2)
    scene.says(Typed("when?"))


def answering(scene: Scene, wire: Wire, mode: Mode, refuse: Callable[[Callable[[], None]], None]) -> None:
    """The model is in the middle of an answer."""
    scene.says(Typed("Will I marry?"))
    begin(wire, "long", asked(wire))
    give(wire, "long", "the first ", 0.5)
    refuse(lambda: None)
    give(wire, "long", "the second", 0.5)
    finish(wire, "long")
    scene.stage.advance(2)


def decoding(scene: Scene, wire: Wire, mode: Mode, refuse: Callable[[Callable[[], None]], None]) -> None:
    """A clip is being decoded, and another comes before the answer."""
    scene.decoders.by_hand = True
    scene.says(Recorded(CLIP))
    refuse(lambda: scene.says(Recorded(CLIP)))
    for clip in (0, 1):
        scene.decoders.clips[clip].decode()
        scene.stage.settle()
    scene.decoders.by_hand = False


def speaking(scene: Scene, wire: Wire, mode: Mode, refuse: Callable[[Callable[[], None]], None]) -> None:
    """The caller is in the middle of a word, and types something; then they let go of the button."""
    speak(scene, 400, mark=1)
    wire.say(type="input_audio_buffer.speech_started", item_id="one", audio_start_ms=0)
    scene.caller.fish_for(SpeechStarted)
    refuse(lambda: speak(scene, 400, mark=2))
    speak(scene, 400, mark=3)
    scene.says(Typed("and this"))
    scene.stage.advance(1.5)
    spoken = b"".join(bytes([mark]) * 400 * BYTES_PER_MS for mark in (1, 2, 3))
    assert heard(wire) == spoken + bytes(600 * BYTES_PER_MS)
    assert ("user", "and this") not in wire.texts()
    wire.say(type="input_audio_buffer.speech_stopped", item_id="one", audio_end_ms=1200)
    wire.say(type="input_audio_buffer.committed", item_id="one")


GOING_ON = [(playing, "clip"), (playing, "stream"), (answering, "clip"), (answering, "stream"), (decoding, "clip"),
            (speaking, "stream")]  # fmt: skip


def story(stage: Stage, way: str, going_on: Any, mode: Mode) -> tuple[list[Any], list[Any]]:
    """All that the caller was told but for the refusals, and all that the model was told."""
    scene, wire = called(stage, mode)
    going_on(scene, wire, mode, lambda meanwhile: WAYS[way](scene, OTHER[mode], meanwhile))
    wire.answer("In spring.")
    scene.stage.advance(20)
    told = [_unnumbered(message) for message in scene.caller.heard if not isinstance(message, Error)]
    sent = [{name: value for name, value in event.items() if name != "event_id"} for event in wire.sent]
    joined: list[Any] = []  # how the sound was cut into appends does not matter
    for event in sent:
        if event["type"] != "input_audio_buffer.append" or joined[-1]["type"] != event["type"]:
            event.pop("audio", None)
            joined.append({**event, "response": str(event.get("response", {}).get("instructions"))})
    scene.end()
    return told, joined


def _unnumbered(message: Any) -> Any:
    """A choice takes a number among the turns: what is said after it has another one."""
    return replace(message, item_id="") if isinstance(message, Transcript) and message.role == "user" else message


@pytest.mark.parametrize("way", [way for way in WAYS if way != "not at all"])
@pytest.mark.parametrize(("going_on", "mode"), GOING_ON)
def test_a_refused_choice_is_as_if_it_had_never_been(going_on: Any, mode: Mode, way: str) -> None:
    """Whatever goes on meanwhile does so: caller and model are told the same as in a call without it."""
    with Stage() as stage:
        without = story(stage, "not at all", going_on, mode)
    with Stage() as stage:
        assert story(stage, way, going_on, mode) == without


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_too_many_switches_change_no_mode(stage: Stage, mode: Mode) -> None:
    """The choice is refused where it is asked for."""
    scene, _ = called(stage, mode, Limits(switches=1))
    scene.says(Chose(MOHIT))
    wire = scene.wire(2)
    greet(scene, wire, mode == "stream", "Hello.")
    updates = wire.kinds.count("session.update")
    scene.says(Chose(TINA, OTHER[mode]))
    assert errors(scene) == ["switch_too_often"]
    if mode == "clip":
        scene.says(Recorded(CLIP))
        assert clips(wire) == 1
    else:
        speak(scene, 200)
        assert heard(wire) == bytes([1]) * 10 * FRAME
    assert errors(scene) == []
    assert wire.kinds.count("session.update") == updates
    scene.end()


# What comes before the answer, and is meant for whoever was chosen.


def test_a_clip_right_after_a_choice_of_clips_is_answered(stage: Stage) -> None:
    """The call was a stream; the caller has a clip ready, and need not wait."""
    scene, _ = called(stage, "stream")
    scene.says(Chose(MOHIT, "clip"))
    scene.says(Recorded(CLIP))
    wire = scene.wire(2)
    greet(scene, wire, streamed=False, words="Hello.")
    assert wire.last("session.update")["session"]["audio"]["input"]["turn_detection"] is None
    assert heard(wire) == CLIP
    assert errors(scene) == []
    scene.end()


def test_a_stream_right_after_a_choice_of_a_stream_is_heard(stage: Stage) -> None:
    """The call was of clips; as of any stream, the last moment before the greeting counts."""
    scene, _ = called(stage, "clip")
    scene.says(Chose(MOHIT, "stream"))
    speak(scene, 400, mark=2)
    wire = scene.wire(2)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    stage.settle()
    speak(scene, 100, mark=3)
    assert heard(wire) == bytes([2]) * 300 * BYTES_PER_MS + bytes([3]) * 5 * FRAME
    assert wire.last("session.update")["session"]["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert errors(scene) == []
    scene.end()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "not at all"])
def test_a_clip_for_a_choice_of_clips_that_is_refused(stage: Stage, way: str) -> None:
    """The call is a stream as before: the caller is told so once, and what they say in it is heard whole."""
    scene, wire = called(stage, "stream")
    scene.decoders.by_hand = True
    speak(scene, 200, mark=1)

    def meanwhile() -> None:
        scene.says(Recorded(CLIP))
        scene.says(Recorded(CLIP))
        speak(scene, 200, mark=2)

    WAYS[way](scene, "clip", meanwhile)
    assert errors(scene).count("wrong_mode") == 1
    assert scene.decoders.clips[0].cancelled
    speak(scene, 200, mark=3)
    assert heard(wire) == b"".join(bytes([mark]) * 10 * FRAME for mark in (1, 2, 3))
    scene.end()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "not at all"])
def test_a_stream_for_a_choice_of_a_stream_that_is_refused(stage: Stage, way: str) -> None:
    """The call is of clips as before: the caller is told so once, and it goes on though more is on its way."""
    scene, wire = called(stage, "clip")
    WAYS[way](scene, "stream", lambda: speak(scene, 400))
    codes = errors(scene)
    assert codes.count("wrong_mode") == 1
    for _ in range(100):
        scene.says(Spoke(bytes(FRAME)))
        stage.advance(0.02)
    assert len(errors(scene)) <= 3
    scene.says(Recorded(CLIP))
    assert heard(wire) == CLIP
    scene.says(Chose(TINA, "stream"))
    wire.consent()
    speak(scene, 200, mark=4)
    assert heard(wire) == CLIP + bytes([4]) * 10 * FRAME
    scene.end()


@pytest.mark.parametrize("named", ["clip", "stream"])
def test_where_no_mode_was_known_before(stage: Stage, named: Mode) -> None:
    """What was said to the one who was refused goes to the one before, and is the first audio of the call."""
    scene = Scene(stage, CATALOGUE, LIMITS)
    wire = scene.on_the_line(TINA)
    stage.advance(1)
    sound = CLIP if named == "clip" else bytes([1]) * 500 * BYTES_PER_MS
    WAYS["unknown"](scene, named, lambda: scene.says(Recorded(CLIP) if named == "clip" else Spoke(sound)))
    if named == "stream":
        wire.consent()
    assert heard(wire) == sound
    assert errors(scene) == ["unknown_astrologer"]
    scene.says(Spoke(bytes(FRAME)) if named == "clip" else Recorded(CLIP))
    assert errors(scene) == ["wrong_mode"]
    scene.end()


def test_a_refused_first_choice_fixes_no_mode(stage: Stage) -> None:
    """Nobody is on the line, and the next one may be spoken to in any way."""
    scene = Scene(stage, CATALOGUE, LIMITS)
    scene.says(Chose("nobody", "stream"))
    speak(scene, 200)
    stage.settle()
    wire = scene.on_the_line(TINA)
    scene.says(Recorded(CLIP))
    assert heard(wire) == CLIP
    scene.end()


def test_what_another_choice_may_still_ask_for_is_kept(stage: Stage) -> None:
    """The one before is refused; the clip was for the one after it, who takes clips."""
    scene, _ = called(stage, "stream")
    scene.says(Chose("nobody"))
    scene.says(Chose(MOHIT, "clip"))
    scene.says(Recorded(CLIP))
    wire = scene.wire(2)
    greet(scene, wire, streamed=False, words="Hello.")
    assert heard(wire) == CLIP
    assert "wrong_mode" not in errors(scene)
    scene.end()


# Granted, and then nobody comes.


def fails(scene: Scene, number: int) -> None:
    """The connection of this number is refused in a way that no other try would mend."""
    scene.wire(number).lose(4000, "no")
    scene.caller.fish_for(Error, code="persona_switch_failed")


def test_a_stream_goes_on_when_a_switch_to_clips_fails(stage: Stage) -> None:
    """The model never stopped listening; what was said before the switch and while it was asked for is heard."""
    scene, wire = called(stage, "stream")
    speak(scene, 200, mark=1)
    stage.settle()
    updates = wire.kinds.count("session.update")
    scene.says(Chose(MOHIT, "clip"))
    speak(scene, 200, mark=2)
    scene.wire(2)
    scene.says(Recorded(CLIP))
    fails(scene, 2)
    scene.caller.fish_for(Notice, code="say_again")
    speak(scene, 200, mark=3)
    assert heard(wire) == b"".join(bytes([mark]) * 10 * FRAME for mark in (1, 2, 3))
    assert wire.kinds.count("session.update") == updates
    assert "input_audio_buffer.clear" not in wire.kinds
    scene.caller.take()
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "yes")
    scene.caller.fish_for(ResponseStarted)
    scene.says(Recorded(CLIP))
    scene.caller.fish_for(Error, code="wrong_mode")
    scene.end()


def test_clips_go_on_when_a_switch_to_a_stream_fails(stage: Stage) -> None:
    """What was streamed to the one who did not come, nobody hears; the caller is told."""
    scene, wire = called(stage, "clip")
    updates = wire.kinds.count("session.update")
    scene.says(Chose(MOHIT, "stream"))
    speak(scene, 200, mark=1)
    scene.wire(2)
    speak(scene, 200, mark=2)
    fails(scene, 2)
    assert errors(scene) == ["wrong_mode"]
    scene.says(Recorded(CLIP))
    assert heard(wire) == CLIP
    assert wire.kinds.count("session.update") == updates
    wire.answer("yes")
    scene.caller.fish_for(AudioResponse)
    scene.end()


def test_a_mode_told_while_another_is_called_goes_with_them(stage: Stage) -> None:
    """They do not come: whoever is still on the line is spoken to as before."""
    scene, wire = called(stage, "stream")
    scene.says(Chose(MOHIT))
    scene.wire(2)
    scene.says(Chose(MOHIT, "clip"))
    fails(scene, 2)
    speak(scene, 200, mark=3)
    assert heard(wire).endswith(bytes([3]) * 10 * FRAME)
    assert errors(scene) == []
    scene.end()


def test_the_first_audio_is_the_callers_own(stage: Stage) -> None:
    """It came while another was called, who named no mode: whoever is still there hears it."""
    scene = Scene(stage, CATALOGUE, LIMITS)
    wire = scene.on_the_line(TINA)
    stage.advance(1)
    scene.says(Chose(MOHIT))
    scene.wire(2)
    speak(scene, 200, mark=1)
    fails(scene, 2)
    wire.consent()
    assert heard(wire) == bytes([1]) * 10 * FRAME
    scene.end()


def test_the_first_clip_is_of_the_call_though_nobody_comes(stage: Stage) -> None:
    """It was for another who was called; that the caller speaks in clips holds for whoever is still there."""
    scene = Scene(stage, CATALOGUE, LIMITS)
    wire = scene.on_the_line(TINA)
    scene.says(Chose(MOHIT))
    scene.wire(2)
    scene.says(Recorded(CLIP))
    fails(scene, 2)
    scene.says(Spoke(bytes(FRAME)))
    assert errors(scene) == ["wrong_mode"]
    scene.says(Recorded(CLIP))
    assert heard(wire) == CLIP
    scene.end()


def test_a_switch_that_is_superseded_and_fails(stage: Stage) -> None:
    """The one between brought a stream; whoever is left at the end was spoken to in clips."""
    scene, wire = called(stage, "clip")
    scene.says(Chose(MOHIT, "stream"))
    scene.wire(2)
    scene.says(Chose(MOHIT))
    scene.says(SearchedPersona("will my husband love me in marriage"))
    stage.settle()
    fails(scene, len(scene.upstream.dialled))
    scene.says(Recorded(CLIP))
    assert heard(wire) == CLIP
    scene.end()


# Granted.


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_a_mode_holds_from_the_grant_on(stage: Stage, mode: Mode) -> None:
    """Until then whoever is on the line goes on as they were; then they fall silent, and the other is so called."""
    scene, wire = called(stage, mode)
    scene.says(Typed("Will I marry?"))
    begin(wire, "long", asked(wire))
    give(wire, "long", "a long answer", 10.0)
    finish(wire, "long")
    stage.advance(2)
    scene.caller.take()
    scene.supervisor.by_hand = True
    scene.says(Chose(MOHIT, OTHER[mode]))
    asked_for = scene.supervisor.fish_for(Reserve)
    assert not any(isinstance(message, Clear) for message in scene.caller.take())
    scene.supervisor.answer(asked_for)
    other = scene.wire(2)
    assert any(isinstance(message, Clear) for message in scene.caller.heard)
    greet(scene, other, OTHER[mode] == "stream", "Hello.")
    listens = other.last("session.update")["session"]["audio"]["input"]["turn_detection"] is not None
    assert listens == (mode == "clip")
    assert not any(isinstance(message, Error | Close) for message in scene.caller.heard)
    scene.end()


def test_what_was_streamed_to_one_who_has_left_is_not_heard_later(stage: Stage) -> None:
    """From a stream to clips with another persona, and then a stream to them."""
    scene, _ = called(stage, "stream")
    speak(scene, 200, mark=1)
    scene.says(Chose(MOHIT, "clip"))
    speak(scene, 200, mark=2)
    wire = scene.wire(2)
    greet(scene, wire, streamed=False, words="Hello.")
    scene.says(Chose(MOHIT, "stream"))
    wire.consent()
    speak(scene, 200, mark=3)
    assert heard(wire) == bytes([3]) * 10 * FRAME
    assert errors(scene) == []
    scene.end()


def test_a_config_without_a_mode_keeps_the_mode(stage: Stage) -> None:
    """Whichever it was that set it."""
    scene, wire = called(stage, "stream")
    scene.says(Chose(TINA, "clip"))
    wire.consent()
    scene.says(Chose(MOHIT))
    other = scene.wire(2)
    greet(scene, other, streamed=False, words="Hello.")
    scene.says(Recorded(CLIP))
    assert heard(other) == CLIP
    assert errors(scene) == []
    scene.end()


@pytest.mark.parametrize("consents", [False, True])
def test_a_consent_that_crosses_a_change_of_the_mode_is_none_to_it(scene: Scene, consents: bool) -> None:
    """The persona is there, and does not listen yet: where it never says that it does, another connection hears it."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.say(type="session.created")
    wire.consent()  # on its way
    speak(scene, 200)
    scene.caller.fish_for(ConfigAck)
    wire.answer("Namaste.")
    assert heard(wire) == b""
    if consents:
        wire.consent()
    scene.stage.advance(11)
    last = scene.upstream.dialled[-1]
    if not consents:
        last.welcome()
    assert len(scene.upstream.dialled) == 1 + (not consents)
    assert len(heard(last)) == 200 * BYTES_PER_MS


@pytest.mark.parametrize("mode", OTHER)
def test_what_is_no_audio_does_not_decide_the_mode(stage: Stage, mode: Mode) -> None:
    """A file in binary frames is refused, once a second; after it a clip may come, or a stream, and decides."""
    scene = Scene(stage, CATALOGUE, LIMITS)
    scene.says(Chose(TINA))
    greet(scene, scene.wire(1), False)
    for _ in range(60):
        scene.says(Stray("This is a webm file."))
        stage.advance(0.02)
    assert errors(scene) == ["bad_message"] * 2
    spoken: list[Recorded | Spoke] = [Recorded(CLIP), Spoke(bytes(FRAME))]
    for said in spoken if mode == "clip" else reversed(spoken):
        stage.advance(1.1)
        assert errors(scene) == []
        scene.says(said)
    stage.advance(0.1)
    assert errors(scene) == ["wrong_mode"]
    scene.end()


def test_what_is_no_audio_is_refused_for_the_mode_in_a_call_of_clips(stage: Stage) -> None:
    """As audio is there."""
    scene, _ = called(stage, "clip")
    scene.says(Stray("This is a webm file."))
    assert errors(scene) == ["wrong_mode"]
    scene.end()


def test_a_client_that_goes_on_sending_what_is_no_audio_is_cut_off(stage: Stage) -> None:
    """It reads no errors: after twenty of them, each a second apart, the call is over."""
    scene, _ = called(stage, "stream")
    for _ in range(30 * 50):
        scene.says(Stray("This is a webm file."))
        stage.advance(0.02)
    assert scene.caller.fish_for(Close).code == 4400
    scene.end()


def test_who_speaks_on_and_then_wants_clips_is_not_told_of_an_outage(stage: Stage) -> None:
    """The model tells of the stream's last turns after the mode has changed: what was spoken is over."""
    scene, wire = called(stage, "stream")
    speak(scene, 2000)
    scene.says(Chose(TINA, "clip"))
    turn(wire, "a question", 0)
    begin(wire, "answer")
    wire.say(type="input_audio_buffer.speech_started", item_id="more", audio_start_ms=1500)
    finish(wire, "answer", "cancelled")
    wire.consent()
    scene.stage.advance(5.0)
    assert errors(scene) == []
    scene.says(Typed("a question in writing"))
    begin(wire, "another", asked(wire))
    give(wire, "another", "An answer.")
    finish(wire, "another")
    scene.caller.fish_for(AudioResponse)
    scene.end()
