"""Words that must be heard, in a whole reply (clip mode) that is taken back from the caller's player: owed again."""

from collections.abc import Callable

import pytest

from actors.messages.admission import Reserve
from actors.messages.caller import AudioResponse, Chose, Clear, Error, FromCaller, Interrupted, TextResponse, Typed
from actors.messages.caring import Help
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from tests.actors.test_care import NAMED, SIGN
from tests.actors.test_disclosure import called, exactly, greet, whole
from tests.kit.away import FragileCall
from tests.kit.four import MOHIT, TINA
from tests.kit.streaming import asked, begin, finish, give

PAUSE = 2.0  # seconds, after which what was postponed is asked for


def says_help(scene: Scene, wire: Wire, fish: Callable[..., Help], seconds: float = 6.0) -> None:
    """The caller says a sign; the answer, which lasts so long, names a helpline. Nothing of it was played yet."""
    scene.says(Typed(SIGN))
    fish(Help)
    begin(wire, "help", asked(wire))
    give(wire, "help", f"I hear you. {NAMED} I stay here, and listen to you.", seconds)
    finish(wire, "help")
    scene.stage.settle()


def test_who_switches_over_it_hears_it_of_the_next(scene: Scene) -> None:
    """Their player was told to throw it away: the next one begins with it."""
    wire, persona = called(scene, TINA)
    greet(scene, wire, whole(persona))
    scene.caller.fish_for(AudioResponse)
    scene.stage.advance(0.5)
    other, mohit = called(scene, MOHIT)
    scene.caller.fish_for(Clear)
    assert exactly(other) == [whole(mohit)]


def test_who_switches_behind_it_has_heard_it(scene: Scene) -> None:
    """It was played, and the rest of the greeting was not."""
    wire, persona = called(scene, TINA)
    greet(scene, wire, whole(persona), 8)
    scene.stage.advance(7)
    other, mohit = called(scene, MOHIT)
    scene.caller.fish_for(Clear)
    assert exactly(other) == [mohit.greeting]


@pytest.mark.parametrize("clears", [Typed("to the point"), Interrupted()])
def test_who_says_something_over_it_hears_it_at_the_next_pause(scene: Scene, clears: FromCaller) -> None:
    """Once, when what was asked is answered and the answer was heard."""
    wire, persona = called(scene, TINA)
    greet(scene, wire, whole(persona))
    scene.stage.advance(0.5)
    scene.says(clears)
    scene.caller.fish_for(Clear)
    if isinstance(clears, Typed):
        begin(wire, "answer", asked(wire))
        give(wire, "answer", "Yes.", 5)
        finish(wire, "answer")
        scene.caller.fish_for(AudioResponse, response_id="1.2")
        scene.stage.advance(4)
        assert exactly(wire) == [whole(persona)]
    scene.stage.advance(PAUSE)
    assert exactly(wire) == [whole(persona), persona.disclosure]
    wire.answer(persona.disclosure)
    scene.stage.advance(20)
    scene.says(Typed("and?"))
    scene.stage.settle()
    assert len(exactly(wire)) == 2


def test_a_switch_over_it_that_fails_leaves_it_to_the_next_pause(stage: Stage) -> None:
    """Nobody began to say it: what is typed to the persona before is answered first."""
    scene = Scene(stage, limits=Limits(notice_seconds=0.2, ready_seconds=5.0))
    wire, persona = called(scene, TINA)
    greet(scene, wire, whole(persona))
    scene.says(Chose(MOHIT))
    stage.advance(5.5)
    scene.caller.fish_for(Error, code="persona_switch_failed")
    scene.says(Typed("one"))
    scene.stage.settle()
    assert wire.texts()[-1] == ("user", "one")
    wire.answer("You said one.")
    scene.stage.settle()
    assert exactly(wire) == [whole(persona)]
    stage.advance(PAUSE)
    assert exactly(wire) == [whole(persona), persona.disclosure]
    scene.end()


def test_who_plays_nothing_gets_one_reply_to_each_turn(scene: Scene) -> None:
    """A client without a player sends the next turn as soon as it has the answer."""
    wire, persona = called(scene, TINA)
    greet(scene, wire, whole(persona))
    for number in range(3):
        scene.says(Typed(f"question {number}"))
        begin(wire, f"answer {number}", asked(wire))
        give(wire, f"answer {number}", "Yes.", 5)
        finish(wire, f"answer {number}")
        scene.stage.advance(0.2)
    assert exactly(wire) == [whole(persona)]
    assert sum(isinstance(message, TextResponse) for message in scene.caller.take()) == 4


@pytest.mark.parametrize(("played", "again"), [(0.5, True), (5.5, False)])
def test_a_helpline_that_was_taken_back_is_said_behind_the_next_answer(
    scene: Scene, played: float, again: bool
) -> None:
    """At once: that can wait for no pause. Who has heard the number has heard it."""
    wire = scene.on_the_line(MOHIT)
    says_help(scene, wire, scene.caller.fish_for)
    scene.stage.advance(played)
    scene.says(Typed("wait"))
    scene.caller.fish_for(Clear)
    wire.answer("Yes.")
    scene.stage.settle()
    assert ("1 4 4 1 6" in exactly(wire)[-1]) is again


def test_a_reply_that_came_while_they_were_away_and_was_taken_back_was_never_heard(scene: Scene) -> None:
    """It waited for them, and they switched before they were lost: no word of it comes, and the helpline is owed."""
    call = FragileCall(scene, "clip")
    scene.supervisor.by_hand = True
    scene.says(Typed(SIGN))
    call.line.fish_for(Help)
    begin(call.wire, "help", asked(call.wire))
    give(call.wire, "help", NAMED, 6)
    scene.says(Chose(MOHIT))
    call.acknowledge()
    call.goes()
    finish(call.wire, "help")
    scene.stage.advance(10)
    scene.supervisor.answer(scene.supervisor.fish_for(Reserve, choice=2))
    scene.stage.settle()
    other = scene.wire(2)
    other.welcome()
    call.comes_back()
    scene.stage.settle()
    assert not [one for one in call.line.take() if isinstance(one, AudioResponse)]
    other.answer("Hello, I am Mohit.")
    scene.stage.settle()
    assert "1 4 4 1 6" in exactly(other)[-1]
