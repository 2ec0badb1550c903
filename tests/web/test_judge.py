"""The client of a judge model, over a real socket: late, broken and hostile answers cost the question and no more."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from actors.caring.judging import Talk
from actors.counters import Counters
from actors.messages.guardian import Judged, Worried
from tests.kit import secrets
from tests.kit.judge import Answer, JudgeModel, calm, completion, judge_model
from tests.kit.story import run, until
from web.judge import MOST_BYTES, JudgeClient, JudgeServer, judge_client

KEY = secrets.key("the-key-of-the-judge.nobody-may-see-it")
SAID = "I have packed everything into boxes"
TALK: Talk = (("user", SAID),)


@dataclass
class Asked:
    """A judge, its client, and what the client told."""

    model: JudgeModel
    client: JudgeClient
    counters: Counters
    told: list[Judged] = field(default_factory=list)

    async def answer(self) -> tuple[Worried, ...]:
        """Ask, and wait for what is told."""
        before = len(self.told)
        assert self.client.ask(TALK, self.told.append)
        assert len(self.told) == before  # never at once
        await until(lambda: len(self.told) > before)
        return self.told[-1].found


@asynccontextmanager
async def asking(key: str = KEY, seconds: float = 60.0, at_once: int = 2) -> AsyncIterator[Asked]:
    """All of it; nothing is left behind."""
    counters = Counters()
    async with (
        judge_model() as (model, url),
        judge_client(JudgeServer(url, "judge-1", key), counters, 10.0, at_once, seconds) as client,
    ):
        yield Asked(model, client, counters)


def test_a_question_is_answered() -> None:
    """With the key, if there is one, and by the documented path."""

    async def story() -> None:
        for key in (KEY, ""):
            async with asking(key) as asked:
                assert await asked.answer() == ()
                asked.model.answers = lambda _: told(completion(("suicide", True)))
                assert await asked.answer() == (Worried("suicide", sure=True),)
                headers, body = asked.model.asked[0]
                assert headers.get("Authorization") == (f"Bearer {KEY}" if key else None)
                assert body["model"] == "judge-1"
                assert SAID in body["messages"][1]["content"]
                assert asked.counters.judged == {"calm": 1, "worried": 1}

    run(story())


async def told(answer: web.StreamResponse) -> web.StreamResponse:
    return answer


async def drip(request: web.Request) -> web.StreamResponse:
    """Far too much; at its end it would be an answer."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(MOST_BYTES // 1024 + 64):
        await answer.write(b" " * 1024)
    await answer.write(worried())
    return answer


async def no_http(request: web.Request) -> web.StreamResponse:
    """What is no answer by HTTP, and repeats what was said."""
    assert request.transport
    request.transport.write(f"{SAID} {KEY}\r\n\r\n".encode())
    request.transport.close()
    return web.Response()


def worried() -> bytes:
    """An answer that must not count, for how it comes."""
    body = completion(("suicide", True)).body
    assert isinstance(body, bytes)
    return body


async def cut(request: web.Request) -> web.StreamResponse:
    """Half of an answer."""
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b'{"choices": [')
    assert request.transport
    request.transport.close()
    return answer


