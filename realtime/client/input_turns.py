"""What the caller said, as the upstream hears it: the turns of a stream, the clips, and the transcripts of both."""

from realtime.client.states import COMMITTED, STARTED, STOPPED, TURN, Caller, Model, Session, States
from realtime.client.turns import SpokenTurns
from upstream.facts import NO_TURN, Committed, Event, SpeechStarted, SpeechStopped, Transcribed, TurnId


class InputTurns:
    """`turns` are those of a stream. A clip is known by the order of the commits until its item id comes."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.turns = SpokenTurns()
        self._commits: list[tuple[str, TurnId]] = []  # (event_id of the commit, ask)
        self._items: dict[str, TurnId] = {}  # item -> ask, of all that was ever committed
        self._untranscribed: set[str] = set()  # items whose transcripts are to come

    @property
    def complete(self) -> bool:
        """True while no transcript is to come."""
        return not (self._commits or self._untranscribed)

    def clip(self, event_id: str, ask: TurnId) -> None:
        """A clip is committed by this event of ours, for this ask."""
        self._commits.append((event_id, ask))

    def refused(self, event_id: str) -> None:
        """The upstream refused an event of ours: if it is the commit of a clip, no item follows."""
        self._commits = [commit for commit in self._commits if commit[0] != event_id]

    def started(self, item: str, at_ms: int, behind: TurnId = NO_TURN) -> list[Event]:
        """The caller begins to speak, `at_ms` into all audio; `behind`: the ask on its way, if any."""
        tuning = self._states.session is Session.TUNING  # then it stops listening, and forgets this turn
        if not self._states.admits(STARTED):
            return []
        self._states.move(STARTED)
        ask = self.turns.began(item).ask
        return [] if tuning else [SpeechStarted(ask, at_ms, behind)]

    def stopped(self, item: str, at_ms: int) -> list[Event]:
        """The caller stopped speaking, `at_ms` into all audio."""
        if not self._states.admits(STOPPED):
            return []
        turn = self.turns.began(item)
        turn.paused = True
        return [SpeechStopped(turn.ask, at_ms)]

    def committed(self, item: str) -> list[Event]:
        """An item of the caller's is whole: the oldest committed clip, or a turn, to which a response follows."""
        if item in self._items:
            self._states.anomalies[f"{COMMITTED} twice"] += 1
            return []
        if not (self._commits or self.turns.get(item)) and self._states.caller is Caller.UNHEARD:
            self._states.anomalies["a turn that it found by itself"] += 1  # what is asked is answered, not that
            return []
        self._states.move(COMMITTED)
        if self._commits and not self.turns.get(item):
            self._await_transcript(item, self._commits.pop(0)[1])
            return []
        turn = self.turns.committed(item)
        self._await_transcript(item, turn.ask)
        if self._states.model is Model.ANSWERING:
            self.turns.answered()  # not by the upstream itself: we ask for it, when that answer is done
        self._states.move(TURN)
        return [Committed(turn.ask)]

    def commit_overdue(self) -> list[Event]:
        """A response began that we did not ask for: if the caller stopped speaking, their turn is committed."""
        item = self.turns.overdue() if self._states.caller is Caller.SPEAKING else None
        return self._commit_unannounced(item) if item else []

    def transcript_delta(self, item: str, words: str) -> list[Event]:
        """Some more of the words of an item."""
        return [Transcribed(self._items[item], words, final=False)] if item in self._untranscribed else []

    def transcript(self, item: str, text: str) -> list[Event]:
        """All words of an item; empty where the recogniser failed."""
        events: list[Event] = []
        if item not in self._items:
            turn = self.turns.get(item)
            if not turn and not self._commits:
                self._states.anomalies["words of an unknown item"] += 1
                return []
            events = self._commit_unannounced(item)
        if item not in self._untranscribed:
            self._states.anomalies["words of an item twice"] += 1
            return events
        self._untranscribed.discard(item)
        return [*events, Transcribed(self._items[item], text.strip())]

    def _commit_unannounced(self, item: str) -> list[Event]:
        self._states.anomalies[f"{COMMITTED} is missing"] += 1
        return self.committed(item)

    def _await_transcript(self, item: str, ask: TurnId) -> None:
        self._items[item] = ask
        self._untranscribed.add(item)
