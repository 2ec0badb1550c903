"""Who may come in, with real sessions under a real supervisor."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest

from actors.admission.door import Door
from actors.budgets.limits import Budgets
from actors.budgets.spending import Spending
from actors.budgets.sums import Memory
from actors.counters import Counters
from actors.messages.admission import Admitted, Connected, From, Inquired, Report
from actors.messages.caller import Chose, Close, Error, HungUp, Recorded
from actors.messages.identity import Identity
from actors.runtime import Stop
from actors.runtime.watchdog import LoopLag
from actors.services import Limits, Services
from actors.testing.probe import Probe
from actors.testing.scene import Decoders
from actors.testing.stage import Stage
from actors.testing.wire import Wires
from audio import Pool
from personas import CurrentCatalogue
from supervisor import SupervisorActor
from tests.kit.four import FOUR, TINA


class House:
    """A supervisor, and the connections to the model of all who call."""

    def __init__(self, stage: Stage, **more: Any) -> None:
        self.stage, self.wires = stage, Wires()
        self.decoders = Decoders()
        services = Services(CurrentCatalogue(FOUR), self.wires, cast(Pool, self.decoders), clock=stage.clock, **more)
        self.spending = services.spending
        self.supervisor = stage.launch(SupervisorActor, services)

    def calls(self, user: str, *says: Chose | HungUp | Recorded, address: str = "") -> Probe:
        """Somebody calls, and says this if they are let in."""
        caller = Probe(user)
        self.supervisor.tell(Connected(Identity(user), 1, caller, address=address))
        for admitted in [message for message in caller.box if isinstance(message, Admitted)]:
            for message in says:
                admitted.session.tell(From(1, message))
        self.stage.settle()
        return caller

    def close(self) -> None:
        """End all calls."""
        self.supervisor.tell(Stop())
        self.stage.advance(10)
        self.stage.expect_terminated(self.supervisor)


@pytest.fixture
def house(stage: Stage) -> Iterator[House]:
    """When the test is over, all calls are ended."""
    house = House(stage)
    yield house
    house.close()


def closed(caller: Probe) -> list[int]:
    """By which code, if the call is over."""
    return [message.code for message in caller.box if isinstance(message, Close)]


def test_one_user_cannot_use_up_the_lines_of_all(stage: Stage, house: House) -> None:
    """Calling and hanging up in a loop is refused after a while; others come in, and so does the one, later."""
    codes = [closed(house.calls("loop", HungUp())) for _ in range(12)]
    assert codes == [[1000]] * 10 + [[4429]] * 2
    assert closed(house.calls("other", Chose(TINA))) == []
    stage.advance(9.9)
    assert closed(house.calls("loop", HungUp())) == [4429]
    stage.advance(0.1)
    assert closed(house.calls("loop", HungUp())) == [1000]


def test_the_door_is_open_while_there_is_a_line_free(stage: Stage) -> None:
    """What /ready says is what the next caller finds."""
    for calls in (0, 1, 2, 3):
        door = Door(Limits(sessions=2), Spending(Budgets(), Memory(), stage.clock), LoopLag())
        assert door.is_open(calls) == (door.refusal("somebody", calls, False, 0.0) is None) == (calls < 2)


def told(caller: Probe) -> list[tuple[str, bool]]:
    """The limits that the caller was told, and whether with a time to wait."""
    return [(message.limit, message.retry_after > 0) for message in caller.box if isinstance(message, Error)]


def test_a_late_loop_lets_nobody_new_in(stage: Stage) -> None:
    """Whoever is on the line stays; when the loop is on time again, others come in."""
    counters = Counters()
    house = House(stage, counters=counters)
    first = house.calls("first", Chose(TINA))
    for _ in range(60):
        counters.late.add(0.2)
    late = house.calls("late", Chose(TINA))
    assert (closed(late), told(late)) == ([4429], [("late_ms", True)])
    assert closed(first) == []
    for _ in range(60):
        counters.late.add(0.0)
    assert closed(house.calls("later", Chose(TINA))) == []
    house.close()


def test_one_stall_of_the_loop_keeps_nobody_out(stage: Stage) -> None:
    """Of 300 ms, among delays that are none."""
    lag = LoopLag()
    door = Door(Limits(), Spending(Budgets(), Memory(), stage.clock), lag)
    for late in (0.0, 0.3, 0.0):
        lag.add(late)
        assert door.is_open(0)
        assert door.refusal("somebody", 0, False, 0.0) is None


def test_one_address_has_so_many_calls(stage: Stage) -> None:
    """Others come in; so does whoever replaces their own call; a call that ends makes room."""
    house = House(stage, limits=Limits(address_calls=2))
    here, there = "192.0.2.1", "192.0.2.2"
    assert closed(house.calls("one", Chose(TINA), address=here)) == []
    assert closed(house.calls("two", Chose(TINA), address=here)) == []
    refused = house.calls("three", Chose(TINA), address=here)
    assert (closed(refused), told(refused)) == ([4429], [("address_calls", True)])
    assert closed(house.calls("three", Chose(TINA), address=there)) == []
    assert closed(house.calls("two", HungUp(), address=here)) == [1000]
    stage.advance(10)
    assert closed(house.calls("four", Chose(TINA), address=here)) == []
    assert closed(house.calls("of ours", Chose(TINA))) == closed(house.calls("of ours too", Chose(TINA))) == []
    house.close()


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"sessions": 1}, "sessions"),
        ({"connects": 1}, "connects"),
        ({"calls": 1}, "calls"),
        ({"takeovers": 1}, "takeovers"),
    ],
)
def test_who_is_refused_is_told_the_limit_and_how_long_to_wait(
    stage: Stage, limits: dict[str, int], limit: str
) -> None:
    """Whichever it is."""
    house = House(stage, limits=Limits(**limits))
    for user in ("a", "a", "a") if limit in ("calls", "takeovers") else ("a", "b"):
        last = house.calls(user, Chose(TINA))
    assert (closed(last), told(last)) == ([4429], [(limit, True)])
    house.close()


def test_the_log_says_from_where_a_call_comes(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """And names its user as the server's owner wants it, in the line that ends the call, too."""
    caplog.set_level(logging.INFO)
    house = House(stage, log_name=lambda user: f"not {user[::-1]}")
    house.calls("somebody", HungUp(), address="192.0.2.1")
    house.calls("local", HungUp())
    house.close()
    lines = [record.getMessage() for record in caplog.records if " user=" in record.getMessage()]
    assert [line.split()[0] for line in lines] == ["began", "ended"] * 2
    assert all("somebody" not in line for line in lines)
    assert sum("user=not ydobemos" in line for line in lines) == 2
    assert lines[0].endswith("address=192.0.2.1")
    assert lines[2].endswith("address=-")


