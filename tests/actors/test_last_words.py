"""What a caller is told when their session crashes."""

from typing import cast

import pytest

from actors.messages.admission import Admitted, Connected, From
from actors.messages.caller import Close, Error, HungUp
from actors.messages.identity import Identity
from actors.runtime import Stop
from actors.services import Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import CurrentCatalogue
from supervisor import SupervisorActor
from tests.kit.four import FOUR


@pytest.mark.parametrize("hung_up", [False, True])
def test_a_crash_is_told_unless_the_call_is_over_already(stage: Stage, hung_up: bool) -> None:
    """After a close nothing more is said."""
    supervisor = stage.launch(SupervisorActor, Services(CurrentCatalogue(FOUR), Wires(), cast(Pool, Decoders())))
    caller = Probe("caller")
    supervisor.tell(Connected(Identity("somebody"), 1, caller))
    session = caller.fish_for(Admitted).session
    if hung_up:
        session.tell(From(1, HungUp()))
    session.tell(cast(From, object()))  # nobody handles this
    if hung_up:
        assert caller.expect(Close).code == 1000
    else:
        assert caller.expect(Error).code == "internal"
        assert caller.expect(Close).code == 4500
    caller.expect_nothing()
    supervisor.tell(Stop())
    stage.expect_terminated(supervisor)
