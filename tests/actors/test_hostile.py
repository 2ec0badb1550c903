"""What comes from the model may be anything: it never crashes a bridge, nor the call that holds it."""

import logging
import random
from typing import Any, cast

import pytest

from actors.messages.caller import Close, Notice, Typed
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from actors.testing.wire import Wire
from realtime.client import errors, incoming
from realtime.client.errors import Action
from tests.kit.four import TINA
from tests.kit.streaming import on_the_line, speak
from tests.realtime.client.samples import GONE, OTHERS, changed, places, whole
from upstream.facts import LinkEvent

READ = sorted(incoming._READERS)
MENDABLE = ["x", *(code for code, trouble in errors.CODES.items() if trouble in (Action.LATER, Action.RACE))]


def anything(chance: random.Random, number: int) -> dict[str, Any]:
    """An event of the latest responses and items, as it should be or odd in one place."""
    about = number // 12 - (chance.random() < 0.2)
    event = whole(chance.choice(READ), f"response {about}", f"item {about}")
    event["event_id"] = None
    if event["type"] == "error":
        event["error"]["code"] = chance.choice(MENDABLE)
        event["error"]["event_id"] = None
    if chance.random() < 0.4:
        return changed(event, chance.choice(list(places(event))), chance.choice([GONE, *OTHERS]))
    return event


def serving(scene: Scene) -> Wire | None:
    """The newest connection, which is Tina; None when the call is over."""
    while not any(isinstance(told, Close) for told in scene.caller.take()):
        wire = scene.upstream.dialled[-1]
        if not wire.ended:
            return wire
        scene.stage.advance(5)
        if not scene.upstream.dialled[-1].ended:
            scene.upstream.dialled[-1].welcome()
    return None


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_model_says_a_call_goes_on_or_ends_in_order(
    stage: Stage, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that cannot serve is lost like any other."""
    chance = random.Random(seed)
    scene = Scene(stage)
    on_the_line(scene)
    for number in range(200):
        if not (wire := serving(scene)):
            break
        wire.say(**anything(chance, number))
        if chance.random() < 0.2:
            speak(scene, 40) if chance.random() < 0.5 else scene.says(Typed(f"{number}"))
        if chance.random() < 0.1:
            stage.advance(1)
    stage.settle()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    scene.end()


def test_a_fault_of_ours_ends_one_connection_with_a_traceback_and_no_call(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """It is written down, once, and the session opens the next one."""
    wire = scene.on_the_line(TINA)
    scene.says(Typed("hello"))
    scene.stage.settle()
    wire._to.tell(cast(LinkEvent, object()))  # nobody handles this
    scene.stage.settle()
    (crash,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert crash.exc_info
    assert crash.exc_info[0] is AssertionError
    assert wire.ended
    assert scene.caller.fish_for(Notice).code == "reconnecting"
    scene.wire(2).welcome()
    assert ("user", "hello") in scene.wire(2).texts()
    scene.wire(2).answer("Namaste.")
    scene.end()
