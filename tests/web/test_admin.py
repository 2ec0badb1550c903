"""The admin shore: /metrics has an address of its own, and callers find nothing there that is not for them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from actors.counters import Counters
from actors.runtime import Watchdog
from actors.services import Limits
from audio import Pool
from cli.failure import CannotServe
from cli.listening import admin_shore, bind
from cli.settings import Settings
from tests.kit.exchange import exchange
from tests.kit.story import run, until
from web.addresses import Addresses
from web.admin import AdminShore, admin_serving, is_loopback
from web.connections import Connections
from web.metrics import Metrics
from web.request_scheduler import RequestScheduler

TOKEN = "a-long-token-of-the-test"


async def ask(url: str, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    """The status and the body."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}{path}", headers=headers) as answer:
        return answer.status, await answer.text()


@asynccontextmanager
async def admin(token: str = "", addresses: Addresses | None = None) -> AsyncIterator[str]:
    """The shore alone, on a loopback address."""
    shore, counters = AdminShore(bind("127.0.0.1", 0), token), Counters()
    connections = Connections(Limits(address_questions=2), counters.address_refused, addresses)
    async with admin_serving(shore, Metrics(counters, Pool()), connections, RequestScheduler()):
        yield shore.url


def test_callers_do_not_find_the_figures() -> None:
    """On their port it is as any path that does not exist; the admin shore has nothing of theirs."""

    async def story() -> None:
        async with exchange() as line:
            assert (await ask(line.http))[0] == (await ask(line.http, "/nowhere"))[0] == 404
            url = line.metrics.removesuffix("/metrics")
            assert "voice_callers 0.0" in (await ask(url))[1]
            for path in ("/", "/health", "/ready", "/api/astrologers", "/ws/user-1", "/client/call.js"):
                assert (await ask(url, path))[0] == 404

    run(story())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}é"}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "prometheus.example"}, 200),
    ],
)
def test_a_token_is_asked_for(headers: dict[str, str], status: int) -> None:
    """Of every path; whoever has it may call the shore by any name."""

    async def story() -> None:
        async with admin(TOKEN) as url:
            assert (await ask(url, **headers))[0] == status
            assert (await ask(url, "/nowhere", **headers))[0] == (404 if status == 200 else 401)

    run(story())


def test_no_page_of_another_site_reads_them() -> None:
    """Its name may lead to this machine (DNS rebinding)."""

    async def story() -> None:
        async with admin() as url:
            assert (await ask(url, Host="evil.example"))[0] == 403
            assert (await ask(url, Origin="https://evil.example"))[0] == 403

    run(story())


def test_guessing_is_slow() -> None:
    """The limits of an address hold here as well."""

    async def story() -> None:
        async with admin(TOKEN, Addresses(unlimited=())) as url:
            statuses = [(await ask(url, Authorization=f"Bearer {guess}"))[0] for guess in range(12)]
            assert statuses[0] == 401
            assert statuses[-1] == 429

    run(story())


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.1", True), ("127.0.0.2", True), ("0.0.0.0", False)])
def test_where_others_can_reach_it_a_token_must_be_set(host: str, loopback: bool) -> None:
    """Else the server does not start, and says what to set. Where callers have TLS it has, too."""
    settings, tls = replace(Settings(), admin_host=host), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not loopback:
        with pytest.raises(CannotServe, match="set ADMIN_TOKEN") as refused:
            admin_shore(settings, None)
        assert refused.value.code == 2
    shore = admin_shore(replace(settings, admin_token=TOKEN), tls)
    try:
        assert is_loopback(shore.listener) == loopback
        assert shore.url.startswith(f"{'http' if loopback else 'https'}://{host}:")
        assert TOKEN not in f"{shore} {settings}"
    finally:
        shore.listener.close()


def test_an_address_of_ipv6() -> None:
    """As it is written in a URL."""
    try:
        listener = bind("::1", 0)
    except CannotServe:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert is_loopback(listener)
        assert AdminShore(listener).url == f"http://[::1]:{listener.getsockname()[1]}"


def test_a_port_that_is_taken() -> None:
    """The message names the options of this shore."""
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        settings = replace(Settings(), admin_port=taken.getsockname()[1])
        with pytest.raises(CannotServe, match="--admin-host or --admin-port"):
            admin_shore(settings, None)


def test_reading_resets_nothing() -> None:
    """The worst stays for a minute or two, whoever reads how often; then it is gone."""

    async def story() -> None:
        counters = Counters()
        shore = AdminShore(bind("127.0.0.1", 0))
        connections = Connections(Limits(), counters.address_refused)
        async with admin_serving(shore, Metrics(counters, Pool()), connections, RequestScheduler()):
            counters.late.add(7.0)
            for _ in range(3):
                assert "voice_loop_late_worst_seconds 7.0" in (await ask(shore.url))[1]
            watchdog: Any = Watchdog(counters.late, minute=0.01)
            try:
                await until(lambda: counters.late.worst < 7.0)
            finally:
                watchdog.stop()

    run(story())
