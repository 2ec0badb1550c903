"""Clips go in, one answer each comes out, whatever happens to the workers."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
import uvloop

from audio import Decoded, Pool, Undecoded, seconds
from audio.decoder import LOST_SECONDS
from audio.fair_queue import HEAVY_SECONDS
from audio.pool import MOST_WAITING, WORKERS
from tests.audio.costly import empty_frames_of_aac
from tests.audio.sounds import clip, riff
from tests.kit.story import WITHIN, children, run, until

SPOKEN = clip("en_proposal.m4a")
LARGE = riff(bytes(range(256)) * 16_000, 40_000)  # 102 s of a tone in 4 MB: more than a pipe takes at once


class Ear:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Decoded | Undecoded] = asyncio.Queue()

    def tell(self, message: Decoded | Undecoded, /) -> None:
        self.told.put_nowait(message)

    async def hears(self) -> Decoded | Undecoded:
        async with asyncio.timeout(WITHIN):
            return await self.told.get()


def play(scene: Callable[[Pool, Ear], Awaitable[None]], patience: float = WITHIN) -> None:
    """Play a scene with a warm pool, close the pool, and see that nothing is left."""

    async def whole() -> None:
        pool = Pool(patience)
        await pool.warm()
        assert len(children()) == WORKERS
        try:
            await scene(pool, Ear())
        finally:
            await pool.close()
        assert not children()

    run(whole())


def stand_still() -> None:
    """No worker goes on with anything, so that a clip that it takes stays at work."""
    for worker in children():
        worker.suspend()


async def at_work(pool: Pool) -> list[psutil.Process]:
    """The workers that have taken a clip, once one has."""
    await until(lambda: sum(not decoder.ready for decoder in pool._decoders) == pool.busy > 0)
    return [
        psutil.Process(decoder._process.pid) for decoder in pool._decoders if decoder._process and not decoder.ready
    ]


def test_a_clip_is_told_as_pcm() -> None:
    """The one who handed the clip over is told its PCM, with its number."""

    async def scene(pool: Pool, ear: Ear) -> None:
        pool.decode(7, SPOKEN, ear)
        match await ear.hears():
            case Decoded(number, pcm):
                assert number == 7
                assert seconds(pcm) == pytest.approx(4.65, abs=0.05)
            case other:
                pytest.fail(f"{other}")

    play(scene)


def test_a_refusal_is_told_with_its_code() -> None:
    """What cannot be decoded is told with the code and the sentence of the codec."""

    async def scene(pool: Pool, ear: Ear) -> None:
        for number, (content, code) in enumerate([(b"", "empty_audio"), (b"%PDF-1.7" * 9, "audio_undecodable")]):
            pool.decode(number, content, ear)
            match await ear.hears():
                case Undecoded(told, told_code, message):
                    assert (told, told_code) == (number, code)
                    assert message.endswith(".")
                case other:
                    pytest.fail(f"{other}")

    play(scene)


def test_every_clip_is_told_once() -> None:
    """Forty clips at once: forty answers, and no more."""

    async def scene(pool: Pool, ear: Ear) -> None:
        for number in range(40):
            pool.decode(number, SPOKEN if number % 4 else b"noise", ear)
        told = [await ear.hears() for _ in range(40)]
        assert sorted(message.number for message in told) == list(range(40))
        assert sum(isinstance(message, Decoded) for message in told) == 30
        assert ear.told.empty()

    play(scene)


def test_a_killed_worker_costs_only_its_clip() -> None:
    """A worker is killed at its clip: that one is refused, the other goes on, and the next finds a new worker."""

    async def scene(pool: Pool, ear: Ear) -> None:
        neighbour = Ear()
        stand_still()
        pool.decode(1, LARGE, ear)
        (victim,) = await at_work(pool)
        pool.decode(2, SPOKEN, neighbour)
        victim.kill()
        for other in set(children()) - {victim}:
            other.resume()

        refused = await ear.hears()
        assert isinstance(refused, Undecoded)
        assert refused.code == "audio_undecodable"
        assert isinstance(await neighbour.hears(), Decoded)
        for number in range(3, 3 + 2 * WORKERS):
            pool.decode(number, SPOKEN, ear)
        assert all([isinstance(await ear.hears(), Decoded) for _ in range(2 * WORKERS)])
        assert victim not in children()

    play(scene)


def test_workers_that_died_idle_are_replaced() -> None:
    """Killed while they wait for work, they cost no clip at all."""

    async def scene(pool: Pool, ear: Ear) -> None:
        victims = children()
        for victim in victims:
            victim.kill()
        await until(lambda: not any(decoder.ready for decoder in pool._decoders))
        for number in range(2 * WORKERS):
            pool.decode(number, SPOKEN, ear)
        assert all([isinstance(await ear.hears(), Decoded) for _ in range(2 * WORKERS)])

    play(scene)


def test_a_worker_that_hangs_costs_only_its_clip() -> None:
    """By the clock a clip may take so long and no longer, also when its worker does nothing at all."""

    async def scene(pool: Pool, ear: Ear) -> None:
        stand_still()
        pool.decode(1, SPOKEN, ear)
        refused = await ear.hears()
        assert isinstance(refused, Undecoded)
        assert refused.code == "audio_undecodable"

    play(scene, patience=0.2)


def test_a_cancelled_clip_is_never_told() -> None:
    """Cancelled at work, its worker ends it and takes the next; cancelled in the queue, it has left that at once."""

    async def scene(pool: Pool, ear: Ear) -> None:
        before = set(children())
        stand_still()
        decodings = [pool.decode(number, LARGE, ear) for number in range(WORKERS + 1)]
        await at_work(pool)
        assert pool.waiting == 1
        for decoding in decodings:
            decoding.cancel()
        assert pool.waiting == 0
        for worker in before:
            worker.resume()

        pool.decode(99, SPOKEN, ear)
        told = await ear.hears()
        assert isinstance(told, Decoded)
        assert told.number == 99
        assert ear.told.empty()
        assert set(children()) == before

    play(scene)


def test_cancelling_what_was_told_changes_nothing() -> None:
    """A cancel that comes too late does no harm."""

    async def scene(pool: Pool, ear: Ear) -> None:
        before = set(children())
        decoding = pool.decode(1, SPOKEN, ear)
        assert isinstance(await ear.hears(), Decoded)
        decoding.cancel()
        pool.decode(2, SPOKEN, ear)
        assert isinstance(await ear.hears(), Decoded)
        assert set(children()) == before

    play(scene)


def test_the_queue_is_bounded() -> None:
    """The clip beyond the last place is told busy, and not before its decode call has returned."""

    async def scene(pool: Pool, ear: Ear) -> None:
        late = Ear()
        for number in range(WORKERS + MOST_WAITING):
            pool.decode(number, SPOKEN, ear)
        pool.decode(1000, SPOKEN, late)
        assert late.told.empty()
        refused = await late.hears()
        assert isinstance(refused, Undecoded)
        assert (refused.number, refused.code) == (1000, "busy")
        told = [await ear.hears() for _ in range(WORKERS + MOST_WAITING)]
        assert all(isinstance(message, Decoded) for message in told)

    play(scene)


def test_who_fills_the_queue_makes_room() -> None:
    """One address fills it under many names: a clip from elsewhere takes the place of its last, and goes before it."""

    async def scene(pool: Pool, ear: Ear) -> None:
        before = children()
        stand_still()
        for number in range(WORKERS + MOST_WAITING):
            pool.decode(number, SPOKEN, ear, (("address", "192.0.2.1"), ("user", number)))
        pool.decode(1000, SPOKEN, ear, (("address", "192.0.2.2"), ("user", "somebody")))
        refused = await ear.hears()
        assert isinstance(refused, Undecoded)
        assert (refused.number, refused.code) == (WORKERS + MOST_WAITING - 1, "busy")
        for worker in before:
            worker.resume()
        told = [await ear.hears() for _ in range(2 * WORKERS + 1)]
        assert all(isinstance(one, Decoded) for one in told)
        assert 1000 in [one.number for one in told]

    play(scene)


def test_who_sends_costly_clips_leaves_a_worker_to_the_others() -> None:
    """While one of theirs is at work the second worker is not theirs, whoever waits."""

    async def scene(pool: Pool, ear: Ear) -> None:
        costly, by = empty_frames_of_aac(), (("address", "192.0.2.1"),)
        for number in range(2):
            pool.decode(number, costly, ear, by)
        for _ in range(2):
            assert isinstance(await ear.hears(), Undecoded)
        assert pool.spent > HEAVY_SECONDS

        stand_still()
        for number in range(3):
            pool.decode(number, costly, ear, by)
        assert (pool.busy, pool.waiting) == (1, 2)
        pool.decode(9, SPOKEN, ear, (("address", "192.0.2.2"),))
        assert (pool.busy, pool.waiting) == (2, 2)

    play(scene)


def test_a_lost_worker_is_charged_to_whoever_lost_it() -> None:
    """What it cost is counted, and a start as well."""

    async def scene(pool: Pool, ear: Ear) -> None:
        stand_still()
        pool.decode(1, SPOKEN, ear, (("user", "somebody"),))
        (victim,) = await at_work(pool)
        victim.kill()
        assert isinstance(await ear.hears(), Undecoded)
        assert pool.spent == LOST_SECONDS

    play(scene)


def test_closing_drops_what_is_under_way() -> None:
    """Clips at work and in the queue are dropped untold, no process is left, and a closed pool says busy."""

    async def scene(pool: Pool, ear: Ear) -> None:
        stand_still()
        for number in range(10):
            pool.decode(number, LARGE, ear)
        assert len(await at_work(pool)) == WORKERS
        await pool.close()
        assert not children()
        assert ear.told.empty()
        pool.decode(11, SPOKEN, ear)
        refused = await ear.hears()
        assert isinstance(refused, Undecoded)
        assert refused.code == "busy"

    play(scene)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_closing_waits_for_no_worker_that_hangs_as_it_starts(
    factory: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the file system of its program does not answer: it is killed, long before its start is given up."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hang = f"import sys, signal\nif sys.argv[0] == '-c': open({str(pipe)!r}, 'w').close(); signal.pause()\n"
    (tmp_path / "sitecustomize.py").write_text(hang)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("audio.decoder.START_SECONDS", 1e6)

    async def scene() -> None:
        pool = Pool()
        warming = asyncio.ensure_future(pool.warm())
        await asyncio.to_thread(pipe.read_bytes)  # one of them runs by now
        warming.cancel()
        await asyncio.wait([warming])
        await pool.close()
        assert not children()

    run(scene(), factory)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_closing_while_workers_start_leaves_nothing(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A server that stops while it starts leaves no process behind, on either kind of loop."""

    async def scene(turns: int) -> None:
        pool = Pool()
        warming = asyncio.ensure_future(pool.warm())
        for _ in range(turns):
            await asyncio.sleep(0)
        warming.cancel()
        await asyncio.wait([warming])
        await pool.close()
        assert not children()

    with asyncio.Runner(loop_factory=factory) as runner:
        for turns in (0, 1, 2, 5, 1000):
            runner.run(scene(turns))
