"""The first words of a persona: owed once for each choice, until the caller has them."""

from dataclasses import dataclass

from upstream.facts import TurnId


@dataclass(slots=True)
class Greeting:
    """`number` is its place among the turns, `words` all of it.

    `asked`: a connection was told to say it. `begun`: that connection says it; until then nobody listens to the
    caller, or the model would answer before it has greeted. `said_before` is what a lost connection said of it.
    """

    number: TurnId
    words: str
    asked: bool = False
    begun: bool = False
    said_before: str = ""

    @property
    def rest(self) -> str:
        """What is still to be said."""
        left = self.words.split()[len(self.said_before.split()) :]
        return " ".join(left)
