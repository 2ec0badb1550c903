"""A server that is about to end: its calls go on, are told one after another, and each ends at a pause."""

from base64 import b64encode
from typing import Any

import pytest

from actors.admission.draining import CALL_SECONDS
from actors.call.pauses import QUIET
from actors.messages.admission import Connected, Detached, Drain, Inquired, Report
from actors.messages.caller import Chose, Close, Error, HungUp, Notice, ResponseDone, Sound, Transcript, Typed
from actors.messages.guardian import Worried
from actors.messages.identity import Identity
from actors.runtime import Hired, Stop
from actors.services import Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders, Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from personas import CurrentCatalogue
from realtime.contract import GO_ON
from supervisor import SupervisorActor, SupervisorInbox
from tests.kit.four import FOUR, TINA
from tests.kit.parts import tone
from tests.kit.streaming import asked, begin, finish, on_the_line, speak, turn

RATE = 48_000
PAUSE = bytes(int(0.4 * RATE))


def give(wire: Wire, words: str, pcm: bytes) -> None:
    """Some more of the answer: words, then the sound of them."""
    wire.say(type="response.output_audio_transcript.delta", response_id="answer", delta=words)
    wire.say(type="response.output_audio.delta", response_id="answer", delta=b64encode(pcm).decode())


def answers(scene: Scene, *said: tuple[str, bytes]) -> Wire:
    """A streamed call whose persona begins to answer with these words and sounds."""
    wire = on_the_line(scene)
    scene.says(Typed("tell me"))
    begin(wire, "answer", asked(wire))
    for words, pcm in said:
        give(wire, words, pcm)
    scene.stage.settle()
    scene.caller.take()
    return wire


def sound(scene: Scene) -> bytes:
    """All the sound of the answer that the caller got."""
    return b"".join(message.pcm for message in scene.caller.heard if isinstance(message, Sound))


def closed_after(scene: Scene, most: float = CALL_SECONDS) -> float:
    """Seconds until the call is closed with 1001."""
    began = scene.stage.now
    while not [message for message in scene.caller.heard if isinstance(message, Close)]:
        assert scene.stage.now <= began + most
        scene.stage.advance(0.05)
    assert scene.caller.heard[-1] == Close(1001, "the server is restarting: call again in a moment")
    return scene.stage.now - began


def test_a_call_in_which_nothing_plays_ends_at_once(scene: Scene) -> None:
    """It is told why."""
    on_the_line(scene)
    scene.session.tell(Drain(10.0))
    assert scene.caller.fish_for(Notice).code == "draining"
    assert scene.caller.fish_for(Close).code == 1001


def test_nobody_answers_what_was_asked_last(scene: Scene) -> None:
    """The caller has finished, and the persona has not begun."""
    answers(scene)
    scene.session.tell(Drain(10.0))
    assert scene.caller.fish_for(Close).code == 1001


def test_a_reply_ends_after_its_sentence(scene: Scene) -> None:
    """All of the sentence is released, played, and shown as the words of it; what comes after it is never sent."""
    first, second = tone(2.0) + PAUSE, tone(3.0) + PAUSE
    wire = answers(scene, ("It is so. ", first), ("And this goes on. ", second))
    scene.session.tell(Drain(10.0))
    scene.stage.advance(0.5)
    give(wire, "And on.", tone(2.0))
    finish(wire, "answer")
    assert closed_after(scene) == pytest.approx(2.0 + QUIET / RATE - 0.5, abs=0.11)
    assert len(sound(scene)) == pytest.approx(RATE + 2 * RATE + QUIET, abs=1000)  # with the greeting
    shown = [message for message in scene.caller.heard if isinstance(message, Transcript) and message.final]
    assert shown[-1].text == "It is so."
    assert [m.status for m in scene.caller.heard if isinstance(m, ResponseDone)][-1] == "incomplete"


def test_a_reply_that_is_all_there_plays_to_its_end(scene: Scene) -> None:
    """Its end is a pause."""
    wire = answers(scene, ("No pause in it", tone(3.0)))
    finish(wire, "answer")
    scene.session.tell(Drain(10.0))
    assert closed_after(scene) == pytest.approx(3.0, abs=0.11)
    assert [m.status for m in scene.caller.heard if isinstance(m, ResponseDone)][-1] == "completed"


def test_after_five_seconds_any_pause_will_do(scene: Scene) -> None:
    """A long sentence with commas."""
    clause = tone(2.0) + PAUSE
    answers(scene, ("Well, it goes on, and on, and on, and on", clause * 5))
    scene.session.tell(Drain(10.0))
    assert closed_after(scene) == pytest.approx(2 * 2.4 + 2.0 + QUIET / RATE, abs=0.11)


