"""Many connections of one process are lost in one moment: the upstream is not stormed by all of them at once."""

from typing import cast

from actors.admission.losses import MANY, SPREAD_SECONDS, Losses
from actors.messages.admission import Attached, From
from actors.messages.caller import Chose
from actors.messages.identity import Identity
from actors.runtime import Down, Stop, launch
from actors.services import Limits, Services
from actors.session import UserSessionActor
from actors.testing.probe import Probe
from actors.testing.scene import Decoders, Supervisor
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import CurrentCatalogue
from tests.kit.four import FOUR, TINA

CALLERS = 100


def test_the_first_tries_are_spread(stage: Stage) -> None:
    """As many as may be dialled at the same time go at once, the others within two seconds, not all together."""
    wires, current = Wires(), CurrentCatalogue(FOUR)
    parent = Supervisor(current, stage.clock)
    services = Services(current, wires, cast(Pool, Decoders()), Limits(), clock=stage.clock)
    for number in range(CALLERS):
        session = launch(UserSessionActor(Identity(f"user-{number}"), f"{number}", services, parent), parent)
        session.tell(Attached(1, Probe("caller")))
        session.tell(From(1, Chose(TINA)))
    stage.settle()
    fallen = list(wires.dialled)
    assert len(fallen) == CALLERS
    for wire in fallen:
        wire.welcome()
    stage.advance(10)
    for wire in fallen:
        wire.lose(1012, "restarting")
    stage.settle()
    assert len(wires.dialled) == CALLERS + MANY
    steps = []
    for _ in range(10):
        before = len(wires.dialled)
        stage.advance(SPREAD_SECONDS / 10)
        steps.append(len(wires.dialled) - before)
    assert len(wires.dialled) == 2 * CALLERS
    assert max(steps) < (CALLERS - MANY) / 3
    for actor in stage.actors():
        if actor.actor_class is UserSessionActor:
            actor.tell(Stop())
    stage.advance(5)
    assert [down.cause for down in parent.take() if isinstance(down, Down)] == [None] * CALLERS


def test_losses_one_after_another_are_not_many() -> None:
    """Nor are those of a moment ago."""
    losses = Losses()
    assert [losses.spread(number / 10) for number in range(50)] == [0.0] * 50
    assert [losses.spread(10.0) for _ in range(MANY)] == [0.0] * MANY
    assert losses.spread(10.5) == SPREAD_SECONDS
    assert losses.spread(20.0) == 0.0
