"""A judge model on a real socket, which answers as a test wants; and what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from cli.listening import bind

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def completion(*worries: tuple[str, bool]) -> web.Response:
    """A chat completion that has found these."""
    content = json.dumps({"worries": [{"kind": kind, "sure": sure} for kind, sure in worries]})
    return web.json_response({"choices": [{"message": {"role": "assistant", "content": content}}]})


async def calm(request: web.Request) -> web.StreamResponse:
    """Nothing is to worry about."""
    return completion()


class JudgeModel:
    """`answers` says what is answered next; `asked` holds the headers and the body of each question."""

    def __init__(self) -> None:
        self.answers: Answer = calm
        self.asked: list[tuple[dict[str, str], Any]] = []
        self.elsewhere = 0
        """Requests to any other path: of whoever follows a redirect."""
        self.free = asyncio.Event()
        """Set it to let those go on that hang."""

    async def hang(self, request: web.Request) -> web.StreamResponse:
        """Answer nothing until the test is over."""
        await self.free.wait()
        return completion()

    async def judge(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        self.asked.append((dict(request.headers), await request.json()))
        return await self.answers(request)

    async def other(self, request: web.Request) -> web.StreamResponse:
        """Anything else."""
        self.elsewhere += 1
        return completion(("suicide", True))


@asynccontextmanager
async def judge_model() -> AsyncIterator[tuple[JudgeModel, str]]:
    """The model, and the base URL of its API."""
    model, app = JudgeModel(), web.Application()
    app.router.add_post("/v1/chat/completions", model.judge)
    app.router.add_route("*", "/{path:.*}", model.other)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    listener = bind("127.0.0.1", 0)
    try:
        await web.SockSite(runner, listener).start()
        yield model, f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        model.free.set()
        await runner.cleanup()