def test_without_a_pause_it_ends_all_the_same(scene: Scene) -> None:
    """After ten seconds, or as many as there are."""
    answers(scene, ("This never ends", tone(20.0)))
    scene.session.tell(Drain(4.0))
    scene.session.tell(Drain(9.0))
    assert closed_after(scene) == pytest.approx(4.0, abs=0.11)


def test_no_other_reply_begins(scene: Scene) -> None:
    """Somebody typed while one played: that one ends, and the other is not heard."""
    wire = answers(scene, ("One. ", tone(1.0)))
    finish(wire, "answer")
    begin(wire, "other", {"ask": "9"})
    scene.session.tell(Drain(10.0))
    assert closed_after(scene) == pytest.approx(1.0, abs=0.11)


@pytest.mark.parametrize("told_first", [False, True])
def test_a_sentence_that_a_lost_connection_broke_off_is_said_to_its_end(scene: Scene, told_first: bool) -> None:
    """Another connection goes on with it; it ends at the pause behind it, whether it was lost before or after."""
    wire = answers(scene, ("It is so, ", tone(2.0)))
    scene.stage.advance(1.0)
    for step in ("told", "lost") if told_first else ("lost", "told"):
        if step == "told":
            scene.session.tell(Drain(10.0))
        else:
            wire.lose()
        scene.stage.settle()
    again = scene.wire(2)
    again.welcome()
    assert again.last("response.create")["response"]["instructions"].endswith(GO_ON)
    scene.stage.advance(1.5)
    assert not [message for message in scene.caller.heard if isinstance(message, Close)]
    begin(again, "answer", asked(again))
    give(again, "and so it stays. ", tone(1.0) + PAUSE)
    give(again, "And this goes on.", tone(9.0))
    closed_after(scene)
    shown = [message.text for message in scene.caller.heard if isinstance(message, Transcript) and message.final]
    assert shown[-1] == "and so it stays."


def test_a_sentence_with_which_nobody_goes_on_is_not_waited_for_longer(scene: Scene) -> None:
    """Nor what would come after the pause at which the rest ended."""
    wire = answers(scene, ("It is so, ", tone(2.0)))
    wire.lose()
    scene.session.tell(Drain(4.0))
    assert closed_after(scene) == pytest.approx(4.0, abs=0.11)


