"""What is said in a call: messages of every kind, drawn from the schema; the costliest ones; words; bombs of audio."""

import asyncio
import itertools
import random
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import strategies as st

from bench import frames
from bench.attacks import sounds
from bench.attacks.attacker import Wire, crowd
from bench.attacks.waiting import clip
from bench.messages import CLIPS, MESSAGES
from tests.audio.costly import COARSE, FINE
from tests.hostile import words
from tests.hostile.attackers import Guest, text
from tests.hostile.frames import CHOICE
from tests.hostile.requests import GuestAttack
from tests.kit.caller_frames import KINDS, broken, drawn, fitting, nearly, written
from tests.kit.four import IDS

OF_EACH = 40
STREAMERS = 8
NOISE = random.Random(20_261_130).randbytes(960 * 50)
CLIP_CHOICE = "astrologer_id=mohit_vedic_marriage&mode=clip"
CHOICES = (CHOICE, CLIP_CHOICE, "", f"{CHOICE}&resumable=true")


def _floods(some: Sequence[bytes], pause: float = 0.0, calls: int = 16, most: int = 1000) -> GuestAttack:
    """Calls that send these messages from different places on, as fast as they are taken or with pauses."""

    async def attack(guest: Guest) -> None:
        turns = itertools.count()

        async def call() -> None:
            turn = next(turns)
            wire = await guest.opened(guest.path(CHOICES[turn % len(CHOICES)]))
            try:
                at = turn * 97 % len(some)
                for message in itertools.islice(itertools.cycle(some), at, at + most):
                    await wire.write(message)
                    await asyncio.sleep(pause)
            finally:
                wire.cut()

        await crowd(calls, call)

    return attack


def _mixed(some: Sequence[bytes]) -> list[bytes]:
    return random.Random(len(some)).sample(list(some), len(some))


def valid() -> GuestAttack:
    """Messages of every kind that fit their schema: floods, and within the rate that is allowed."""
    some = [written(one, True) for kind in KINDS if kind != "end" for one in drawn(fitting(kind), OF_EACH)]
    some = _mixed([text(one) for one in some])
    return together(_floods(some), _floods(some, pause=0.008), streams())


def streams() -> GuestAttack:
    """Sound in frames of odd sizes, faster than anybody speaks."""
    sizes = [1, 2, 3, 20, 959, 960, 961, 4800, 48_000, 480_000, 480_001]
    some = [frames.frame(frames.BINARY, (NOISE * 11)[:size], masked=True) for size in sizes]
    return _floods(some, calls=STREAMERS, most=60)


def nearly_valid() -> GuestAttack:
    """Messages that are wrong in a place, and such as never were any, also in binary frames."""
    wrong = [written(one, True) for kind in KINDS for one in drawn(nearly(kind), OF_EACH)] + drawn(broken(), 200)
    some = [text(one) for one in wrong]
    some += [frames.frame(frames.BINARY, one, masked=True) for one in wrong[:100] + drawn(st.binary(max_size=3000), 50)]
    return _floods(_mixed(some), pause=0.001)


def deep_and_wide() -> GuestAttack:
    """The costliest message of each kind, at the rate that is allowed, and JSON that is deep."""
    deep = [opens * (60_000 // len(opens)) for opens in (b"[", b'{"a":', b'[{"a":[', b'"\\u')]
    some = [*MESSAGES.values(), *CLIPS.values(), *deep, b'{"type":"ping","x":' + b"[" * 1000 + b"]" * 1000 + b"}"]
    return _floods([text(one) for one in some], pause=0.05, calls=12, most=19)


def said() -> GuestAttack:
    """Words in ids, profiles, texts, users and addresses; resumes with tokens that are guessed."""
    profiles = [{name: f"{words.SAID} {plea}"} for plea in words.EVERY for name in ("name", "birth_place", "country")]
    profiles += [{"birth_date": plea, "birth_time": plea, plea[:40]: words.SAID} for plea in words.EVERY]
    some: list[dict[str, Any]] = [
        {"type": "config", "astrologer_id": id_, "profile": one} for id_, one in zip(itertools.cycle(IDS), profiles)
    ]
    some += [{"type": "config", "astrologer_id": plea[:64]} for plea in words.EVERY]
    some += [{"type": "text", "text": f"{words.SAID} {plea}"} for plea in words.EVERY for _ in range(3)]
    some += [{"type": plea, "message": words.SAID} for plea in words.EVERY]
    some += [{"type": "played", "response_id": plea[:40], "ms": 1} for plea in words.EVERY]
    mixed = _mixed([text(orjson.dumps(one)) for one in some])

    async def odd_names(guest: Guest) -> None:
        names = itertools.cycle(words.EVERY)

        async def call() -> None:
            plea = next(names)
            query = f"astrologer_id={words.quoted(plea)}&mode={words.quoted(plea)}"
            wire = await guest.opened(guest.path_of(plea, query), early=mixed[0])
            await guest.flooded(wire, mixed[1:4])

        await crowd(4, call)

    return together(_floods(mixed, pause=0.1, calls=12, most=60), odd_names, _resumes)


async def _resumes(guest: Guest) -> None:
    tokens = itertools.cycle(["", "x", "A" * 22, "A" * 128, "A" * 60_000, *words.CODE])

    async def call() -> None:
        asks = {"type": "resume", "token": next(tokens), "attach": 0, "received": 0}
        wire = await guest.opened(guest.path("resume=true"), early=text(asks))
        await guest.flooded(wire, [text({**asks, "attach": 10**9})] * 3)

    await crowd(4, call)


def bombs() -> GuestAttack:
    """Clips that are small to send and dear to decode, of every container; two at a time by each."""
    made = [make() for make in (*FINE.values(), *COARSE.values())] + [sounds.alternating(), sounds.quiet_tone(118)]
    messages = [clip(one) for one in made]
    messages += [b'{"type":"audio","audio":"%b"}' % b64encode(one[: 40 * 1024]) for one in made]
    turns = itertools.cycle(messages)

    async def attack(guest: Guest) -> None:
        async def send() -> None:
            wire: Wire = await guest.chosen(CLIP_CHOICE)
            answered = wire.answers
            try:
                for sent in range(1, 200):
                    await wire.say(next(turns))
                    await wire.until(lambda sent=sent: wire.answers - answered > sent - 2, 30)  # type: ignore[misc]
            finally:
                wire.cut()

        await crowd(8, send)

    return attack


def together(*attacks: GuestAttack) -> GuestAttack:
    """All of them at once."""

    async def attack(guest: Guest) -> None:
        await asyncio.gather(*(each(guest) for each in attacks))

    return attack
