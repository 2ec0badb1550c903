"""Costly clips: recordings of half a megabyte that take seconds to decode."""

from bench.attacks import sounds
from bench.attacks.attacker import Attack, Attacker, crowd
from bench.attacks.waiting import CHOICE, clip

WAITING = 2  # recordings of each attacker that are not answered yet


def costly(attackers: int) -> Attack:
    """So many attackers send the next clip as soon as an earlier one is answered."""
    message = clip(sounds.alternating())

    async def attack(attacker: Attacker) -> None:
        async def send() -> None:
            wire = await attacker.chosen(CHOICE)
            answered = wire.answers
            try:
                for sent in range(1000):
                    await wire.until(lambda sent=sent: wire.answers - answered > sent - WAITING, 60)  # type: ignore[misc]
                    await wire.say(message)
            finally:
                wire.cut()

        await crowd(attackers, send)

    return attack
