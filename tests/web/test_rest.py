"""The REST side, through the real server."""

import asyncio
from typing import Any

import aiohttp
import pytest

from actors.equipment import Limits
from tests.kit.exchange import exchange
from tests.kit.four import MOHIT, TINA

SECRET = ("system_prompt",)


async def ask(url: str, **query: str) -> tuple[int, Any]:
    """Status and JSON of a GET."""
    async with aiohttp.ClientSession() as client, client.get(url, params=query) as answer:
        return answer.status, await answer.json()


def test_health_and_readiness() -> None:
    """Healthy while alive; ready while a call would be answered."""

    async def story() -> None:
        async with exchange() as line:
            status, health = await ask(f"{line.http}/health")
            assert (status, health["status"], health["service"]) == (200, "healthy", "persona-voice-server")
            assert await ask(f"{line.http}/ready") == (200, {"ready": True, "upstream": "local engine"})

    asyncio.run(story())


@pytest.mark.parametrize("upstream", ["wrong key", "nobody there"])
def test_not_ready_when_a_call_would_not_be_answered(upstream: str) -> None:
    """A key that is refused after the handshake counts as much as a port where nobody listens."""

    def hurt(real: Any) -> Any:
        url = real.url if upstream == "wrong key" else "ws://127.0.0.1:9/v1/realtime"
        return type(real)(url, real.model, "wrong")

    async def story() -> None:
        async with exchange(upstream=hurt) as line:
            assert await ask(f"{line.http}/ready") == (503, {"ready": False, "upstream": "local engine"})

    asyncio.run(story())


def test_a_full_server_is_not_ready() -> None:
    """No line is free: the next caller would be turned away, and is."""

    async def story() -> None:
        async with exchange(Limits(sessions=1)) as line, line.phone("one") as one, line.phone("two") as two:
            await one.say(type="ping")
            await one.hear("pong")
            assert (await ask(f"{line.http}/ready"))[0] == 503
            assert (await two.closed()).code == 4429

    asyncio.run(story())


def test_the_catalogue_shows_public_fields_only() -> None:
    """Filters combine; no prompt ever leaves."""

    async def story() -> None:
        async with exchange() as line:
            url = f"{line.http}/api/astrologers"
            status, everyone = await ask(url)
            assert (status, everyone["total"], len(everyone["astrologers"])) == (200, 4, 4)
            assert not any(field in one for one in everyone["astrologers"] for field in SECRET)
            _, hindi = await ask(url, language="hindi", gender="Female")
            assert [one["astrologer_id"] for one in hindi["astrologers"]] == [TINA]
            assert (await ask(url, status="inactive"))[1] == {"astrologers": [], "total": 0}
            status, one = await ask(f"{url}/{TINA}")
            assert (status, one["name"]) == (200, "Tina Kulkarni")
            assert "system_prompt" not in one
            status, refusal = await ask(f"{url}/nobody")
            assert (status, refusal["code"]) == (404, "unknown_astrologer")

    asyncio.run(story())


def test_match_names_who_fits_and_why() -> None:
    """A question finds a persona by its words; what is not a question is a 400 that says what to send."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            url = f"{line.http}/api/astrologers/match"
            async with client.post(url, json={"query": "when is my marriage", "language": "English"}) as answer:
                matches = (await answer.json())["matches"]
            assert matches[0]["astrologer_id"] == MOHIT
            assert matches[0]["because"]
            for bad in (b"", b"[]", b'"x"', b'{"query": 3}', b'{"language": "Hindi"}'):
                async with client.post(url, data=bad) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (400, "bad_message")
            async with client.post(url, data=b"junk", headers={"Content-Encoding": "gzip"}) as answer:
                assert answer.status == 400

    asyncio.run(story())


def test_a_question_that_never_comes_whole_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a connection and its task could be held for nothing."""
    monkeypatch.setattr("web.rest.BODY_SECONDS", 0.1)

    async def story() -> None:
        async with exchange() as line:
            reader, writer = await asyncio.open_connection(*line.http.removeprefix("http://").split(":"))
            writer.write(b"POST /api/astrologers/match HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)
            writer.close()

    asyncio.run(story())


def test_foreign_hosts_and_pages_are_refused_everywhere() -> None:
    """Also the catalogue: a name that somebody pointed at us is not ours."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
                async with client.get(f"{line.http}/api/astrologers", headers=headers) as answer:
                    assert answer.status == 403
                    assert "--allow-" in await answer.text()

    asyncio.run(story())
