"""What a stage refuses, what it lets surface, and what it says of what is left on it."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pykka
import pytest

from actors.runtime import Boot, Down, LoopActor, Stop, launch
from actors.testing.probe import Probe
from actors.testing.stage import Stage


class Doer(LoopActor[Any]):
    """Does what it is told."""

    name = "doer"

    def on_receive(self, message: Any) -> None:
        match message:
            case Stop():
                self.end()
            case Boot() | Down():
                pass
            case _:
                message(self)


def fail(error: BaseException) -> Callable[[Any], None]:
    """A function of one argument that raises."""

    def act(_actor: Any) -> None:
        raise error

    return act


def left_by(play: Callable[[Stage], object]) -> str:
    """What a stage complains of at its end, after this."""
    with pytest.raises(AssertionError) as caught, Stage() as stage:
        play(stage)
    assert asyncio._get_running_loop() is None
    assert pykka.ActorRegistry.get_all() == []
    return str(caught.value)


# What is left.


def test_an_actor_that_is_left_is_named() -> None:
    """And cleared away, so that the next test has a clean stage."""
    assert "actor Doer: end it, and settle" in left_by(lambda stage: stage.launch(Doer))


def test_a_child_that_is_left_is_named_although_its_parent_ended() -> None:
    """The base waits only so long for children."""

    class Undying(Doer):
        def _finish(self) -> None:
            pass

    def play(stage: Stage) -> None:
        parent = stage.launch(Doer)
        parent.tell(lambda me: me.hire(Undying))
        parent.tell(Stop())
        stage.advance(3)
        stage.expect_terminated(parent)

    told = left_by(play)
    assert told == "left on the stage:\n  actor Undying: end it, and settle"


def test_a_task_that_is_left_is_named() -> None:
    """By its name and its coroutine; it is cancelled."""
    cancelled: list[bool] = []
    kept: list[Any] = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    told = left_by(lambda stage: kept.append(asyncio.get_running_loop().create_task(wait_for_ever(), name="watch")))
    assert "task watch" in told
    assert "wait_for_ever" in told
    assert cancelled == [True]


def test_a_timer_of_a_dead_actor_is_named() -> None:
    """One that the base could not cancel, because it was not set with `after`."""

    def play(stage: Stage) -> None:
        actor = stage.launch(Doer)
        actor.tell(lambda me: asyncio.get_running_loop().call_later(60, me.on_receive, Boot()))
        actor.tell(Stop())

    assert "timer due at 60 s: <TimerHandle when=60.0 Doer.on_receive(Boot())" in left_by(play)


def test_a_clean_stage_has_nothing_to_say(stage: Stage) -> None:
    """A timer that an actor has set ends with it, and its mailbox too."""
    actor = stage.launch(Doer)
    actor.tell(lambda me: me.after(60, Boot()))
    assert stage.actors() == [actor]
    actor.tell(Stop())
    stage.settle()
    assert (stage.actors(), stage.left()) == ([], [])


def test_a_test_that_fails_is_not_blamed_for_what_it_leaves() -> None:
    """Its own error is what counts; with the seed, for who wants to see it again."""

    def play() -> None:
        with Stage(seed=7) as stage:
            stage.launch(Doer)
            raise KeyError("its own")

    with pytest.raises(KeyError, match="its own") as caught:
        play()
    assert caught.value.__notes__ == ["on a stage with seed 7"]
    assert pykka.ActorRegistry.get_all() == []


# What surfaces.


def test_a_crash_that_was_not_expected_fails_the_test() -> None:
    """It is named, and its cause is the cause of the failure."""
    told = left_by(lambda stage: stage.launch(Doer).tell(fail(ValueError("no"))))
    assert "a crash of Doer, ValueError('no'): expect_terminated(ref, ValueError)" in told


def test_a_crash_that_was_expected_is_none(stage: Stage) -> None:
    """It is expected by its type."""
    actor = stage.launch(Doer)
    actor.tell(fail(ValueError("no")))
    with pytest.raises(AssertionError, match="not by KeyError"):
        stage.expect_terminated(actor, KeyError)
    with pytest.raises(AssertionError, match="did not end quietly"):
        stage.expect_terminated(actor)
    stage.expect_terminated(actor, ValueError)


def test_who_has_another_parent_ends_by_what_that_one_is_told(stage: Stage) -> None:
    """The stage knows that it ended, the parent knows why."""
    parent = Probe("parent")
    actor = launch(Doer(), parent)
    with pytest.raises(AssertionError, match="has not ended"):
        stage.expect_terminated(actor)
    actor.tell(fail(ValueError("no")))
    stage.expect_terminated(actor)
    with pytest.raises(AssertionError, match="was told to its parent"):
        stage.expect_terminated(actor, ValueError)
    parent.expect(Down, ref=actor, cause=ValueError)


def test_what_a_callback_raises_fails_the_test(stage: Stage) -> None:
    """A real loop would only log it."""
    asyncio.get_running_loop().call_soon(fail(ValueError("of nobody")), None)
    with pytest.raises(ValueError, match="of nobody"):
        stage.settle()
    asyncio.get_running_loop().call_later(5, fail(ValueError("later")), None)
    with pytest.raises(ValueError, match="later"):
        stage.advance(10)
    assert stage.now == 5


def test_what_a_task_raises_and_nobody_awaits_fails_the_test(stage: Stage) -> None:
    """As soon as nobody can await it any more."""

    async def work() -> None:
        raise ValueError("of a task")

    asyncio.get_running_loop().create_task(work())
    with pytest.raises(ValueError, match="of a task"):
        stage.settle()


def test_keyboard_interrupt_leaves_the_stage(stage: Stage) -> None:
    """Ctrl-C ends a test, whoever is at work."""
    actor = stage.launch(Doer)
    actor.tell(fail(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        stage.settle()
    stage.expect_terminated(actor, KeyboardInterrupt)


# What is refused.


def test_a_sleep_is_refused(stage: Stage) -> None:
    """To the test, with what to do instead."""
    with pytest.raises(AssertionError, match=r"stage.advance\(seconds\)"):
        time.sleep(1)


def test_a_sleep_in_an_actor_fails_the_test_although_the_actor_took_it_for_a_crash(stage: Stage) -> None:
    """The base would only make a Down of it."""
    parent = Probe()
    launch(Doer(), parent).tell(lambda me: time.sleep(1))
    with pytest.raises(AssertionError, match=r"self.after\(seconds"):
        stage.settle()
    parent.expect(Down, cause=AssertionError)


def test_others_may_sleep() -> None:
    """Threads beside the stage, and everybody when it is over."""
    with Stage():
        thread = threading.Thread(target=time.sleep, args=(0.001,))
        thread.start()
        thread.join()
    time.sleep(0)


@pytest.mark.parametrize("wait", [lambda ref: ref.ask("x"), lambda ref: ref.stop()], ids=["ask", "stop"])
def test_who_would_wait_for_an_actor_is_refused(stage: Stage, wait: Callable[[Any], object]) -> None:
    """The test, and an actor, which crashes of it."""
    actor, asker = stage.launch(Doer), stage.launch(Doer)
    with pytest.raises(RuntimeError, match="would block the event loop"):
        wait(actor)
    asker.tell(lambda me: wait(actor))
    stage.expect_terminated(asker, RuntimeError)
    actor.tell(Stop())


def test_an_actor_does_not_settle_the_stage(stage: Stage) -> None:
    """Nor does a probe that one looks at in a handler."""
    actor, probe = stage.launch(Doer), Probe()
    actor.tell(lambda me: probe.expect_nothing())
    stage.expect_terminated(actor, RuntimeError)


def test_threads_and_sockets_are_refused(stage: Stage) -> None:
    """When they would be done with would be the machine's choice."""

    async def work() -> None:
        await asyncio.to_thread(int)

    task = asyncio.get_running_loop().create_task(work())
    with pytest.raises(AssertionError, match="no threads, sockets or processes"):
        stage.settle()
    assert task.exception()  # else the loop is told of it once more, whenever the task is collected


def test_what_another_thread_tells_is_refused() -> None:
    """In that thread, and on the stage."""
    refused: list[BaseException] = []

    def play() -> None:
        with Stage() as stage:
            actor = stage.launch(Doer)
            stage.settle()
            thread = threading.Thread(target=tell, args=(actor,))
            thread.start()
            thread.join()
            stage.settle()

    def tell(actor: Any) -> None:
        try:
            actor.tell(Boot())
        except AssertionError as error:
            refused.append(error)

    with pytest.raises(AssertionError, match="one thread"):
        play()
    assert len(refused) == 1


def test_there_is_one_stage_at_a_time_and_none_on_a_running_loop(stage: Stage) -> None:
    """Who has a loop has no use for it."""
    with pytest.raises(RuntimeError, match="a loop runs here already"), Stage():
        pass