def test_a_session_knows_from_where_its_caller_calls(house: House) -> None:
    """So its clips take turns with those of the same address."""
    house.decoders.by_hand = True
    house.calls("somebody", Chose(TINA), Recorded(b"a clip"), address="192.0.2.1")
    assert house.decoders.clips[-1].by[0] == ("address", "192.0.2.1")


def test_who_has_spent_their_day_is_not_let_in(stage: Stage) -> None:
    """They are told why; others come in, until the server has spent its own: then it is not ready, either."""
    house = House(stage, budgets=Budgets(budget_user_tokens=100, budget_day_tokens=150))
    spending, ready = house.spending, Probe("ready")
    call = house.calls("loop", Chose(TINA))
    spending.call("loop").book(100, 0)
    refused = house.calls("loop", Chose(TINA))
    reason = "what your calls may cost in a day is spent: call again after 00:00 UTC"
    assert (refused.expect(Error), refused.expect(Close)) == (Error("budget", reason), Close(4402, reason))
    assert closed(call) == []  # the newer call did not replace it
    assert closed(house.calls("other", Chose(TINA))) == []
    house.supervisor.tell(Inquired(ready))
    assert ready.expect(Report).admitting
    spending.call("other").book(50, 0)
    assert closed(house.calls("third", Chose(TINA))) == [4402]
    house.supervisor.tell(Inquired(ready))
    assert not ready.expect(Report).admitting
    assert (spending.stopped["user_tokens"], spending.stopped["day_tokens"]) == (2, 2)
    house.supervisor.tell(Stop())
    stage.advance(10)
    stage.expect_terminated(house.supervisor)
