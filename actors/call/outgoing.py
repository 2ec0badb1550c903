"""One reply on its way to the caller: what of it has come, was released to their player, and was heard by now.

In bytes of its audio:

    0              heard           released                    received
    ├────────────────┼────────────────┼────────────────────────────┤─ ─ ─ ─ ─ ─ ─ ─
    │ was played     │ on its way or  │ pcm: has come, and         │ still to be made,
    │                │ in the player  │ waits to be released       │ until it has a `status`
    ▲          ▲              ▲               ▲
    marks: (the byte at which some words begin to be said, the words)

Where `heard` stands is reckoned. A player plays what it gets in order and in real time, so that `until`, the moment at
which all that was released will have been played, gives it; a report of the player's own (`played`) is better.
"""

from dataclasses import dataclass, field

from actors.messages.ids import Generation
from upstream.facts import BYTES_PER_MS, ReplyNumber, Status, TurnId

RATE = 1000 * BYTES_PER_MS  # bytes a second
CHARACTERS_A_MS = 0.015  # speech at an ordinary pace, where only the beginning of some words is known


@dataclass(slots=True)
class OutgoingReply:
    """A reply of the model, as the persona of this id, in answer to the turn `ask`.

    `pcm` has come and is not released, `received` and `released` count bytes; `until` is when what was released will
    have been played. `before` are the words that a lost connection gave of the same answer. `since` is when the
    caller could first know of it; None while it is kept back, as a whole reply is until it is complete. `written_as` is
    the id of the reply whose words the caller has in writing, and which this one says aloud. `came_at` is when some of
    it came last, and `whole` how much had come when the model said that this was all, -1 before it has.
    With `ends_early` no more is wanted. `at_once`: the caller was sent all of it in one message.
    """

    generation: Generation
    reply: ReplyNumber
    ask: TurnId
    persona: str
    before: str = ""
    written_as: str = ""
    since: float | None = None
    pcm: bytearray = field(default_factory=bytearray)
    received: int = 0
    came_at: float = 0.0
    whole: int = -1
    released: int = 0
    until: float = 0.0
    begun: bool = False
    status: Status | None = None
    done: bool = False
    at_once: bool = False
    marks: list[tuple[int, str]] = field(default_factory=list)  # (byte at which they begin to be said, words)
    told: int = 0  # so many marks were shown to the caller
    report: tuple[int, float] | None = None
    ends_early: bool = False
    cut_short: bool = False
    """It ends early, and there was more of it."""

    @property
    def id(self) -> str:
        """The response id on the caller's wire."""
        return self.written_as or f"{self.generation}.{self.reply}"

    @property
    def ms(self) -> int:
        """How long the released part plays, in milliseconds."""
        return self.released // BYTES_PER_MS

    @property
    def text(self) -> str:
        """All words of it that have come."""
        return "".join(words for _, words in self.marks).strip()

    @property
    def amount(self) -> int:
        """Grows with all that comes of it."""
        return self.received + len(self.marks)

    def add(self, pcm: bytes, now: float) -> None:
        """Some more audio has come."""
        self.pcm += pcm
        self.received += len(pcm)
        self.came_at = now

    def add_words(self, words: str, now: float) -> None:
        """Some more words have come; the audio that comes next says them."""
        self.came_at = now
        if self.marks and self.marks[-1][0] == self.received:
            words = self.marks.pop()[1] + words
        self.marks.append((self.received, words))

    def release(self, size: int, now: float) -> bytes:
        """Take `size` bytes out of `pcm`: they play when what was released before has been played."""
        piece = bytes(self.pcm[:size])
        del self.pcm[:size]
        self._plays(size, now)
        return piece

    def release_all(self, now: float) -> bytearray:
        """Take all of `pcm` out, as it is: to copy two minutes of it took 10 ms."""
        whole, self.pcm = self.pcm, bytearray()
        self._plays(len(whole), now)
        return whole

    def _plays(self, size: int, now: float) -> None:
        self.released += size
        self.until = max(now, self.until) + size / RATE

    def heard(self, now: float) -> int:
        """Bytes that were played by now: by the player's report, else by the clock.

        What was played since a report is no more than the clock says: the player may have run dry, and waited.
        """
        by_clock = max(0, self.released - max(0, round((self.until - now) * RATE)))
        if not self.report:
            return by_clock
        ms, at = self.report
        since = max(0, ms + int((now - at) * 1000)) * BYTES_PER_MS
        return min(self.released, max(ms * BYTES_PER_MS, min(by_clock, since)))

    def heard_ms(self, now: float) -> int:
        """The same in milliseconds, rounded down."""
        return self.heard(now) // BYTES_PER_MS

    def heard_text(self, now: float) -> str:
        """The words that were played whole by now, after those that a lost connection gave of the same answer."""
        return join(self.before, self.text_until(self.heard(now)))

    def text_until(self, byte: int) -> str:
        """The words that are said before this byte of the audio, without a word that is cut."""
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

    @property
    def text_if_cut(self) -> str:
        """The words that are left of it if no more comes, once all that came was released."""
        (begin, words), before = self.marks[-1] if self.marks else (0, ""), self.marks[:-1]
        return ("".join(said for _, said in before) + _share(words, self.received - begin, 0)).strip()

    def end_early(self, byte: int, characters: int | None) -> None:
        """It ends behind this byte, not released yet, and after so many `characters`: what still comes is dropped."""
        words = "".join(said for _, said in self.marks)
        self.cut_short = byte < self.received or not (self.status or self.whole == self.amount)
        said = self.text_until(byte) if characters is None else words[:characters]
        del self.pcm[byte - self.released :]
        self.received, self.status, self.ends_early = self.released + len(self.pcm), "incomplete", True
        self.marks, self.told = [(0, said)] if self.marks else [], min(self.told, 1)

    def cut(self) -> None:
        """No more will come: end with a whole word, if what follows it was not released yet."""
        begin = self.marks[-1][0] if self.marks else 0
        if self.released <= begin < self.received:
            del self.pcm[len(self.pcm) - (self.received - begin) :]
            self.marks.pop()
        elif self.marks:
            self.marks[-1] = (begin, _share(self.marks[-1][1], self.received - begin, 0))
        self.received = self.released + len(self.pcm)
        self.status = "incomplete"


def join(before: str, after: str) -> str:
    """The words of two parts of one answer."""
    return f"{before} {after}".strip()


def _share(words: str, said: int, span: int) -> str:
    """The whole words said in the first `said` of `span` bytes; a `span` of 0 is not known yet."""
    count = len(words) * said // span if span else int(said / BYTES_PER_MS * CHARACTERS_A_MS)
    if count >= len(words.rstrip()):
        return words
    return words[:count].rpartition(" ")[0] if " " in words[:count] else ""
