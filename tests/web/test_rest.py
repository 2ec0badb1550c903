"""The REST side, through the real server."""

import asyncio
import http.client
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_from_bytes

import aiohttp
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.services import Limits
from personas import SHIPPED, Catalogue
from tests.kit.examples import examples
from tests.kit.exchange import exchange
from tests.kit.four import MOHIT, PRIYANKA, TINA
from tests.kit.story import WITHIN, run
from tests.kit.strangers import Line
from web.client_limits import ClientLimits

SECRET = ("system_prompt",)
NOBODY = {"astrologers": [], "total": 0, "success": True, "count": 0}


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
            said = {"ready": True, "upstream": "local engine", "closed": False}
            assert await ask(f"{line.http}/ready") == (200, said)

    run(story())


@pytest.mark.parametrize("upstream", ["wrong key", "nobody there"])
def test_not_ready_when_a_call_would_not_be_answered(upstream: str) -> None:
    """A key that is refused after the handshake counts as much as a port where nobody listens."""

    def hurt(real: Any) -> Any:
        url = real.url if upstream == "wrong key" else "ws://127.0.0.1:9/v1/realtime"
        return type(real)(url, real.model, "wrong")

    async def story() -> None:
        async with exchange(upstream=hurt) as line:
            said = {"ready": False, "upstream": "local engine", "closed": False}
            assert await ask(f"{line.http}/ready") == (503, said)

    run(story())


def test_a_full_server_is_not_ready() -> None:
    """No line is free: the next caller would be turned away, and is."""

    async def story() -> None:
        async with exchange(Limits(sessions=1)) as line, line.phone("one") as one, line.phone("two") as two:
            await one.say(type="ping")
            await one.hear("pong")
            assert (await ask(f"{line.http}/ready"))[0] == 503
            assert (await two.closed()).code == 4429

    run(story())


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
            assert (await ask(url, status="inactive"))[1] == NOBODY
            status, one = await ask(f"{url}/{TINA}")
            assert (status, one["name"]) == (200, "Tina Kulkarni")
            assert "system_prompt" not in one
            status, refusal = await ask(f"{url}/nobody")
            assert (status, refusal["code"]) == (404, "unknown_astrologer")

    run(story())


def test_the_first_app_finds_what_it_reads() -> None:
    """Under its names, besides ours: the same facts, and in `count` how many there are on this page."""

    async def story() -> None:
        async with exchange(catalogue=closed_tina()) as line:
            _, found = await ask(f"{line.http}/api/astrologers", limit="3")
            assert (found["success"], found["count"], found["total"]) == (True, 3, 4)
            tina, mohit, priyanka = found["astrologers"]
            assert {name: tina[name] for name in ("id", "category", "languages", "isOnline", "price_per_minute")} == {
                "id": TINA,
                "category": "Vedic Marriage",
                "languages": ["Hindi"],
                "isOnline": False,
                "price_per_minute": 10.5,
            }
            assert (mohit["id"], mohit["isOnline"], mohit["price_per_minute"]) == (MOHIT, True, 0)
            assert priyanka["price_per_minute"] == 50

    run(story())


def closed_tina() -> Catalogue:
    """Tina is not at work and has a price of her own, Priyanka one in a currency without cents; nobody else has any."""
    data, day = orjson.loads(SHIPPED.read_bytes()), f"{datetime.now(UTC) + timedelta(days=3):%a}"
    for row in data["astrologers"]:
        row.pop("pricing", None)
        if row["astrologer_id"] == TINA:
            hours = {"timezone": "UTC", "weekly": {day: "9am-5pm"}}
            row |= {"pricing": {"per_minute": 10.5, "currency": "INR"}, "availability": hours}
        if row["astrologer_id"] == PRIYANKA:
            row["pricing"] = {"per_minute": 50, "currency": "JPY"}
    data.get("shared", {}).pop("pricing", None)
    return Catalogue.from_data(data)


