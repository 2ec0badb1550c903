"""Whom the caller wants: each choice from when it is asked for until it is granted or refused."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from actors.call.line import Selection
from actors.messages.caller import Mode
from actors.messages.ids import ChoiceId
from personas import Persona, Profile
from schemas import Refused

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice that is not decided yet: whom it names, if anybody, and what it brings once it is granted.

    `claimed` are the personas, by id, of whom the supervisor may grant one.
    """

    astrologer_id: str
    profile: Profile | None
    mode: Mode | None = None
    claimed: frozenset[str] = frozenset()


class Choices:
    """Numbered from 1. `newest` is the newest that may still be granted: what is said now is meant for it."""

    def __init__(self, switches: int) -> None:
        self.newest = self.count = ChoiceId(0)
        self._wish = ""  # the persona of the newest, as far as it is known
        self._asked: dict[ChoiceId, Asked] = {}
        self._holds: frozenset[str] = frozenset()
        self._switches = Switches(switches)

    @property
    def modes(self) -> set[Mode]:
        """In which the caller will speak if what is not decided yet is granted."""
        return {asked.mode for asked in self._asked.values() if asked.mode}

    def ask(self, astrologer_id: str, profile: Profile | None, now: float, mode: Mode | None = None) -> ChoiceId:
        """The number of a new choice. Raises Refused: switch_too_often."""
        self._switches.ask(ChoiceId(self.count + 1), now)
        self.count = ChoiceId(self.count + 1)
        self.newest, self._wish = self.count, astrologer_id
        self._asked[self.newest] = Asked(astrologer_id, profile, mode)
        return self.newest

    def repeats(self, astrologer_id: str) -> bool:
        """Whether this is whom the caller wants already."""
        return astrologer_id == self._wish

    def repeat(self, profile: Profile | None, mode: Mode | None = None) -> bool:
        """Whom the caller wants is asked for again: True if that is not decided, then what it brings goes with it."""
        asked = self._asked.get(self.newest)
        if asked:
            self._asked[self.newest] = replace(asked, profile=profile or asked.profile, mode=mode or asked.mode)
        return asked is not None

    def claim(self, choice: ChoiceId, personas: Iterable[Persona]) -> None:
        """The supervisor is asked for one of these."""
        claimed = frozenset(persona.id for persona in personas)
        self._asked[choice] = replace(self._asked[choice], claimed=claimed)
        self._holds |= claimed

    def granted(self, selection: Selection) -> Asked:
        """A choice is the caller's, and so is what it brings."""
        self._switches.granted(selection.choice)
        if selection.choice == self.newest:
            self._wish = selection.persona.id
        return self._asked.pop(selection.choice)

    def refused(self, choice: ChoiceId, wanted: Selection | None) -> ChoiceId:
        """It is not granted; returns which is the newest before it, be it undecided or the one that is wanted."""
        self._switches.refused(choice)
        del self._asked[choice]
        return self.fall_back(choice, wanted)

    def fall_back(self, choice: ChoiceId, wanted: Selection | None) -> ChoiceId:
        """Nothing comes of this one: if the caller has asked for nobody else meanwhile, whom do they want now?"""
        granted = (wanted.choice, wanted.persona.id) if wanted else (ChoiceId(0), "")
        before, wish = max(
            ((asked, one.astrologer_id) for asked, one in self._asked.items() if asked < choice), default=granted
        )
        if self.newest == choice:
            self.newest, self._wish = before, wish
        return before

    def let_go(self, *selections: Selection | None) -> frozenset[str] | None:
        """Who, by id, is still needed for these and for what is not decided, if that is fewer than before."""
        needs = frozenset(one.persona.id for one in selections if one)
        needs = needs.union(*(asked.claimed for asked in self._asked.values()))
        fewer, self._holds = bool(self._holds - needs), needs
        return needs if fewer else None


class Switches:
    """A choice counts from when it is asked for, unless it is refused.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[ChoiceId, float] = {}  # by choice: those of the last minute that count
        self._begun = False

    def ask(self, choice: ChoiceId, now: float) -> None:
        """One more choice is asked for. Raises Refused: switch_too_often."""
        self._times = {number: at for number, at in self._times.items() if now - at < MINUTE}
        if len(self._times) >= self._most + (not self._begun):
            wait = math.ceil(next(iter(self._times.values())) + MINUTE - now)
            times = "once" if self._most == 1 else f"{self._most} times"
            raise Refused("switch_too_often", f"You switched {times} in a minute: try again in {wait} s.")
        self._times[choice] = now

    def granted(self, choice: ChoiceId) -> None:
        """It counts, unless nobody was on the line before."""
        if not self._begun:
            self._begun = True
            self.refused(choice)

    def refused(self, choice: ChoiceId) -> None:
        """It does not count."""
        self._times.pop(choice, None)
