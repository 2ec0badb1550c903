"""What is spent is told to the register, and what others have spent is known within about a second."""

import asyncio
from collections.abc import Sequence

import orjson
import pytest

from actors.budgets.fleet_sums import key_of
from actors.budgets.limits import Budgets
from actors.fleet import telling
from actors.fleet.telling import MOST_TOLD, ask_for, tell
from actors.messages.caller import Chose, Close, HungUp, Summary
from actors.testing.stage import Stage
from personas import SHIPPED, Catalogue
from register import Memory, Presence, Spent
from register.memory_limits import MemoryLimits
from tests.kit.fleet import Caller, Node, fleet
from tests.kit.four import FOUR, TINA
from tests.simulation.register import CALM, Trouble

SECOND = 2 * telling.TELL_SECONDS + 0.1  # to tell, and to be told
AWAY = Trouble(away=1.0, longest=2.0)


def day_of(node: Node, user: str = "") -> int:
    """The tokens that count for this user today."""
    return node.services.sums.read("2026-11-23", user).get("tokens", 0)


def test_the_limit_of_the_fleet_stops_calls_within_about_a_second(stage: Stage) -> None:
    """What another server spent counts here, when a call comes to something and when one begins; of users, too."""
    with fleet(stage, FOUR, budgets=Budgets(budget_day_tokens=1000)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        there, here = a.services.spending.call("one"), b.services.spending.call("two")
        assert here.book(100, 0) is None
        there.book(899, 0)
        stage.advance(SECOND)
        assert (day_of(a), day_of(b)) == (999, 999)
        assert not b.services.spending.full()
        assert here.book(1, 0) is not None
        there.book(1, 0)
        assert b.services.spending.full()
        stage.advance(SECOND)
        assert a.services.spending.full()
        refused = a.connects("three")
        stage.advance(0.1)
        assert refused.closed == Close(4402, "what this server may spend in a day is spent: call again after 00:00 UTC")


def test_a_server_that_ends_tells_what_was_spent_last(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the time since it told before, however short: the next call of this user begins with all of it."""
    monkeypatch.setattr(telling, "TELL_SECONDS", 1e6)  # it tells at its end alone
    with fleet(stage, FOUR, budgets=Budgets(budget_user_tokens=1000)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        a.services.spending.call("one").book(100, 0)
        stage.advance(SECOND)
        a.end()
        nodes.nodes.remove(a)
        b.connects("one")
        stage.advance(0.1)
        assert day_of(b, "one") == 100


def test_what_is_spent_while_the_register_is_away_is_told_when_it_is_back(stage: Stage) -> None:
    """What was asked and not answered may have counted: it is told no more, and this server goes on counting it."""
    with fleet(stage, FOUR, budgets=Budgets(budget_day_tokens=1000)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        call = a.services.spending.call("one")
        stage.advance(SECOND)
        a.register.line.trouble = AWAY
        call.book(10, 0)
        while a.register.presence.here:
            stage.advance(0.05)  # this is asked
        call.book(200, 0)  # this is not asked meanwhile
        a.register.line.trouble = CALM
        stage.advance(4)
        assert (day_of(a), day_of(b)) == (210, 200)


def test_a_server_that_ends_tells_what_is_left(stage: Stage) -> None:
    """Without waiting for the next second."""
    with fleet(stage, FOUR, budgets=Budgets(budget_day_tokens=1000)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        stage.advance(SECOND)
        a.services.spending.call("one").book(10, 0)
        a.end()
        stage.advance(SECOND)
        assert day_of(b) == 10


def test_a_slow_register_does_not_keep_a_server_that_ends(stage: Stage) -> None:
    """It has two seconds for what is left."""
    with fleet(stage, FOUR, budgets=Budgets(budget_user_tokens=10**6)) as nodes:
        a = nodes.node("a")
        stage.advance(1)
        for number in range(100 * MOST_TOLD):
            a.services.spending.call(f"user {number}").book(1, 0)
        slow = Slow(nodes.memory)
        a.register.limits = slow
        a.end(within=telling.LAST_SECONDS + 0.1)
        assert not slow.comes.is_set()


def test_a_register_that_lost_its_data_lets_nobody_spend_twice(stage: Stage) -> None:
    """Each server knows what was spent, and adds what is spent from then on."""
    with fleet(stage, FOUR, budgets=Budgets(budget_day_tokens=1000)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        one, two = a.services.spending.call("one"), b.services.spending.call("two")
        one.book(400, 0)
        two.book(300, 0)
        stage.advance(2 * SECOND)
        nodes.memory.forget()
        stage.advance(2 * SECOND)
        one.book(100, 0)
        two.book(150, 0)
        stage.advance(2 * SECOND)
        assert (day_of(a), day_of(b)) == (950, 950)


def test_ten_thousand_users_are_told_piece_by_piece(stage: Stage) -> None:
    """After the register was away; whatever they are called, each has a sum of their own."""
    users = [
        "".join(name) for name in (f"{odd}{number}" for number in range(2000) for odd in ("", "{", "रवि|", " ", ":"))
    ]
    with fleet(stage, FOUR, budgets=Budgets(budget_user_tokens=10**6)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        stage.advance(1)
        asked = a.register.presence.asked
        before = asked["spend"]
        for number, user in enumerate(users):
            a.services.spending.call(user).book(number + 1, 0)
        assert a.services.fleet_sums
        told = tell(a.register, a.services.fleet_sums, a.services.spending)
        task = asyncio.get_running_loop().create_task(told)
        stage.advance(5)
        assert task.done()
        least = len(users) // MOST_TOLD
        assert least <= asked["spend"] - before <= least + 10
        for number in (0, 4999, 9999):
            b.connects(users[number])
        stage.advance(0.5)
        assert [day_of(b, users[number]) for number in (0, 4999, 9999)] == [1, 5000, 10000]


def test_what_is_left_when_the_register_goes_away_is_told_later(stage: Stage) -> None:
    """Of several pieces the one that was on its way is told no more, the others are."""
    with fleet(stage, FOUR, budgets=Budgets(budget_user_tokens=10**6, budget_day_tokens=10**6)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        stage.advance(1)
        users = [f"user {number}" for number in range(3 * MOST_TOLD)]
        for user in users:
            a.services.spending.call(user).book(1, 0)
        a.register.line.trouble = AWAY
        while a.register.presence.here:
            stage.advance(0.05)
        a.register.line.trouble = CALM
        stage.advance(4)
        known = [nodes.memory.limits.spent.get(key_of(("2026-11-23", user, "tokens"))) for user in users]
        assert known.count(1) >= 2 * MOST_TOLD
        assert day_of(a) == 3 * MOST_TOLD
        assert day_of(b) <= day_of(a)


def test_an_answer_from_before_a_loss_of_data_is_not_counted_after_it(stage: Stage) -> None:
    """It was on its way while the register told that it knows nothing any more."""
    with fleet(stage, FOUR, budgets=Budgets(budget_user_tokens=10**6)) as nodes:
        a = nodes.node("a")
        a.services.spending.call("one").book(100, 0)
        stage.advance(1)
        sums = a.services.fleet_sums
        assert sums
        slow = Slow(nodes.memory)
        asked = asyncio.get_running_loop().create_task(ask_for(slow, sums, a.services.spending.sums_of("one")))
        stage.settle()
        nodes.memory.forget()
        a.services.spending.call("one").book(1, 0)
        stage.advance(1)
        slow.comes.set()
        stage.settle()
        assert asked.done()
        assert day_of(a, "one") == 101


class Slow(MemoryLimits):
    """Its answers come when the test says so."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory.shared, Presence(memory.now))
        self.comes = asyncio.Event()

    async def spend(self, spent: Sequence[Spent]) -> tuple[int, ...]:
        answer = await super().spend(spent)
        await self.comes.wait()
        return answer


def bill(caller: Caller) -> str:
    """What the call has cost."""
    return next(one for one in caller.heard if isinstance(one, Summary)).bill.price[0].text


def test_free_seconds_are_those_of_a_day_on_all_servers(stage: Stage) -> None:
    """Who has talked for a minute elsewhere pays from the first second."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row["pricing"] = {"per_minute": 60, "currency": "INR", "free_seconds": 60}
    with fleet(stage, Catalogue.from_data(data)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        first = a.calls("one", TINA)
        stage.advance(60)
        first.says(HungUp())
        stage.advance(SECOND)
        assert bill(first) == "0.00 INR"
        second = b.calls("one", TINA)
        stage.advance(30)
        second.says(HungUp())
        stage.advance(SECOND)
        assert bill(second) == "30.00 INR"


def test_begun_minutes_are_those_of_a_day_on_all_servers(stage: Stage) -> None:
    """Two calls of half a minute are one begun minute, wherever they were."""
    data = orjson.loads(SHIPPED.read_bytes())
    for row in data["astrologers"]:
        row["pricing"] = {"per_minute": 60, "currency": "INR", "rounding": "minute"}
    with fleet(stage, Catalogue.from_data(data)) as nodes:
        a, b = nodes.node("a"), nodes.node("b")
        bills = []
        for node in (a, b):
            caller = node.connects("one")
            stage.advance(0.1)
            caller.says(Chose(TINA))
            stage.advance(0.1)
            node.welcome()
            stage.advance(29)
            caller.says(HungUp())
            stage.advance(SECOND)
            bills.append(bill(caller))
        assert bills == ["60.00 INR", "0.00 INR"]
