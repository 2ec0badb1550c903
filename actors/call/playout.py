"""What the caller hears: replies on their way to them, how much was released, and how much was heard by now.

A player on the caller's side plays what it gets in order and in real time. Its clock is reckoned here, and what is
sent ahead of it is bounded: a `clear` would else wait behind a burst on a slow line.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from actors.messages.caller import Clear, ResponseDone, ResponseStarted, Sound, ToCaller, Transcript
from actors.messages.ids import Generation
from upstream.facts import BYTES_PER_MS, ReplyNumber, Status, TurnId

LEAD = 0.4  # seconds of audio that may be released ahead of the caller's player
PIECE = 0.06  # seconds: less is not released alone while more is to come; a `clear` waits behind one at most
RATE = 1000 * BYTES_PER_MS  # bytes a second
CHARACTERS_A_MS = 0.015  # speech at an ordinary pace, where only the beginning of some words is known


@dataclass(slots=True)
class OutgoingReply:
    """A reply of the model, as the persona of this id, in answer to the turn `ask`.

    `pcm` has come and is not released, `received` and `released` count bytes; `until` is when what was released will
    have been played. `before` are the words that a lost connection gave of the same answer. `since` is when the
    caller could first know of it; None while it is kept back, as a whole reply is until it is complete.
    """

    generation: Generation
    reply: ReplyNumber
    ask: TurnId
    persona: str
    before: str = ""
    since: float | None = None
    pcm: bytearray = field(default_factory=bytearray)
    received: int = 0
    released: int = 0
    until: float = 0.0
    begun: bool = False
    status: Status | None = None
    done: bool = False
    marks: list[tuple[int, str]] = field(default_factory=list)  # (byte at which they begin to be said, words)
    told: int = 0  # so many marks were shown to the caller
    report: tuple[int, float] | None = None

    @property
    def id(self) -> str:
        """The response id on the caller's wire."""
        return f"{self.generation}.{self.reply}"

    @property
    def ms(self) -> int:
        """How long plays what was released of it."""
        return self.released // BYTES_PER_MS

    @property
    def text(self) -> str:
        """All its words so far."""
        return "".join(words for _, words in self.marks).strip()

    def add(self, pcm: bytes) -> None:
        """Some more audio has come."""
        self.pcm += pcm
        self.received += len(pcm)

    def add_words(self, words: str) -> None:
        """Some more words have come; the audio that comes next says them."""
        if self.marks and self.marks[-1][0] == self.received:
            words = self.marks.pop()[1] + words
        self.marks.append((self.received, words))

    def release(self, size: int, now: float) -> bytes:
        """Give out so many bytes; they play when what was given before has been played."""
        piece = bytes(self.pcm[:size])
        del self.pcm[:size]
        self._plays(size, now)
        return piece

    def release_all(self, now: float) -> bytearray:
        """Give out all that is there, as it is: to copy two minutes of it took 10 ms."""
        whole, self.pcm = self.pcm, bytearray()
        self._plays(len(whole), now)
        return whole

    def _plays(self, size: int, now: float) -> None:
        self.released += size
        self.until = max(now, self.until) + size / RATE

    def heard(self, now: float) -> int:
        """Bytes of it that were played by now: by the player's report, else by the clock."""
        if self.report:
            ms, at = self.report
            return min(self.released, (ms + int((now - at) * 1000)) * BYTES_PER_MS)
        return max(0, self.released - max(0, round((self.until - now) * RATE)))

    def heard_ms(self, now: float) -> int:
        """The same in milliseconds, rounded down."""
        return self.heard(now) // BYTES_PER_MS

    def heard_text(self, now: float) -> str:
        """The words that were played whole by now, after those that an earlier connection gave."""
        return join(self.before, self.text_until(self.heard(now)))

    def text_until(self, byte: int) -> str:
        """The words that are said before this byte of its audio; a word that is cut is not counted."""
        if byte >= self.received and self.status:
            return self.text
        said = ""
        ends = [*(begin for begin, _ in self.marks[1:]), self.received]
        for (begin, words), end in zip(self.marks, ends, strict=False):
            if byte >= end > begin and (self.status or end < self.received):
                said += words
            elif byte > begin:
                span = end - begin if self.status or end < self.received else 0
                said += _share(words, byte - begin, span)
                break
        return said.strip()

    def cut(self) -> None:
        """No more will come: keep what ends with a word, as far as it can still be kept back."""
        begin = self.marks[-1][0] if self.marks else 0
        if self.released <= begin < self.received:
            del self.pcm[len(self.pcm) - (self.received - begin) :]
            self.marks.pop()
        elif self.marks:
            self.marks[-1] = (begin, _share(self.marks[-1][1], self.received - begin, 0))
        self.received = self.released + len(self.pcm)
        self.status = "incomplete"


def join(before: str, after: str) -> str:
    """Two parts of one answer."""
    return f"{before} {after}".strip()


