"""The life of an actor on the loop: turns, ends, children, timers, threads."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pykka
import pytest
import uvloop

from actors import runtime
from actors.runtime import Boot, Down, LoopActor, LoopRef, Ref, Snapshot, Stop, launch
from actors.runtime.signals import ChildrenDone
from actors.testing.probe import Probe
from actors.testing.stage import Stage
from tests.kit.story import WITHIN, run


@dataclass(frozen=True)
class Do:
    """Have the actor run this."""

    act: Any


@dataclass(frozen=True)
class Rung:
    label: str = ""


class Doer(LoopActor[Any]):
    """Does as it is told, and tells what it hears."""

    name = "doer"

    def __init__(self, to: Ref[Any], on_boot: Any = None, on_stop: Any = None) -> None:
        super().__init__()
        self.to, self._on_boot, self._on_stop = to, on_boot, on_stop

    def on_receive(self, message: Any) -> Any:
        match message:
            case Do(act):
                return act(self)
            case Boot():
                if self._on_boot:
                    self._on_boot(self)
            case Stop():
                self.end()
            case _:
                self.to.tell(message)
        return None

    def on_stop(self) -> None:
        self.to.tell("stopped")
        if self._on_stop:
            self._on_stop(self)


def fail(error: BaseException) -> Any:
    """A function of one argument that raises."""

    def act(_actor: Any) -> None:
        raise error

    return act


def forget_actors() -> None:
    """Clear the registry of actors whose loop is gone."""
    for ref in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(ref)


def test_messages_are_handled_in_order_after_boot() -> None:
    """Boot comes first, then one FIFO in which nothing overtakes."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told, on_boot=lambda me: me.to.tell("boot")), parent)
        for number in range(100):
            actor.tell(number)
        actor.tell(Stop())
        await parent.told(Down)
        assert told.heard == ["boot", *range(100), "stopped"]

    run(story())


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError(), GeneratorExit()])
@pytest.mark.parametrize("where", ["on_boot", "handler", "on_stop"])
def test_whatever_ends_an_actor_tells_its_parent_once(
    error: BaseException, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash anywhere in its life ends in one Down with the cause, and one traceback in the log."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        hooks = {hook: fail(error) if where == hook else None for hook in ("on_boot", "on_stop")}
        actor = launch(Doer(told, **hooks), parent)
        actor.tell(Do(fail(error)) if where == "handler" else Stop())
        down = await parent.told(Down)
        assert (down.ref, down.name, down.incarnation, down.cause) == (actor, "doer", 1, error)
        parent.expect_nothing()
        assert [record.exc_info is not None for record in caplog.records] == [True]

    run(story())


def test_a_crash_of_one_actor_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """Even a BaseException in a handler ends that actor alone."""

    async def story() -> None:
        parent, told = Probe(), Probe()
        one, other = launch(Doer(told), parent), launch(Doer(told), parent)
        one.tell(Do(fail(GeneratorExit())))
        assert (await parent.told(Down)).ref is one
        other.tell("still here")
        assert await told.told(str) == "stopped"
        assert await told.told(str) == "still here"
        other.tell(Stop())
        await parent.told(Down)

    run(story())


def test_the_process_ends_on_keyboard_interrupt() -> None:
    """KeyboardInterrupt leaves the loop, after the actor's own end was begun."""

    async def story() -> None:
        actor = launch(Doer(Probe()), None)
        actor.tell(Do(fail(KeyboardInterrupt())))
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        run(story())
    forget_actors()


@pytest.mark.parametrize("where", ["handler", "on_stop"])
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_system_exit_ends_the_process_in_order(where: str, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Its parent is told first, like of any other crash; then it leaves the loop, also from the last thing that ran."""
    parent, unwound, leave = Probe(), list[str](), fail(SystemExit(3))

    async def story() -> None:
        actor = launch(Doer(Probe(), on_stop=leave if where == "on_stop" else None), parent)
        actor.tell(Do(leave) if where == "handler" else Stop())
        try:
            await asyncio.Event().wait()
        finally:
            unwound.append("story")
            await parent.told(Down)

    with pytest.raises(SystemExit) as left, asyncio.Runner(loop_factory=factory) as runner:
        runner.run(story())
    assert left.value.code == 3
    assert unwound == ["story"]
    assert pykka.ActorRegistry.get_all() == []


def test_children_end_first_in_reverse_order() -> None:
    """A parent's Down comes after those of its children, the youngest first."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        ended: list[str] = []

        def hire_three(me: Doer) -> None:
            for label in "abc":
                me.hire(Doer, told, None, lambda _me, label=label: ended.append(label))

        actor = launch(Doer(told, hire_three, lambda _me: ended.append("parent")), parent)
        actor.tell(Do(fail(ValueError())))
        assert isinstance((await parent.told(Down)).cause, ValueError)
        assert ended == ["c", "b", "a", "parent"]

    run(story())


def test_a_parent_hears_of_a_child_by_name_and_incarnation() -> None:
    """Children of one name are told apart, and a child's crash reaches its parent as a message."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told), parent)
        for _ in range(2):
            actor.tell(Do(lambda me: me.hire(Doer, told).tell(Do(fail(KeyError("x"))))))
        downs = [await told.told(Down) for _ in range(2)]
        assert {(down.name, down.incarnation) for down in downs} == {("doer", 1), ("doer", 2)}  # in any order
        assert all(isinstance(down.cause, KeyError) for down in downs)
        actor.tell(Stop())
        await parent.told(Down)

    run(story())


def test_a_child_that_will_not_end_is_not_waited_for_forever(stage: Stage) -> None:
    """After two seconds the parent ends without it."""

    class Undying(Doer):
        stays = True

        def _finish(self) -> None:
            if not self.stays:
                super()._finish()

    told, children = Probe(), list[LoopRef[Any]]()
    parent = stage.launch(Doer, told, lambda me: children.append(me.hire(Undying, told)))
    parent.tell(Stop())
    stage.advance(1.9)
    assert parent.is_alive()
    stage.advance(0.1)
    stage.expect_terminated(parent)
    (child,) = children
    Undying.stays = False
    child.tell(ChildrenDone())  # so that nobody is left


def test_what_an_actor_shows_of_itself(stage: Stage) -> None:
    """Its parent, its children and why it ends, as they are at that moment; of one that has ended there is nothing."""
    told, children = Probe(), list[LoopRef[Any]]()
    parent = stage.launch(Doer, told, lambda me: children.append(me.hire(Doer, told)))
    stage.settle()
    before = parent.snapshot()
    (child,) = children
    assert (before.children, before.cause) == ((child,), None)
    assert child.snapshot().parent is parent
    parent.tell(Stop())
    stage.settle()
    assert before.children == (child,)
    with pytest.raises(pykka.ActorDeadError):
        parent.snapshot()


def test_telling_the_dead_is_counted_and_dropped() -> None:
    """`tell` never raises; what comes too late is a dead letter."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told), parent)
        actor.tell(Stop())
        await parent.told(Down)
        before = runtime.ref.dead_letters
        actor.tell("anybody?")
        assert runtime.ref.dead_letters == before + 1

    run(story())


def test_a_timer_set_again_or_cancelled_is_never_delivered() -> None:
    """Timers are keyed by the type of their message: one that is set again is dropped."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told), parent)

        def set_twice(me: Doer) -> None:
            me.after(0, Rung("first"))
            me.after(0, Rung("second"))

        actor.tell(Do(set_twice))
        assert (await told.told(Rung)).label == "second"

        actor.tell(Stop())
        await parent.told(Down)

    run(story())


@pytest.mark.parametrize("act", ["cancel", "set again"])
def test_a_timer_that_fired_and_is_cancelled_is_not_handled(stage: Stage, act: str) -> None:
    """It waits in the mailbox behind the message that cancels it, or sets it again."""
    told = Probe()

    def cancel(me: Doer) -> None:
        me.cancel(Rung)
        if act == "set again":
            me.after(0, Rung("last"))

    def arm(me: Doer) -> None:
        asyncio.get_running_loop().call_later(1, actor.tell, Do(cancel))  # at the same moment, before the timer
        me.after(1, Rung("cancelled"))

    actor = stage.launch(Doer, told)
    actor.tell(Do(arm))
    stage.advance(2)
    assert told.take() == ([Rung("last")] if act == "set again" else [])
    actor.tell(Stop())
    stage.settle()


def test_a_turn_ends_after_so_many_messages() -> None:
    """An actor with a full mailbox lets the others have their turns."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        busy, other = launch(Doer(told), parent), launch(Doer(told), parent)
        for number in range(runtime.actor.TURN_MESSAGES * 3):
            busy.tell(number)
        other.tell("me too")
        busy.tell(Stop())
        other.tell(Stop())
        await parent.told(Down)
        await parent.told(Down)
        assert told.heard.index("me too") <= runtime.actor.TURN_MESSAGES

    run(story())


def test_a_turn_ends_after_a_millisecond() -> None:
    """Slow handlers do not keep the loop for a whole mailbox."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        busy, other = launch(Doer(told), parent), launch(Doer(told), parent)

        def slow(me: Doer) -> None:
            threading.Event().wait(runtime.actor.TURN_SECONDS * 2)
            me.to.tell("slow")

        for _ in range(4):
            busy.tell(Do(slow))
        other.tell("me too")
        busy.tell(Stop())
        other.tell(Stop())
        await parent.told(Down)
        await parent.told(Down)
        assert told.heard.index("me too") <= 2  # where the machine holds one up over its Boot, that was a turn

    run(story())


def test_a_mailbox_over_its_bound_ends_the_actor(caplog: pytest.LogCaptureFixture) -> None:
    """Its producer is at fault: the cause says so, what waits is dropped, and the log has one line."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told), parent)
        for number in range(runtime.actor.MOST_WAITING + 1):
            actor.tell(number)
        assert actor.backlog == runtime.actor.MOST_WAITING + 2  # with Boot
        down = await parent.told(Down)
        assert isinstance(down.cause, runtime.MailboxOverflow)
        assert told.heard == ["stopped"]
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert actor.backlog == 0

    run(story())


def test_a_mailbox_at_its_bound_is_worked_off() -> None:
    """The bound itself is no offence."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told), parent)
        for number in range(runtime.actor.MOST_WAITING - 2):
            actor.tell(number)
        actor.tell(Stop())
        assert (await parent.told(Down)).cause is None
        assert len(told.heard) == runtime.actor.MOST_WAITING - 1

    run(story())


def test_an_actor_has_one_turn_at_a_time() -> None:
    """Telling oneself in the middle of a turn does not earn a second one: the others come in between."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor, other = launch(Doer(told), parent), launch(Doer(told), parent)

        def multiply(me: Doer) -> None:
            for number in range(runtime.actor.TURN_MESSAGES * 4):
                me.me.tell(number)

        def take_turns(me: Doer) -> None:
            me.to.tell("mine")
            me.me.tell(Do(take_turns))

        actor.tell(Do(multiply))
        other.tell(Do(take_turns))
        while sum(isinstance(what, int) for what in told.heard) < runtime.actor.TURN_MESSAGES * 4:  # noqa: ASYNC110
            await asyncio.sleep(0)
        other.tell(Stop())
        actor.tell(Stop())
        await parent.told(Down)
        await parent.told(Down)
        turns = [list(turn) for own, turn in groupby(told.heard, key=lambda what: what == "mine") if not own]
        assert len(turns) >= 4
        assert max(map(len, turns[:-1])) <= runtime.actor.TURN_MESSAGES

    run(story())


def test_an_actor_that_ends_hires_nobody() -> None:
    """A child started then would outlive its parent's Down."""

    async def story() -> None:
        told, parent = Probe(), Probe()

        def end_and_hire(me: Doer) -> None:
            me.end()
            me.hire(Doer, told)

        launch(Doer(told), parent).tell(Do(end_and_hire))
        assert isinstance((await parent.told(Down)).cause, RuntimeError)

    run(story())


def test_an_ask_that_races_with_the_end_is_answered() -> None:
    """From another thread, at any moment: a value, or ActorDeadError, never silence."""

    async def story() -> None:
        def outside(actor: Any) -> str:
            try:
                return str(actor.ask(Do(lambda me: "alive"), timeout=WITHIN))
            except pykka.ActorDeadError:
                return "dead"

        for _ in range(100):
            actor = launch(Doer(Probe()))
            asked = asyncio.get_running_loop().run_in_executor(None, outside, actor)
            actor.tell(Stop())
            assert await asked in ("alive", "dead")

    run(story())


def test_the_loop_is_never_blocked_by_an_ask_or_a_stop() -> None:
    """On the loop both refuse to wait, with a clear error; awaited they work."""

    async def story() -> None:
        parent = Probe()
        actor = launch(Doer(Probe()), parent)
        with pytest.raises(RuntimeError, match="would block the event loop"):
            actor.ask(Do(lambda me: 1))
        with pytest.raises(RuntimeError, match="would block the event loop"):
            actor.stop()
        with pytest.raises(RuntimeError, match="would block the event loop"):
            pykka.ActorRegistry.stop_all()
        assert await actor.ask(Do(lambda me: 41 + 1), block=False) == 42
        assert await actor.stop(block=False) is True
        assert await actor.stop(block=False) is False
        with pytest.raises(pykka.ActorDeadError):
            await actor.ask(Do(lambda me: 1), block=False)

    run(story())


def test_an_ask_that_fails_ends_the_actor_and_tells_the_asker() -> None:
    """A failing ask is a crash like any other."""

    async def story() -> None:
        parent = Probe()
        actor = launch(Doer(Probe()), parent)
        with pytest.raises(ValueError, match="no"):
            await actor.ask(Do(fail(ValueError("no"))), block=False)
        assert isinstance((await parent.told(Down)).cause, ValueError)

    run(story())


def test_other_threads_may_tell_ask_and_stop() -> None:
    """From a thread everything works as Pykka promises, and wakes the loop."""

    async def story() -> None:
        told, parent = Probe(), Probe()
        actor = launch(Doer(told), parent)

        def outside() -> tuple[Any, Any]:
            for number in range(1000):
                actor.tell(number)
            answer = actor.ask(Do(lambda me: "answer"), timeout=WITHIN)
            return answer, actor.stop(timeout=WITHIN)

        assert await asyncio.to_thread(outside) == ("answer", True)
        assert told.heard == [*range(1000), "stopped"]

    run(story())


def test_an_actor_that_ended_is_collected() -> None:
    """Nothing keeps a dead actor in memory, and many may come and go."""
    actors: weakref.WeakSet[Doer] = weakref.WeakSet()

    async def story() -> None:
        parent = Probe()
        for _ in range(500):
            actor = Doer(Probe())
            actors.add(actor)
            launch(actor, parent).tell(Stop())
        del actor
        for _ in range(500):
            await parent.told(Down)

    run(story())
    gc.collect()
    assert len(actors) == 0


def test_an_actor_that_ended_keeps_nothing() -> None:
    """Nor does who still knows it: all that it had is let go of at once, without the garbage collector."""

    class Large:
        pass

    async def story() -> weakref.ref[Large]:
        parent, large = Probe(), Large()
        known = weakref.ref(large)
        actor = Doer(Probe())
        actor.large, actor.itself = large, actor  # type: ignore[attr-defined]
        del large
        launch(actor, parent).tell(Do(lambda me: 1 / 0))
        down = await parent.told(Down)
        assert isinstance(down.cause, ZeroDivisionError)
        assert known() is None
        assert actor.snapshot() == Snapshot(parent=None, children=(), cause=None)
        return known

    gc.disable()
    try:
        assert run(story())() is None
    finally:
        gc.enable()
