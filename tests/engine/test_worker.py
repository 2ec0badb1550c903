import asyncio
import threading
from contextlib import suppress

from engine.load import Job, Load
from engine.worker import Workers
from tests.kit.parts import stand
from tests.kit.story import run, until


async def ask(workers: Workers, since: float, name: str, done: list[str]) -> None:
    await workers.run(Job("ear", 1.0), since, done.append, name)


def test_who_has_waited_longest_is_first() -> None:
    """Jobs run in the order in which their callers began to wait; of equals, the first added."""

    async def whole() -> list[str]:
        workers, free, done = Workers(1), threading.Event(), list[str]()
        async with asyncio.TaskGroup() as group:
            group.create_task(workers.run(Job("ear", 1.0), 0.0, stand, free))
            await until(lambda: workers.queued == 1)
            for since, name in ((3.0, "c"), (1.0, "a"), (2.0, "b"), (3.0, "d")):
                group.create_task(ask(workers, since, name, done))
            await until(lambda: workers.queued == 5)
            free.set()
        await until(lambda: workers.queued == 0)
        workers.close()
        return done

    assert run(whole()) == ["a", "b", "c", "d"]


def test_as_many_run_as_there_are_threads() -> None:
    """Two jobs that wait for each other both end, if there are two threads."""

    async def whole() -> None:
        workers, meeting = Workers(2), threading.Barrier(2, timeout=60)
        await asyncio.gather(*(workers.run(Job("ear", 1.0), 0.0, meeting.wait) for _ in range(2)))
        workers.close()

    run(whole())


def test_what_is_cancelled_leaves_the_queue_at_once() -> None:
    """A cancelled job leaves the queue at once; the result of one that runs is dropped; both free their thread."""

    async def whole() -> None:
        workers, free, done = Workers(1, Load(1)), threading.Event(), list[str]()
        running = asyncio.create_task(workers.run(Job("ear", 1.0), 0.0, stand, free))
        await until(lambda: workers.queued == 1)
        waiting = [asyncio.create_task(ask(workers, 1.0, str(n), done)) for n in range(3)]
        await until(lambda: workers.queued == 4)
        for task in (running, *waiting[:2]):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert workers.queued == 2  # the one that a thread is still at, and the one that nobody cancelled
        free.set()
        await asyncio.gather(*waiting[2:])
        assert done == ["2"]
        await ask(workers, 2.0, "next", done)
        await until(lambda: workers.queued == 0)
        workers.close()

    run(whole())


def test_who_is_cancelled_as_the_turn_comes_hands_it_on() -> None:
    """A thread that was assigned to a job cancelled at the same moment serves the next."""

    async def whole() -> None:
        workers, free, done = Workers(1), threading.Event(), list[str]()
        first = asyncio.create_task(workers.run(Job("ear", 1.0), 0.0, stand, free))
        await until(lambda: workers.queued == 1)
        leaving = asyncio.create_task(ask(workers, 1.0, "leaving", done))
        staying = asyncio.create_task(ask(workers, 2.0, "staying", done))
        await until(lambda: workers.queued == 3)
        first.add_done_callback(lambda _: leaving.cancel())
        free.set()
        await staying
        assert "staying" in done
        await until(lambda: workers.queued == 0)
        workers.close()

    run(whole())


def test_a_failing_job_fails_its_caller_alone() -> None:
    """The exception is raised for the caller, and the thread serves the next job."""

    async def whole() -> list[str]:
        workers, done = Workers(1), list[str]()
        try:
            await workers.run(Job("voice", 1.0), 0.0, int, "none")
        except ValueError:
            await ask(workers, 0.0, "next", done)
        workers.close()
        return done

    assert run(whole()) == ["next"]
