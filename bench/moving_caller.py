"""A caller who asks again and again, comes back when the server gives the call away, and notes how it went."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from bench.ear import Ear
from bench.marks import GREETING_WORDS, now
from phone import CallEnded, Message
from phone.lasting import LastingPhone

WORDS, SENTENCE = 24, 8
JITTER_SECONDS = 0.5  # as clients come back (clients/js/call.js)
PLAYED_SECONDS = 0.3  # after the last word, until nobody takes it for playing any more
THINKS_SECONDS = 10.0  # at most, from the end of an answer to the next question: half of the callers are listening
PATIENCE = 120.0  # seconds for an answer, also on a machine that is busy with others
TURNS = 26  # that words tell apart
AFTER_SECONDS = 1.0  # that the model is there: then the answer that moved goes on


@dataclass
class Caller(LastingPhone):
    """Asks one question after another, and notes how it went; times in seconds of the monotonic clock."""

    who: int = 0
    turn: int = 0
    close: tuple[int, str] = (0, "")
    told_at: float = 0.0
    resumed_at: float = 0.0
    model_at: float = 0.0
    cut: str = ""
    """The last words before the close, if they were not the end of a sentence."""
    asked: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    """What the caller said, as the model knows it in the end."""
    over: bool = False
    """They have hung up."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """They were answered once."""
    there: asyncio.Event = field(default_factory=asyncio.Event)
    """The call has moved, and the model is there."""
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.ear, self.on_message = Ear(lambda _: None), self._hear

    def _hear(self, message: Message) -> None:
        match message:
            case {"type": "response_started"}:
                self.ear.begin()
            case {"type": "sound", "pcm": pcm}:
                self.ear.hear(now() / 1e6, pcm)
            case {"type": "response_done"}:
                last = self.ear.words[-1]
                if last.turn == self.turn and last.position + 1 == self._whole(last.turn):
                    self._heard.set()
            case {"type": "notice", "code": "resumed"}:
                if self.moved and not self.model_at:
                    self.model_at = now() / 1e6
                    self.there.set()

    @staticmethod
    def _whole(turn: int) -> int:
        return WORDS if turn else GREETING_WORDS

    async def comes_back(self) -> None:
        """As ever; before, it is noted how the call was closed, and after which word."""
        self.close = self.socket.close_code or 1006, self.socket.close_reason or ""
        self.told_at = now() / 1e6
        if self.ear.words:
            last = self.ear.words[-1]
            whole = (last.position + 1) % SENTENCE == 0 or last.position + 1 == self._whole(last.turn)
            self.cut = "" if whole else f"turn {last.turn}, word {last.position}"
        await asyncio.sleep(random.uniform(0.0, JITTER_SECONDS))
        await super().comes_back()
        self.resumed_at = now() / 1e6

    async def listens(self) -> None:
        """Until the call is over. Raises CallEnded if it ends by itself."""
        try:
            while True:
                await self.next()
        except CallEnded:
            if not self.over:
                raise

    async def asks(self) -> None:
        """One question, and all of its answer. Raises TimeoutError."""
        self.turn = self.turn % (TURNS - 1) + 1
        self._heard.clear()
        self.asked.append(f"turn {self.turn}")
        await self.say(type="text", text=self.asked[-1])
        await self.hears()

    async def hears(self) -> None:
        """All words of what is said now, to their end: who asks before that interrupts. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            await self._heard.wait()
        await asyncio.sleep(self.ear.ends_at + PLAYED_SECONDS - now() / 1e6)

    async def talks(self) -> None:
        """Until the call has moved, and for one more question. Raises TimeoutError."""
        while not self.moved:
            await self.asks()
            self.ready.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0.0, THINKS_SECONDS)):
                    await self.there.wait()
        await self.asks()

    def wrong(self) -> Counter[str]:
        """Words that were lost, repeated, or another persona's."""
        wrong = Counter[str]()
        for turn in range(len(self.asked) + 1):
            heard = Counter(word.position for word in self.ear.words if word.turn == turn)
            wrong["repeated"] += sum(times - 1 for times in heard.values())
            wrong["lost"] += sum(position not in heard for position in range(self._whole(turn)))
        mine = {(self.who, self.ear.words[0].voice)}
        wrong["foreign"] = sum((word.who, word.voice) not in mine for word in self.ear.words)
        return wrong

    @property
    def silence(self) -> float:
        """Seconds for which the answer stopped that moved; 0 if none did."""
        until = self.model_at - AFTER_SECONDS
        return sum(gap.seconds for gap in self.ear.gaps if gap.at < self.model_at and gap.at + gap.seconds > until)