def _share(words: str, said: int, span: int) -> str:
    """The whole words in the first `said` bytes of `span`; 0 when nobody knows yet how long they take."""
    count = len(words) * said // span if span else int(said / BYTES_PER_MS * CHARACTERS_A_MS)
    if count >= len(words.rstrip()):
        return words
    return words[:count].rpartition(" ")[0] if " " in words[:count] else ""


class Playout:
    """The replies that the caller has not heard to their end, in the order in which they play."""

    def __init__(self) -> None:
        self._queue: deque[OutgoingReply] = deque()
        self._until = 0.0  # when all that was released will have been played

    def __iter__(self) -> Iterator[OutgoingReply]:
        return iter(list(self._queue))

    def begin(self, outgoing: OutgoingReply) -> None:
        """A reply is coming; it plays after those before it."""
        self._queue.append(outgoing)

    def find(self, generation: Generation, reply: ReplyNumber) -> OutgoingReply | None:
        """The reply of this number, unless it was stopped or heard to its end."""
        for outgoing in reversed(self._queue):
            if outgoing.reply == reply and outgoing.generation == generation:
                return outgoing
        return None

    def forget(self, outgoing: OutgoingReply) -> None:
        """Nobody will hear it."""
        self._queue.remove(outgoing)

    def send(self, outgoing: OutgoingReply, now: float) -> bytearray:
        """Give out a whole reply at once."""
        self._forget_heard(now)
        outgoing.since, outgoing.until, outgoing.begun, outgoing.done = now, self._until, True, True
        pcm = outgoing.release_all(now)
        self._until = outgoing.until
        return pcm

    def release(self, now: float) -> tuple[list[ToCaller], float | None]:
        """What to send now, and in how many seconds to ask again; None when only something new changes anything."""
        said: list[ToCaller] = []
        wait = None
        self._forget_heard(now)
        for outgoing in self._queue:
            if outgoing.done or outgoing.since is None:
                continue
            wait = self._release(outgoing, now, said)
            if not outgoing.done:
                break
        return said, wait

    def _release(self, outgoing: OutgoingReply, now: float, said: list[ToCaller]) -> float | None:
        """Release of one reply what may be released; returns when more may be."""
        room = round(LEAD - max(0.0, self._until - now), 3)  # in whole ms, or a rounding error is waited for
        fits = len(outgoing.pcm) <= room * RATE
        if not fits and room < PIECE:
            return PIECE - room
        size = len(outgoing.pcm) if fits else int(room * 1000) * BYTES_PER_MS
        if not outgoing.begun and (size or outgoing.status):
            outgoing.begun = True
            said.append(ResponseStarted(outgoing.id, outgoing.persona))
        if size:
            outgoing.until = self._until
            piece = outgoing.release(size, now)
            self._until = outgoing.until
            said += self._captions(outgoing)
            said.append(Sound(outgoing.id, piece))
        if not outgoing.pcm and outgoing.status:
            outgoing.done = True
            said += [Transcript("assistant", outgoing.text, outgoing.id), ResponseDone(outgoing.id, outgoing.status)]
        return None if fits else PIECE

    @staticmethod
    def _captions(outgoing: OutgoingReply) -> list[ToCaller]:
        """The words of what is released now."""
        news = []
        while outgoing.told < len(outgoing.marks) and outgoing.marks[outgoing.told][0] < outgoing.released:
            news.append(outgoing.marks[outgoing.told][1])
            outgoing.told += 1
        return [Transcript("assistant", "".join(news), outgoing.id, final=False)] if news else []

    def silent(self, now: float) -> bool:
        """All that ever came was heard to its end."""
        self._forget_heard(now)
        return not self._queue

    def played(self, response_id: str, ms: int, now: float) -> None:
        """The player's own word on how far it is; it never goes back, nor beyond what was released."""
        for outgoing in self._queue:
            if outgoing.id == response_id:
                least = outgoing.report[0] if outgoing.report else 0
                outgoing.report = (max(least, min(ms, outgoing.ms)), now)

    def stop(self, since: float, now: float) -> list[OutgoingReply]:
        """What must stop because something was said at `since`: all that was there before and is not heard yet."""
        self._forget_heard(now)
        stopped = [outgoing for outgoing in self._queue if outgoing.since is not None and outgoing.since <= since]
        for outgoing in stopped:
            self._queue.remove(outgoing)
        if stopped and not self._queue:
            self._until = now
        return stopped

    def _forget_heard(self, now: float) -> None:
        while self._queue and self._queue[0].done and self._queue[0].heard_ms(now) >= self._queue[0].ms:
            self._queue.popleft()


def silence(outgoing: OutgoingReply, now: float, streamed: bool) -> list[ToCaller]:
    """What a caller is told of a reply that stops here; in a stream also how it ended."""
    if not streamed:
        return [Clear(outgoing.id)]
    if not outgoing.begun:
        return []
    words = outgoing.text_until(outgoing.heard(now))
    told: list[ToCaller] = [Clear(outgoing.id), Transcript("assistant", words, outgoing.id)]
    return told if outgoing.done else [*told, ResponseDone(outgoing.id, "cancelled")]
