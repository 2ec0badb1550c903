"""The counters of a server: plain numbers, written on the event loop and read by web/metrics.py.

One object for each server, passed on with its services, so that two servers in one process are counted apart.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from actors.runtime.watchdog import LoopLag
from upstream.facts import Used

PHASE_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""Seconds: the upper bounds of a histogram of waits, but for the last. A model answers within 0.3 to 2 s."""


class Waits:
    """How long something took: a histogram by PHASE_STEPS, and the sum of all in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(PHASE_STEPS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(PHASE_STEPS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Counters:
    """Totals since the start. What exists at present (actors, tasks) is read when it is shown, but for `away`."""

    begun: int = 0
    """Sessions that were admitted."""
    ended: Counter[int] = field(default_factory=Counter)
    """Sessions that ended, by the close code of the caller's connection, whichever side closed; 1006: it was lost."""
    refused: Counter[int] = field(default_factory=Counter)
    """Calls that were not admitted, by close code."""
    fleet_refused: Counter[str] = field(default_factory=Counter)
    """What this server would have allowed and the fleet did not, by the limit."""
    address_refused: Counter[str] = field(default_factory=Counter)
    """Refused connections, calls and requests of one address, and connections for lack of file descriptors, by kind."""
    handshakes_refused: Counter[str] = field(default_factory=Counter)
    """Handshakes of calls that were refused with an HTTP status, by reason: web/refused_handshakes.py."""
    messages_refused: Counter[str] = field(default_factory=Counter)
    """Messages of callers that were refused, also choices of a persona, by error code."""
    minors: int = 0
    """Calls in which it was known, from the beginning or later, that the caller is a minor."""
    away: int = 0
    """Calls whose caller is away now, and may come back."""
    resumed: int = 0
    """Connections over which a call went on."""
    not_resumed: Counter[str] = field(default_factory=Counter)
    """Connections that asked for a call in vain, by code."""
    given_up: Counter[int] = field(default_factory=Counter)
    """Calls that ended while their caller was away, by close code; 1006: nobody came back in time."""
    calls_moved: Counter[str] = field(default_factory=Counter)
    """Calls that came from another node (`in`), or went on at one (`out`)."""
    takes_refused: Counter[str] = field(default_factory=Counter)
    """Calls that were to come from another node and did not, by code."""
    saves_lost: int = 0
    """Records of calls that the register did not confirm."""
    unbilled_seconds: float = 0.0
    """Metered here after the last save of a call that goes on elsewhere: nobody bills them."""
    sound_held: int = 0
    """How often the sound of a stream was held back, because three seconds of it were not acknowledged."""
    upstream_lost: int = 0
    """Upstream connections that were lost or refused."""
    answer_stalls: int = 0
    """Answers that brought nothing for 2 s, while their sound was about to run out."""
    answers_moved: int = 0
    """Those of them that went on over another connection."""
    phases: defaultdict[str, Waits] = field(default_factory=lambda: defaultdict(Waits))
    """How long the turns of callers took, by phase: actors/call/phases.py."""
    received: int = 0
    """Bytes of callers' frames."""
    sent: int = 0
    """Bytes of frames to callers."""
    log_lines_dropped: int = 0
    """Lines of the log that were dropped because nobody read it."""
    worries: Counter[str] = field(default_factory=Counter)
    """Calls with signs of danger, by kind: care/signs.py. Without words, and without whose."""
    care_refused: int = 0
    """Those of them that found no place in care: their limits held."""
    pressed: Counter[str] = field(default_factory=Counter)
    """Answers of personas that press the caller, by the rule of care/said.py. Without words, and without whose."""
    judged: Counter[str] = field(default_factory=Counter)
    """What became of questions to the judge model: web/judge.py."""
    guardians_given_up: int = 0
    """Calls whose guardian crashed again and again: they went on without."""
    account_blocked: bool = False
    """The upstream refuses our account, and new calls are turned away."""
    used: Used = field(default_factory=Used)
    """Tokens that the model and its transcriber reported."""
    tokens_estimated: bool = False
    """The model does not count them, it estimates."""
    allowances: dict[str, float] = field(default_factory=dict)
    """What remains of each rate limit of the account, as the upstream last reported."""
    late: LoopLag = field(default_factory=LoopLag)
