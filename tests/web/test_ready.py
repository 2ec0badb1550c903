"""/ready costs an outsider nothing: one question is asked, however many want to know."""

import asyncio

from actors.messages.admission import Inquired, Report
from tests.kit.story import run
from web.ready import Ready


class Supervisor:
    """It says how it is once the test lets it, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[Inquired] = []
        self.admitting = True

    def tell(self, message: Inquired, /) -> None:
        self.asked.append(message)
        message.reply_to.tell(Report(self.admitting, 0))


def test_many_at_once_and_one_after_another_are_one_question() -> None:
    """Until it is old; also the model is asked once."""
    dialled = 0

    async def would_answer() -> bool:
        nonlocal dialled
        dialled += 1
        await asyncio.sleep(0)
        return True

    async def story() -> None:
        supervisor = Supervisor()
        ready = Ready(supervisor, would_answer, fresh=3600)
        assert await asyncio.gather(*(ready.now() for _ in range(500))) == [True] * 500
        supervisor.admitting = False
        assert await ready.now()
        assert (len(supervisor.asked), dialled) == (1, 1)
        soon = Ready(supervisor, would_answer, fresh=0)
        assert not await soon.now()
        supervisor.admitting = True
        await asyncio.sleep(0.001)
        assert await soon.now()

    run(story())


def test_who_hangs_up_takes_no_answer_from_others() -> None:
    """The question goes on."""

    async def story() -> None:
        go_on = asyncio.Event()

        async def would_answer() -> bool:
            return await go_on.wait()

        ready = Ready(Supervisor(), would_answer)
        first, second = asyncio.create_task(ready.now()), asyncio.create_task(ready.now())
        await asyncio.sleep(0)
        first.cancel()
        go_on.set()
        assert await second
        assert first.cancelled()

    run(story())
