"""Messages with so many faults that to explain them takes long."""

import asyncio

from bench.attacks.attacker import Attack, Attacker, Wire, crowd

SOCKETS = 60
FIELDS = 5_200
MESSAGES = 20  # invalid ones that are allowed in a minute


def message() -> bytes:
    """63 KB: a `config` with a profile of unknown fields."""
    fields = ",".join(f'"f{number:06}":1' for number in range(FIELDS))
    return b'{"type":"config","astrologer_id":"mohit_vedic_marriage","profile":{%b}}' % fields.encode()


def profiles(reads: bool) -> Attack:
    """Each socket sends it twenty times and then calls again. With `reads`, it waits for each answer."""
    said = message()

    async def attack(attacker: Attacker) -> None:
        async def ask() -> None:
            wire = await attacker.call(little=not reads)
            if not reads:
                wire.transport.pause_reading()
            try:
                await _ask(wire)
            finally:
                wire.cut()

        async def _ask(wire: Wire) -> None:
            for asked in range(1, MESSAGES + 1):
                await wire.say(said)
                if reads:
                    await wire.until(lambda asked=asked: wire.answers >= asked, 30)  # type: ignore[misc]
            if not reads:
                await asyncio.sleep(5)

        await crowd(SOCKETS, ask)

    return attack
