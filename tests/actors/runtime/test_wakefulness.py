"""A process that stood still knows it before anybody does anything."""

import asyncio

from actors.runtime import Boot, LoopActor, Stop, launch
from actors.runtime.wakefulness import SLEPT_SECONDS, Wakefulness
from tests.kit.story import run, until


class Noting(LoopActor[str | Boot | Stop]):
    """It notes what it is told."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self._notes = notes

    def on_receive(self, message: str | Boot | Stop) -> None:
        if isinstance(message, Stop):
            self.end()
        elif isinstance(message, str):
            self._notes.append(message)


def test_it_is_known_before_the_first_turn() -> None:
    """What was told before the sleep, and is handled after it, comes second."""

    async def story() -> None:
        notes, now = list[str](), [0.0]
        actor = launch(Noting(notes))
        await asyncio.sleep(0)
        watch = Wakefulness(lambda seconds: notes.append(f"slept {seconds:g}"), lambda: now[0])
        actor.tell("before")
        now[0] = 5.0
        await until(lambda: len(notes) == 2)
        assert notes == ["slept 5", "before"]
        watch.stop()
        now[0] = 50.0
        actor.tell("after")
        actor.tell(Stop())
        await until(lambda: not actor.is_alive())
        assert notes == ["slept 5", "before", "after"]

    run(story())


def test_it_is_known_without_a_turn() -> None:
    """A timer looks; a moment is no sleep."""

    async def story() -> None:
        slept, now = list[float](), [0.0]
        watch = Wakefulness(slept.append, lambda: now[0])
        now[0] = SLEPT_SECONDS
        watch.beat()
        assert slept == []
        now[0] += SLEPT_SECONDS + 0.5
        await until(lambda: slept)
        assert slept == [SLEPT_SECONDS + 0.5]
        watch.stop()

    run(story())
