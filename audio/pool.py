"""Decoding in worker processes: a clip that kills FFmpeg or is a bomb costs that clip and nothing else."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from audio.clip_frame import Packed
from audio.codec import check_size
from audio.decoder import Decoder, Died
from audio.turns import By, Turn, Turns
from schemas import Refused

logger = logging.getLogger(__name__)

WORKERS = 2
MOST_WAITING = 64  # clips; with two workers and 30 ms a clip the last of them waits a second
PATIENCE = 15.0  # seconds by the clock for one clip; a worker's own limit is CPU time, which stands while it waits

EXCUSED = frozenset({"busy", "empty_audio", "audio_too_short", "nothing_heard"})
"""Why a clip may be refused though nobody did anything wrong: a button let go too early, a microphone that is off."""


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
        """Whether it counts against the caller: no recorder that works, and nobody who speaks, makes such a clip."""
        return self.code not in EXCUSED


class Listener(Protocol):
    """Whoever handed over a clip; `tell` must neither raise nor block."""

    def tell(self, message: Decoded | Undecoded, /) -> None: ...


class Decoding:
    """A clip on its way through the pool."""

    def __init__(self, number: int, clip: bytes | Packed, to: Listener, turns: "Turns[Decoding]") -> None:
        self.number, self.clip = number, clip
        self._to: Listener | None = to
        self._turns = turns

    def cancel(self) -> None:
        """Nothing is told any more. A worker that has begun it ends it, in a second at most: a new one costs more."""
        self._to = None
        self._turns.drop(self)

    def tell(self, message: Decoded | Undecoded) -> None:
        """Tell what became of it, unless nobody wants to know."""
        to, self._to = self._to, None
        if to:
            to.tell(message)

    def refuse(self, code: str, message: str) -> None:
        """Tell why it is not decoded."""
        self.tell(Undecoded(self.number, code, message))


class Pool:
    """Two workers, and clips that take turns in front of them. Everything here is called on the event loop.

    `patience` is how many seconds one clip may take before its worker is killed. `spent` is the seconds of CPU that
    clips took in all.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._decoders = [Decoder() for _ in range(WORKERS)]
        self._free = list(self._decoders)
        self._turns: Turns[Decoding] = Turns(WORKERS, MOST_WAITING)
        self._at_work: set[Decoding] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.spent = 0.0

    @property
    def busy(self) -> int:
        """Workers at a clip, or being started."""
        return WORKERS - len(self._free)

    @property
    def waiting(self) -> int:
        """Clips that no worker has begun."""
        return len(self._turns)

    async def warm(self) -> None:
        """Start the workers before the first clip comes, once; raises Died if that is not possible."""
        await asyncio.wait([_keep(self._tasks, self._give_back(self._free.pop())) for _ in self._decoders])
        if not all(decoder.ready for decoder in self._decoders):
            raise Died("a decoder could not be started; the log says why")

    async def close(self) -> None:
        """Drop every clip, untold, and end the workers; no process is left. What comes later is refused as busy."""
        self._closed = True
        self._turns.clear()
        for decoding in self._at_work:
            decoding.cancel()
        for decoder in self._decoders:
            decoder.give_up()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(decoder.end() for decoder in self._decoders))

    def decode(self, number: int, clip: bytes | Packed, to: Listener, by: By = ()) -> Decoding:
        """Decode a clip and tell `to`, exactly once and never before this returns. Never raises.

        `by` is who sent it, the widest first; whoever has used the decoders least lately goes next. Refusals are those
        of `codec.decode`, of `clip_frame.unpack` for one that comes packed, and busy: 64 clips of others who used no
        more wait already, or the pool is closed.
        """
        decoding = Decoding(number, clip, to, self._turns)
        loop = asyncio.get_running_loop()
        try:
            if isinstance(clip, bytes):
                check_size(clip)
        except Refused as refused:
            loop.call_soon(decoding.refuse, refused.code, refused.message)
            return decoding
        gone = decoding if self._closed else self._turns.add(by, decoding)
        if gone:
            loop.call_soon(gone.refuse, "busy", "Too many clips wait to be decoded; send it again in a few seconds.")
        self._go_on()
        return decoding

    def _go_on(self) -> None:
        """Give free workers what waits."""
        while self._free and not self._closed and (turn := self._turns.next()):
            decoder = next((decoder for decoder in self._free if decoder.ready), self._free[0])
            self._free.remove(decoder)
            _keep(self._tasks, self._work(decoder, turn))

    async def _work(self, decoder: Decoder, turn: Turn[Decoding]) -> None:
        decoding = turn.item
        self._at_work.add(decoding)
        try:
            decoding.tell(Decoded(decoding.number, await self._pcm(decoder, decoding.clip)))
        except Refused as refused:
            decoding.refuse(refused.code, refused.message)
        finally:
            self._at_work.discard(decoding)
            self.spent += decoder.spent
            self._turns.done(turn, decoder.spent)
            await self._give_back(decoder)

    async def _pcm(self, decoder: Decoder, clip: bytes | Packed) -> bytes:
        if not decoder.ready and not await self._started(decoder):  # it died while it was idle, or never lived
            raise Refused("busy", "Clips cannot be decoded at the moment; send it again in a few seconds.")
        try:
            async with asyncio.timeout(self._patience):
                return await decoder.decode(clip)
        except (Died, TimeoutError) as error:
            size = len(clip.frame if isinstance(clip, Packed) else clip)
            if not self._closed:
                logger.warning("a decoder was lost at a clip of %d bytes: %s", size, error or "it took too long")
            raise Refused("audio_undecodable", "The clip could not be decoded; record it again.") from error

    async def _give_back(self, decoder: Decoder) -> None:
        """To the free; one that cannot take a clip is started anew first, so that none has to wait."""
        if not decoder.ready and not self._closed:
            await self._started(decoder)
        self._free.append(decoder)
        self._go_on()

    async def _started(self, decoder: Decoder) -> bool:
        try:
            await decoder.start()
        except Died as died:
            if not self._closed:
                logger.warning("a decoder %s; the next clip tries again", died)
        return decoder.ready


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run it as a task, with a reference that lasts as long as it does: the loop holds only a weak one."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
