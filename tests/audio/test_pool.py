"""The pool sends one result for each clip, whatever happens to its workers."""

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
    """A listener that stores the results it receives."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Decoded | Undecoded] = asyncio.Queue()

    def tell(self, message: Decoded | Undecoded, /) -> None:
        self.told.put_nowait(message)

    async def hears(self) -> Decoded | Undecoded:
        async with asyncio.timeout(WITHIN):
            return await self.told.get()


def play(scene: Callable[[Pool, Ear], Awaitable[None]], patience: float = WITHIN) -> None:
    """Run a scene with a warm pool, close the pool, and check that no process or task is left."""

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
    """Stop every worker (SIGSTOP), so that a clip that it gets is not finished."""
    for worker in children():
        worker.suspend()


async def at_work(pool: Pool) -> list[psutil.Process]:
    """Wait until a worker has a clip; returns the processes of those that have."""
    await until(lambda: sum(not decoder.ready for decoder in pool._decoders) == pool.busy > 0)
    return [
        psutil.Process(decoder._process.pid) for decoder in pool._decoders if decoder._process and not decoder.ready
    ]


def test_a_clip_is_told_as_pcm() -> None:
    """The listener receives the PCM, with the number of the clip."""

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
    """The refusal of an undecodable clip has the code and the sentence of the codec."""

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
    """Forty clips at once give forty results, and no more."""

    async def scene(pool: Pool, ear: Ear) -> None:
        for number in range(40):
            pool.decode(number, SPOKEN if number % 4 else b"noise", ear)
        told = [await ear.hears() for _ in range(40)]
        assert sorted(message.number for message in told) == list(range(40))
        assert sum(isinstance(message, Decoded) for message in told) == 30
        assert ear.told.empty()

    play(scene)


def test_a_killed_worker_costs_only_its_clip() -> None:
    """If a worker is killed, its clip is refused, the other worker goes on, and the next clip gets a new one."""

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
    """Workers that are killed while they are idle cost no clip."""

    async def scene(pool: Pool, ear: Ear) -> None:
        victims = children()
        for victim in victims:
            victim.kill()
        await until(lambda: not any(decoder.ready for decoder in pool._decoders))
        for number in range(2 * WORKERS):
            pool.decode(number, SPOKEN, ear)
        assert all([isinstance(await ear.hears(), Decoded) for _ in range(2 * WORKERS)])

    play(scene)


def test_a_worker_that_hangs_costs_only_its_clip(caplog: pytest.LogCaptureFixture) -> None:
    """The time of a clip is limited by the clock too, for a worker that uses no CPU at all."""

    async def scene(pool: Pool, ear: Ear) -> None:
        stand_still()
        pool.decode(1, SPOKEN, ear)
        refused = await ear.hears()
        assert isinstance(refused, Undecoded)
        assert refused.code == "audio_undecodable"

    play(scene, patience=0.2)
    (told,) = (line for line in caplog.messages if "was lost" in line)
    assert told.endswith("bytes: it took too long")


def test_a_cancelled_clip_is_never_told() -> None:
    """A clip that is cancelled while it runs is finished without a result; one that waits leaves the queue."""

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
    """A cancel after the result has no effect."""

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
    """A clip that finds the queue full is refused as busy, but not before `decode` has returned."""

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
    """If one address fills the queue under many names, a clip of another one displaces its last, and is next."""

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


def test_who_sends_costly_clips_leaves_a_worker_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a clip of a heavy sender runs, the second worker gets none of theirs, even if nobody else waits."""
    monkeypatch.setattr("audio.fair_queue.HALF_LIFE", 1e6)  # on a busy machine two seconds of CPU take a minute

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
    """Its CPU and that of the new start are counted."""

    async def scene(pool: Pool, ear: Ear) -> None:
        stand_still()
        pool.decode(1, SPOKEN, ear, (("user", "somebody"),))
        (victim,) = await at_work(pool)
        victim.kill()
        assert isinstance(await ear.hears(), Undecoded)
        assert pool.spent == LOST_SECONDS

    play(scene)


def test_closing_drops_what_is_under_way() -> None:
    """Clips that run or wait get no result, no process is left, and a closed pool refuses as busy."""

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
    """A worker whose start hangs, as on a dead file system, is killed long before the start times out."""
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
    """A server that is stopped while it starts leaves no process, with either kind of event loop."""

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
