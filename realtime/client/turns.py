"""The turns that the upstream hears by itself in a stream of audio (server VAD). Pure data of one connection."""

from dataclasses import dataclass


@dataclass(slots=True)
class Spoken:
    """One of them: `ask` is -1 for the first on a connection, then -2.

    `paused` once the caller has stopped, `complete` once it is committed, `void` once no answer to it is wanted.
    """

    ask: int
    paused: bool = False
    complete: bool = False
    void: bool = False


class SpokenTurns:
    """By item id, and in the order in which they will be answered."""

    def __init__(self) -> None:
        self._turns: dict[str, Spoken] = {}
        self._unanswered: list[Spoken] = []

    def get(self, item: str) -> Spoken | None:
        """The turn of this item, if the upstream heard it by itself."""
        return self._turns.get(item)

    def began(self, item: str) -> Spoken:
        """Somebody began to speak; the item was announced ahead."""
        if item not in self._turns:
            self._turns[item] = Spoken(-1 - len(self._turns))
        return self._turns[item]

    def overdue(self) -> str | None:
        """The item that must be whole by now: the caller has stopped, but nobody said so."""
        item, turn = next(reversed(self._turns.items()), ("", None))
        return item if turn and turn.paused and not turn.complete else None

    def committed(self, item: str) -> Spoken:
        """It is whole: a response to it follows."""
        turn = self.began(item)
        turn.complete = True
        self._unanswered.append(turn)
        return turn

    def answered(self) -> Spoken | None:
        """A response began that we did not ask for: it answers all that was committed, the last of it above all."""
        turns, self._unanswered = self._unanswered, []
        return turns[-1] if turns else None

    @property
    def unanswered(self) -> bool:
        """A response is to come that we do not ask for."""
        return bool(self._unanswered)

    def void(self) -> None:
        """No answer is wanted to what was committed so far."""
        for turn in self._unanswered:
            turn.void = True
