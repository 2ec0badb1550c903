"""Data that must wait in the server: clips for the decoders, and incomplete frames."""

import asyncio
from base64 import b64encode

from bench import frames
from bench.attacks import sounds
from bench.attacks.attacker import Attack, Attacker, crowd
from bench.callers import ASTROLOGER

MEBIBYTE = 2**20
CHOICE = f"astrologer_id={ASTROLOGER}&mode=clip"
AT_ONCE = 8  # messages that may wait per caller
HEAD, TAIL = b'{"type":"audio","audio":"', b'"}'


def clip(recording: bytes) -> bytes:
    """The audio message with this recording."""
    return HEAD + b64encode(recording) + TAIL


def large() -> Attack:
    """Thirty sockets with eight messages each, of the largest size of a frame."""
    size = 8 * MEBIBYTE - len(HEAD) - len(TAIL) - 16
    return _eight(HEAD + b"A" * (size - size % 4) + TAIL, sockets=30)


def long() -> Attack:
    """Thirty sockets with eight small messages each, which play for two minutes."""
    return _eight(clip(sounds.quiet_tone(118)), sockets=30)


def _eight(message: bytes, sockets: int) -> Attack:
    async def attack(attacker: Attacker) -> None:
        async def send() -> None:
            wire = await attacker.chosen(CHOICE)
            try:
                for _ in range(AT_ONCE):
                    await wire.say(message)
                await wire.until(lambda: wire.answers > AT_ONCE, 60)
            finally:
                wire.cut()

        await crowd(sockets, send)

    return attack


def unfinished() -> Attack:
    """Two hundred sockets with the first 5 MiB of a frame of 8 MiB each; the rest is never sent."""
    begun = frames.header(frames.TEXT, 8 * MEBIBYTE - 1, masked=True) + HEAD + b"A" * (5 * MEBIBYTE)

    async def attack(attacker: Attacker) -> None:
        async def send() -> None:
            wire = await attacker.call(CHOICE)
            try:
                await wire.write(begun)
                await asyncio.sleep(60)
            finally:
                wire.cut()

        await crowd(200, send)

    return attack
