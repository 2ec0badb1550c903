"""The caller's choices of a persona: each from when it is asked for until it is granted or refused."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from actors.admission.rate import Window
from actors.call.line import Selection
from actors.messages.caller import Mode
from actors.messages.ids import ChoiceId
from personas import Profile
from schemas import Refused

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice that is not decided yet, and what it brings once it is granted.

    `astrologer_id` is empty for a choice by words.
    """

    astrologer_id: str
    profile: Profile | None
    mode: Mode | None = None


class Choices:
    """Choices are numbered from 1; `count` were made. `newest` is the newest that is granted or may still be, or 0.

    What the caller says now is meant for the newest.
    """

    def __init__(self, switches: int) -> None:
        self.newest = self.count = ChoiceId(0)
        self.profile: Profile | None = None
        """What the caller told of themselves, with a granted choice or after it; it holds for the rest of the call."""
        self.memory = "none"
        """The policy of memory that came with the newest choice that was granted."""
        self._wish = ""  # the astrologer_id of the newest; empty while a search is not decided
        self._asked: dict[ChoiceId, Asked] = {}
        self._holds: frozenset[ChoiceId] = frozenset()  # the choices that are known to have a place
        self._switches = Switches(switches)

    @property
    def modes(self) -> set[Mode]:
        """The modes that the undecided choices bring."""
        return {asked.mode for asked in self._asked.values() if asked.mode}

    def ask(self, astrologer_id: str, profile: Profile | None, now: float, mode: Mode | None = None) -> ChoiceId:
        """Make a new choice; returns its number. Raises Refused: switch_too_often."""
        self._switches.ask(ChoiceId(self.count + 1), now)
        self.count = ChoiceId(self.count + 1)
        self.newest, self._wish = self.count, astrologer_id
        self._asked[self.newest] = Asked(astrologer_id, profile, mode)
        return self.newest

    def repeats(self, astrologer_id: str) -> bool:
        """True if the newest choice is for this persona already."""
        return astrologer_id == self._wish

    def repeat(self, profile: Profile | None, mode: Mode | None = None) -> bool:
        """The newest choice is asked for again; True if it is undecided: then it brings this profile and mode, too."""
        asked = self._asked.get(self.newest)
        if asked:
            self._asked[self.newest] = replace(asked, profile=profile or asked.profile, mode=mode or asked.mode)
        return asked is not None

    def granted(self, selection: Selection, memory: str) -> Asked:
        """The choice was reserved: its profile and policy of memory hold from now on. Returns what was asked for."""
        self._switches.granted(selection.choice)
        self._holds |= {selection.choice}
        if selection.choice == self.newest:
            self._wish = selection.persona.id
        asked = self._asked.pop(selection.choice)
        self.profile, self.memory = asked.profile or self.profile, memory
        return asked

    def refused(self, choice: ChoiceId, wanted: Selection | None) -> ChoiceId:
        """The choice was declined; returns the newest before it that is undecided or `wanted`, or 0."""
        self._switches.refused(choice)
        del self._asked[choice]
        return self.fall_back(choice, wanted)

    def fall_back(self, choice: ChoiceId, wanted: Selection | None) -> ChoiceId:
        """The choice came to nothing: unless a later one is newest, the one before it is. Returns as `refused`."""
        granted = (wanted.choice, wanted.persona.id) if wanted else (ChoiceId(0), "")
        before, wish = max(
            ((asked, one.astrologer_id) for asked, one in self._asked.items() if asked < choice), default=granted
        )
        if self.newest == choice:
            self.newest, self._wish = before, wish
        return before

    @property
    def switched(self) -> tuple[float, ...]:
        """When the caller switched, as far as that still counts."""
        return self._switches.times

    def adopt(self, switched: Iterable[float]) -> None:
        """The caller has switched at these times before, on another node."""
        self._switches.adopt(switched)

    def lift(self) -> None:
        """From now on the caller may switch as often as they like."""
        self._switches.lifted = True

    def release(self, *needed: Selection | None) -> frozenset[ChoiceId]:
        """The granted choices whose places are not needed for `needed`; each is returned once."""
        needless = self._holds - {selection.choice for selection in needed if selection}
        self._holds -= needless
        return needless


class Switches:
    """It decides whether one more choice is allowed. A choice counts from when it is asked for until it is refused.

    The first choice that is granted does not count. `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, most: int) -> None:
        self._most, self.lifted = most, False
        self._counted = Window(most + 1, MINUTE)  # by choice; one more until the first is granted

    @property
    def times(self) -> tuple[float, ...]:
        """Of the choices that count."""
        first = self._counted.most > self._most
        return () if first else tuple(sorted(self._counted.times))

    def adopt(self, times: Iterable[float]) -> None:
        """These count as well."""
        for at in sorted(times):
            self._counted.count(at, ChoiceId(0))

    def ask(self, choice: ChoiceId, now: float) -> None:
        """Count one more choice. Raises Refused: switch_too_often."""
        if not self.lifted and (wait := self._counted.wait(now)):
            times = "once" if self._most == 1 else f"{self._most} times"
            raise Refused("switch_too_often", f"You switched {times} in a minute: try again in {math.ceil(wait)} s.")
        self._counted.count(now, choice)

    def granted(self, choice: ChoiceId) -> None:
        """The choice goes on counting, unless it is the first that is granted."""
        if self._counted.most > self._most:
            self._counted.most = self._most
            self.refused(choice)

    def refused(self, choice: ChoiceId) -> None:
        """The choice counts no more."""
        self._counted.forget(choice)
