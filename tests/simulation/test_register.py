"""The failing register itself: it fails in every way that it is made for, and keeps what a register promises."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Coroutine
from random import Random
from typing import Any, TypeVar

import pytest

from actors.testing.stage import Stage
from register import BOUNDS, Claim, Epoch, Memory, Register, RegisterAway, Spent, Taken
from tests.simulation.register import CALM, Trouble, TroubledRegister

T = TypeVar("T")

STORM = Trouble(late=0.2, away=0.03, forgetful=0.02, longest=2.0)
TOKEN = b"t" * 32
KEPT = 60.0


def start(story: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin a story; what goes wrong in it is raised when its result is looked at."""
    return asyncio.get_running_loop().create_task(story)


def memory_of(stage: Stage) -> Memory:
    """A memory that lives in virtual time."""
    return Memory(lambda: 1e9 + stage.now)


async def bounded(asked: Awaitable[T]) -> T:
    """The answer, which comes in time or is not waited for."""
    now = asyncio.get_running_loop().time
    began = now()
    try:
        return await asked
    finally:
        assert now() - began <= BOUNDS.answer + 1e-6


async def lives(register: Register, random: Random, saved: set[tuple[str, Epoch]]) -> None:
    """Begin and take calls of three users, and save them."""
    now = asyncio.get_running_loop().time
    while now() < 60.0:
        await asyncio.sleep(random.uniform(0.0, 0.3))
        user = random.choice("abc")
        try:
            taken = await bounded(register.take(user, TOKEN, KEPT)) if random.random() < 0.5 else None
            claim = taken.claim if isinstance(taken, Taken) else await bounded(register.claim(user, TOKEN, KEPT))
            while await bounded(register.save(claim, b"", KEPT)) and random.random() < 0.7:
                saved.add((user, claim.epoch))
                await asyncio.sleep(random.uniform(0.0, 0.5))
        except RegisterAway:
            pass


@pytest.mark.parametrize("seed", range(20))
def test_a_storm_passes(stage: Stage, seed: int) -> None:
    """When it is over both nodes are here again, and of each user the newest life alone can save, if any."""
    random, memory = Random(seed), memory_of(stage)
    nodes = [TroubledRegister(name, memory, random, STORM) for name in "mn"]
    saved = set[tuple[str, Epoch]]()
    stories = [start(lives(node, random, saved)) for node in nodes for _ in range(3)]
    stage.advance(70.0)
    for node in nodes:
        node.line.trouble = CALM
    stage.advance(STORM.longest)
    assert [story.result() for story in stories] == [None] * 6
    assert [node.presence.here for node in nodes] == [True, True]
    happened = sum((node.line.happened for node in nodes), Counter[str]())
    assert happened.keys() == {"late", "away", "forgetful", "too late"}
    assert len(saved) > 50
    left = start(save_again(nodes, saved))
    stage.advance(10.0)
    for user, epochs in left.result().items():
        assert epochs in ([], [max(epoch for of, epoch in saved if of == user)])


async def save_again(nodes: list[TroubledRegister], saved: set[tuple[str, Epoch]]) -> dict[str, list[Epoch]]:
    """Of each user the lives that may still save, the newest tried first."""
    able: dict[str, list[Epoch]] = {user: [] for user, _ in saved}
    for user, epoch in sorted(saved, reverse=True):
        if await nodes[epoch % 2].save(Claim(user, epoch, TOKEN), b"", KEPT):
            able[user].append(epoch)
    return able


def test_what_is_late_was_carried_out(stage: Stage) -> None:
    """Some of what is not answered counts, and some does not: both are to be reckoned with."""
    memory, kinds = memory_of(stage), set[bool]()
    for seed in range(40):
        register = TroubledRegister("m", memory, Random(seed), Trouble(late=0.7, away=0.3, longest=1.0))
        asked = start(register.limits.spend([Spent(str(seed), 1, KEPT)]))
        stage.advance(BOUNDS.answer + 1.0)
        if isinstance(asked.exception(), RegisterAway):
            kinds.add(memory.limits.spent.get(str(seed)) == 1)
            assert register.presence.unanswered["spend"] == 1
    assert kinds == {True, False}


def test_while_it_is_away_nothing_waits(stage: Stage) -> None:
    """It is asked, and says so at once; and comes back by itself."""
    register = TroubledRegister("m", memory_of(stage), Random(1), Trouble(away=1.0, longest=3.0))
    first = start(register.claim("a", TOKEN, KEPT))
    stage.advance(BOUNDS.answer)
    assert isinstance(first.exception(), RegisterAway)
    assert not register.presence.here
    second = start(register.claim("a", TOKEN, KEPT))
    stage.settle()
    assert isinstance(second.exception(), RegisterAway)
    register.line.trouble = CALM
    stage.advance(3.0)
    third = start(register.claim("a", TOKEN, KEPT))
    stage.advance(BOUNDS.answer)
    assert third.result().user == "a"
