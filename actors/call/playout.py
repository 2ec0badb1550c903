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

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from actors.call.finish import Finish
from actors.call.outgoing import RATE, OutgoingReply
from actors.call.phases import Phase, Phases
from actors.messages.caller import Clear, ResponseDone, ResponseStarted, Sound, ToCaller, Transcript
from actors.messages.ids import Generation
from upstream.facts import BYTES_PER_MS, ReplyNumber, TurnId

LEAD = 0.4  # seconds of audio that may be released ahead of the caller's player
PAST = 4  # replies that were played, as far as we know: of a lost connection, the caller may have received less
PIECE = 0.06  # seconds: less is not released alone while more is to come; a `clear` waits behind one at most


class Kept(Protocol):
    """What was released while the caller was away, and waits to be passed on."""

    sound: int

    def unheard(self) -> Mapping[str, int]:
        """How many bytes of each reply wait, by its id; `sound` are those of streamed ones."""
        ...


class Playout:
    """The replies that the caller has not heard to their end, in the order in which they play; `past` are some before.

    `gone`: the bytes that were released of replies that have left the queue. `until` is when all that was released will
    have been played.
    `due` is when more of them may be released, None if that is not known. `continued`: since `finish`, the reply that a
    lost connection broke off goes on.
    """

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self._queue: list[OutgoingReply] = []
        self.until = 0.0
        self.past: list[OutgoingReply] = []
        self.gone = 0
        self.due: float | None = None
        self._stood: float | None = None  # when the caller went away, while they are
        self._kept: Kept | None = None  # while a caller who is back catches up
        self._finish: Finish | None = None
        self.continued = False
        self.dropped: set[TurnId] = set()
        """The asks whose replies were dropped since `finish`."""

    def __iter__(self) -> Iterator[OutgoingReply]:
        return iter(list(self._queue))

    def begin(self, outgoing: OutgoingReply) -> None:
        """A reply is coming. It plays after those before it; after `finish` one is heard that goes on with another."""
        if not self._finish or (outgoing.before and not self.continued):
            self._queue.append(outgoing)
            self.continued = bool(self._finish)
        else:
            self.dropped.add(outgoing.ask)

    def finish(self, finish: Finish | None) -> None:
        """The call ends soon: the reply that plays is the last, and stops at a pause. None: it goes on after all."""
        self._finish, self.dropped = finish, set()
        if not finish:
            return
        self.dropped = {outgoing.ask for outgoing in self._queue if not (outgoing.begun or outgoing.before)}
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
        self.gone += outgoing.released

    def send(self, outgoing: OutgoingReply, now: float) -> bytearray:
        """Release a whole reply at once; returns its audio."""
        now = self.clock(now)
        self._forget_heard(now)
        outgoing.since, outgoing.until = now, self.until
        outgoing.begun = outgoing.done = outgoing.at_once = True
        pcm = outgoing.release_all(now)
        self.until = outgoing.until
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
                self._finish.look(outgoing, max(now, self.until))
            wait = self._release(outgoing, now, said)
            if not outgoing.done:
                break
        return said, wait

    def _release(self, outgoing: OutgoingReply, now: float, said: list[ToCaller]) -> float | None:
        """Add to `said` what may be released of one reply; returns after how many seconds more may be."""
        room = round(LEAD - max(0.0, self.until - now), 3)  # in whole ms, or a rounding error is waited for
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
            outgoing.until = self.until
            piece = outgoing.release(size, now)
            self.until = outgoing.until
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
        self._stood, self._kept = now, None

    def ahead(self, now: float) -> float:
        """How many seconds will be played of what was released."""
        return max(0.0, self.until - now)

    def go_on(self, kept: Kept, now: float, seen_at: float) -> float:
        """The caller is back, and has not received what was `kept` for them.

        The rest they have heard, or hear now; then comes what they have not. Returns for how many seconds they heard it
        since they were seen last.
        """
        self._forget_heard(self.clock(now))
        unreceived, self._kept = kept.unheard(), kept
        heard_since = sum(one.released - one.heard(seen_at) for one in self.past if not unreceived.get(one.id))
        again = [one for one in self.past if unreceived.get(one.id)]
        self.gone -= sum(one.released for one in again)
        self._queue = [*again, *self._queue]
        self.past, self.until = [], now
        self._stood = self.due = None
        for outgoing in self._queue:
            received = outgoing.released - min(outgoing.released, unreceived.get(outgoing.id, 0))
            heard = min(received, outgoing.heard(now))
            heard_since += max(0, heard - outgoing.heard(seen_at))
            self.until += (outgoing.released - heard) / RATE
            outgoing.report, outgoing.until = None, self.until
        return heard_since / RATE

    def silent(self, now: float) -> bool:
        """True if every reply that came was heard to its end."""
        self._forget_heard(self.clock(now))
        return not self._queue

    def words(self, unreceived: Collection[str]) -> str:
        """What the caller has not heard: the words of the replies that play, and of these, by their ids."""
        return " ".join(one.text for one in [*(past for past in self.past if past.id in unreceived), *self._queue])

    def runs_dry_at(self, outgoing: OutgoingReply) -> float:
        """When all that has come of this reply, and of those before it, will have been played. Seconds."""
        waiting = 0
        for earlier in self._queue:
            waiting += len(earlier.pcm)
            if earlier is outgoing:
                break
        return self.until + waiting / RATE

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
            self.forget(outgoing)
        if stopped and not any(outgoing.released for outgoing in self._queue):
            self.until = now
        return stopped

    def _forget_heard(self, now: float) -> None:
        if self._kept and not self._kept.sound:
            self._kept = None
        if self._kept and self.until < now + self._kept.sound / RATE:
            self.until = _play_later(self._queue, self._kept.unheard(), now)
        while self._queue and self._queue[0].done and self._queue[0].heard_ms(now) >= self._queue[0].ms:
            self.past = [*self.past[1 - PAST :], self._queue[0]]
            self.forget(self._queue[0])


def _play_later(queue: Iterable[OutgoingReply], unheard: Mapping[str, int], now: float) -> float:
    """The server was held up, and the player ran dry: so many bytes of each reply play from now on; returns until when.

    They were due to be passed on before, and to have played.
    """
    until = now
    for outgoing in queue:
        until += min(outgoing.released, unheard.get(outgoing.id, 0)) / RATE
        outgoing.until = until
    return until


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
