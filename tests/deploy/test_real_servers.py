"""HAProxy and nginx, as deploy/ configures them, in front of two real servers with a real Redis and real callers.

Of the configurations only addresses are changed, for how many connections they ask, and where that is said the time
for which a line may be silent.
"""

import asyncio
import shutil
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.http11 import Response

from phone import Phone
from phone.lasting import FRAGILE, LastingPhone
from tests.kit.four import TINA
from tests.kit.moving_processes import Fleet, fleet, kill, says
from tests.kit.ports import free_port
from tests.kit.process import Server
from tests.kit.proxies import NGINX, haproxy, nginx, nginx_conf, open_folder
from tests.kit.redis import redis_server
from tests.kit.story import WITHIN, run, until

CLUSTER = (Path(__file__).parents[2] / "deploy" / "haproxy.cluster.cfg").read_text()
PATIENT = {"ping_interval": None, "open_timeout": WITHIN}  # of phones: only a fault takes so long
CERTIFICATE = "/usr/local/etc/haproxy/voice.pem"
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not (NGINX and shutil.which("haproxy")), reason="apt-get install haproxy nginx-light"),
]


class Pinged(ClientConnection):
    """A client's connection that counts the pings which come."""

    pings = 0

    def process_event(self, event: Frame | Response) -> None:  # type: ignore[override]
        """As of any connection."""
        self.pings += isinstance(event, Frame) and event.opcode is Opcode.PING
        super().process_event(event)


@dataclass
class Front:
    """A proxy in front of n1 and n2, and those who call by it."""

    name: str
    url: str
    trusted: ssl.SSLContext | None = None
    """Who vouches for it, if it is called by https."""
    log: Server | None = None
    """What it says of servers, if it asks them by itself."""
    phones: list[LastingPhone] = field(default_factory=list)

    @property
    def counts_all(self) -> bool:
        """False: where fewest connections are is known of new calls alone, not of who came back."""
        return self.log is not None

    @property
    def line(self) -> dict[str, Any]:
        """How a phone connects."""
        return {"ssl": self.trusted} if self.trusted else {}

    async def calls(self, stack: AsyncExitStack, count: int = 1, **line: Any) -> list[str]:
        """So many more calls, which are placed one after another and answered; returns at which servers they are."""
        new = []
        for _ in range(count):
            user = f"{self.name}-{len(self.phones)}"
            phone = LastingPhone(self.url, user, keepalive={**PATIENT, **self.line, **line})
            self.phones.append(await stack.enter_async_context(phone))
            await phone.choose(TINA, mode="stream")
            new.append(phone)
        nodes = [phone.node for phone in new]
        await asyncio.gather(*(phone.reply() for phone in new))
        assert await asyncio.gather(*(says(phone, "One.") for phone in new)) == ["You said One.."] * count
        return nodes

    async def knows(self, node: str, state: str) -> None:
        """Wait until it has found out that this server is UP or DOWN; ready, that is. Who asks for each call knows."""
        if self.log:
            await until(lambda: f"is {state}" in ["", *self._lines(f"Server ready/{node} is")][-1], self.told)

    def told(self) -> str:
        """All that it has said."""
        return f"{self.name}: {''.join(self._lines(''))}"

    def _lines(self, about: str) -> list[str]:
        return [line for line in (self.log.log if self.log else []) if about in line]


@contextmanager
def haproxy_front(name: str, n1: str, n2: str, silent: str = "75s") -> Iterator[Front]:
    """A front of HAProxy, as compose.cluster.yaml starts it, for servers at these addresses."""
    authority, port = trustme.CA(), free_port()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with open_folder() as folder:
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "voice.pem")
        text = CLUSTER.replace(f"bind :443 ssl crt {CERTIFICATE}", f"bind 127.0.0.1:{port} ssl crt {folder}/voice.pem")
        text = text.replace("172.30.81.11:8000", n1).replace("172.30.81.12:8000", n2).replace("75s", silent)
        text = text.replace("maxconn 20000", "maxconn 500")
        assert "172.30" not in text
        assert "bind :443" not in text
        (folder / "haproxy.cfg").write_text(text)
        with haproxy(folder / "haproxy.cfg") as log:
            yield Front(name, f"wss://localhost:{port}", trusting, log)


@contextmanager
def nginx_front(name: str, n1: str, n2: str, silent: str = "75s") -> Iterator[Front]:
    """A front of nginx, as nginx.conf configures it, for servers at these addresses."""
    port = free_port()
    with open_folder() as folder, nginx(nginx_conf(folder, port, {"75s": silent}, [n1, n2]), folder, port):
        yield Front(name, f"ws://localhost:{port}")


BEHIND = ("--trusted-proxy", "127.0.0.1", "--drain-seconds", "600")
FRONTS = {"haproxy": haproxy_front, "nginx": nginx_front}


async def listens(front: Front) -> None:
    """Wait until it takes connections."""
    port = int(front.url.rpartition(":")[2])

    def taken() -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", port)) == 0

    await until(taken, front.told)


async def talk(phones: list[LastingPhone], words: str) -> None:
    """All say this at once, and each is answered by a persona who remembers what they said before."""
    for answer in await asyncio.gather(*(says(phone, words) for phone in phones)):
        assert answer.startswith("You said One.,")
        assert answer.endswith(f" then {words}.")


def lives(phones: list[LastingPhone]) -> list[tuple[str, int, int]]:
    """Where each call is, how often its caller came back, and how often to another server."""
    return sorted((phone.node, phone.resumed, phone.moved) for phone in phones)


