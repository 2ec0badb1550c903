"""An interruption after the caller came back: at the socket, `clear` waits behind no burst of what they had missed."""

import asyncio

import pytest

from actors.call.playout import LEAD, PIECE
from actors.messages.admission import Admitted, Attached, Detached, Resume
from actors.messages.caller import Chose, Interrupted, Receipt
from actors.testing.probe import Probe
from actors.testing.scene import Scene
from tests.kit.four import TINA
from tests.kit.streaming import asked, begin, finish, give
from tests.test_slow_clients import SECOND, Line, answer
from web.outbox import Outbox

MOST = (LEAD + PIECE) * SECOND


def connects(scene: Scene) -> tuple[Line, Outbox, "asyncio.Task[None]"]:
    """A new connection of the caller's, over a real outbox."""
    line = Line()
    scene.connection += 1
    box = Outbox(line, line, scene.connection)  # type: ignore[arg-type]
    return line, box, asyncio.get_running_loop().create_task(box.run())


@pytest.mark.parametrize("lost", [True, False])
def test_after_a_return_a_clear_comes_as_soon_as_on_any_line(scene: Scene, lost: bool) -> None:
    """Three seconds are sent again; no more than 400 ms of them are ahead of the player when the caller speaks."""
    line, box, writing = connects(scene)
    scene.session.tell(Attached(scene.connection, box))
    scene.says(Chose(TINA, "stream", resumable=True))
    wire = scene.wire(1)
    wire.welcome()
    begin(wire, "greeting", asked(wire))
    give(wire, "greeting", "Namaste.")
    finish(wire, "greeting")
    scene.stage.advance(11)
    received = box.written
    scene.says(Receipt(received))
    line.sound.clear()
    offer = next(message["resume"] for message in line.told if message["type"] == "config_ack")
    answer(scene, 20)
    if lost:
        scene.stage.advance(9.0)
        assert len(line.sound) >= 3 * SECOND
        writing.cancel()
        scene.session.tell(Detached(scene.connection))
        scene.stage.advance(5.0)
        line, box, writing = connects(scene)
        verdict = Probe("verdict")
        scene.session.tell(Resume("u", scene.connection, box, verdict, offer["token"], 0, received))
        scene.stage.settle()
        verdict.fish_for(Admitted)
    scene.stage.advance(0.2)
    sent = len(line.sound)
    assert 0 < sent <= MOST + 0.2 * SECOND
    scene.says(Interrupted())
    scene.stage.settle()
    assert line.kinds()[-3:] == ["clear", "transcript", "response_done"]
    scene.stage.advance(2.0)
    assert len(line.sound) == sent
