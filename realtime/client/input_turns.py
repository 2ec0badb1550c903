"""What the caller said, as the upstream hears it: turns in a stream, clips that were committed, and their words."""

from collections import deque

from realtime.client.states import COMMITTED, STARTED, STOPPED, TURN, Caller, Model, Session, States
from realtime.client.turns import SpokenTurns
from upstream.facts import Committed, Event, SpeechStarted, SpeechStopped, Transcribed


class InputTurns:
    """`turns` are those of a stream. Clips are known in the order of their commits until their item ids come."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.turns = SpokenTurns()
        self._commits: deque[tuple[str, int]] = deque()  # (event_id of the commit, ask)
        self._items: dict[str, int] = {}  # item -> ask, of all that was ever committed
        self._unwritten: set[str] = set()  # items whose words are to come

    @property
    def complete(self) -> bool:
        """No words are awaited."""
        return not (self._commits or self._unwritten)

    def clip(self, event_id: str, ask: int) -> None:
        """A clip is committed by this event of ours."""
        self._commits.append((event_id, ask))

    def refused(self, event_id: str) -> None:
        """If this is the commit of a clip, it came to nothing."""
        self._commits = deque(commit for commit in self._commits if commit[0] != event_id)

    def started(self, item: str, at_ms: int, behind: int = 0) -> list[Event]:
        """Somebody begins to speak; what was asked `behind` that is answered for itself."""
        tuning = self._states.session is Session.TUNING  # then it stops listening, and forgets this turn
        if not self._states.admits(STARTED):
            return []
        self._states.move(STARTED)
        ask = self.turns.began(item).ask
        return [] if tuning else [SpeechStarted(ask, at_ms, behind)]

    def stopped(self, item: str, at_ms: int) -> list[Event]:
        """They are silent."""
        if not self._states.admits(STOPPED):
            return []
        turn = self.turns.began(item)
        turn.paused = True
        return [SpeechStopped(turn.ask, at_ms)]

    def committed(self, item: str) -> list[Event]:
        """An item of the caller's is whole; if it is a turn that the upstream found, a response follows."""
        if item in self._items:
            self._states.anomalies[f"{COMMITTED} twice"] += 1
            return []
        self._states.move(COMMITTED)
        if self._commits and not self.turns.get(item):
            self._await_words(item, self._commits.popleft()[1])
            return []
        turn = self.turns.committed(item)
        self._await_words(item, turn.ask)
        if self._states.model is Model.ANSWERING:
            self.turns.answered()  # not by the upstream itself: we ask for it, when that answer is done
        self._states.move(TURN)
        return [Committed(turn.ask)]

    def overdue(self) -> list[Event]:
        """A response began that we did not ask for: if the caller has stopped, their turn is whole."""
        item = self.turns.overdue() if self._states.caller is Caller.SPEAKING else None
        return self._missed(item) if item else []

    def some_words(self, item: str, words: str) -> list[Event]:
        """Some of them."""
        return [Transcribed(self._items[item], words, final=False)] if item in self._unwritten else []

    def words(self, item: str, text: str) -> list[Event]:
        """All of them; none where the recogniser failed."""
        told: list[Event] = []
        if item not in self._items:
            turn = self.turns.get(item)
            if not turn and not self._commits:
                self._states.anomalies["words of an unknown item"] += 1
                return []
            told = self._missed(item)
        if item not in self._unwritten:
            self._states.anomalies["words of an item twice"] += 1
            return told
        self._unwritten.discard(item)
        return [*told, Transcribed(self._items[item], text.strip())]

    def _missed(self, item: str) -> list[Event]:
        self._states.anomalies[f"{COMMITTED} is missing"] += 1
        return self.committed(item)

    def _await_words(self, item: str, ask: int) -> None:
        self._items[item] = ask
        self._unwritten.add(item)
