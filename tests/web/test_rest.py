"""The REST side, through the real server."""

import asyncio
from typing import Any

import aiohttp

from tests.kit.exchange import MOHIT, TINA, exchange

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
