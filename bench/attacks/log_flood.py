"""Log flooding: calls and requests that make a server log much."""

import asyncio

from bench.attacks.attacker import Attack, Attacker, crowd

CALLERS = 20
MESSAGES = 25  # invalid ones, more than are allowed, so that the call is closed, which is logged


def log_flood() -> Attack:
    """Invalid messages in calls, and invalid HTTP requests."""

    async def attack(attacker: Attacker) -> None:
        async def call() -> None:
            wire = await attacker.call()
            try:
                for _ in range(MESSAGES):
                    await wire.say(b'{"type":"no such type"}')
                await wire.until(lambda: False, 2)
            finally:
                wire.cut()

        async def ask() -> None:
            wire = await attacker.connect()
            try:
                await wire.write(b"GET /\x00 HTTP/9.9\r\n" + b"x" * 9000 + b"\r\n\r\n")
                await wire.until(lambda: bool(wire.status), 2)
            finally:
                wire.cut()

        async with asyncio.TaskGroup() as group:
            group.create_task(crowd(CALLERS, call))
            group.create_task(crowd(CALLERS, ask))

    return attack
