"""Decoding in worker processes: a clip that kills FFmpeg or is a bomb costs that clip and nothing else."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from audio.codec import check_size
from audio.decoder import Decoder, Died
from audio.envelope import MISUNDERSTOOD, Packed
from schemas import Refused

logger = logging.getLogger(__name__)

WORKERS = 2
MOST_WAITING = 64  # clips; with two workers and 30 ms a clip the last of them waits a second
PATIENCE = 15.0  # seconds by the clock for one clip; a worker's own limit is CPU time, which stands while it waits


@dataclass(frozen=True, slots=True)
class Decoded:
    """Clip `number` as PCM: 16 bit signed little-endian, mono, 24 kHz."""

    number: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Undecoded:
    """Clip `number` was refused: `code` is an error code of the wire, `message` says what to do."""

    number: int
    code: str
    message: str

    @property
    def misunderstood(self) -> bool:
        """It was no audio message at all: the client is at fault, not the recording."""
        return self.code in MISUNDERSTOOD


class Listener(Protocol):
    """Whoever handed over a clip; `tell` must neither raise nor block."""

    def tell(self, message: Decoded | Undecoded, /) -> None: ...


class Decoding:
    """A clip on its way through the pool."""

    def __init__(self, work: asyncio.Task[None] | asyncio.Handle) -> None:
        self._work = work

    def cancel(self) -> None:
        """Stop at once and tell nothing; a worker that is at this clip is killed and replaced."""
        self._work.cancel()


class Pool:
    """Two workers and a bounded queue in front of them. Everything here is called on the event loop.

    `patience` is how many seconds one clip may take before its worker is killed.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._decoders = [Decoder() for _ in range(WORKERS)]
        self._free: asyncio.Queue[Decoder] = asyncio.Queue()
        for decoder in self._decoders:
            self._free.put_nowait(decoder)
        self._clips: set[asyncio.Task[None]] = set()
        self._repairs: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def busy(self) -> int:
        """Workers at a clip, or being started."""
        return WORKERS - self._free.qsize()

    @property
    def waiting(self) -> int:
        """Clips that no worker has begun."""
        return max(0, len(self._clips) - self.busy)

    async def warm(self) -> None:
        """Start the workers before the first clip comes, once; raises Died if that is not possible."""
        for _ in self._decoders:
            self._give_back(self._free.get_nowait())
        await asyncio.wait(self._repairs)
        if not all(decoder.ready for decoder in self._decoders):
            raise Died("a decoder could not be started; the log says why")

    async def close(self) -> None:
        """Drop every clip, untold, and end the workers; no process is left. What comes later is refused as busy."""
        self._closed = True
        for clip in self._clips:
            clip.cancel()
        for decoder in self._decoders:
            decoder.give_up()
        # Repairs are waited for: a process whose start is cancelled half-way could not be.
        await asyncio.gather(*self._clips, *self._repairs, return_exceptions=True)
        await asyncio.gather(*(decoder.end() for decoder in self._decoders))

    def decode(self, number: int, clip: bytes | Packed, to: Listener) -> Decoding:
        """Decode a clip and tell `to`, exactly once and never before this returns. Never raises.

        Refusals are those of `codec.decode`, of `envelope.unpack` for one that comes packed, and busy: 64 clips wait
        already, or the pool is closed.
        """
        if self._closed or len(self._clips) >= WORKERS + MOST_WAITING:
            busy = Undecoded(
                number, "busy", "Too many clips are waiting to be decoded; send it again in a few seconds."
            )
            return Decoding(asyncio.get_running_loop().call_soon(to.tell, busy))
        return Decoding(_keep(self._clips, self._work(number, clip, to)))

    async def _work(self, number: int, clip: bytes | Packed, to: Listener) -> None:
        try:
            if isinstance(clip, bytes):
                check_size(clip)
            pcm = await self._pcm(clip)
        except Refused as refused:
            to.tell(Undecoded(number, refused.code, refused.message))
        else:
            to.tell(Decoded(number, pcm))

    async def _pcm(self, clip: bytes | Packed) -> bytes:
        decoder = await self._next_free()
        try:
            async with asyncio.timeout(self._patience):
                return await decoder.decode(clip)
        except (Died, TimeoutError) as error:
            size = len(clip.frame if isinstance(clip, Packed) else clip)
            logger.warning("a decoder was lost at a clip of %d bytes: %s", size, error or "it took too long")
            raise Refused("audio_undecodable", "The clip could not be decoded; record it again.") from error
        finally:
            self._give_back(decoder)

    async def _next_free(self) -> Decoder:
        for _ in range(2 * WORKERS):
            decoder = await self._free.get()
            if decoder.ready:
                return decoder
            self._give_back(decoder)  # it was never started, or died while it was idle
        raise Refused("busy", "Clips cannot be decoded at the moment; send it again in a few seconds.")

    def _give_back(self, decoder: Decoder) -> None:
        """Into the queue of the free; one that cannot take a clip is started anew first, so that none has to wait."""
        if decoder.ready or self._closed:
            self._free.put_nowait(decoder)
        else:
            _keep(self._repairs, self._repair(decoder))

    async def _repair(self, decoder: Decoder) -> None:
        try:
            await decoder.start()
        except Died as died:
            if not self._closed:
                logger.warning("a decoder %s; the next clip tries again", died)
        finally:
            self._free.put_nowait(decoder)


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run it as a task, with a reference that lasts as long as it does: the loop holds only a weak one."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
