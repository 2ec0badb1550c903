"""The turns that the upstream finds by itself in a stream of audio (server VAD). Pure data of one connection."""

from dataclasses import dataclass

from upstream.facts import TurnId


@dataclass(slots=True)
class Spoken:
    """One turn: `ask` is -1 for the first on a connection, then -2.

    `paused` once the caller stopped speaking, `complete` once it is committed, `void` once no answer to it is wanted.
    """

    ask: TurnId
    paused: bool = False
    complete: bool = False
    void: bool = False


class SpokenTurns:
    """All turns by their item ids, and those that the upstream is going to answer, in order."""

    def __init__(self) -> None:
        self._turns: dict[str, Spoken] = {}
        self._unanswered: list[Spoken] = []

    def get(self, item: str) -> Spoken | None:
        """The turn of this item; None if the upstream did not find it by itself."""
        return self._turns.get(item)

    def began(self, item: str) -> Spoken:
        """The caller began to speak: the turn that will be this item, which is announced ahead."""
        if item not in self._turns:
            self._turns[item] = Spoken(TurnId(-1 - len(self._turns)))
        return self._turns[item]

    def overdue(self) -> str | None:
        """The item of the newest turn, if the caller stopped speaking and its commit was never told; else None."""
        item, turn = next(reversed(self._turns.items()), ("", None))
        return item if turn and turn.paused and not turn.complete else None

    def committed(self, item: str) -> Spoken:
        """A turn is whole: the upstream is going to answer it."""
        turn = self.began(item)
        turn.complete = True
        self._unanswered.append(turn)
        return turn

    def answered(self) -> Spoken | None:
        """A response began that we did not ask for: it answers all committed turns. Returns the last of them."""
        turns, self._unanswered = self._unanswered, []
        return turns[-1] if turns else None

    @property
    def unanswered(self) -> bool:
        """True while a response is to come that we do not ask for."""
        return bool(self._unanswered)

    def void(self) -> None:
        """No answer is wanted to what was committed so far and is not answered."""
        for turn in self._unanswered:
            turn.void = True
