"""How often a connection is made again, and when never: docs/decisions/0007."""

import pytest

from actors.messages.caller import Chose, Close, ConfigAck, Error, TextResponse, Typed
from actors.testing.scene import Scene
from realtime.client.errors import CODES, Action
from tests.kit.four import MOHIT, TINA
from upstream.facts import ACCOUNT_CLOSES

ACCOUNT = [code for code, trouble in CODES.items() if trouble is Action.ACCOUNT]


@pytest.mark.parametrize(("served", "patience"), [(True, 30.0), (False, 15.0)])
def test_an_upstream_that_stays_away_is_tried_until_its_time_is_over(
    scene: Scene, served: bool, patience: float
) -> None:
    """At once, then after 0.5, 1, 2, 4, 4 and so on, each up to a quarter longer; then the call ends with the reason.

    How often does not matter: twice as long where somebody was on the line already.
    """
    if served:
        scene.on_the_line(TINA)
    else:
        scene.says(Chose(TINA))
    scene.wire(1).lose()
    for number, wait in enumerate((0.0, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0), start=2):
        if scene.stage.now + wait * 1.25 > patience - 1:
            break
        if wait:
            scene.stage.advance(wait - 0.01)
            assert len(scene.upstream.dialled) == number - 1
        scene.stage.advance(wait / 4 + 0.02)
        scene.wire(number).lose()
        scene.stage.settle()
    assert not any(isinstance(message, Error | Close) for message in scene.caller.take())
    scene.stage.advance(patience - scene.stage.now + 0.1)
    assert scene.caller.fish_for(Error).code == "upstream_unavailable"
    assert scene.caller.fish_for(Close).code == 4503
    dialled = len(scene.upstream.dialled)
    scene.stage.advance(60)
    assert len(scene.upstream.dialled) == dialled


def test_connections_that_serve_and_are_lost_again_and_again_end_the_call(scene: Scene) -> None:
    """Five within a minute, though each was ready: the sixth loss ends it, and says why."""
    wire = scene.on_the_line(TINA)
    for number in range(2, 7):
        wire.lose()
        scene.stage.advance(5)
        wire = scene.wire(number)
        wire.welcome()
    assert not any(isinstance(message, Error | Close) for message in scene.caller.take())
    wire.lose()
    assert scene.caller.fish_for(Error).code == "upstream_unavailable"
    assert scene.caller.fish_for(Close).code == 4503


def test_a_switch_that_fails_leaves_the_persona_on_the_line(scene: Scene) -> None:
    """Nobody else can be reached: an error says so, and the old persona answers the next turn. Later it works.

    Tries that fail are no reason to give up before its time is over, nor is that time longer for them.
    """
    wire = scene.on_the_line(TINA)
    scene.says(Chose(MOHIT))
    for number in range(2, 7):
        scene.wire(number).lose()
        scene.stage.advance(2.9)
    assert not any(isinstance(message, Error) for message in scene.caller.box)
    scene.stage.advance(1)
    dialled = len(scene.upstream.dialled)
    assert scene.caller.fish_for(Error).code == "persona_switch_failed"
    scene.says(Typed("are you there?"))
    wire.answer("Yes.")
    assert scene.caller.fish_for(TextResponse).text == "Yes."
    scene.says(Chose(MOHIT))
    scene.wire(dialled + 1).welcome()
    assert scene.caller.fish_for(ConfigAck).voice == "cedar"


def test_a_completed_reply_forgives_what_was_lost_before(scene: Scene) -> None:
    """An upstream that serves between its losses may lose as many connections as it likes."""
    wire = scene.on_the_line(TINA)
    for number in range(2, 12):
        wire.lose()
        wire = scene.wire(number)
        wire.welcome()
        scene.says(Typed(f"question {number}"))
        wire.answer(f"answer {number}")
        scene.stage.settle()
    assert not any(isinstance(message, Error) for message in scene.caller.heard)


@pytest.mark.parametrize("code", ACCOUNT_CLOSES)
def test_a_close_that_refuses_our_account_is_final(scene: Scene, code: int) -> None:
    """In the middle of a call as well."""
    scene.on_the_line(TINA).lose(code, "no")
    assert scene.caller.fish_for(Error).code == "upstream_refused"
    scene.stage.advance(60)
    assert len(scene.upstream.dialled) == 1


@pytest.mark.parametrize("code", ACCOUNT)
def test_an_error_that_refuses_our_account_is_final(scene: Scene, code: str) -> None:
    """Whichever it is, and whatever it is about."""
    scene.on_the_line(TINA).say(type="error", error={"code": code, "message": "no"})
    assert scene.caller.fish_for(Error).code == "upstream_refused"
    assert scene.caller.fish_for(Close).code == 4503
    scene.stage.advance(60)
    assert len(scene.upstream.dialled) == 1
