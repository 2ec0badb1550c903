"""Idle connections: calls without a persona, and sockets without a request."""

import asyncio

from bench.attacks.attacker import Attack, Attacker, Wire, crowd

LINES = 500
PLAIN = 600
HELD_SECONDS = 60.0
RUSH = 512  # connections a second


def lines(says: bytes = b"") -> Attack:
    """Calls in which no persona is chosen; with `says`, each sends this message every two seconds."""

    async def attack(attacker: Attacker) -> None:
        async def hold() -> None:
            wire = await attacker.call()
            try:
                await _held(wire, says)
            finally:
                wire.cut()

        await crowd(LINES, hold, pause=1.0)

    return attack


async def _held(wire: Wire, says: bytes) -> None:
    while not wire.gone:
        await asyncio.sleep(2)
        if says:
            await wire.say(says)


def plain(sends: bytes, slowly: bytes = b"") -> Attack:
    """Connections that never complete a request; `slowly` is sent every two seconds."""

    async def attack(attacker: Attacker) -> None:
        async def hold() -> None:
            wire = await attacker.connect()
            try:
                await wire.write(sends)
                while not wire.gone:
                    await asyncio.sleep(2)
                    await wire.write(slowly)
            finally:
                wire.cut()

        await crowd(PLAIN, hold, pause=1.0)

    return attack


def rush() -> Attack:
    """512 calls a second, each aborted as soon as it is answered."""

    async def attack(attacker: Attacker) -> None:
        async def call() -> None:
            wire = await attacker.call()
            wire.cut()

        await crowd(RUSH // 8, call, pause=0.125)

    return attack


def trials() -> Attack:
    """One client that calls twenty times a second and, once accepted, chooses no persona."""

    async def attack(attacker: Attacker) -> None:
        async def call() -> None:
            wire = await attacker.call()
            try:
                await wire.until(lambda: False, HELD_SECONDS)
            finally:
                wire.cut()

        await crowd(1, call)

    return attack
