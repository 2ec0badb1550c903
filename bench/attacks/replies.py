"""Callers who ask for long replies, read nothing, and are gone."""

import asyncio

from bench.attacks.attacker import Attack, Attacker, crowd
from bench.callers import ASTROLOGER

CALLERS = 12
TURNS = 6
WORDS = 150  # of a reply, as the model answers them: 30 s, a frame of 1.9 MB
BETWEEN = 0.2


def vanishing() -> Attack:
    """Each asks six times within a second or two, and hangs up by being gone."""

    async def attack(attacker: Attacker) -> None:
        async def ask() -> None:
            wire = await attacker.chosen(f"astrologer_id={ASTROLOGER}&mode=clip")
            wire.transport.pause_reading()
            try:
                for turn in range(TURNS):
                    await wire.say(b'{"type":"text","text":"tell me all of it, number %d"}' % turn)
                    await asyncio.sleep(BETWEEN)
            finally:
                wire.transport.abort()

        await crowd(CALLERS, ask)

    return attack
