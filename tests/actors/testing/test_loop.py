"""Order and time on a stage."""

import asyncio
import random
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from actors.runtime import LoopActor, Ref, Stop
from actors.runtime.actor import TURN_MESSAGES
from actors.testing.probe import Probe
from actors.testing.stage import Stage


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class WaitMore:
    seconds: float


class Clerk(LoopActor[Any]):
    """Tells on what it hears, with its name and the time; waits when it is told to."""

    def __init__(self, name: str, to: Ref[Any]) -> None:
        super().__init__()
        self.name, self.to = name, to

    def on_receive(self, message: Any) -> None:
        match message:
            case Wait(seconds) | WaitMore(seconds) if type(message) not in self._alarms:
                self.to.tell((self.name, asyncio.get_running_loop().time()))
                if seconds:
                    self.after(seconds, type(message)(0))
            case Stop():
                self.end()
            case str() | int():
                self.to.tell((self.name, message))


def clerks(stage: Stage, to: Ref[Any], names: str = "abcd") -> list[Any]:
    """One of each name."""
    return [stage.launch(Clerk, name, to) for name in names]


def everybody_ends(refs: list[Any]) -> None:
    """Ask all of them to."""
    for ref in refs:
        ref.tell(Stop())


def story(seed: int | None, messages: int = 40) -> list[tuple[str, int]]:
    """Who handled which of their messages when, with this seed."""
    with Stage(seed) as stage:
        told = Probe()
        refs = clerks(stage, told)
        for number in range(messages):
            for ref in refs:
                ref.tell(number)
        everybody_ends(refs)
        return told.heard


def test_without_a_seed_actors_take_turns_in_the_order_in_which_they_were_told(stage: Stage) -> None:
    """A turn ends after so many messages, however slow the machine is."""
    order = [name for name, _ in story_on(stage)]
    assert order == [*"a" * TURN_MESSAGES, *"b" * TURN_MESSAGES, *"a" * 8, *"b" * 8]


def story_on(stage: Stage) -> list[tuple[str, int]]:
    """Two actors, each with more in its mailbox than a turn may handle, and slow."""
    told = Probe()

    class Slow(Clerk):
        def on_receive(self, message: Any) -> None:
            threading.Event().wait(0.0005)
            super().on_receive(message)

    refs = [stage.launch(Slow, name, told) for name in "ab"]
    stage.settle()
    for ref in refs:
        for number in range(TURN_MESSAGES + 8):
            ref.tell(number)
    stage.settle()
    everybody_ends(refs)
    return told.heard


@pytest.mark.parametrize("seed", [None, 1, 2, 99])
def test_the_same_seed_gives_the_same_order(seed: int | None) -> None:
    """So what went wrong once can be seen again."""
    assert story(seed) == story(seed)


def test_two_seeds_give_two_orders() -> None:
    """And no seed gives a third."""
    assert len({tuple(story(seed)) for seed in (None, 1, 2, 3, 4)}) == 5


def test_chance_repeats_itself_on_a_stage() -> None:
    """With the same seed, and with none; beside the stage it goes on as if there had been none."""

    def drawn(seed: int | None) -> float:
        with Stage(seed):
            return random.random()

    random.seed(1)
    first, then = random.random(), random.random()
    random.seed(1)
    assert random.random() == first
    assert len({drawn(seed) for seed in (None, 1, 2, None, 1, 2)}) == 3
    assert random.random() == then


@pytest.mark.parametrize("seed", range(20))
def test_each_actor_handles_what_it_was_told_in_order_whatever_the_seed(seed: int) -> None:
    """Only the order between actors is open."""
    told = story(seed)
    for name in "abcd":
        assert [number for teller, number in told if teller == name] == list(range(40))


