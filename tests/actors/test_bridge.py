"""A bridge alone on a stage: its session is a probe, its upstream a wire."""

import time

import pytest

from actors.base import Hired, Stop
from actors.bridge import BridgeInbox, OpenAIBridgeActor
from actors.messages import Configure, Ready
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from actors.testing.wire import Wire, Wires
from realtime.events import Setup
from realtime.models import Capabilities

SETUP = Configure(1, Setup("You are Tina.", "marin", "hi"), ())


class Alone:
    """The bridge of a first generation, dialled."""

    def __init__(self, stage: Stage, can: Capabilities | None = None) -> None:
        self.stage, self.session, self.upstream = stage, Probe("session"), Wires()
        self.upstream.can = can or Capabilities()
        self.bridge: Hired[BridgeInbox] = stage.launch(
            OpenAIBridgeActor, self.session, 1, self.upstream, "somebody", SETUP
        )
        stage.settle()

    @property
    def wire(self) -> Wire:
        (wire,) = self.upstream.dialled
        return wire

    def end(self) -> None:
        """Leave in order."""
        self.bridge.tell(Stop())
        self.stage.expect_terminated(self.bridge)


@pytest.mark.parametrize(("expires_in", "seconds"), [(None, 1790.0), (600.0, 600.0), (3600.0, 1790.0), (-5.0, 1790.0)])
def test_a_bridge_that_is_ready_says_how_long_it_lasts(stage: Stage, expires_in: float | None, seconds: float) -> None:
    """What the model's record allows, from dialling; less if the upstream said so, unless a clock is wrong."""
    alone = Alone(stage, Capabilities(session_seconds=1800))
    stage.advance(10)
    expires_at = None if expires_in is None else time.time() + expires_in
    alone.wire.say(type="session.created", session={"expires_at": expires_at})
    alone.wire.say(type="session.updated", session={"audio": {"output": {"voice": "marin"}}})
    assert alone.session.expect(Ready, choice=1).seconds == pytest.approx(seconds, abs=2)
    alone.end()
