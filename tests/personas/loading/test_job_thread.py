"""A thread for what may never come back."""

import asyncio
from contextlib import closing

import pytest

from personas.loading.job_thread import JobThread
from tests.kit.story import run


class Panic(BaseException):
    """As a library in Rust raises one."""


def test_whatever_a_job_raises_the_next_is_done() -> None:
    """It is told to whoever asked."""

    def panic() -> None:
        raise Panic

    async def story() -> None:
        with closing(JobThread("a test")) as thread:
            with pytest.raises(Panic):
                await thread.run(panic)
            async with asyncio.timeout(60):
                assert await thread.run(lambda: 7) == 7

    run(story())
