"""Whom the caller wants: each choice from when it is asked for until it is granted or refused."""

import math
from dataclasses import dataclass, replace

from actors.admission.rate import Window
from actors.call.line import Selection
from actors.messages.caller import Mode
from personas import Profile
from schemas import Refused

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice that is not decided yet: whom it names, if anybody, and what it brings once it is granted."""

    astrologer_id: str
    profile: Profile | None
    mode: Mode | None = None


class Choices:
    """Numbered from 1. `newest` is the newest that may still be granted: what is said now is meant for it."""

    def __init__(self, switches: int) -> None:
        self.newest = self.count = 0
        self.profile: Profile | None = None
        """What the caller told of themselves, for the rest of the call: with a choice that was granted, or later."""
        self.memory = "none"
        """The policy of memory that came with the newest choice that was granted."""
        self._wish = ""  # the persona of the newest, as far as it is known
        self._asked: dict[int, Asked] = {}
        self._holds: frozenset[int] = frozenset()  # choices that have a place with a persona, as far as is known
        self._switches = Switches(switches)

    @property
    def modes(self) -> set[Mode]:
        """In which the caller will speak if what is not decided yet is granted."""
        return {asked.mode for asked in self._asked.values() if asked.mode}

    def ask(self, astrologer_id: str, profile: Profile | None, now: float, mode: Mode | None = None) -> int:
        """The number of a new choice. Raises Refused: switch_too_often."""
        self._switches.ask(self.count + 1, now)
        self.count += 1
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

    def granted(self, selection: Selection, memory: str) -> Asked:
        """A choice is the caller's, and so is what it brings."""
        self._switches.granted(selection.choice)
        self._holds |= {selection.choice}
        if selection.choice == self.newest:
            self._wish = selection.persona.id
        asked = self._asked.pop(selection.choice)
        self.profile, self.memory = asked.profile or self.profile, memory
        return asked

    def refused(self, choice: int, wanted: Selection | None) -> int:
        """It is not granted; returns which is the newest before it, be it undecided or the one that is wanted."""
        self._switches.refused(choice)
        del self._asked[choice]
        return self.fall_back(choice, wanted)

    def fall_back(self, choice: int, wanted: Selection | None) -> int:
        """Nothing comes of this one: if the caller has asked for nobody else meanwhile, whom do they want now?"""
        granted = (wanted.choice, wanted.persona.id) if wanted else (0, "")
        before, wish = max(
            ((asked, one.astrologer_id) for asked, one in self._asked.items() if asked < choice), default=granted
        )
        if self.newest == choice:
            self.newest, self._wish = before, wish
        return before

    def let_go(self, *needed: Selection | None) -> frozenset[int]:
        """The granted choices whose places are needed no more, if only these are; each is named once."""
        needless = self._holds - {selection.choice for selection in needed if selection}
        self._holds -= needless
        return needless


class Switches:
    """A choice counts from when it is asked for, unless it is refused.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counted = Window(most + 1, MINUTE)  # by choice; the first that is granted is none

    def ask(self, choice: int, now: float) -> None:
        """One more choice is asked for. Raises Refused: switch_too_often."""
        if wait := self._counted.wait(now):
            times = "once" if self._most == 1 else f"{self._most} times"
            raise Refused("switch_too_often", f"You switched {times} in a minute: try again in {math.ceil(wait)} s.")
        self._counted.count(now, choice)

    def granted(self, choice: int) -> None:
        """It counts, unless nobody was on the line before."""
        if self._counted.most > self._most:
            self._counted.most = self._most
            self.refused(choice)

    def refused(self, choice: int) -> None:
        """It does not count."""
        self._counted.forget(choice)
