"""What the caller hears: replies on their way to the caller's player, and how much of each was heard by now.

The model makes a reply far faster than it plays. In a stream, sound is therefore released at the pace at which it
plays, and at most LEAD seconds ahead of the player: else a `clear` would wait behind a burst on a slow line. In clip
mode a reply is sent whole, once it is complete.

The replies play one after the other: the second is not released before the first is done. Each of them (outgoing.py)
goes through these states:

    begin ─▶ since ─▶ begun ─▶ done ─▶ heard to its end: forgotten
      │        │        │        │
      └────────┴────────┴────────┴──▶ stopped, because the caller says something: only what was heard is remembered

A reply has a `since` once the caller may know of it; it is `begun` when ResponseStarted was sent, `done` when all of
it was.
"""

from collections.abc import Collection, Iterator, Mapping

from actors.call.finish import Finish
from actors.call.outgoing import RATE, OutgoingReply
from actors.call.phases import Phase, Phases
from actors.messages.caller import Clear, ResponseDone, ResponseStarted, Sound, ToCaller, Transcript
from actors.messages.ids import Generation
from upstream.facts import BYTES_PER_MS, ReplyNumber

LEAD = 0.4  # seconds of audio that may be released ahead of the caller's player
PAST = 4  # replies that were played, as far as we know: of a lost connection, the caller may have received less
PIECE = 0.06  # seconds: less is not released alone while more is to come; a `clear` waits behind one at most


