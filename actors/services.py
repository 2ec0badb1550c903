"""What every call is given: made once by the command line, handed down, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from actors.admission.losses import Losses
from actors.admission.waiting import MIB, Ledger
from actors.bridge import Dialler
from actors.counters import Counters
from audio import Pool
from personas import CurrentCatalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a setting is besides its name, type and default; it stands in the `Annotated` of a field.

    The option of `serve`, its environment variable and the row of docs/operations.md are made from it.
    """

    help: str | None = None
    """One line for `--help`."""
    doc: str = ""
    """For docs/operations.md, in Markdown."""
    least: float | None = None
    most: float | None = None
    variable: str = ""
    """The environment variable; empty for the field's name in capitals."""
    secret: bool = False
    """Read from the environment alone: there is no option for it."""
    option: Mapping[str, Any] = field(default_factory=dict)
    """What else the command line's library is told of the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is let in, and for how long. Each field with a `Setting` is a setting of the server."""

    address_connections: Annotated[
        int,
        Setting(
            help="Of one address, open at once.",
            doc="connections of one address that are open at once, calls or not; many callers may share an address",
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
    address_questions: Annotated[
        int,
        Setting(
            help="To REST, of one address, a second.",
            doc="questions to REST, the page and `/metrics` of one address a second; five times as many may come at "
            "once",
            least=1,
        ),
    ] = 20
    address_messages: Annotated[
        int,
        Setting(
            help="In calls of one address, a second.",
            doc="frames of audio that are read a second in all calls of one address: those of a hundred callers who "
            "speak; a text takes four, each 4 KB of it one more. What comes faster waits in the network",
            least=200,
        ),
    ] = 6000
    idle_seconds: Annotated[
        float,
        Setting(
            doc="a call in which nothing is said is closed with 4408: turns, words that the model hears and choices "
            "that are granted count",
            least=1,
        ),
    ] = 300.0
    choose_seconds: Annotated[
        float,
        Setting(
            help="In which somebody is to be chosen.",
            doc="a call in which nobody is chosen for so long is closed with 4408, each choice begins the time anew; "
            "after four times as long without anybody it is closed in any case",
            least=1,
        ),
    ] = 15.0
    upstream_patience: Annotated[
        float,
        Setting(
            help="Seconds that a call waits for a lost model.",
            doc="so many seconds a call waits, unmetered, for a model that was lost, and is then closed with 4503: an "
            "ordinary restart of the upstream takes 14 to 20. 50 handshakes are made at once, so that after an outage "
            "the last of 500 calls is back 10 × as many seconds later as one handshake takes",
            least=1,
        ),
    ] = 30.0
    call_seconds: Annotated[float, Setting(doc="the longest call; it is ended in order", least=1)] = 3600.0
    bad_messages: Annotated[int, Setting(help="A minute.", doc="refused messages a minute before 4400", least=1)] = 20
    messages: Annotated[
        float,
        Setting(
            help="A second.",
            doc="messages a second of one caller before 4400; ten times as many may come at once",
            least=1,
        ),
    ] = 200.0
    sessions: Annotated[
        int,
        Setting(help="At the same time.", doc="calls at the same time; more are turned away with 4429", least=1),
    ] = 500
    connects: Annotated[
        int, Setting(help="A second.", doc="new calls a second; more are turned away with 4429", least=1)
    ] = 50
    calls: Annotated[
        int,
        Setting(
            help="Of one user, in 10 s.",
            doc="calls that one user may begin in 10 s, also one after another: nobody may use up `--connects`",
            least=1,
        ),
    ] = 10
    takeovers: Annotated[
        int,
        Setting(help="In 10 s.", doc="times in 10 s that a user may replace their own connection", least=1),
    ] = 3
    switches: Annotated[
        int,
        Setting(
            help="Of one caller, a minute.",
            doc="times a minute that a caller may switch to another persona; the first choice is none",
            least=1,
        ),
    ] = 6
    caller_waiting: Annotated[
        int,
        Setting(
            help="MiB that wait for one caller.",
            doc="MiB that wait for one caller: clips, and their sound until it is answered; more is refused with "
            "`busy`",
            least=1,
        ),
    ] = 12
    address_waiting: Annotated[
        int,
        Setting(
            help="MiB that wait for one address.",
            doc="MiB that wait for the callers of one address, see below",
            least=1,
        ),
    ] = 32
    all_waiting: Annotated[
        int,
        Setting(
            help="MiB that wait for all.",
            doc="MiB that wait for all; then who has the most loses the newest",
            least=1,
        ),
    ] = 256
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
    """Where the catalogue lies, the way to the model, the decoders, the limits, what is counted, was lost and waits."""

    current: CurrentCatalogue
    upstream: Dialler
    pool: Pool
    limits: Limits = field(default_factory=Limits)
    counters: Counters = field(default_factory=Counters)
    losses: Losses = field(default_factory=Losses)
    trials: Trials = field(default_factory=Trials)
    waiting: Ledger = field(init=False)

    def __post_init__(self) -> None:
        most = (self.limits.caller_waiting, self.limits.address_waiting, self.limits.all_waiting)
        object.__setattr__(self, "waiting", Ledger(*(mebibytes * MIB for mebibytes in most)))
