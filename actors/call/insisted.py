"""Words that the caller must have heard: that an AI speaks, and where help is.

    owe ─▶ owed ─▶ carried: an ask says them ─▶ heard to their end
            ▲        │
            └────────┴─▶ the ask came to nothing, or was stopped before their end; after MOST_TIMES they are written

The disclosure is carried by the greeting of a choice, which begins with it. What is owed when nothing is asked is said
by an ask of its own; if the model failed over them, once it has answered something, or nobody has said anything for a
few seconds (watch.py). What a player got to play counts as heard, unless it is stopped before. That goes for a whole
reply, too: what of it was played when it was taken back is reckoned by the clock. A disclosure that was taken back so
is said again at a pause: a client that sends clip after clip, and plays nothing, gets one reply to each.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias

from personas import Persona
from upstream.facts import TurnId

MOST_TIMES = 3  # that they are asked for: a model that breaks off over them, or a caller who does, has them in writing

Enough: TypeAlias = Callable[[str], bool]
"""Whether who has heard so much of a reply has heard the words."""


class What(Enum):
    """What the words say; what stands first is said first."""

    HELP = "help"
    DISCLOSURE = "disclosure"


class Insisted:
    """What is owed, by what it says, and which ask says it now. The words depend on who speaks."""

    def __init__(self) -> None:
        self._words: dict[What, Callable[[Persona], str]] = {}
        self._owed: set[What] = set()
        self._carried: dict[TurnId, tuple[What, Enough]] = {}
        self._alone: set[TurnId] = set()  # the asks that say nothing else
        self._postponed: set[What] = set()  # what is not asked for before a pause
        self._stopped: dict[TurnId, str] = {}  # what was heard of replies that were stopped
        self._times: Counter[What] = Counter()
        self._rests = False  # the model failed over them

    def owe(self, what: What, words: Callable[[Persona], str]) -> None:
        """From now on the caller must hear these words, also if they have heard others of the kind."""
        self._words[what], self._times[what] = words, 0
        self._carried = {ask: one for ask, one in self._carried.items() if one[0] is not what}
        self._owed.add(what)
        self._postponed.discard(what)

    def forgive(self, what: What) -> None:
        """These words need not be said any more."""
        self._owed.discard(what)

    def owes(self, what: What) -> bool:
        """True if these words are owed, and nobody was asked for them."""
        return what in self._owed

    def heard(self, what: What, unheard: Mapping[TurnId, str]) -> bool:
        """True if the caller has heard these words, or need not; `unheard`: answers that are not heard to their end.

        Of a greeting that begins with them all must be heard: who goes on with the call goes on with all of it.
        """
        ask = self.carried(what)
        if ask is None or ask not in unheard:
            return what not in self._owed
        return (ask in self._alone or what is What.HELP) and self._carried[ask][1](unheard[ask])

    def alone(self, ask: TurnId) -> bool:
        """True if this ask says nothing but words that the caller must hear."""
        return ask in self._alone

    def carry(self, ask: TurnId, what: What, enough: Enough) -> None:
        """The words are said by this ask, unless it was stopped before their end."""
        if ask in self._stopped and not enough(self._stopped[ask]):
            return
        self._owed.discard(what)
        self._carried[ask] = (what, enough)

    def began(self, ask: TurnId) -> None:
        """A connection says this ask; that is tried MOST_TIMES."""
        if ask in self._carried:
            what = self._carried[ask][0]
            self._times[what] += 1
            self._postponed.discard(what)

    def lead(self, ask: TurnId, what: What, persona: Persona, *, alone: bool = False) -> str:
        """The words with which this ask is to begin, if they are owed; else an empty text. `alone`: it says no more."""
        self._alone |= {ask} if alone else set()
        words = self._words[what](persona) if what in self._owed and not self._is_spent(what) else ""
        if words:
            count = len(words.split())
            self.carry(ask, what, lambda heard: len(heard.split()) >= count)
        return words

    def next(self) -> What | None:
        """What is owed and may be asked for."""
        due = self._owed - self._postponed if not self._rests else ()
        return next((what for what in What if what in due and not self._is_spent(what)), None)

    @property
    def rests(self) -> bool:
        """True if something is owed over which the model failed, so that it is not asked for."""
        return self._rests and bool(self._owed)

    @property
    def waits_for_pause(self) -> bool:
        """True if something is owed that was postponed."""
        return not self._owed.isdisjoint(self._postponed)

    def spent(self, persona: Persona) -> list[str]:
        """The words that cannot be said and are owed no more: they are to be written."""
        spent = [what for what in What if what in self._owed and self._is_spent(what)]
        self._owed.difference_update(spent)
        return [self._words[what](persona) for what in spent]

    def stopped(self, ask: TurnId, heard: str, at_once: bool = False) -> None:
        """No more of what this ask says will be heard than this; `at_once`: all of it had been sent in one message."""
        self._stopped[ask] = heard
        if (what := self._unheard(ask, heard)) is What.DISCLOSURE and at_once:
            self._postponed.add(what)

    def _unheard(self, ask: TurnId, heard: str) -> What | None:
        """No more of this ask is heard: the words that it was to say are owed again if that was not enough."""
        what, enough = self._carried.pop(ask, (None, None))
        if what is None or enough is None or enough(heard):
            return None
        self._owed.add(what)
        return what

    def failed(self, ask: TurnId, said_before: str = "") -> None:
        """Nothing comes of this ask, but for what was said of it before."""
        self.began(ask)
        self._rests = self._rests or ask in self._carried
        self._unheard(ask, said_before)

    def close(self) -> None:
        """The call is over: nothing is owed."""
        self._words, self._owed, self._carried, self._alone, self._stopped = {}, set(), {}, set(), {}

    def retry(self, *, at_pause: bool = False) -> None:
        """What the model failed over may be asked for again; at a pause also what was postponed."""
        self._rests = False
        if at_pause:
            self._postponed.clear()

    def carried(self, what: What) -> TurnId | None:
        """The ask that says these words or has said them, None if there is none."""
        return next((ask for ask, (said, _) in self._carried.items() if said is what), None)

    def _is_spent(self, what: What) -> bool:
        return self._times[what] >= MOST_TIMES
