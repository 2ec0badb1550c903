"""Transcribes and synthesises for one call, in the threads that all calls share.

A call has at most one job of each kind in the queue of `Workers`: long clips are transcribed piece by piece and text is
synthesised sentence by sentence, so that other calls get their turn in between.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator

from engine.load import Job
from engine.parts import Parts
from realtime.server.transcription import joined

SENTENCE = re.compile(r".+?(?:[.!?\u0964\u2026]+(?=\s)\s*|\Z)", re.DOTALL)
BYTES_PER_SECOND = 48_000
EAR_BASE_UNITS = 6.0  # the fixed cost of a clip, in seconds of audio
VOICE_BASE_UNITS = 10.0  # the fixed cost of a sentence, in letters
HANDICAP = 0.25  # seconds by which a call that got a sentence counts as having waited less for the next


class CallJobs:
    """The jobs of one call. `since` is when its caller began to wait, by time.monotonic."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ear_lock, self._voice_lock = asyncio.Lock(), asyncio.Lock()

    def is_full(self, *, new: bool) -> bool:
        """True if a job that is added now would wait too long; `new` is as in `Load.is_full`."""
        return self._parts.workers.load.is_full(time.monotonic(), new=new)

    async def transcribe(self, pcm: bytes, language: str | None, since: float) -> str:
        """The words in PCM16 mono 24 kHz, and how sure the ear is of them; "" if it has no speech."""
        transcripts: list[str] = []
        rest = pcm
        async with self._ear_lock:
            while rest or not transcripts:
                job = Job("ear", EAR_BASE_UNITS + min(len(rest) / BYTES_PER_SECOND, 30.0))
                words, rest = await self._parts.workers.run(job, since, self._parts.listen, rest, language)
                transcripts.append(words)
                since = time.monotonic()
        return joined(transcripts)

    async def synthesise(self, text: str, voice: str, since: float) -> AsyncIterator[tuple[str, bytes]]:
        """Speak a text: pairs of words and of PCM16 mono 24 kHz that begins with them. Either may be empty."""
        cache = self._parts.speech_cache
        for sentence in sentences(text):
            words, cached = sentence, cache.get(voice, sentence)
            if cached is not None:
                for pcm in cached:
                    yield words, pcm
                    words = ""
            else:
                made, chunks = [], self._parts.voice.say(sentence, voice)
                while pcm := await self._next_chunk(chunks, sentence, since):
                    yield words, pcm
                    words = ""
                    made.append(pcm)
                cache.put(voice, sentence, made)
                since += HANDICAP
            if words:
                yield words, b""

    async def _next_chunk(self, chunks: Iterator[bytes], sentence: str, since: float) -> bytes:
        """The next chunk of a sentence, made in a thread; empty at the end."""
        async with self._voice_lock:
            job = Job("voice", VOICE_BASE_UNITS + len(sentence))
            return await self._parts.workers.run(job, since, next, chunks, b"")


def sentences(text: str) -> list[str]:
    """Split a text after full stops, question marks, exclamation marks and dandas. Joined, the parts are the text."""
    return SENTENCE.findall(text)
