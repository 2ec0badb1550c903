"""What the shared parts do for one call: one thing at a time of each, so that no call stands before all others."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator

from engine.load import Job
from engine.parts import Parts

SENTENCE = re.compile(r".+?(?:[.!?\u0964\u2026]+(?=\s)\s*|\Z)", re.DOTALL)
BYTES_PER_SECOND = 48_000
LEAST_HEARD = 6.0  # seconds of audio that the shortest clip costs, beside its own
LEAST_SAID = 10.0  # letters, likewise
PATIENCE = 0.25  # seconds: whoever has got a sentence lets those go first who have waited hardly less


class Work:
    """Hears and speaks for one call. `since` is when the caller began to wait for it, by time.monotonic."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._hearing, self._saying = asyncio.Lock(), asyncio.Lock()

    def is_full(self, *, new: bool) -> bool:
        """Whether what is asked now would wait too long."""
        return self._parts.workers.load.is_full(time.monotonic(), new=new)

    async def hear(self, pcm: bytes, language: str | None, since: float) -> str:
        """The words in a clip, "" for one without speech; of a long one piece by piece, others in between."""
        said: list[str] = []
        rest = pcm
        async with self._hearing:
            while rest or not said:
                job = Job("ear", LEAST_HEARD + min(len(rest) / BYTES_PER_SECOND, 30.0))
                words, rest = await self._parts.workers.run(job, since, self._parts.listen, rest, language)
                said.append(words)
                since = time.monotonic()
        return " ".join(filter(None, said))

    async def say(self, text: str, voice: str, since: float) -> AsyncIterator[tuple[str, bytes]]:
        """Words and the sound that follows them, either may be empty; sentence by sentence, others in between."""
        for sentence in sentences(text):
            words, known = sentence, self._parts.phrases.recall(voice, sentence)
            if known is not None:
                for pcm in known:
                    yield words, pcm
                    words = ""
            else:
                made, chunks = [], self._parts.voice.say(sentence, voice)
                while pcm := await self._next(chunks, sentence, since):
                    yield words, pcm
                    words = ""
                    made.append(pcm)
                self._parts.phrases.keep(voice, sentence, made)
                since += PATIENCE
            if words:
                yield words, b""

    async def _next(self, chunks: Iterator[bytes], sentence: str, since: float) -> bytes:
        async with self._saying:
            job = Job("voice", LEAST_SAID + len(sentence))
            return await self._parts.workers.run(job, since, _next_of, chunks)


def _next_of(chunks: Iterator[bytes]) -> bytes:
    """The next chunk, empty at the end."""
    return next(chunks, b"")


def sentences(text: str) -> list[str]:
    """The text cut after its full stops, question marks, exclamation marks and dandas; joined it is the text."""
    return SENTENCE.findall(text)
