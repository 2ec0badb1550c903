"""What is made certain of in a call, as the world knows it: that an AI speaks is heard, and a caller in danger is kept.

`told` is told what the session says, whether it arrives or not; `Ear` and `Player` know what was heard.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from actors.budgets.limits import Budgets
from actors.caring.settings import Caring
from actors.messages.caller import (
    Close,
    Error,
    FromCaller,
    Notice,
    Recorded,
    SpeechStarted,
    SpeechStopped,
    Summary,
    ToCaller,
    Transcript,
    Typed,
)
from actors.messages.caring import Help
from care import Kind, help_sentence, numbers
from tests.simulation.player import Player, Playing
from tests.simulation.sound import WORD_MS, Piece
from tests.simulation.world import World

SIGNS: dict[Kind, str] = {
    "suicide": "I-want-to-die",
    "hurt": "my-husband-beats-me",
    "child": "I-am-12-years-old",
}
"""What a word of a caller in danger ends with: it is one word to the world, and several to the guardian."""

DANGERS: tuple[Kind, ...] = ("suicide", "hurt")
COUNTRY = "IN"
AI, FEELINGS = "Ya Yb Yc Yd", "Ye Yf"
HELPS = {f"help {kind}": help_sentence("en", kind, numbers(COUNTRY, kind)).split() for kind in DANGERS}
SLACK = 1.0  # seconds: from words to their sign, and by which the server may not know what was just heard
AWAY_SECONDS = 60.0  # the longest that a call waits for its caller
TOLD_SECONDS = 12.0  # of a drain at the end of the hour
CUT = ("nothing was said", "longest time: call again", "what this call may cost", "nobody was chosen")
"""Words of the closes that no call in care may have; of the first, before its own time."""


def disclosures(voices: dict[str, str], said: dict[str, str]) -> dict[str, list[str]]:
    """By name the words that callers must hear; `said`: by the id of a persona, what it says of itself."""
    return {f"disclosure {voice}": said[id_].split() for id_, voice in voices.items()} | HELPS


@dataclass(frozen=True, slots=True)
class Owner:
    """How the owner of the server cares, and what calls may spend there."""

    caring: Caring = field(default_factory=Caring)
    budgets: Budgets = field(default_factory=Budgets)

    @classmethod
    def draw(cls, random: Random) -> "Owner":
        """Often as it ships, else for a short time, and nearly always for all that they want."""
        hour, silent = random.choice([3600.0, 3600.0, 45.0, 20.0]), random.choice([300.0, 300.0, 10.0])
        left_out, at_once = random.random() < 0.15, random.choice([100, 100, 1])
        caring = Caring(
            leave_out_disclosure=left_out, care_at_once=at_once, care_seconds=hour, care_silent_seconds=silent
        )
        return cls(caring, Budgets(budget_call_tokens=random.choice([200, 800]) if random.random() < 0.1 else None))

    @property
    def hurries(self) -> bool:
        """A call may end by itself while it is played."""
        caring, ships = self.caring, Caring()
        care = (caring.care_seconds, caring.care_silent_seconds) != (ships.care_seconds, ships.care_silent_seconds)
        return care or self.budgets != Budgets()


def signs(random: Random) -> tuple[Kind, ...]:
    """What the caller of a call says now and then, if anything."""
    share = random.random()
    return () if share > 0.4 else ("child",) if share < 0.04 else ("suicide", "hurt") if share < 0.1 else ("suicide",)


def kinds(text: str) -> set[Kind]:
    """The signs in these words."""
    return {kind for kind, sign in SIGNS.items() if sign in text}


@dataclass(eq=False)
class CareOf:
    """One call's."""

    world: World
    name: str
    player: Player
    owner: Owner = field(default_factory=Owner)
    idle_seconds: float = 300.0
    at: float | None = None  # when the caller was first told the numbers
    since: float | None = None  # when care began, of a call that has a place
    said: dict[Kind, float] = field(default_factory=dict)  # when the session first told what was understood
    written: set[str] = field(default_factory=set)  # the names of what was written in place of being said
    struck: bool = False  # its guardian has crashed
    lost_at: float | None = None  # when its line was lost last
    danger: bool = False  # the caller was told of a danger, and not only as a child
    minor: bool = False  # they say that they are a child: what is not charged need not be care
    doubted: set[str] = field(default_factory=set)  # responses of which the player reports less than it has played
    _help_at: float = -1.0
    _summed: bool = False
    _stopped: dict[str, float] = field(default_factory=dict)  # when this response was, over words that must be heard
    _spoke: list[tuple[float, bytes]] = field(default_factory=list)  # when the session heard of them, and in which clip

    @property
    def kept(self) -> bool:
        """The limits of the caller's own do not end it."""
        return self.since is not None

    @property
    def spoke_at(self) -> float:
        """When the session was told last that they said something, and did not refuse it."""
        return max((at for at, clip in self._spoke if clip not in self.world.undecoded), default=0.0)

    # What is said.

    def comes(self, message: FromCaller) -> None:
        """The session is told that the caller says this."""
        match message:
            case Typed():
                self._spoke.append((self.world.now, b""))
            case Recorded(clip):
                assert isinstance(clip, bytes)
                self._spoke.append((self.world.now, clip))

    def told(self, message: ToCaller) -> None:
        """The session says this."""
        now = self.world.now
        match message:
            case Help(words, _, metered):
                self._help_at = now
                self.at = now if self.at is None else self.at
                self.danger = self.danger or words.split() in HELPS.values()
                self.minor = self.minor or not self.danger
                if self.danger and not metered and self.since is None and not self.minor:
                    self.since = now if self.lost_at is None else self.lost_at  # who is back is told what came before
            case Transcript("user", text, _, True):
                for kind in kinds(text):
                    self.said.setdefault(kind, now)
                self.minor = self.minor or "child" in self.said
            case SpeechStarted() | SpeechStopped():
                self._spoke.append((now, b""))
            case Error("wrong_mode" | "busy" | "no_persona"):
                self._spoke = [spoke for spoke in self._spoke if spoke[0] != now]
            case Transcript("assistant", text, response) if response.endswith(".0"):  # no reply of the model's
                self.written |= {name for name, words in self.world.fixed.items() if " ".join(words) in text}
            case Summary(_, told):
                self._summed = bool(told)
            case Notice("draining", text) if self.kept and "longest" in text:
                self._long_enough(self.owner.caring.care_seconds)
            case Close():
                self._closed(message)

    def _closed(self, close: Close) -> None:
        now, goes_on = self.world.now, close.code in (1006, 1011, 1012, 4410, 4413, 4500)
        late = [kind for kind, at in self.said.items() if now - at > SLACK]
        if late and self.at is None and not self.struck and not goes_on:
            self._wrong(f"{late} was understood, and the numbers were not told before {close}")
        if self.at is None or goes_on:
            return
        if now - self._help_at > SLACK or not self._summed:
            self._wrong(f"the numbers were not told before {close}, or are not in the summary")
        if self.kept and any(words in close.reason for words in CUT):
            silent = max(self.idle_seconds, self.owner.caring.care_silent_seconds)
            if not (CUT[0] in close.reason and now - self.spoke_at > silent - SLACK):
                self._wrong(f"it is in care, and ends with {close}")
        if self.kept and "longest time" in close.reason:
            self._long_enough(self.owner.caring.care_seconds)
        if self.kept and close.code == 4403:
            self._wrong(f"it is in care, and is sent away with {close}")

    def _long_enough(self, seconds: float) -> None:
        if self.since is not None and self.world.now - self.since < seconds - SLACK:
            self._wrong(f"it was in care for {self.world.now - self.since:.0f} s of {seconds:.0f}")

    # What is heard.

    def hears(self, piece: Piece, whole: bool) -> None:
        """A piece begins to play, or will, of words that must be heard; `whole`: of a reply that came whole."""
        name, kind = piece.word.answer, _kind(piece.word.answer)
        unknown = (self.lost_at is not None and whole) or name in self.world.damaged  # how much of it was heard
        if piece.word.index == piece.first == 0 and not unknown:
            for one in self._heard(kind, WORD_MS):
                if self._is_known(one):
                    self._wrong(f"{name} is said again; it was heard at {one.end:.1f}")
                    break

    def cleared(self, response: str) -> None:
        """What plays of words that must be heard, in this response, is stopped."""
        self._stopped.setdefault(response, self.world.now)

    def heard(self, kind: str) -> float | None:
        """When words of this kind were heard until the middle of the last of them, None if they were not yet."""
        return next((one.end for one in self._heard(kind, WORD_MS / 2)), None)

    def _heard(self, kind: str, ms: float) -> Iterator[Playing]:
        """Each time that words of this kind were heard until so far into the last of them."""
        last = {name: len(words) - 1 for name, words in self.world.fixed.items() if _kind(name) == kind}
        ends = (one for one in self.player.tape if last.get(one.piece.word.answer) == one.piece.word.index)
        return (one for one in ends if one.piece.end >= ms and one.end <= self.world.now)

    def _is_known(self, one: Playing) -> bool:
        """The server knows that this was heard: it was not stopped then or by its report; none of its words were lost.

        Nor was the line: what was taken back meanwhile the player goes on with.
        """
        stopped = self._stopped.get(one.response)
        if self.lost_at is not None and self.lost_at < one.end < self.lost_at + AWAY_SECONDS:
            return False
        late = stopped is None or (stopped > one.end + SLACK and one.response not in self.doubted)
        return late and one.piece.word.answer not in self.world.damaged

    # At the end.

    def check(self, links: list[Any], *, disclosed: bool) -> None:
        """The caller is still there, and all is quiet: what they had to hear they have heard."""
        names = {name for name in self.world.damaged if name in self.world.fixed}
        known = {_kind(name) for name in names | self.written}
        if disclosed and self.heard("disclosure") is None and "disclosure" not in known:
            self._wrong("has not heard that an AI speaks")
        if self.said and self.at is None and not self.struck:
            self._wrong(f"{[*self.said]} was understood, and the numbers were not told")
        if not self.danger:
            return
        helps = [name for name in known if name.startswith("help")]
        if not helps and not any(self.heard(name) for name in HELPS):
            self._wrong("has heard of no helpline")
        if links and "\n\n# Care\n" not in links[-1].instructions:
            self._wrong(f"{links[-1].name} was not told to take care")

    def check_prompts(self, links: list[Any]) -> None:
        """What was dialled in care was told so from its beginning."""
        for link in links:
            if self.at is not None and link.first and link.dialled_at > self.at + SLACK and "# Care" not in link.first:
                self._wrong(f"{link.name} was dialled in care, and not told so")

    def _wrong(self, what: str) -> None:
        self.world.wrong(f"{self.name}: {what}")


def _kind(name: str) -> str:
    """Of the disclosure, whoever says it; of help, with what it is for."""
    return "disclosure" if name.startswith("disclosure") else name
