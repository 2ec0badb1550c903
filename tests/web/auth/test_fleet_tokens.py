"""Tokens of one call, where several servers take them: the memory of it, and what a server says that cannot ask."""

import asyncio
from random import Random

import pytest

from actors.messages.identity import Identity
from actors.testing.stage import Stage
from register import Memory, RegisterAway
from tests.simulation.register import CALM, Trouble, TroubledRegister
from web.auth.doorman import ClosedDoor, Visitor
from web.auth.fleet_tokens import FleetUsedTokens
from web.auth.refusal import CANNOT_TELL, USED
from web.auth.used_tokens import MOST_TRIES

AWAY = Trouble(away=1.0, longest=2.0)
WALL = 1_800_000_000


class Server:
    """One of two that take tokens."""

    def __init__(self, stage: Stage, name: str, memory: Memory) -> None:
        self._stage = stage
        self.register = TroubledRegister(name, memory, Random(name))
        self.used = FleetUsedTokens(self.register, lambda: WALL + stage.now)
        self.door = ClosedDoor(used=self.used)

    def take(self, token: str, seconds: int = 60) -> bool:
        """A connection opens with it. Raises RegisterAway."""
        task = asyncio.get_running_loop().create_task(self.used.take(token, WALL + int(self._stage.now) + seconds))
        self._stage.advance(0.5)
        return task.result()

    def admit(self, token: str) -> object:
        """What the door says to it."""
        visitor = Visitor(Identity("one"), token, WALL + 60)
        task = asyncio.get_running_loop().create_task(self.door.admit(visitor))
        self._stage.advance(0.5)
        return task.result()


@pytest.fixture
def servers(stage: Stage) -> tuple[Server, Server]:
    """Two, which share what is used."""
    memory = Memory(lambda: WALL + stage.now)
    return Server(stage, "a", memory), Server(stage, "b", memory)


def test_a_token_is_tried_so_often_on_all_servers(servers: tuple[Server, Server]) -> None:
    """And once it is spent on one of them no more."""
    a, b = servers
    assert [a.take("t"), b.take("t"), a.take("t"), b.take("t"), a.take("t")] == [True] * MOST_TRIES + [False] * 2
    assert a.take("u")
    a.used.spend("u")
    assert not a.take("u")
    assert not b.take("u")
    assert b.admit("u") == USED
    assert b.admit("v") is None


def test_two_that_come_at_once_on_two_servers_do_not_both_go_on(servers: tuple[Server, Server], stage: Stage) -> None:
    """Each may connect, as the first may be lost; the one that is heard spends it, and no third comes in."""
    a, b = servers
    tasks = [asyncio.get_running_loop().create_task(one.used.take("t", WALL + 60)) for one in (a, b)]
    stage.advance(0.5)
    assert [task.result() for task in tasks] == [True, True]
    b.used.spend("t")
    stage.advance(0.5)
    assert [a.take("t"), b.take("t")] == [False, False]


def test_without_the_register_no_token_is_taken(servers: tuple[Server, Server], stage: Stage) -> None:
    """The reason is no lie, and the token is as good as before when it is back."""
    a, _ = servers
    a.register.line.trouble = AWAY
    with pytest.raises(RegisterAway):
        a.take("t")
    for _ in range(2 * MOST_TRIES):
        assert a.admit("t") == CANNOT_TELL
    a.register.line.trouble = CALM
    stage.advance(3)
    assert a.admit("t") is None


def test_what_was_spent_meanwhile_is_told_when_the_register_is_back(
    servers: tuple[Server, Server], stage: Stage
) -> None:
    """The first word of a call came while the register was away."""
    a, b = servers
    assert a.take("t")
    a.register.line.trouble = AWAY
    with pytest.raises(RegisterAway):
        a.take("another")
    a.used.spend("t")
    stage.advance(0.1)
    a.register.line.trouble = CALM
    assert b.take("t")
    stage.advance(3)
    assert not b.take("t")


def test_a_use_is_known_for_longer_than_the_token_is_good(servers: tuple[Server, Server], stage: Stage) -> None:
    """Also by the clock of another server, which is half a minute behind."""
    a, b = servers
    assert a.take("t")
    a.used.spend("t")
    stage.advance(89)
    assert not b.take("t", seconds=1)