def test_a_caller_who_speaks_is_let_finish(scene: Scene) -> None:
    """Until their turn is committed."""
    wire = on_the_line(scene)
    speak(scene, 500)
    wire.say(type="input_audio_buffer.speech_started", item_id="u", audio_start_ms=100)
    scene.stage.settle()
    scene.session.tell(Drain(10.0))
    for _ in range(30):
        speak(scene, 100)
        scene.stage.advance(0.1)
    assert not [message for message in scene.caller.heard if isinstance(message, Close)]
    wire.say(type="input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=3000)
    wire.say(type="input_audio_buffer.committed", item_id="u")
    assert closed_after(scene) <= 0.1


def test_a_caller_who_speaks_for_too_long_is_closed(scene: Scene) -> None:
    """Within the same bound."""
    wire = on_the_line(scene)
    speak(scene, 500)
    wire.say(type="input_audio_buffer.speech_started", item_id="u", audio_start_ms=100)
    scene.stage.settle()
    scene.session.tell(Drain(2.0))
    began = scene.stage.now
    while not [message for message in scene.caller.heard if isinstance(message, Close)]:
        speak(scene, 100)
        scene.stage.advance(0.1)
    assert scene.stage.now - began == pytest.approx(2.0, abs=0.11)


def test_a_caller_who_interrupts_the_last_reply_is_heard_to_the_end(scene: Scene) -> None:
    """The reply falls silent as always, and their turn ends the call."""
    wire = answers(scene, ("This never ends", tone(20.0)))
    scene.session.tell(Drain(10.0))
    scene.stage.advance(1.0)
    speak(scene, 500)
    wire.say(type="input_audio_buffer.speech_started", item_id="u", audio_start_ms=100)
    scene.stage.advance(0.5)
    assert not [message for message in scene.caller.heard if isinstance(message, Close)]
    turn(wire, "u", 200)
    assert closed_after(scene) <= 0.2


def test_a_whole_reply_is_played_to_its_end(scene: Scene) -> None:
    """In clip mode it was sent at once: the call ends when it has played, by the clock."""
    scene.says(Chose(TINA))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    wire.say(type="response.output_audio.delta", response_id="greeting", delta=b64encode(tone(3.0)).decode())
    wire.say(type="response.output_audio_transcript.delta", response_id="greeting", delta="Namaste.")
    finish(wire, "greeting")
    scene.stage.advance(1.0)
    scene.session.tell(Drain(10.0))
    assert closed_after(scene) == pytest.approx(2.0, abs=0.11)


def test_who_hangs_up_meanwhile_has_hung_up(scene: Scene) -> None:
    """With their own code."""
    answers(scene, ("This never ends", tone(20.0)))
    scene.session.tell(Drain(10.0))
    scene.stage.advance(1.0)
    scene.says(HungUp())
    assert scene.caller.fish_for(Close).code == 1000


def test_a_call_that_is_over_is_told_nothing_more(scene: Scene) -> None:
    """Its last facts may be still to come."""
    answers(scene)
    scene.session.tell(Detached(1))
    scene.session.tell(Drain(10.0))
    scene.end()


# The supervisor.


class House:
    """A supervisor, and the callers of it, with a model that is the test."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.wires = stage, Wires()
        decoders: Any = Decoders()
        self.services = Services(CurrentCatalogue(FOUR), self.wires, decoders, clock=stage.clock)
        self.supervisor: Hired[SupervisorInbox] = stage.launch(SupervisorActor, self.services)
        self.boxes: list[Probe] = []

    def call(self, user: str) -> Probe:
        """A caller with a streaming persona who is on the line."""
        box = Probe(user)
        self.supervisor.tell(Connected(Identity(user), len(self.boxes) + 1, box, "stream"))
        self.boxes.append(box)
        self.stage.advance(0.1)
        return box


@pytest.fixture
def house(stage: Stage) -> House:
    return House(stage)


def told(box: Probe) -> list[int]:
    """The codes with which a caller was closed."""
    return [message.code for message in box.heard if isinstance(message, Close)]


def test_calls_go_on_until_their_time_and_nobody_is_admitted(house: House) -> None:
    """Not ready at once; each call is told when its time has come; the server ends with the last of them."""
    one, two = house.call("one"), house.call("two")
    house.supervisor.tell(Drain(20.0))
    report = Probe("report")
    house.supervisor.tell(Inquired(report))
    assert report.expect(Report, admitting=False).callers == 2
    late = house.call("late")
    assert late.fish_for(Error).code == "busy"
    assert told(late) == [1001]
    house.stage.advance(9.7)
    assert (told(one), told(two)) == ([], [])
    house.stage.advance(0.15)
    assert (told(one), told(two)) == ([1001], [])
    assert house.supervisor.is_alive()
    house.stage.advance(3.0)
    assert told(two) == [1001]
    house.stage.expect_terminated(house.supervisor)


@pytest.mark.parametrize("early", [True, False], ids=["before", "meanwhile"])
def test_a_call_in_care_is_told_last(house: House, early: bool) -> None:
    """Though it is the oldest, and also if the sign came while the server drains."""
    one, two = house.call("one"), house.call("two")
    (session,) = house.stage.actors()[1:2]
    if early:
        session.tell(Worried("suicide", sure=True))
        house.stage.advance(0.1)
    house.supervisor.tell(Drain(20.0))
    session.tell(Worried("suicide", sure=True))
    house.stage.advance(9.9)
    assert (told(one), told(two)) == ([], [1001])
    house.stage.advance(3.0)
    assert told(one) == [1001]
    house.stage.expect_terminated(house.supervisor)


def test_it_ends_with_the_last_call(house: House) -> None:
    """Nobody is waited for who has hung up."""
    house.call("one")
    house.supervisor.tell(Drain(60.0))
    house.stage.advance(1.0)
    (session,) = house.stage.actors()[1:2]
    session.tell(Detached(1))
    house.stage.advance(3.0)
    house.stage.expect_terminated(house.supervisor)


def test_a_stop_during_a_drain_ends_at_once(house: House) -> None:
    """In order: each caller is told."""
    one = house.call("one")
    house.supervisor.tell(Drain(60.0))
    house.stage.advance(1.0)
    assert told(one) == []
    house.supervisor.tell(Stop())
    house.supervisor.tell(Drain(60.0))
    house.stage.advance(3.0)
    assert told(one) == [1001]
    house.stage.expect_terminated(house.supervisor)


def test_nobody_calls(house: House) -> None:
    """Then there is nothing to wait for."""
    house.supervisor.tell(Drain(60.0))
    house.stage.settle()
    house.stage.expect_terminated(house.supervisor)
