"""The turns that the upstream hears by itself in a stream of audio (server VAD). Pure state of one connection."""

from dataclasses import dataclass


@dataclass(slots=True)
class Spoken:
    """One of them: `ask` is -1 for the first on a connection, then -2; `void` once no answer to it is wanted."""

    ask: int
    void: bool = False


class SpokenTurns:
    """By item id, and in the order in which they will be answered."""

    def __init__(self) -> None:
        self._turns: dict[str, Spoken] = {}
        self._unanswered: list[Spoken] = []
        self.speaking = False  # a turn has begun that is not whole yet

    def known(self, item: str) -> bool:
        """The upstream heard this item by itself."""
        return item in self._turns

    def began(self, item: str) -> Spoken:
        """Somebody began to speak; the item was announced ahead."""
        if item not in self._turns:
            self._turns[item] = Spoken(-1 - len(self._turns))
            self.speaking = True
        return self._turns[item]

    def committed(self, item: str) -> Spoken:
        """It is whole: a response to it follows."""
        turn = self.began(item)
        self.speaking = False
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
