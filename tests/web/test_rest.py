"""The REST side, through the real server."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import pytest

from actors.equipment import Limits
from personas import SHIPPED, Catalogue
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


def named(*numbers: int, **fields: Any) -> Catalogue:
    """Copies of Mohit, by number."""
    data = orjson.loads(SHIPPED.read_bytes())
    mohit = next(row for row in data["astrologers"] if row["astrologer_id"] == MOHIT)
    return Catalogue.from_data(
        {**data, "astrologers": [{**mohit, **fields, "astrologer_id": f"m{number:03}"} for number in numbers]}
    )


def test_a_long_list_is_read_in_pages() -> None:
    """Each names the last of it, the last page nobody; what comes in between is in nobody's way."""

    async def story() -> None:
        async with exchange(catalogue=named(*range(25))) as line:
            url, seen, query = f"{line.http}/api/astrologers", [], {"limit": "10"}
            for size, more in ((10, True), (10, True), (5, False)):
                status, found = await ask(url, **query)
                assert (status, found["total"], len(found["astrologers"])) == (200, 25, size)
                assert ("after" in found) is more
                seen += [one["astrologer_id"] for one in found["astrologers"]]
                query["after"] = found.get("after", "")
            assert seen == [f"m{number:03}" for number in range(25)]
            assert len((await ask(url))[1]["astrologers"]) == 25
            for bad in ({"limit": "0"}, {"limit": "1001"}, {"limit": "ten"}, {"limit": "9" * 5000}, {"open": "no"}):
                status, refusal = await ask(url, **bad)
                assert (status, refusal["code"]) == (400, "bad_message")
                assert next(iter(bad)) in refusal["message"]

    asyncio.run(story())


def test_what_has_not_changed_is_not_sent_again() -> None:
    """By its ETag; an edit of the file, or of one persona, is a new one."""

    async def story() -> None:
        async with exchange(catalogue=named(1)) as line, aiohttp.ClientSession() as client:
            for path in ("", "/m001", "?limit=1"):
                line.shelf.catalogue = named(1)
                url = f"{line.http}/api/astrologers{path}"
                async with client.get(url) as first:
                    tag = first.headers["ETag"]
                async with client.get(url, headers={"If-None-Match": tag}) as again:
                    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
                line.shelf.catalogue = named(1, name="Somebody")
                async with client.get(url, headers={"If-None-Match": tag}) as changed:
                    assert changed.status == 200
                    assert "Somebody" in await changed.text()
                    assert changed.headers["ETag"] != tag

    asyncio.run(story())


def test_who_is_closed_is_shown_so_and_not_matched() -> None:
    """`open` says whether calls are taken now, and finds those; `opens` says when they are again."""

    async def story() -> None:
        day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[(datetime.now(UTC) + timedelta(days=3)).weekday()]
        hours = {"timezone": "UTC", "weekly": {day: "9am-5pm"}}
        async with exchange(catalogue=named(1, availability=hours)) as line, aiohttp.ClientSession() as client:
            url = f"{line.http}/api/astrologers"
            assert [one["open"] for one in (await ask(url))[1]["astrologers"]] == [False]
            shown = (await ask(f"{url}/m001"))[1]
            assert shown["open"] is False
            assert shown["opens"].endswith("T09:00:00+00:00")
            assert (await ask(url, open="true"))[1] == {"astrologers": [], "total": 0}
            async with client.post(f"{url}/match", json={"query": "marriage"}) as answer:
                assert (await answer.json())["matches"] == []
            line.shelf.catalogue = named(1)
            assert [one["open"] for one in (await ask(url, open="true"))[1]["astrologers"]] == [True]
            assert "opens" not in (await ask(f"{url}/m001"))[1]
            async with client.post(f"{url}/match", json={"query": "marriage"}) as answer:
                assert len((await answer.json())["matches"]) == 1

    asyncio.run(story())


def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody can write tracebacks into the log from outside."""

    async def story() -> None:
        async with exchange() as line:
            before = line.left()
            _, writer = await asyncio.open_connection(*line.http.removeprefix("http://").split(":"))
            head = "POST /api/astrologers/match HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{"
            writer.write(head.encode())
            await writer.drain()
            assert (await ask(f"{line.http}/health"))[0] == 200  # by then the other is being read
            writer.transport.abort()
            await line.settles_to(before)

    asyncio.run(story())
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
