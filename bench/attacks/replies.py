"""Callers who ask for long replies, read nothing, and are gone."""

import asyncio

from bench.attacks.attacker import Attack, Attacker, crowd
from bench.callers import ASTROLOGER

CALLERS = 4
TURNS = 7
WORDS = 300  # of a reply, as the model answers them: a minute, a frame of 3.8 MB; 32 MiB may wait
BETWEEN = 0.3


def vanishing() -> Attack:
    """Each asks seven times within two seconds, and hangs up by being gone."""

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
