"""The tables of docs/realtime.md, "While the caller is away": what a scenario has checked it yields, as a cell.

A scenario brings a call into a state and yields its name; then the line goes. It yields what is so at once, and what
goes on while the caller is away; then they come back, and it yields what is so from then on.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from actors.messages.admission import Ended, Leaving
from actors.messages.caller import Close
from actors.services import Limits
from actors.testing.scene import Scene
from actors.testing.stage import Stage
from tests.actors.away_states import STATES, draining
from tests.actors.away_subjects import SUBJECTS, the_meter, the_timers
from tests.kit.away_call import LATER, LONGEST, Scenario, TableCall
from tests.kit.streaming import heard

TEXT = (Path(__file__).parents[2] / "docs" / "realtime.md").read_text()
AWAY_SECONDS = 8.0


@pytest.fixture
def call(stage: Stage, scenario: Scenario) -> Iterator[TableCall]:
    """Ten seconds of talk; a connection to the model is to be replaced after twenty."""
    scene = Scene(stage, limits=Limits(call_seconds=LONGEST) if scenario is the_timers else None)
    scene.upstream.can = replace(scene.upstream.can, session_seconds=40.0)
    yield TableCall(scene)
    scene.end()


@pytest.mark.parametrize("scenario", [*SUBJECTS, *STATES], ids=lambda scenario: scenario.__name__)
def test_what_is_so_stands_in_the_table(call: TableCall, scenario: Scenario) -> None:
    """In the words of the scenario that has checked it."""
    steps = scenario(call)
    name = next(steps)
    call.loses()
    goes, away = next(steps), next(steps)
    call.returns()
    back = next(steps)
    assert next(steps, None) is None
    assert f"| {name} | {goes} | {away} | {back} |" in TEXT


def test_the_tables_have_no_other_rows() -> None:
    """Each has a scenario."""
    section = TEXT.split("## While the caller is away", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and " when the line goes " not in line]
    assert len(rows) == len(SUBJECTS) + len(STATES)


@pytest.mark.parametrize("scenario", STATES, ids=lambda scenario: scenario.__name__)
def test_what_holds_in_every_state(call: TableCall, scenario: Scenario) -> None:
    """Nothing is told to nobody, nothing is sent for them, the model stays, the time is right, and so is the bill."""
    steps = scenario(call)
    next(steps)
    line, talked, wires = call.line, call.scene.stage.now, call.scene.upstream.dialled
    line.take()
    sent = [heard(wire) for wire in wires]
    call.loses()
    next(steps)
    next(steps)
    call.scene.stage.advance(AWAY_SECONDS)
    line.expect_nothing()
    assert [heard(wire) for wire in wires[: len(sent)]] == sent
    assert not wires[-1].ended
    away = call.scene.stage.now - talked
    call.returns()
    assert call.resumed.away_ms == round(away * 1000)
    back = call.scene.stage.now
    next(steps)
    call.scene.stage.advance(LATER)
    talked += call.scene.stage.now - back - call.off
    call.goes(Close(1000, "hung up"))
    assert abs(call.scene.supervisor.fish_for(Ended).bill.seconds - talked) <= 1.5


@pytest.mark.parametrize("scenario", STATES, ids=lambda scenario: scenario.__name__)
def test_nobody_comes_back_in_any_state(call: TableCall, scenario: Scenario) -> None:
    """The call ends when the grace is over, or earlier where the server ends; nothing is kept."""
    next(scenario(call))
    call.loses()
    call.scene.supervisor.take()
    call.scene.stage.advance(29.9)
    early = [one.code for one in call.scene.supervisor.take() if isinstance(one, Leaving)]
    assert early == ([1001] if scenario is draining else [])
    call.scene.stage.advance(0.2)
    if not early:
        assert call.scene.supervisor.fish_for(Leaving).code == 1006
    call.scene.stage.advance(3.0)
    assert not call.scene.session.is_alive()
    assert call.scene.services.waiting.bytes == 0


@pytest.mark.parametrize("scenario", [the_meter])
def test_what_was_received_is_paid(call: TableCall, scenario: Scenario) -> None:
    """As the row of the meter says, to the second."""
    steps = scenario(call)
    next(steps)
    call.loses()
    next(steps), next(steps)
    call.returns()
    next(steps)
    call.goes(Close(1000, "hung up"))
    assert call.scene.supervisor.fish_for(Ended).bill.seconds == 10 + 1 + 2 + 1