BROKEN: dict[str, Answer] = {
    "an error": lambda _: told(web.Response(status=500, text=SAID)),
    "too often": lambda _: told(web.Response(status=429)),
    "the key is refused": lambda _: told(web.json_response({"error": {"message": f"bad key {KEY}"}}, status=401)),
    "nonsense": lambda _: told(web.Response(text=f"<html>{SAID}")),
    "nothing": lambda _: told(web.Response()),
    "another status": lambda _: told(web.Response(status=204)),
    "a redirect": lambda _: told(web.Response(status=307, headers={"Location": "/elsewhere"}, body=worried())),
    "no HTTP": no_http,
    "too much": drip,
    "half of it": cut,
    "packed": lambda _: told(web.Response(body=gzip.compress(worried()), headers={"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_answer_is_none(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted, told as nothing, and logged once without key and words; the next question is answered."""
    caplog.set_level("INFO")

    async def story() -> None:
        async with asking() as asked:
            asked.model.answers = answer
            assert await asked.answer() == ()
            assert await asked.answer() == ()
            asked.model.answers = calm
            assert await asked.answer() == ()
            assert asked.counters.judged == {"failed": 2, "calm": 1}
            assert asked.model.elsewhere == 0

    run(story())
    lines = [record.getMessage() for record in caplog.records if record.name == "web.judge"]
    assert len(lines) == 2
    assert lines[0].endswith("the word lists go on without it")
    assert lines[1] == "the judge 127.0.0.1 answers again"
    assert not any(word in caplog.text for word in (SAID, KEY, "boxes"))


def test_cookies_are_neither_kept_nor_read(caplog: pytest.LogCaptureFixture) -> None:
    """A name that is none would be quoted in the log."""
    caplog.set_level("DEBUG")
    cookies = [("Set-Cookie", "known=1; Path=/"), ("Set-Cookie", f"{SAID}=1; Path=/")]

    async def story() -> None:
        async with judge_model() as (model, url):
            server, told = JudgeServer(url.replace("127.0.0.1", "localhost"), "judge-1"), list[Judged]()
            async with judge_client(server, Counters(), 10.0, 1) as client:
                model.answers = lambda _: told_of(cookies)
                client.ask(TALK, told.append)
                await until(lambda: told)
                client.ask(TALK, told.append)
                await until(lambda: len(told) == 2)
            assert told == [Judged((Worried("suicide", sure=True),))] * 2
            assert ["Cookie" in headers for headers, _ in model.asked] == [False, False]

    run(story())
    assert SAID not in caplog.text


async def told_of(headers: list[tuple[str, str]]) -> web.StreamResponse:
    """An answer with these, too."""
    answer = completion(("suicide", True))
    for name, value in headers:
        answer.headers.add(name, value)
    return answer


def test_a_judge_that_comes_and_goes_fills_no_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning in a while, whatever is wrong by then; all of it is counted."""
    caplog.set_level("INFO")

    async def story() -> None:
        async with asking() as asked:
            for broken in ("an error", "too often", "nonsense") * 2:
                asked.model.answers = BROKEN[broken]
                await asked.answer()
                asked.model.answers = calm
                await asked.answer()
            assert asked.counters.judged == {"failed": 6, "calm": 6}
            monkeypatch.setattr("web.judge.QUIET_SECONDS", 0.0)
            asked.client._quiet_until = 0.0  # the while is over
            for broken in ("an error", "too often", "too often"):
                asked.model.answers = BROKEN[broken]
                await asked.answer()

    run(story())
    lines = [record.getMessage().partition(": ")[2][:15] for record in caplog.records if record.name == "web.judge"]
    assert lines == ["it answered 500", "", "it answered 500", "it answered 429"]


def test_who_does_not_answer_in_time_is_not_waited_for() -> None:
    """Whether it hangs, or is not there."""

    async def story() -> None:
        async with asking(seconds=0.2) as asked:
            asked.model.answers = asked.model.hang
            assert await asked.answer() == ()
            assert asked.counters.judged == {"late": 1}
        counters, told = Counters(), list[Judged]()
        async with judge_client(JudgeServer(nobody(), "judge-1"), counters, 10.0, 1) as client:
            client.ask(TALK, told.append)
            await until(lambda: told)
        assert counters.judged == {"failed": 1}

    run(story())


def nobody() -> str:
    """A base URL at which nobody listens: port 1 is for root alone."""
    return "http://127.0.0.1:1/v1"


def test_so_many_are_open_at_once() -> None:
    """One more is not asked, and counted; who gives up is told nothing, and makes room."""

    async def story() -> None:
        async with asking(at_once=2) as asked:
            asked.model.answers = asked.model.hang
            give_up = [asked.client.ask(TALK, asked.told.append) for _ in range(3)]
            assert give_up[2] is None
            await until(lambda: len(asked.model.asked) == 2)
            assert give_up[0]
            give_up[0]()
            await until(lambda: len(asked.client._open) == 1)
            asked.model.answers = calm
            assert await asked.answer() == ()
            assert asked.counters.judged == {"full": 1, "calm": 1}
            assert len(asked.told) == 1

    run(story())


def test_the_end_of_the_client_gives_all_up() -> None:
    """A judge that hangs keeps no server from ending."""

    async def story() -> None:
        async with asking() as asked:
            asked.model.answers = asked.model.hang
            asked.client.ask(TALK, asked.told.append)
            await until(lambda: asked.model.asked)
        assert asked.told == []
        assert not [task for task in asyncio.all_tasks() if "judge" in task.get_name()]

    run(story())
