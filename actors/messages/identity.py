"""Who calls, and what they may: made where tokens are read (web/auth), so that no actor ever sees a token."""

from dataclasses import dataclass, field

from actors.messages.caller import Mode
from care.ages import Age

MOST_NAMED = 5  # personas, in what a caller is told


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of the call, and what their token locks in; None where it locks in nothing.

    `personas` are the ids of those whom they may call, `seconds` is the longest duration of the call. `age` is as far
    as the token says something of it, which counts above whatever the caller says.
    """

    user: str
    personas: frozenset[str] | None = None
    mode: Mode | None = None
    seconds: float | None = None
    age: Age | None = field(default=None, repr=False)

    def longest(self, most: float) -> float:
        """The longest duration of their call, which is `most` where their token says nothing; in seconds."""
        return most if self.seconds is None else min(most, self.seconds)

    def refusal(self, astrologer_id: str = "", mode: Mode | None = None) -> str:
        """Why they may not call this persona, or not in this mode; empty if they may, or where none is named."""
        if astrologer_id and self.personas is not None and astrologer_id not in self.personas:
            named = sorted(self.personas)
            more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
            return f"your token is for {', '.join(named[:MOST_NAMED])}{more}, and for nobody else"
        if mode and self.mode and mode != self.mode:
            return f"your token is for a call in {self.mode} mode"
        return ""