def test_timers_fire_in_order_at_their_exact_times(stage: Stage) -> None:
    """The clock stands at each of them while its actor handles it, and at the end where it was sent."""
    told = Probe()
    one, other = refs = clerks(stage, told, "ab")
    one.tell(Wait(0.3))
    one.tell(WaitMore(86_400))
    other.tell(Wait(0.1))
    stage.settle()
    told.take()
    stage.advance(0.2)
    assert (told.take(), stage.now) == ([("b", 0.1)], 0.2)
    stage.advance(90_000)
    assert (told.take(), stage.now) == ([("a", 0.3), ("a", 86_400)], 90_000.2)
    everybody_ends(refs)


def test_ten_tenths_of_a_second_are_a_second(stage: Stage) -> None:
    """Time is added up without rounding."""
    told = Probe()
    refs = clerks(stage, told, "a")
    refs[0].tell(Wait(1))
    told.expect(("a", 0.0))
    for _ in range(9):
        stage.advance(0.1)
        told.expect_nothing()
    stage.advance(0.1)
    told.expect(("a", 1.0))
    assert stage.now == 1.0
    everybody_ends(refs)


def test_a_timer_that_is_later_by_a_rounding_error_is_later(stage: Stage) -> None:
    """Who sets one again for the rest of a moment comes to an end."""
    rang: list[float] = []
    loop = asyncio.get_running_loop()

    def ring() -> None:
        rang.append(loop.time())
        if len(rang) < 5:
            loop.call_later(1e-12, ring)

    loop.call_later(1, ring)
    stage.advance(1)
    assert rang == [1.0]
    stage.advance(0.001)
    assert len(set(rang)) == len(rang) == 5


def test_a_cancelled_timer_never_fires(stage: Stage) -> None:
    """Nor is it left behind."""
    asyncio.get_running_loop().call_later(1, pytest.fail, "it fired").cancel()
    stage.advance(2)


def test_time_does_not_go_back(stage: Stage) -> None:
    """A mistake in the test, so it is told."""
    with pytest.raises(ValueError, match="back"):
        stage.advance(-1)


def test_plain_tasks_run_and_sleep_by_the_stages_clock(stage: Stage) -> None:
    """Also timeouts and events."""
    seen: list[Any] = []
    gate = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(2)
        seen.append(stage.now)
        try:
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        except TimeoutError:
            seen.append(stage.now)
        await gate.wait()
        seen.append("through")

    task = asyncio.get_running_loop().create_task(work())
    stage.advance(10)
    assert seen == [2.0, 5.0]
    gate.set()
    stage.settle()
    assert seen == [2.0, 5.0, "through"]
    assert task.done()


def test_an_ask_is_answered_when_the_stage_has_settled(stage: Stage) -> None:
    """Where waiting for it would be for ever."""

    class Answers(LoopActor[Any]):
        def on_receive(self, message: Any) -> Any:
            return message if isinstance(message, int) else None

    actor = stage.launch(Answers)
    asked = actor.ask(42, block=False)
    with pytest.raises(RuntimeError, match="would block the event loop"):
        asked.get()
    stage.settle()
    assert asked.get() == 42
    ended = actor.stop(block=False)
    stage.settle()
    assert ended.get() is True


def test_a_stage_that_never_comes_to_rest_says_who() -> None:
    """Two actors who answer each other without end."""

    class Echo(LoopActor[Any]):
        def on_receive(self, message: Any) -> None:
            self.me.tell("again")

    def restless() -> None:
        with Stage(most_steps=1000) as stage:
            stage.launch(Echo)
            stage.settle()

    with pytest.raises(AssertionError, match=r"never comes to rest.*_turn"):
        restless()


def test_a_jump_leaves_nothing_out_and_runs_it_late(stage: Stage) -> None:
    """In the order in which it was due, and all at the time after the jump."""
    loop, ran = asyncio.get_running_loop(), list[tuple[str, float]]()
    loop.call_later(3.0, lambda: ran.append(("second", loop.time())))
    loop.call_later(1.0, lambda: ran.append(("first", loop.time())))
    loop.call_later(60.0, lambda: ran.append(("third", loop.time())))
    stage.jump(45.0)
    assert ran == [("first", 45.0), ("second", 45.0)]
    stage.advance(15.0)
    assert ran[2:] == [("third", 60.0)]
