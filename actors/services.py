"""The services and limits that all calls share: created once by the command line, immutable."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from actors.admission.ages import ToldAges
from actors.admission.losses import Losses
from actors.admission.waiting import MIB, Ledger
from actors.bridge import Dialler
from actors.budgets.fleet_sums import FleetSums
from actors.budgets.limits import Budgets
from actors.budgets.spending import Spending
from actors.budgets.sums import Memory
from actors.caring.judging import Judge
from actors.caring.places import Places
from actors.caring.settings import Caring
from actors.caring.talks import Talks
from actors.counters import Counters
from actors.gate import Gate
from actors.runtime import Clock
from actors.setting import Setting
from audio import Pool
from personas import CurrentCatalogue
from register import Register
from tracing.port import Tracer
from upstream.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is admitted, and for how long. Each field with a `Setting` is a setting of the server."""

    address_connections: Annotated[
        int,
        Setting(
            help="Of one address, open at once.",
            doc="connections of one address that may be open at once, calls or not; many callers may share an address",
            least=1,
        ),
    ] = 100
    address_connects: Annotated[
        int,
        Setting(
            help="Connections or calls of one address, a second.",
            doc="new connections of one address a second, and new calls; twice as many may come at once",
            least=1,
        ),
    ] = 10
    address_calls: Annotated[
        int,
        Setting(
            help="Calls of one address, at the same time.",
            doc="calls of one address at the same time; more are refused with 4429",
            least=1,
        ),
    ] = 50
    address_minute: Annotated[
        int,
        Setting(
            help="New calls of one address, a minute.",
            doc="new calls of one address a minute; half as many may come at once",
            least=2,
        ),
    ] = 60
    address_questions: Annotated[
        int,
        Setting(
            help="To REST, of one address, a second.",
            doc="requests of one address a second, to REST and the page; five times as many may come at once",
            least=1,
        ),
    ] = 20
    address_messages: Annotated[
        int,
        Setting(
            help="In calls of one address, a second.",
            doc="frames of audio that are read a second, in all calls of one address: enough for a hundred callers "
            "who speak; a text frame counts as four, and one more for each 1 KB (over 64 KB: for each 4 KB). Frames "
            "beyond that wait in the network",
            least=200,
        ),
    ] = 6000
    idle_seconds: Annotated[
        float,
        Setting(
            doc="a call without any activity for so long is closed with 4408; activity is a turn, speech that the "
            "model recognizes, or a choice that is granted",
            least=1,
        ),
    ] = 300.0
    choose_seconds: Annotated[
        float,
        Setting(
            help="In which somebody is to be chosen.",
            doc="a call in which no persona is chosen for so long is closed with 4408; each choice restarts the time, "
            "but after four times as long without a persona the call is closed in any case",
            least=1,
        ),
    ] = 15.0
    upstream_patience: Annotated[
        float,
        Setting(
            help="Seconds that a call waits for a lost model.",
            doc="seconds that a call whose upstream connection is lost waits for another, unmetered, before it is "
            "closed with 4503; an ordinary restart of the upstream takes 14 to 20. 50 handshakes are made at once, so "
            "after an outage the last of 500 calls is connected after ten times the duration of one handshake",
            least=1,
        ),
    ] = 30.0
    call_seconds: Annotated[
        float, Setting(doc="the longest duration of a call, which then ends in an orderly way", least=1)
    ] = 3600.0
    bad_messages: Annotated[
        int,
        Setting(help="A minute.", doc="refused messages a minute, beyond which the call is closed with 4400", least=1),
    ] = 20
    messages: Annotated[
        float,
        Setting(
            help="A second.",
            doc="messages of one caller a second, beyond which the call is closed with 4400; ten times as many may "
            "come at once",
            least=1,
        ),
    ] = 200.0
    sessions: Annotated[
        int,
        Setting(help="At the same time.", doc="calls at the same time; more are refused with 4429", least=1),
    ] = 500
    connects: Annotated[
        int, Setting(help="A second.", doc="new calls a second; more are refused with 4429", least=1)
    ] = 50
    late_ms: Annotated[
        float,
        Setting(
            help="Of the loop, beyond which nobody new comes in.",
            doc="milliseconds by which the event loop is late, on average over about a second, beyond which no new "
            "call is let in, so that those that are on the line keep their quality",
            least=20,
        ),
    ] = 150.0
    calls: Annotated[
        int,
        Setting(
            help="Of one user, in 10 s.",
            doc="calls that one user may begin in 10 s, so that no user can use up `--connects`",
            least=1,
        ),
    ] = 10
    takeovers: Annotated[
        int,
        Setting(
            help="In 10 s.", doc="times in 10 s that a user may replace their own connection by a newer one", least=1
        ),
    ] = 3
    switches: Annotated[
        int,
        Setting(
            help="Of one caller, a minute.",
            doc="times a minute that a caller may switch to another persona; the first choice does not count",
            least=1,
        ),
    ] = 6
    caller_waiting: Annotated[
        int,
        Setting(
            help="MiB that wait for one caller.",
            doc="MiB that may be buffered for one caller: clips, and their decoded audio until it is answered; more "
            "is refused with `busy`",
            least=1,
        ),
    ] = 12
    address_waiting: Annotated[
        int,
        Setting(
            help="MiB that wait for one address.",
            doc="MiB that may be buffered for the callers of one address, see below",
            least=1,
        ),
    ] = 32
    all_waiting: Annotated[
        int,
        Setting(
            help="MiB that wait for all.",
            doc="MiB that may be buffered for all callers; beyond that, the caller with the most loses the newest",
            least=1,
        ),
    ] = 256
    notice_seconds: float = 5.0
    """A caller who has waited for so long is sent a notice. This and the next two are no settings: docs/realtime.md."""
    ready_seconds: float = 15.0
    """The timeout for the connection of the first persona, or of another one."""
    answer_seconds: float = 10.0
    """An answer of which nothing has arrived for so long is requested again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """When the server tests whether the upstream serves its account again. Seconds."""

    every: float = 30.0
    """From the refusal to the first trial, and from the end of one to the next."""
    within: float = 10.0
    """The timeout for the answer, from the start of the connection."""


@dataclass(frozen=True, slots=True)
class Services:
    """The current catalogue, the model's dialler, decoders, limits, counters, losses, waiting bytes, clock, money."""

    current: CurrentCatalogue
    upstream: Dialler
    pool: Pool
    limits: Limits = field(default_factory=Limits)
    counters: Counters = field(default_factory=Counters)
    losses: Losses = field(default_factory=Losses)
    ages: ToldAges = field(default_factory=ToldAges)
    """The youngest age that each user told, for a day."""
    trials: Trials = field(default_factory=Trials)
    clock: Clock = field(default_factory=Clock)
    default_astrologer: str = ""
    """Whom a caller talks to who speaks and has chosen nobody; empty for nobody."""
    log_name: Callable[[str], str] = str
    """What the log calls a user."""
    pseudonym: Callable[[str], str] = field(default_factory=lambda: Pseudonyms().log)
    """What traces and the live view call a user."""
    tracer: Tracer | None = None
    """Who is told where the time of calls goes."""
    budgets: Budgets = field(default_factory=Budgets)
    sums: Memory = field(default_factory=Memory)
    caring: Caring = field(default_factory=Caring)
    judge: Judge | None = None
    """The model that reads along for signs of danger; None for word lists alone."""
    talks: Talks = field(default_factory=Talks)
    register: Register | None = None
    """What the servers of a fleet know together; None for a server that is alone."""
    node: str = ""
    """The name by which a proxy finds this server, as callers are told; empty for none."""
    register_words: bool = True
    """What callers and personas said is kept in the register, too."""
    gate: Gate = field(default_factory=Gate)
    """Before the connections of callers: shut only where there is a register."""
    waiting: Ledger = field(init=False)
    fleet_sums: FleetSums | None = field(init=False)
    """The sums as the servers of a fleet share them; None without a register."""
    spending: Spending = field(init=False)
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        most = (self.limits.caller_waiting, self.limits.address_waiting, self.limits.all_waiting)
        object.__setattr__(self, "waiting", Ledger(*(mebibytes * MIB for mebibytes in most)))
        object.__setattr__(self, "places", Places(self.caring))
        object.__setattr__(self, "fleet_sums", FleetSums(self.sums) if self.register else None)
        spending = Spending(self.budgets, self.fleet_sums or self.sums, self.clock)
        object.__setattr__(self, "spending", spending)
