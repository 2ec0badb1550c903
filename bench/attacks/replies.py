"""Callers who request long replies, read nothing, and disconnect."""

import asyncio

from bench.attacks.attacker import Attack, Attacker, crowd
from bench.callers import ASTROLOGER

CALLERS = 4
TURNS = 7
WORDS = 300  # of a reply of the model: a minute, a frame of 3.8 MB; the server lets 32 MiB wait
BETWEEN = 0.3


def vanishing() -> Attack:
    """Each caller asks seven times within two seconds, and aborts the connection."""

    async def attack(attacker: Attacker) -> None:
        async def ask() -> None:
            wire = await attacker.chosen(f"astrologer_id={ASTROLOGER}&mode=clip", little=True)
            wire.transport.pause_reading()
            try:
                for turn in range(TURNS):
                    await wire.say(b'{"type":"text","text":"tell me all of it, number %d"}' % turn)
                    await asyncio.sleep(BETWEEN)
            finally:
                wire.cut()

        await crowd(CALLERS, ask)

    return attack