def test_match_names_who_fits_and_why() -> None:
    """A question finds a persona by its words; what is not a question is a 400 that says what to send."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            url = f"{line.http}/api/astrologers/match"
            async with client.post(url, json={"query": "when is my marriage", "language": "English"}) as answer:
                matches = (await answer.json())["matches"]
            assert matches[0]["astrologer_id"] == MOHIT
            assert matches[0]["because"]
            for language in ("Hindi", " hi "):
                async with client.post(url, json={"query": "when is my marriage", "language": language}) as answer:
                    matches = (await answer.json())["matches"]
                assert [one["astrologer_id"] for one in matches] == [TINA]
            for nothing in ({}, {"language": None}, {"language": " "}):
                async with client.post(url, json={"query": "love or marriage", **nothing}) as answer:
                    assert len((await answer.json())["matches"]) == 3
            async with client.post(url, json={"query": "love", "language": "Hindee"}) as answer:
                assert answer.status == 400
                assert "Did you mean 'Hindi'?" in (await answer.json())["message"]
            for bad in (
                b"",
                b"[]",
                b'"x"',
                b'{"query": 3}',
                b'{"language": "Hindi"}',
                b'{"query": "x", "language": 0}',
            ):
                async with client.post(url, data=bad) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (400, "bad_message")
            async with client.post(url, data=b"junk", headers={"Content-Encoding": "gzip"}) as answer:
                assert answer.status == 415
                assert "without a Content-Encoding" in (await answer.json())["message"]
            async with client.post(url, data=b'{"query": "love"}', headers={"Content-Encoding": "identity"}) as answer:
                assert answer.status == 200
            async with client.post(url, data=b'{"query": "%s"}' % (b"x" * 70_000)) as answer:
                assert answer.status == 413

    run(story())


def test_a_question_may_come_in_pieces() -> None:
    """As a client sends it that does not know how long it will be; also a byte at a time."""

    async def story() -> None:
        async with exchange() as line:
            dialled = await Line.dial(line.http.removeprefix("http://"))
            words = b'{"query": "%s"}' % (b"love " * 2000)
            head = b"POST /api/astrologers/match HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            dialled.writer.write(head + b"".join(b"1\r\n%c\r\n" % byte for byte in words) + b"0\r\n\r\n")
            status, _ = await dialled.answer()
            assert status == 200
            assert orjson.loads(dialled.last)["matches"]
            assert (await dialled.ask("/health"))[0] == 200
            dialled.hang_up()

    run(story())


def test_a_question_that_never_comes_whole_is_not_waited_for() -> None:
    """Else a connection and its task could be held for nothing."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(body_seconds=0.1)) as line:
            reader, writer = await asyncio.open_connection(*line.http.removeprefix("http://").split(":"))
            writer.write(b"POST /api/astrologers/match HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            assert b" 400 " in await reader.readline()
            writer.close()

    run(story())


def test_foreign_hosts_and_pages_are_refused_everywhere() -> None:
    """Also the catalogue: a name that somebody pointed at us is not ours."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
                async with client.get(f"{line.http}/api/astrologers", headers=headers) as answer:
                    assert answer.status == 403
                    assert "--allow-" in await answer.text()

    run(story())


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nothing", 404, "no such address"),
        ("POST", "/", 405, "send GET,HEAD."),
        ("DELETE", "/health", 405, "send GET,HEAD."),
        ("POST", "/ws/user-1", 405, "send GET."),
        ("GET", "/ws/", 404, "no such address"),
        ("GET", "/client/nothing.js", 404, "no such address"),
        ("GET", "/api/nothing", 404, "no such address"),
        ("PUT", "/api/astrologers", 405, "send GET,HEAD."),
        ("GET", "/api/astrologers/match/x", 404, "no such address"),
    ],
)
def test_where_nothing_is_the_answer_is_json_everywhere(method: str, path: str, status: int, says: str) -> None:
    """A client that has the wrong address or method is told what to do, in the form of every other refusal."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            async with client.request(method, f"{line.http}{path}") as answer:
                refusal = await answer.json()
            assert (answer.status, refusal["code"], refusal.keys()) == (status, "bad_message", {"code", "message"})
            assert says in refusal["message"]
            assert status != 405 or answer.headers["Allow"]

    run(story())


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

    run(story())


def test_a_page_goes_on_behind_who_is_no_longer_listed_and_ends_at_who_is_gone() -> None:
    """A client that reads while hours end or the file is edited neither begins again nor reads for ever."""

    async def story() -> None:
        async with exchange(catalogue=named(1, 2, 3)) as line:
            url = f"{line.http}/api/astrologers"
            line.current.catalogue = some_inactive("m001", "m002")
            found = (await ask(url, after="m001", status="active"))[1]
            assert [one["astrologer_id"] for one in found["astrologers"]] == ["m003"]
            assert found["total"] == 1
            line.current.catalogue = named(2, 3)
            status, refusal = await ask(url, after="m001")
            assert (status, refusal["code"]) == (400, "unknown_astrologer")
            assert "begin again without it" in refusal["message"]
            assert (await ask(url, after="m003"))[1] == NOBODY | {"total": 2}

    def some_inactive(*ids: str) -> Catalogue:
        data = [{**orjson.loads(SHIPPED.read_bytes())["astrologers"][1], "astrologer_id": f"m00{n}"} for n in (1, 2, 3)]
        return Catalogue.from_data(
            [{**row, "status": "inactive"} if row["astrologer_id"] in ids else row for row in data]
        )

    run(story())


@pytest.mark.parametrize(
    ("query", "says"),
    [
        *((f"limit={limit}", "from 1 to 1000") for limit in ("0", "1001", "ten", "%2B5", "5.0", "05", "-1", "%D9%A5")),
        (f"limit=000001{'9' * 4400}", "from 1 to 1000"),
        ("limit=0010009999999", "from 1 to 1000"),
        ("limit=5&limit=7", "send it once"),
        ("open=no", "send true, or leave it out"),
        ("status=bogus", "send active or inactive"),
        ("gender=Femal", "send Female or Male or Other"),
        ("language=Hindee", "Did you mean 'Hindi'?"),
        ("language=Klingon", "is not the English name of a language"),
        ("language=%FF%00%0A", "is not the English name of a language"),
    ],
)
def test_what_can_find_nobody_is_told(query: str, says: str) -> None:
    """A value that no persona can have is a mistake, and named; it is not an empty list."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            async with client.get(f"{line.http}/api/astrologers?{query}") as answer:
                refusal = await answer.json()
            assert (answer.status, refusal["code"]) == (400, "bad_message")
            assert refusal["message"].startswith(f"{query.partition('=')[0]}: ")
            assert says in refusal["message"]

    run(story())


def test_what_is_empty_is_left_out_and_what_nobody_has_finds_nobody() -> None:
    """As a form sends it; a language that nobody speaks, or a speciality that nobody has, is no mistake."""

    async def story() -> None:
        async with exchange() as line:
            url = f"{line.http}/api/astrologers"
            empty = dict.fromkeys(("language", "gender", "speciality", "status", "open", "limit", "after"), "")
            assert await ask(url, **empty) == await ask(url, unheard_of="1") == await ask(url)
            assert (await ask(url, gender=" fEMALE ", status="Active", open="TRUE"))[1]["total"] == 2
            for nobody in ({"language": "Tamil"}, {"language": "ta"}, {"speciality": "Tarot"}, {"status": "inactive"}):
                assert await ask(url, **nobody) == (200, NOBODY)

    run(story())


NAMES = st.sampled_from(["language", "gender", "speciality", "status", "open", "limit", "after", "x"])
WORDS = st.sampled_from(["hindi", "hi", "Male", "active", "true", "1", "1000", "9" * 1900, MOHIT, "%", "&", "\x00"])
VALUES = (WORDS | st.text(max_size=9)).map(lambda text: quote(text, errors="replace")) | st.binary(max_size=5).map(
    quote_from_bytes
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["query", "language", "x"]), inner),
    max_leaves=6,
)
WISHES = st.fixed_dictionaries({"query": st.text(max_size=80) | JSON}, optional={"language": WORDS | JSON})
BODIES = st.binary(max_size=40) | (WISHES | JSON).map(lambda value: json.dumps(value).encode())
CALM = settings(deadline=None, max_examples=examples(150))


def test_nothing_that_is_asked_makes_a_crash(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever query, id or body: the answer is JSON, and where it is a refusal it has a code and a sentence."""

    async def story() -> None:
        async with exchange() as line:
            await asyncio.to_thread(thrown, line.http.removeprefix("http://"))

    def thrown(host: str) -> None:
        def told(method: str, path: str, body: bytes | None = None) -> None:
            with closing(http.client.HTTPConnection(host, timeout=WITHIN)) as wire:
                wire.request(method, path, body)
                answer = wire.getresponse()
                found = orjson.loads(answer.read())
            assert answer.status in (200, 400, 404)
            assert answer.status == 200 or (found.keys() == {"code", "message"} and len(found["message"]) < 400)

        @CALM
        @given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
        def queries(pairs: list[tuple[str, str]]) -> None:
            told("GET", "/api/astrologers?" + "&".join(f"{name}={value}" for name, value in pairs))

        @CALM
        @given(
            st.text(st.characters(exclude_characters="{}/"), max_size=9).map(
                lambda text: quote(text, safe="", errors="replace")
            )
        )
        def ids(astrologer_id: str) -> None:
            told("GET", f"/api/astrologers/x{astrologer_id}")

        @CALM
        @given(BODIES)
        def bodies(body: bytes) -> None:
            told("POST", "/api/astrologers/match", body)

        throw: list[Callable[[], None]] = [queries, ids, bodies]
        for each in throw:
            each()

    run(story())
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_what_has_not_changed_is_not_sent_again() -> None:
    """By its ETag; an edit of the file, or of one persona, is a new one. Each time it must be asked for."""

    async def story() -> None:
        async with exchange(catalogue=named(1)) as line, aiohttp.ClientSession() as client:
            for path in ("", "/m001", "?limit=1"):
                line.current.catalogue = named(1)
                url = f"{line.http}/api/astrologers{path}"
                async with client.get(url) as first:
                    tag = first.headers["ETag"]
                    assert first.headers["Cache-Control"] == "no-cache"
                for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
                    async with client.get(url, headers={"If-None-Match": known}) as again:
                        assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
                        assert again.headers["Cache-Control"] == "no-cache"
                line.current.catalogue = named(1, name="Somebody")
                for known in (tag, '"another"', "rubbish", ""):
                    async with client.get(url, headers={"If-None-Match": known}) as changed:
                        assert changed.status == 200
                        assert "Somebody" in await changed.text()
                        assert changed.headers["ETag"] != tag

    run(story())


def test_a_head_has_what_a_get_would_have_but_its_body() -> None:
    """Its length and its ETag, and 304 for who has it; of who is not there, 404."""

    async def story() -> None:
        async with exchange() as line, aiohttp.ClientSession() as client:
            for path in ("", f"/{TINA}", "?limit=2"):
                url = f"{line.http}/api/astrologers{path}"
                async with client.get(url) as got, client.head(url) as head:
                    body = await got.read()
                    assert (head.status, await head.read()) == (200, b"")
                for name in ("ETag", "Cache-Control", "Content-Type", "Content-Length"):
                    assert head.headers[name] == got.headers[name]
                assert int(head.headers["Content-Length"]) == len(body)
                async with client.head(url, headers={"If-None-Match": head.headers["ETag"]}) as again:
                    assert again.status == 304
            async with client.head(f"{line.http}/api/astrologers/nobody") as nobody:
                assert nobody.status == 404

    run(story())


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
            assert (await ask(url, open="true"))[1] == NOBODY
            async with client.post(f"{url}/match", json={"query": "marriage"}) as answer:
                assert (await answer.json())["matches"] == []
            line.current.catalogue = named(1)
            assert [one["open"] for one in (await ask(url, open="true"))[1]["astrologers"]] == [True]
            assert "opens" not in (await ask(f"{url}/m001"))[1]
            async with client.post(f"{url}/match", json={"query": "marriage"}) as answer:
                assert len((await answer.json())["matches"]) == 1

    run(story())


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

    run(story())
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