class Playout:
    """The replies that the caller has not heard to their end, in the order in which they play.

    `due` is when more of them may be released, None if that is not known. `continued`: since `finish`, the reply that a
    lost connection broke off goes on.
    """

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self._queue: list[OutgoingReply] = []
        self._until = 0.0  # when all that was released will have been played
        self._past: list[OutgoingReply] = []
        self.due: float | None = None
        self._stood: float | None = None  # when the caller went away, while they are
        self._finish: Finish | None = None
        self.continued = False

    def __iter__(self) -> Iterator[OutgoingReply]:
        return iter(list(self._queue))

    def begin(self, outgoing: OutgoingReply) -> None:
        """A reply is coming. It plays after those before it; after `finish` one is heard that goes on with another."""
        if not self._finish or (outgoing.before and not self.continued):
            self._queue.append(outgoing)
            self.continued = bool(self._finish)

    def finish(self, finish: Finish) -> None:
        """The call ends soon: the reply that plays is the last, and stops at a pause."""
        self._finish = finish
        self._queue = [outgoing for outgoing in self._queue if outgoing.begun or outgoing.before]
        self.continued = any(outgoing.before for outgoing in self._queue)

    def find(self, generation: Generation, reply: ReplyNumber) -> OutgoingReply | None:
        """The reply of this number, unless it was stopped or heard to its end."""
        for outgoing in reversed(self._queue):
            if outgoing.reply == reply and outgoing.generation == generation:
                return outgoing
        return None

    def forget(self, outgoing: OutgoingReply) -> None:
        """Nobody will hear any more of this reply."""
        self._queue.remove(outgoing)

    def send(self, outgoing: OutgoingReply, now: float) -> bytearray:
        """Release a whole reply at once; returns its audio."""
        now = self.clock(now)
        self._forget_heard(now)
        outgoing.since, outgoing.until, outgoing.begun, outgoing.done = now, self._until, True, True
        pcm = outgoing.release_all(now)
        self._until = outgoing.until
        return pcm

    def release(self, now: float) -> tuple[list[ToCaller], float | None]:
        """What to send now, and after how many seconds to ask again; None if that depends on what comes."""
        said: list[ToCaller] = []
        wait = None
        self._forget_heard(now)
        for outgoing in self._queue:
            if outgoing.done or outgoing.since is None:
                continue
            if self._finish:
                self._finish.look(outgoing, max(now, self._until))
            wait = self._release(outgoing, now, said)
            if not outgoing.done:
                break
        return said, wait

    def _release(self, outgoing: OutgoingReply, now: float, said: list[ToCaller]) -> float | None:
        """Add to `said` what may be released of one reply; returns after how many seconds more may be."""
        room = round(LEAD - max(0.0, self._until - now), 3)  # in whole ms, or a rounding error is waited for
        fits = len(outgoing.pcm) <= room * RATE
        if not fits and room < PIECE:
            return PIECE - room
        size = len(outgoing.pcm) if fits else int(room * 1000) * BYTES_PER_MS
        if not outgoing.begun and (size or outgoing.status):
            outgoing.begun = True
            if size:
                self._phases.reached(outgoing.ask, Phase.RELEASED, now)
            said.append(ResponseStarted(outgoing.id, outgoing.persona))
        if size:
            outgoing.until = self._until
            piece = outgoing.release(size, now)
            self._until = outgoing.until
            said += _captions(outgoing)
            said.append(Sound(outgoing.id, piece))
        if not outgoing.pcm and outgoing.status:
            outgoing.done = True
            said += [] if outgoing.written_as else [Transcript("assistant", outgoing.text, outgoing.id)]
            said.append(ResponseDone(outgoing.id, outgoing.status))
        return None if fits else PIECE

    @property
    def stands(self) -> bool:
        """True while the caller is away."""
        return self._stood is not None

    def clock(self, now: float) -> float:
        """The time by which replies play: it stands while the caller is away."""
        return now if self._stood is None else self._stood

    def stand(self, now: float) -> None:
        """The caller is away: nothing plays, and nothing is released."""
        self._stood = now

    def ahead(self, now: float) -> float:
        """How many seconds will be played of what was released."""
        return max(0.0, self._until - now)

    def go_on(self, unreceived: Mapping[str, int], now: float, seen_at: float) -> float:
        """The caller is back, and has not received so many bytes of each reply, by its id.

        The rest they have heard, or hear now; then comes what they have not. Returns for how many seconds they heard it
        since they were seen last.
        """
        self._forget_heard(self.clock(now))
        heard_since = sum(one.released - one.heard(seen_at) for one in self._past if not unreceived.get(one.id))
        self._queue = [*(one for one in self._past if unreceived.get(one.id)), *self._queue]
        self._past, self._until = [], now
        self._stood = self.due = None
        for outgoing in self._queue:
            received = outgoing.released - min(outgoing.released, unreceived.get(outgoing.id, 0))
            heard = min(received, outgoing.heard(now))
            heard_since += max(0, heard - outgoing.heard(seen_at))
            self._until += (outgoing.released - heard) / RATE
            outgoing.report, outgoing.until = None, self._until
        return heard_since / RATE

    def silent(self, now: float) -> bool:
        """True if every reply that came was heard to its end."""
        self._forget_heard(self.clock(now))
        return not self._queue

    def words(self, unreceived: Collection[str]) -> str:
        """What the caller has not heard: the words of the replies that play, and of these, by their ids."""
        return " ".join(one.text for one in [*(past for past in self._past if past.id in unreceived), *self._queue])

    def runs_dry_at(self, outgoing: OutgoingReply) -> float:
        """When all that has come of this reply, and of those before it, will have been played. Seconds."""
        waiting = 0
        for earlier in self._queue:
            waiting += len(earlier.pcm)
            if earlier is outgoing:
                break
        return self._until + waiting / RATE

    def played(self, response_id: str, ms: int, now: float) -> None:
        """The player reports how far it is, in ms. A report never goes back, nor beyond what was released."""
        for outgoing in self._queue:
            if outgoing.id == response_id:
                least = outgoing.report[0] if outgoing.report else 0
                outgoing.report = (max(least, min(ms, outgoing.ms)), now)

    def stop(self, since: float, now: float) -> list[OutgoingReply]:
        """Stop every reply that the caller could know of at `since` and has not heard to its end; returns them."""
        now = self.clock(now)
        self._forget_heard(now)
        stopped = [outgoing for outgoing in self._queue if outgoing.since is not None and outgoing.since <= since]
        for outgoing in stopped:
            self._queue.remove(outgoing)
        if stopped and not self._queue:
            self._until = now
        return stopped

    def _forget_heard(self, now: float) -> None:
        while self._queue and self._queue[0].done and self._queue[0].heard_ms(now) >= self._queue[0].ms:
            self._past = [*self._past[1 - PAST :], self._queue.pop(0)]


def silence(outgoing: OutgoingReply, now: float, streamed: bool) -> list[ToCaller]:
    """What the caller is told of a reply that stops now; in a stream also how it ended."""
    if not streamed:
        return [Clear(outgoing.id)]
    if not outgoing.begun:
        return []
    words = outgoing.text_until(outgoing.heard(now))
    told: list[ToCaller] = [Clear(outgoing.id), Transcript("assistant", words, outgoing.id)]
    return told if outgoing.done else [*told, ResponseDone(outgoing.id, "cancelled")]


def _captions(outgoing: OutgoingReply) -> list[ToCaller]:
    """The words that belong to what was released since the last time."""
    if outgoing.written_as:
        return []
    news = []
    while outgoing.told < len(outgoing.marks) and outgoing.marks[outgoing.told][0] < outgoing.released:
        news.append(outgoing.marks[outgoing.told][1])
        outgoing.told += 1
    return [Transcript("assistant", "".join(news), outgoing.id, final=False)] if news else []
