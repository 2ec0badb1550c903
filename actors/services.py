"""What every call is given: made once by the command line, handed down, never changed."""

from dataclasses import dataclass, field

from actors.admission.losses import Losses
from actors.admission.waiting import MIB, Ledger
from actors.bridge import Dialler
from actors.counters import Counters
from actors.runtime import Clock
from audio import Pool
from personas import CurrentCatalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is let in, and for how long. Each is a setting of the server."""

    idle_seconds: float = 300.0
    """A call in which the caller says nothing for so long is closed with 4408."""
    choose_seconds: float = 15.0
    """A call in which nobody is chosen for so long is closed with 4408, and after four times as long in any case."""
    upstream_patience: float = 30.0
    """A call whose connection to the model is lost waits so long for another, unmetered."""
    call_seconds: float = 3600.0
    """A call that lasts so long is ended in order."""
    bad_messages: int = 20
    """So many messages a minute may be refused before the connection is closed with 4400."""
    messages: float = 200.0
    """Messages a second that a caller may send, and ten times as many at once; more close with 4400."""
    sessions: int = 500
    """Calls at the same time in this process; more are turned away with 4429."""
    connects: int = 50
    """New calls a second; more are turned away with 4429."""
    calls: int = 10
    """Calls that one user may begin in 10 s, also one after another: nobody may use up `connects`."""
    takeovers: int = 3
    """Times in 10 s that one user may replace their own connection by a newer one."""
    address_connections: int = 100
    """Connections of one address that are open at once; more are closed. Many callers may share an address."""
    address_connects: int = 10
    """New connections of one address a second, and new calls; twice as many may come at once."""
    address_questions: int = 20
    """Questions to REST of one address a second; five times as many may come at once."""
    address_messages: int = 6000
    """Frames of audio that are read a second in all calls of one address; a text takes four or more."""
    switches: int = 6
    """Times a minute that a caller may switch to another persona; the first choice is none."""
    caller_waiting: int = 12
    """MiB that may wait for one caller: clips, and what they were decoded to until it is answered."""
    address_waiting: int = 32
    """MiB that may wait for the callers of one address."""
    all_waiting: int = 256
    """MiB that may wait for all; then who has the most loses the newest."""
    notice_seconds: float = 5.0
    """A caller who waits for so long is told why. This one and the next two are no settings: docs/realtime.md."""
    ready_seconds: float = 15.0
    """The first persona, or another one, is called for so long."""
    answer_seconds: float = 10.0
    """An answer of which nothing has come for so long is asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How the server finds out that the upstream serves its account again. Seconds."""

    every: float = 30.0
    """From the refusal to the first trial, and from the end of one to the next."""
    within: float = 10.0
    """So long the model has to answer, from the dialling on."""


@dataclass(frozen=True, slots=True)
class Services:
    """The current catalogue, the way to the model, the decoders, the limits, the clock, and what all calls count."""

    current: CurrentCatalogue
    upstream: Dialler
    pool: Pool
    limits: Limits = field(default_factory=Limits)
    counters: Counters = field(default_factory=Counters)
    losses: Losses = field(default_factory=Losses)
    trials: Trials = field(default_factory=Trials)
    clock: Clock = field(default_factory=Clock)
    waiting: Ledger = field(init=False)

    def __post_init__(self) -> None:
        most = (self.limits.caller_waiting, self.limits.address_waiting, self.limits.all_waiting)
        object.__setattr__(self, "waiting", Ledger(*(mebibytes * MIB for mebibytes in most)))
