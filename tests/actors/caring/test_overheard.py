"""What of a call its guardian gets to hear, and what it is told when it is hired."""

from typing import Any

import pytest

from actors.messages.caller import Chose, Interrupted, Typed
from actors.messages.caring import Help
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from care import shipped
from care.signs import Worried
from personas import Profile
from register.record import Care as Kept
from tests.actors.test_care import SIGN, Broken, hears_a_sign, in_danger
from tests.actors.test_disclosure import exactly
from tests.actors.test_written_answers import write
from tests.kit.four import MOHIT, TINA
from tests.kit.streaming import begin, finish, give, on_the_line, speak, turn, write_down

ASKS = "Are you thinking of killing yourself?"
STAYS = "Please stay on the line with me."
VAGUE = "there is no hope left"


def helped(scene: Scene) -> list[Help]:
    """The numbers that the caller was told since the last look."""
    scene.stage.settle()
    return [said for said in scene.caller.take() if isinstance(said, Help)]


def test_a_question_that_is_cut_off_is_a_question(scene: Scene) -> None:
    """The caller says yes into it: the answer has no end, and its pieces were told."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    begin(wire, "asks")
    give(wire, "asks", ASKS, 5)
    scene.stage.advance(1)
    scene.says(Interrupted())
    finish(wire, "asks", "cancelled")
    assert helped(scene) == []
    speak(scene, 1000)
    turn(wire, "two", 2000)
    write_down(wire, "two", "yes")
    assert len(helped(scene)) == 1


def test_pieces_of_what_the_caller_says_are_read_together(scene: Scene) -> None:
    """Whoever cuts them between two words or within one; a judge is not asked about pieces."""
    wire = on_the_line(scene)
    speak(scene, 1000)
    turn(wire, "one", 0)
    for piece in ("main mar", "na cha", "hti hoon aur kisi ko kya bataun"):
        assert helped(scene) == []
        wire.say(type="conversation.item.input_audio_transcription.delta", item_id="one", delta=piece)
    assert len(helped(scene)) == 1


def test_all_of_an_answer_is_overheard(scene: Scene) -> None:
    """Whether it is said or written; how it presses is counted once, when it is whole."""
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("will I marry?"))
    wire.answer(STAYS)
    scene.stage.settle()
    assert scene.services.counters.pressed == {"stay": 1}
    scene.says(Typed("when?"))
    write(wire, STAYS)
    scene.stage.settle()
    assert scene.services.counters.pressed == {"stay": 2}
    scene.end()


def test_a_question_in_writing_is_a_question(scene: Scene) -> None:
    """The caller has read it before it is said."""
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("I am sad"))
    write(wire, ASKS)
    scene.stage.settle()
    scene.says(Typed("yes"))
    assert len(helped(scene)) == 1
    scene.end()


def test_the_guardian_learns_of_another_country(scene: Scene) -> None:
    """A helpline of that country, named before the sign was seen, is help that was named."""
    wire = on_the_line(scene)
    scene.says(Chose(TINA, "stream", profile=Profile(country="US")))
    speak(scene, 1000)
    turn(wire, "one", 0)
    begin(wire, "answer")
    give(wire, "answer", "Please call 988.")
    finish(wire, "answer")
    scene.stage.advance(3)
    write_down(wire, "one", "main marna chahta hoon")
    assert len(helped(scene)) == 1
    scene.stage.advance(3)
    assert len(exactly(wire)) == 1


def test_what_is_saved_of_silence_is_since_the_caller_spoke(scene: Scene) -> None:
    """And not since care began."""
    wire = in_danger(scene)
    scene.stage.advance(50)
    scene.says(Typed("I am still here"))
    wire.answer("So am I.")
    scene.stage.advance(30)
    _, kept = scene.actor._care.record({})
    assert 79 < kept.kept_seconds < 83
    assert 29 < kept.silent_seconds < 32
    scene.end()


def test_a_guardian_that_is_replaced_knows_what_was_found(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sure stays sure, and the numbers are not told for it again."""
    monkeypatch.setattr("actors.session.shipped", lambda: Broken(shipped()))
    wire = scene.on_the_line(MOHIT)
    hears_a_sign(scene)
    for words in ("brk", VAGUE, SIGN):
        wire.answer("Please call 1 4 4 1 6.")
        scene.says(Typed(words))
    assert helped(scene) == []
    assert scene.actor._care.worries == (Worried("suicide", sure=True),)
    scene.end()


@pytest.mark.parametrize(("kinds", "asked"), [(("suicide",), 0), (("suicide?",), 1), ((), 1)])
def test_of_a_call_that_goes_on_here_no_judge_is_asked_if_danger_is_sure(
    stage: Stage, kinds: tuple[str, ...], asked: int
) -> None:
    """It was found elsewhere."""
    talks: list[Any] = []

    class Judge:
        pause = 1.0

        def ask(self, talk: Any, tell: Any) -> None:
            talks.append(talk)

    scene = Scene(stage)
    object.__setattr__(scene.services, "judge", Judge())
    stage.settle()
    scene.actor._care.begin_with(True, Kept(kinds))
    wire = scene.on_the_line(MOHIT)
    scene.says(Typed("I am here again"))
    wire.answer("Good.")
    stage.settle()
    assert len(talks) == asked
    scene.end()
