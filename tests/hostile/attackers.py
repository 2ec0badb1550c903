"""Attackers at a closed server: who calls there has a token. All that comes back is looked through for secrets."""

from contextlib import suppress

import orjson

from bench import frames
from bench.attacks.attacker import Attacker, Wire
from bench.marks import user
from tests.hostile import words
from tests.kit.doors import call_token

TAIL = 200  # bytes that are kept of what came, as a secret may come in two pieces
MOST_LEAKS = 5


class LookingWire(Wire):
    """One connection; `head` is what the answer begins with."""

    def __init__(self, attacker: "Guest") -> None:
        super().__init__(attacker)
        self._guest, self._tail = attacker, b""

    def data_received(self, data: bytes) -> None:
        self._guest.look(self._tail + data)
        self._tail = data[-TAIL:]
        super().data_received(data)


class Guest(Attacker):
    """Has a token for each call. `leaks` is where it saw what nobody may see."""

    figures = (*Attacker.figures, "leaks")

    def __init__(self, port: int, addresses: int, admin: int) -> None:
        """`admin` is the port of the admin shore."""
        super().__init__(port, addresses)
        self.leaks: list[str] = []
        self.admin = admin
        self._secrets = [secret.encode() for secret in words.hidden()]

    def wire(self) -> Wire:
        """One that looks."""
        return LookingWire(self)

    def path(self, query: str = "") -> str:
        """With a token of the caller's own."""
        return self.path_of(user(next(self.numbers)), query)

    def path_of(self, name: str, query: str = "") -> str:
        """The same, of this user."""
        return f"/ws/{words.quoted(name)}?token={call_token(name)}" + (f"&{query}" if query else "")

    def look(self, data: bytes) -> None:
        """Note the secrets in what came."""
        for secret in self._secrets:
            if secret in data and len(self.leaks) < MOST_LEAKS:
                at = data.find(secret)
                self.leaks.append(repr(data[max(0, at - 80) : at + 20]))

    async def opened(self, path: str, *headers: str, early: bytes = b"") -> Wire:
        """A call with further headers; `early` comes with the request. Raises OSError, TimeoutError, SpentError."""
        wire = await self.connect()
        request = frames.request(path, self.host).removesuffix(b"\r\n")
        await wire.write(request + "".join(f"{header}\r\n" for header in headers).encode() + b"\r\n" + early)
        await self.answered(wire)
        return wire

    async def ask(self, request: bytes, seconds: float = 3.0, *, admin: bool = False) -> None:
        """One request on a connection of its own, and the answer, if there is one."""
        here = self.port
        self.port = self.admin if admin else here
        try:
            wire = await self.connect()
        finally:
            self.port = here
        try:
            await wire.write(request)
            await self.answered(wire, seconds)
        finally:
            wire.cut()

    async def answered(self, wire: Wire, seconds: float = 3.0) -> None:
        """Wait for an answer, not for long."""
        with suppress(TimeoutError, ConnectionError):
            await wire.until(lambda: bool(wire.status), seconds)

    async def flooded(self, wire: Wire, some: list[bytes]) -> None:
        """Write all of it, unless the connection is closed before; then wait a moment for what is said to it."""
        try:
            for data in some:
                await wire.write(data)
            with suppress(TimeoutError):
                await wire.until(lambda: False, 1.0)
        finally:
            wire.cut()


def text(message: object) -> bytes:
    """A text frame with this message, or with these bytes."""
    payload = message if isinstance(message, bytes) else orjson.dumps(message)
    return frames.frame(frames.TEXT, payload, masked=True)
