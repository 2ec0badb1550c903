"""Decoding in worker processes: a clip that kills FFmpeg, or is a bomb, costs that clip and nothing else.

    decode() ──▶ FairQueue ──▶ a free Decoder (one process) ──▶ Decoded or Undecoded to the listener, exactly once
                 at most 64     two of them                          │
                     ▲                                               ▼
                     └──────────── _dispatch ◀────────────── _release: the process is restarted if it died

Everything in this file runs on the event loop. Only the codec runs elsewhere: `worker.py` in the process that
`decoder.py` starts. Three limits end a clip: its budget of CPU (`budget.py`, checked by the worker itself), a timer of
the kernel that kills a worker in which FFmpeg never returns (`worker.py`), and `patience` by the clock (here).

A clip that is cancelled while a worker decodes it is decoded to its end and the result is dropped: to restart the
worker would cost more.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from audio.clip_frame import Packed
from audio.codec import check_size
from audio.decoder import Decoder, Died
from audio.fair_queue import Entry, FairQueue, Sender
from cage import User
from schemas import Refused

logger = logging.getLogger(__name__)

WORKERS = 2
MOST_WAITING = 64  # clips; with two workers and 30 ms a clip the last of them waits a second
PATIENCE = 15.0  # seconds by the clock for one clip; a worker's own limit is CPU time, which stands while it waits

EXCUSED = frozenset({"busy", "empty_audio", "audio_too_short", "nothing_heard"})
"""Codes of refusals for which no caller is at fault: a button let go too early, a microphone that is off."""


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
    def counts(self) -> bool:
        """True if it counts against the caller: no recorder that works makes such a clip."""
        return self.code not in EXCUSED


class Listener(Protocol):
    """Receives the result of a clip; `tell` must neither raise nor block."""

    def tell(self, message: Decoded | Undecoded, /) -> None: ...


class Decoding:
    """A clip that was handed to the pool and whose result is still to come."""

    def __init__(self, number: int, clip: bytes | Packed, to: Listener, queue: "FairQueue[Decoding]") -> None:
        self.number, self.clip = number, clip
        self._to: Listener | None = to
        self._queue = queue

    def cancel(self) -> None:
        """Send no result. A worker that has already begun the clip finishes it, within about a second."""
        self._to = None
        self._queue.drop(self)

    def tell(self, message: Decoded | Undecoded) -> None:
        """Send the result, unless the clip was cancelled or its result was sent before."""
        to, self._to = self._to, None
        if to:
            to.tell(message)

    def refuse(self, code: str, message: str) -> None:
        """Send a refusal as the result."""
        self.tell(Undecoded(self.number, code, message))


class Pool:
    """Two decoding processes behind a fair queue. Every method is called on the event loop.

    `patience` is how many seconds by the clock one clip may take before its worker is killed. `spent` is the seconds
    of CPU that all clips took together. If root is who starts the workers, they go on as `user`.
    """

    def __init__(self, patience: float = PATIENCE, user: User | None = None) -> None:
        self._patience = patience
        self._decoders = [Decoder(user) for _ in range(WORKERS)]
        self._free = list(self._decoders)
        self._queue: FairQueue[Decoding] = FairQueue(WORKERS, MOST_WAITING)
        self._running: set[Decoding] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.spent = 0.0

    @property
    def busy(self) -> int:
        """How many workers decode a clip, or are being started."""
        return WORKERS - len(self._free)

    @property
    def waiting(self) -> int:
        """How many clips no worker has begun."""
        return len(self._queue)

    async def warm(self) -> None:
        """Start the workers before the first clip comes; to be called once. Raises Died if one cannot be started."""
        await asyncio.wait([_spawn(self._tasks, self._release(self._free.pop())) for _ in self._decoders])
        if not all(decoder.ready for decoder in self._decoders):
            raise Died("a decoder could not be started; the log says why")
        if missing := self._decoders[0].missing:
            logger.warning("decoders are shut in as far as the system can, with these gaps: %s", "; ".join(missing))

    async def close(self) -> None:
        """Drop every clip without a result and end the processes. Clips that come later are refused as busy."""
        self._closed = True
        self._queue.clear()
        for decoding in self._running:
            decoding.cancel()
        for decoder in self._decoders:
            decoder.give_up()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(decoder.end() for decoder in self._decoders))

    def decode(self, number: int, clip: bytes | Packed, to: Listener, by: Sender = ()) -> Decoding:
        """Decode a clip and send `to` the result, exactly once and never before this returns. Never raises.

        `by` is who sent the clip; it decides the order, see `fair_queue.py`. The codes of refusals are those of
        `codec.decode`, those of `clip_frame.unpack` for a `Packed` clip, and busy: the queue is full of clips of
        others who used no more, or the pool is closed.
        """
        decoding = Decoding(number, clip, to, self._queue)
        loop = asyncio.get_running_loop()
        try:
            if isinstance(clip, bytes):
                check_size(clip)
        except Refused as refused:
            loop.call_soon(decoding.refuse, refused.code, refused.message)
            return decoding
        if displaced := decoding if self._closed else self._queue.add(by, decoding):
            message = "Too many clips wait to be decoded; send it again in a few seconds."
            loop.call_soon(displaced.refuse, "busy", message)
        self._dispatch()
        return decoding

    def _dispatch(self) -> None:
        """Hand waiting clips to free workers."""
        while self._free and not self._closed and (entry := self._queue.next()):
            decoder = next((decoder for decoder in self._free if decoder.ready), self._free[0])
            self._free.remove(decoder)
            _spawn(self._tasks, self._run(decoder, entry))

    async def _run(self, decoder: Decoder, entry: Entry[Decoding]) -> None:
        decoding = entry.item
        self._running.add(decoding)
        try:
            decoding.tell(Decoded(decoding.number, await self._pcm(decoder, decoding.clip)))
        except Refused as refused:
            decoding.refuse(refused.code, refused.message)
        finally:
            self._running.discard(decoding)
            self.spent += decoder.spent
            self._queue.done(entry, decoder.spent)
            await self._release(decoder)

    async def _pcm(self, decoder: Decoder, clip: bytes | Packed) -> bytes:
        """Decode on this worker, which is started first if it died while it was idle. Raises Refused."""
        if not decoder.ready and not await self._start(decoder):
            raise Refused("busy", "Clips cannot be decoded at the moment; send it again in a few seconds.")
        try:
            async with asyncio.timeout(self._patience):
                return await decoder.decode(clip)
        except (Died, TimeoutError) as error:
            size = len(clip.frame if isinstance(clip, Packed) else clip)
            if not self._closed:
                logger.warning("a decoder was lost at a clip of %d bytes: %s", size, str(error) or "it took too long")
            raise Refused("audio_undecodable", "The clip could not be decoded; record it again.") from error

    async def _release(self, decoder: Decoder) -> None:
        """Return a worker to the free ones. A dead one is restarted first, so that the next clip need not wait."""
        if not decoder.ready and not self._closed:
            await self._start(decoder)
        self._free.append(decoder)
        self._dispatch()

    async def _start(self, decoder: Decoder) -> bool:
        try:
            await decoder.start()
        except Died as died:
            if not self._closed:
                logger.warning("a decoder %s; the next clip tries again", died)
        return decoder.ready


def _spawn(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run a task and store a reference to it until it ends: the event loop itself holds only a weak one."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
