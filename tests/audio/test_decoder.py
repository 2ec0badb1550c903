"""The decoding process: it isolates what strangers send, and ends when it should."""

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest

from audio import MAX_CLIP_BYTES, seconds
from audio.answers import HEAD
from audio.decoder import LOST_SECONDS, Decoder, Died
from audio.worker import REQUEST
from schemas import Refused
from tests.audio import costly
from tests.audio.sounds import clip, encoded, riff, speech
from tests.kit.process import START_SECONDS
from tests.kit.story import run

SPOKEN = clip("en_proposal.m4a")
KINDS = [
    ("ipod", "aac"),
    ("webm", "libopus"),
    ("ogg", "libopus"),
    ("wav", "pcm_s16le"),
    ("mp3", "libmp3lame"),
    ("3gp", "aac"),
    ("adts", "aac"),
    ("flac", "flac"),
]


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU that a process has used."""
    return float(sum(process.cpu_times()[:2]))


async def started() -> tuple[Decoder, psutil.Process]:
    """Start a decoder; returns it with its process."""
    before = set(psutil.Process().children())
    decoder = Decoder()
    await decoder.start()
    (process,) = set(psutil.Process().children()) - before
    return decoder, process


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A clip with some bytes overwritten, a piece removed or repeated, or its end cut off."""
    changed = bytearray(content)
    start, end = sorted(chance.randrange(len(changed)) for _ in range(2))
    match chance.randrange(4):
        case 0:
            for _ in range(chance.choice((1, 4, 40))):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        case 1:
            for _ in range(8):  # where containers keep what is worth lying about
                changed[chance.randrange(min(200, len(changed)))] = chance.choice((0, 1, 127, 128, 255))
        case 2:
            changed[start:end] = changed[start:end] * chance.choice((0, 2))
        case _:
            del changed[end:]
    return bytes(changed)


def test_what_a_clip_took_is_given_back() -> None:
    """Each kind of costly clip leaves a decoder nearly as small as a short one did, refused or not."""
    made = [costly.empty_frames_of_aac, costly.loud_numbers_of_flac, costly.short_frames_of_opus, costly.chains_of_ogg]
    short = encoded(speech(0.5), "wav", "pcm_s16le")

    async def scene() -> list[float]:
        decoder, process = await started()
        held = []
        for content in (short, *(make() for make in made)):
            with suppress(Refused):
                await decoder.decode(content)
            await decoder.decode(short)  # is begun when the one before is cleared away
            held.append(process.memory_info().rss / 1e6)
        await decoder.end()
        return held

    before, *after = run(scene())
    assert max(after) < before + 12, (before, after)


def test_damaged_clips_are_heard_or_refused() -> None:
    """Hundreds of mutated clips of every container give PCM or a refusal, and the process survives all of them."""
    originals = [encoded(speech(0.5), *kind) for kind in KINDS]
    chance = random.Random(20_260_801)

    async def scene() -> tuple[int, int]:
        decoder, process = await started()
        heard = refused = 0
        for number in range(400):
            try:
                heard += bool(await decoder.decode(mutated(originals[number % len(originals)], chance)))
            except Refused:
                refused += 1
        assert process.is_running()
        await decoder.end()
        return heard, refused

    heard, refused = run(scene())

    assert heard > 100
    assert refused > 50


def test_a_clip_that_takes_too_much_memory_costs_its_process() -> None:
    """If memory runs out, the clip is refused or the process dies; after a restart it decodes."""

    async def scene() -> float:
        decoder, process = await started()
        used = process.memory_info().vms
        process.rlimit(psutil.RLIMIT_AS, (used + 2**20, used + 2**20))
        with pytest.raises((Refused, Died)):
            await decoder.decode(riff(bytes(range(256)) * 8192, 40_000))
        await decoder.start()
        pcm = await decoder.decode(SPOKEN)
        await decoder.end()
        return seconds(pcm)

    assert run(scene()) > 4


def test_the_process_is_bounded() -> None:
    """The process has a memory limit, goes after the server, writes no core dumps, and has none of the API keys."""

    async def scene() -> psutil.Process:
        decoder, process = await started()
        await decoder.decode(SPOKEN)

        assert 0 < process.rlimit(psutil.RLIMIT_AS)[0] <= 2**29  # -1 is no limit
        assert process.rlimit(psutil.RLIMIT_CORE)[0] == 0
        assert process.nice() > psutil.Process().nice()
        assert "SOME_API_KEY" not in process.environ()
        await decoder.end()
        return process

    os.environ["SOME_API_KEY"] = "secret"
    try:
        process = run(scene())
    finally:
        del os.environ["SOME_API_KEY"]
    assert not process.is_running()


def test_a_clip_in_which_ffmpeg_is_lost_costs_its_process() -> None:
    """If FFmpeg never returns to check the budget, the kernel kills the process after about a second of CPU."""

    async def scene() -> None:
        decoder, process = await started()
        with pytest.raises(Died, match=str(-signal.SIGPROF)):
            await decoder.decode(costly.tags_of_ogg())
        assert not process.is_running()
        assert decoder.spent == LOST_SECONDS
        await decoder.start()
        assert seconds(await decoder.decode(SPOKEN)) > 4
        assert 0 < decoder.spent < LOST_SECONDS
        await decoder.end()

    run(scene())


@pytest.mark.parametrize("name", sorted(costly.FINE))
def test_a_costly_clip_costs_a_second_and_no_process(name: str) -> None:
    """Every costly clip is decoded or refused within the budget, and the process decodes the next one."""
    content = costly.FINE[name]()
    assert len(content) <= MAX_CLIP_BYTES

    async def scene() -> None:
        decoder, process = await started()
        with suppress(Refused):
            await decoder.decode(content)
        assert decoder.spent < LOST_SECONDS
        assert seconds(await decoder.decode(SPOKEN)) > 4
        assert process.is_running()
        await decoder.end()

    run(scene())


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(costly.COARSE))
def test_a_clip_in_one_long_step_costs_a_second_and_maybe_its_process(name: str) -> None:
    """Refused by the budget, or killed: it takes about a second of CPU, and a new process if needed."""
    content = costly.COARSE[name]()
    assert len(content) <= MAX_CLIP_BYTES

    async def scene() -> None:
        decoder, process = await started()
        before = cpu(process)
        with suppress(Refused, Died):
            await decoder.decode(content)
            assert cpu(process) - before < LOST_SECONDS
        if not decoder.ready:
            await decoder.start()
        assert seconds(await decoder.decode(SPOKEN)) > 4
        await decoder.end()

    run(scene())


def test_a_process_leaves_with_its_parent() -> None:
    """If the server is killed, stdin closes and the process ends without any output."""
    child = subprocess.run(
        [sys.executable, "-c", "from audio.worker import serve; serve()"],
        input=REQUEST.pack(False, len(SPOKEN)) + SPOKEN,
        capture_output=True,
        timeout=START_SECONDS,
        check=True,
    )

    assert HEAD.unpack_from(child.stdout) == (True, 0.0, 0)
    assert len(child.stdout) > 200_000
    assert child.stderr == b""


def test_ctrl_c_in_the_terminal_does_not_reach_the_process() -> None:
    """A terminal sends SIGINT to its whole session; the process has a session of its own."""

    async def scene() -> int:
        decoder, process = await started()
        session = os.getsid(process.pid)
        await decoder.end()
        return session

    assert run(scene()) != os.getsid(0)