async def moves(phone: LastingPhone) -> None:
    """Wait until its call is at another server."""
    moved = phone.moved
    while phone.moved == moved:
        await phone.next()


@asynccontextmanager
async def servers_behind(*options: str) -> AsyncIterator[tuple[Fleet, list[Front]]]:
    """n1, with these options, and n2, with both proxies in front of them."""
    with redis_server() as redis:
        async with fleet(redis) as servers, AsyncExitStack() as stack:
            n1, n2 = await asyncio.gather(servers.start("n1", *BEHIND, *options), servers.start("n2", *BEHIND))
            fronts = [stack.enter_context(make(name, n1.address, n2.address)) for name, make in FRONTS.items()]
            for front in fronts:
                await listens(front)
            yield servers, fronts


def test_calls_are_placed_come_back_and_outlive_a_server() -> None:
    """New calls are spread; a caller comes back to their server, also to a full one; it is killed, and comes back."""

    async def story() -> None:
        again = ("--port", str(free_port()))
        async with servers_behind("--sessions", "4", *again) as (servers, fronts), AsyncExitStack() as stack:
            n1 = servers.servers["n1"]
            for nodes in await asyncio.gather(*(front.calls(stack, 4) for front in fronts)):
                assert sorted(nodes) == ["n1", "n1", "n2", "n2"]
            for front in fronts:
                await front.knows("n1", "DOWN")  # it is full
                assert await front.calls(stack, 2) == ["n2", "n2"]
            for front in fronts:
                for phone in front.phones:
                    phone.socket.transport.abort()
                await talk(front.phones, "Two.")
                assert lives(front.phones) == [("n1", 1, 0)] * 2 + [("n2", 1, 0)] * 4
            kill(n1)
            for front in fronts:
                await talk(front.phones, "Three.")
                assert lives(front.phones) == [("n2", 1, 0)] * 4 + [("n2", 2, 1)] * 2
            await servers.start("n1", *BEHIND, *again)
            for front in fronts:
                await front.knows("n1", "UP")
                nodes = await front.calls(stack, 2)
                assert sorted(nodes) == (["n1", "n1"] if front.counts_all else ["n1", "n2"])

    run(story())


def test_a_server_stands_still_and_one_ends_in_order() -> None:
    """Their callers come back to the other one, where new calls go; who cannot come back is not cut off by a proxy."""

    async def story() -> None:
        async with servers_behind() as (servers, fronts), AsyncExitStack() as stack:
            n1, n2 = servers.servers["n1"], servers.servers["n2"]
            others = list[Phone]()
            await asyncio.gather(*(front.calls(stack, 4, **FRAGILE) for front in fronts))
            n2.process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.gather(*(talk(front.phones, "Two.") for front in fronts))
                for front in fronts:
                    assert (
                        sorted((phone.node, phone.moved) for phone in front.phones) == [("n1", 0)] * 2 + [("n1", 1)] * 2
                    )
                    assert await front.calls(stack) == ["n1"]
                    others.append(await other(front, stack))
            finally:
                n2.process.send_signal(signal.SIGCONT)
            for front in fronts:
                await front.knows("n2", "UP")
            n1.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(moves(phone) for front in fronts for phone in front.phones))
            for front in fronts:
                await front.knows("n1", "DOWN")
                assert await front.calls(stack) == ["n2"]
                await talk(front.phones, "Three.")
                assert {phone.node for phone in front.phones} == {"n2"}
            for phone in others:
                await phone.say(type="text", text="Four.")
                assert (await phone.reply()).text == "You said Four.."
                await phone.say(type="end")
                assert (await phone.closed()).code == 1000
            assert await asyncio.to_thread(n1.process.wait, WITHIN) == 0

    run(story())


async def other(front: Front, stack: AsyncExitStack, **line: Any) -> Phone:
    """A call, just greeted, to which its caller cannot come back."""
    phone = await stack.enter_async_context(Phone(front.url, front.name, keepalive={**PATIENT, **front.line, **line}))
    await phone.choose(TINA, mode="stream")
    await phone.reply()
    return phone


async def silent(front: Front, stack: AsyncExitStack, pings: int) -> Phone:
    """A call in which nobody says anything, until so many pings have come; the phone itself sends none."""
    phone = await other(front, stack, create_connection=Pinged)
    await until(lambda: phone.socket.pings >= pings)  # type: ignore[attr-defined]
    return phone


def test_pings_keep_a_silent_call() -> None:
    """The server's come each 12 s: a line may be silent for 75, here for 20. Where it may for 4 it is cut."""

    async def story() -> None:
        async with fleet_of_one() as one, AsyncExitStack() as stack:
            fronts = [
                stack.enter_context(make(f"{name}-{seconds}", one.address, one.address, f"{seconds}s"))
                for name, make in FRONTS.items()
                for seconds in (4, 20)
            ]
            for front in fronts:
                await listens(front)
            short, long = fronts[::2], fronts[1::2]
            cut = [asyncio.create_task((await silent(front, stack, 0)).closed()) for front in short]
            kept = await asyncio.gather(*(silent(front, stack, 2) for front in long))
            assert [(await one).code for one in cut] == [1006, 1006]
            for phone in kept:
                await phone.say(type="text", text="Two.")
                assert (await phone.reply()).text == "You said Two.."

    run(story())


@asynccontextmanager
async def fleet_of_one() -> AsyncIterator[Server]:
    """A server that is behind a proxy."""
    with redis_server() as redis:
        async with fleet(redis) as servers:
            yield await servers.start("n1", *BEHIND)
