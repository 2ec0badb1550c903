"""A stage for real actors: they take their turns in a fixed order, on the test's own thread, by a virtual clock."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import sleep as really_sleep
from types import TracebackType
from typing import Any, ParamSpec, Self, SupportsIndex, TypeVar, cast

from pykka import ActorRegistry

from actors.runtime import Clock, Down, Hired, LoopActor, LoopRef, launch
from actors.testing.loop import MOST_STEPS, StageLoop
from actors.testing.probe import Probe
from actors.testing.schedule import NANOSECONDS

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

M = TypeVar("M")
P = ParamSpec("P")


class Stage:
    """Use as `with Stage() as stage`, or as the fixture `stage`.

    Within it `asyncio.get_running_loop()` is the stage's loop, so actors, their timers and plain tasks run unchanged.
    Telling runs nothing yet; settling and advancing do, and so does a probe before it looks. `seed` lets actors
    take their turns in a random order that the same seed repeats: in production there is no order between actors.
    Who does not come to rest within `most_steps` never will.

    At its end nobody may be left (an actor, a task, a timer), and no crash of an actor that was launched here may
    have gone unexpected: else AssertionError names them.
    """

    def __init__(self, seed: int | None = None, most_steps: int = MOST_STEPS) -> None:
        self.seed = seed
        self._loop = StageLoop(seed, most_steps)  # type: ignore[abstract]  # it offers what actors need, and no more
        self.clock = Clock(self._loop.time, lambda: MONDAY_NOON + timedelta(seconds=self._loop.time()))
        """The time on the stage. When it is set, the wall's is MONDAY_NOON."""
        self._downs = Probe()
        self._expected: set[LoopRef[Any]] = set()

    @property
    def now(self) -> float:
        """Seconds since the stage was set."""
        return self._loop.time()

    def launch(self, actor: Callable[P, LoopActor[M]], /, *args: P.args, **kwargs: P.kwargs) -> Hired[M]:
        """Start an actor as a child of the stage. For another parent use `launch(actor, parent)` of actors.runtime."""
        return launch(actor(*args, **kwargs), self._downs)

    def settle(self) -> None:
        """Run until nobody has anything to do. Raises what a callback raised and nobody caught."""
        self._loop.settle()

    def advance(self, seconds: float) -> None:
        """Let time pass: the clock jumps from timer to timer, and everything settles at each."""
        self._loop.advance(seconds)

    def jump(self, seconds: float) -> None:
        """The machine stands still for so long: what comes due meanwhile comes afterwards, all at the same time."""
        self._loop.schedule.now += round(seconds * NANOSECONDS)
        self._loop.settle()

    def actors(self) -> list[LoopRef[Any]]:
        """Who is alive on this stage, in the order in which they started."""
        everybody = cast(list[LoopRef[Any]], ActorRegistry.get_all())
        return [ref for ref in everybody if getattr(ref.actor_inbox, "loop", None) is self._loop]

    def expect_terminated(self, ref: LoopRef[Any], cause: type[BaseException] | None = None) -> None:
        """It has ended: quietly, or, when the stage launched it, by a `cause` of this type."""
        self.settle()
        assert not ref.is_alive(), f"{_name(ref)} has not ended"
        down = next((down for down in self._downs.heard if down.ref == ref), None)
        if down is None:
            assert cause is None, f"why {_name(ref)} ended was told to its parent, not to the stage: expect Down there"
            return
        self._expected.add(ref)
        if cause is None and down.cause is not None:
            raise AssertionError(f"{_name(ref)} did not end quietly: {down.cause!r}") from down.cause
        if cause is not None:
            assert isinstance(down.cause, cause), f"{_name(ref)} ended by {down.cause!r}, not by {cause.__name__}"

    # Setting and striking it.

    def open(self) -> Self:
        """Make its loop the running one, refuse sleep, and let chance (jitter, say) repeat itself."""
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("a loop runs here already: use a stage in a plain test function, one at a time")
        asyncio._set_running_loop(self._loop)
        time.sleep = _sleep
        self._chance = random.getstate()
        random.seed(f"stage {self.seed}")
        return self

    def close(self, check: bool = True) -> None:
        """Give back the loop and clear away what is left; with `check`, raise AssertionError if that is anything."""
        try:
            if check:
                self._loop.settle()
                self._check()
        finally:
            for ref in self.actors():
                ref.actor_inbox.turn = None
                ActorRegistry.unregister(ref)
            self._loop.close()
            time.sleep = really_sleep
            random.setstate(self._chance)
            asyncio._set_running_loop(None)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self.seed is not None:
            error.add_note(f"on a stage with seed {self.seed}")
        self.close(check=error is None)

    def _check(self) -> None:
        crashes = [down for down in self._downs.heard if down.cause and down.ref not in self._expected]
        if problems := [*(_crash(down) for down in crashes), *self.left()]:
            cause = crashes[0].cause if crashes else None
            raise AssertionError("\n".join(["left on the stage:", *problems])) from cause

    def left(self) -> list[str]:
        """What would be left if the stage ended now: living actors, tasks, and timers of nobody who is alive."""
        living = self.actors()
        actors = [f"  actor {_name(ref)}: end it, and settle" for ref in living]
        tasks = [task for task in self._loop.tasks if not task.done()]
        pending = [
            (owner, timer) for owner, timer in self._loop.schedule.pending() if not owner or owner.me not in living
        ]
        timers = [f"  timer due at {timer.when():g} s: {timer!r}" for _, timer in pending]
        return [*actors, *sorted(f"  task {task.get_name()}: {task.get_coro()!r}" for task in tasks), *timers]


def _crash(down: Down) -> str:
    return f"  a crash of {_name(down.ref)}, {down.cause!r}: expect_terminated(ref, {type(down.cause).__name__})"


def _name(ref: LoopRef[Any]) -> str:
    return ref.actor_class.__name__


def _sleep(seconds: float | SupportsIndex, /) -> None:
    loop = asyncio._get_running_loop()
    if isinstance(loop, StageLoop):
        loop.refuse("nothing sleeps on a stage: a test says stage.advance(seconds), an actor self.after(seconds, ...)")
    really_sleep(seconds)
