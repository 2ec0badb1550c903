"""What a caller waits for: a table of how long until they are told something, and how long until it ends.

Who owns a state says that it is there (`Waiting`), with what it is about; the watch knows since when, and what is due.
A new state in which a caller waits is a row here, and whoever owns it says `Waiting`.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from math import inf
from typing import TypeAlias

from actors.admission.minors import PARTING_SECONDS
from actors.messages.caller import Close, Notice
from actors.services import Limits

SUCCESSOR_SECONDS = 2.0  # an upstream that hears turns by itself answers what it has cancelled well before that
FALTER_SECONDS = 2.0  # without anything more of an answer: the API sends some of it every 50 ms
STALL_SECONDS = 4.0  # callers hang up after so much silence
UNSAID_SECONDS = 5.0  # a caller who was told of a failure speaks again well before that, and is answered first
ABOUT_TO_RUN_DRY = 2.0  # seconds of sound that are left to play: another connection takes 1.2 s to be ready and 0.5 s
# to speak, so that who must be left may be left in time
LULL_SECONDS = 1.0  # after which a client that sends its clips one after the other has sent the next
ROUNDING = 0.001  # seconds: or the rest of a rounding error is waited for


class For(Enum):
    """The states in which a caller waits, or is waited for."""

    CHOICE = "nobody was chosen, or the choice was refused; counted from the last choice"
    NOBODY = "the same, counted from the beginning of the call"
    PARTING = "the persona on the line is not for a minor, as the caller is known to be since; nobody else was chosen"
    CALLER = "nothing was said; counted from the last turn, words that the model heard, or choice that was granted"
    FIRST = "the first persona is being called"
    BACK = "the connection of a persona who was on the line is lost"
    SWITCH = "another persona is being called, the one before is still there"
    CONSENT = "the upstream was told of another mode, and has not said that it is so"
    ANSWER = "an answer was asked for, and no sound or word of it has come"
    LATER = "the upstream has no time for what was asked, and has said for how long"
    FALTER = "some of an answer was heard, no more of it comes, and less than 2 s of it are left to play"
    STALL = "the same, for longer"
    REST = "an answer has begun, no more of it comes, and nobody hears a gap: nothing of it plays yet, or all was said"
    NO_OTHER = "the upstream has cancelled an answer that nobody here cancelled, and begins no other"
    ANOTHER = "it has begun another by itself, and no sound or word of that has come"
    PAUSE = "the model hears the caller speak, and what they send is silence"
    SOUND = "an answer came in writing, also when it was asked for in sound"
    UNSAID = "the model failed over words that the caller must hear, and since then nobody has said anything"
    WORDS = "words are played to a new connection, which does not hear anybody speak"
    LULL = "words that must be heard were taken back from a player, and nothing plays or is asked"


class End(Enum):
    """What is done at the end of a state."""

    GIVE_UP = "`upstream_unavailable` and 4503; where a persona is on the line, `persona_switch_failed`"
    RECONNECT = "another connection takes over: `reconnecting`"
    ASK_AGAIN = "it is asked again over another connection: `reconnecting`; the second time that turn fails"
    GO_ON = "it goes on over another connection: `reconnecting`; the second time that turn fails"
    SAY = "the words are asked for again; after the third time they are written"
    STAND_BY = "it is counted, and another connection is opened, which stands by"
    PART = "`not_for_minors`; at the next pause, within 10 s, `4403`"
    FAIL = "`upstream_unavailable`, and the call goes on"


@dataclass(frozen=True, slots=True)
class Row:
    """After `told` seconds the caller is told `tells`; after `ends` seconds it has an `end`.

    `told` is 0 where whatever brings the state about tells it by itself. What may go on unseen (sound is not watched)
    is looked at every `looks` seconds, so that its end comes so much later at most.
    """

    ends: float = inf
    end: End | Close | None = None
    told: float = inf
    tells: Notice | None = None
    looks: float = inf


@dataclass(frozen=True, slots=True)
class Waiting:
    """The call is in this state; where it is `about` something else than before, its time begins anew.

    `since`, where somebody knows it better than the watch. `longer`: so many seconds more until the end. `earliest`:
    nothing is due before then. `answers` is how many answers came to an end in this call: before the next one has,
    nothing is asked again twice.
    """

    wait: For
    about: Hashable = None
    since: float | None = None
    longer: float = 0.0
    earliest: float = -inf
    answers: int = 0


Due: TypeAlias = Notice | End | Close

RECONNECTING = Notice("reconnecting", "The connection to the model was lost and is being made again.")
SLOW = Notice("reconnecting", "The model is hard to reach: it is tried again.")
BUSY = Notice("waiting", "The model has much to do: your answer comes a little later.")
UNHEARD = Notice("say_again", "Some of what you said was lost on the line: say it again.")


@cache
def table(limits: Limits) -> Mapping[For, Row]:
    """The rows, with the limits of a server."""
    told, ready, silent = limits.notice_seconds, limits.ready_seconds, limits.answer_seconds
    look, choose, idle = min(silent / 2, FALTER_SECONDS), limits.choose_seconds, limits.idle_seconds
    nobody = Close(4408, f"nobody was chosen for {choose:.0f} s: call again, and choose somebody")
    quiet = Close(4408, f"nothing was said for {idle:.0f} s: call again to go on")
    return {
        For.CHOICE: Row(choose, nobody),
        For.NOBODY: Row(4 * choose, nobody),
        For.PARTING: Row(PARTING_SECONDS, End.PART),
        For.CALLER: Row(idle, quiet),
        For.FIRST: Row(ready, End.GIVE_UP, told, SLOW),
        For.BACK: Row(limits.upstream_patience, End.GIVE_UP, 0.0, RECONNECTING),
        For.SWITCH: Row(ready, End.GIVE_UP, told, SLOW),
        For.CONSENT: Row(silent, End.RECONNECT),
        For.ANSWER: Row(silent, End.ASK_AGAIN, looks=look),
        For.LATER: Row(silent, End.ASK_AGAIN, told, BUSY, look),
        For.FALTER: Row(FALTER_SECONDS, End.STAND_BY),
        For.STALL: Row(STALL_SECONDS, End.GO_ON),
        For.REST: Row(1.5 * silent, End.ASK_AGAIN, looks=look),
        For.NO_OTHER: Row(SUCCESSOR_SECONDS, End.FAIL),
        For.ANOTHER: Row(silent, End.FAIL, looks=look),
        For.PAUSE: Row(silent, End.RECONNECT),
        For.SOUND: Row(0.0, End.RECONNECT),
        For.UNSAID: Row(UNSAID_SECONDS, End.SAY),
        For.WORDS: Row(told=silent, tells=UNHEARD),
        For.LULL: Row(LULL_SECONDS, End.SAY),
    }


@dataclass(slots=True)
class _Seen:
    """A state that the call is in, when the caller is to be told, and when it ends: inf once that was done."""

    waiting: Waiting
    told_at: float
    ends_at: float


class Watch:
    """Knows since when the call is in each state. `now` is in seconds, on a clock that never goes back."""

    def __init__(self, limits: Limits) -> None:
        self._rows, self._idle = table(limits), limits.idle_seconds
        self.lifted = False
        """True once the limits of the caller's own do not end the call."""
        self._seen: dict[For, _Seen] = {}
        self._asked_again: int | None = None  # so many answers had come when something was asked again

    def look(self, waiting: Iterable[Waiting], now: float) -> tuple[list[Due], float | None]:
        """The call is in these states now: what is due, and in how many seconds to look again, if ever."""
        self._see(waiting, now)
        due: list[Due] = []
        for wait, seen in self._seen.items():
            row = self._rows[wait]
            if row.tells and seen.told_at <= now + ROUNDING:
                seen.told_at = inf
                due.append(row.tells)
            if row.end and seen.ends_at <= now + ROUNDING:
                seen.ends_at = inf
                due.append(self._end(row.end, seen.waiting))
        times = [min(seen.told_at, seen.ends_at, now + self._rows[wait].looks) for wait, seen in self._seen.items()]
        return due, min(times) - now if times and min(times) < inf else None

    def lift(self, silent_seconds: float) -> None:
        """The limits of the caller's own do not end the call any more, but for so long a silence."""
        self.lifted, silent = True, max(self._idle, silent_seconds)
        quiet = Close(4408, f"nothing was said for {silent:.0f} s: call the number that you were told, or call again")
        lifted = {For.CALLER: Row(silent, quiet), For.CHOICE: Row(), For.NOBODY: Row()}
        self._rows = {**self._rows, **lifted}
        for wait in lifted:
            self._seen.pop(wait, None)

    @property
    def until(self) -> float:
        """When whoever is wanted is given up, in seconds; inf if nobody is waited for."""
        return min(
            (seen.ends_at for wait, seen in self._seen.items() if self._rows[wait].end is End.GIVE_UP), default=inf
        )

    def _see(self, waiting: Iterable[Waiting], now: float) -> None:
        before, self._seen = self._seen, {}
        for one in waiting:
            seen = before.get(one.wait)
            if not seen or (seen.waiting.about, seen.waiting.since) != (one.about, one.since):
                row, since = self._rows[one.wait], now if one.since is None else one.since
                told_at, ends_at = since + (row.told or inf), since + row.ends + one.longer
                seen = _Seen(one, max(told_at, one.earliest), max(ends_at, one.earliest))
            ends_at = seen.ends_at + one.longer - seen.waiting.longer
            self._seen[one.wait] = replace(seen, waiting=one, ends_at=ends_at)

    def _end(self, end: End | Close, waiting: Waiting) -> End | Close:
        if end not in (End.ASK_AGAIN, End.GO_ON):
            return end
        if self._asked_again == waiting.answers:
            self._asked_again = None
            return End.FAIL
        self._asked_again = waiting.answers
        return end


def document() -> str:
    """The table as docs/realtime.md has it, with the figures that a server has unless it is told others."""
    lines = ["| the caller waits, because | told | after | ends |", "|---|---|---|---|"]
    for wait, row in table(Limits()).items():
        told = f"`{row.tells.code}`, {f'after {row.told:g} s' if row.told else 'at once'}" if row.tells else ""
        after = f"{row.ends:g} s" + (" more" if wait is For.LATER else "")
        ends = row.end.value if isinstance(row.end, End) else f"`{row.end.code}`" if row.end else ""
        lines.append(f"| {wait.value} | {told} | {after if row.end else ''} | {ends} |")
    return "\n".join(lines) + "\n"
