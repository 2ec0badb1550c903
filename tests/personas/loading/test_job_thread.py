"""A daemon thread for calls that may never return."""

import asyncio
from contextlib import closing

import pytest

from personas.loading.job_thread import JobThread
from tests.kit.story import run


class Panic(BaseException):
    """A BaseException, as libraries in Rust raise it."""


def test_whatever_a_job_raises_the_next_is_done() -> None:
    """The exception is raised for the caller, and the thread runs the next job."""

    def panic() -> None:
        raise Panic

    async def story() -> None:
        with closing(JobThread("a test")) as thread:
            with pytest.raises(Panic):
                await thread.run(panic)
            async with asyncio.timeout(60):
                assert await thread.run(lambda: 7) == 7

    run(story())
