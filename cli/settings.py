"""The settings of a server, each declared once: its option, variable, default, bounds and documentation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from actors.budgets.limits import Budgets
from actors.caring.settings import Caring
from actors.services import Limits
from actors.setting import Setting
from cage import Unknown, user_named
from cli.entrance import Entrance
from cli.fleet_member import FleetMember
from cli.judge import JudgeSettings
from cli.privacy import Privacy
from cli.traces import Traces
from engine import WAIT, WORKERS
from personas import SHIPPED
from upstream.link import Upstream, check_url
from upstream.models import LOCAL, Model
from web.addresses import LOOPBACK, OURSELVES, Addresses, network
from web.hostnames import host_to_allow, origin_to_allow

OPENAI = "wss://api.openai.com/v1/realtime"
MODEL = "gpt-realtime-2.1"


class LogLevel(Enum):
    """The least severity that is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def websocket_address(value: str | None) -> str | None:
    """The URL, if it can be dialled; raises BadParameter otherwise."""
    try:
        return check_url(value) if value else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def each(read: Callable[[str], str]) -> Callable[[list[str] | None], list[str]]:
    """A callback that converts each value with `read`, and turns its ValueError into BadParameter."""

    def check(values: list[str] | None) -> list[str]:
        try:
            return [read(value) for value in values or ()]
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return check


def user(value: str) -> str:
    """The name or number of a user whom there is; raises BadParameter otherwise."""
    try:
        user_named(value)
    except Unknown as error:
        raise typer.BadParameter(str(error)) from None
    return value


FILE = {"exists": True, "dir_okay": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field per setting. `cli/options.py` makes the options of `serve` and the table of docs/operations.md."""

    host: Annotated[str, Setting(help="Address to listen on.", doc="address to listen on")] = "127.0.0.1"
    port: Annotated[
        int,
        Setting(
            help="0 takes a free one.",
            doc="port to listen on; 0 takes a free one, which the log names",
            least=0,
            most=65535,
        ),
    ] = 8000
    admin_host: Annotated[
        str,
        Setting(
            help="Address of /metrics, which is not for callers.",
            doc="address of the admin shore, which has `/metrics`. One that others can reach needs `ADMIN_TOKEN`",
        ),
    ] = "127.0.0.1"
    admin_port: Annotated[
        int,
        Setting(
            help="Its port; 0 takes a free one.",
            doc="port of the admin shore; 0 takes a free one, which the log names",
            least=0,
            most=65535,
        ),
    ] = 0
    admin_token: Annotated[
        str,
        Setting(doc="what whoever reads the admin shore sends as `Authorization: Bearer TOKEN`", secret=True),
    ] = field(default="", repr=False)
    tls_cert: Annotated[
        Path | None,
        Setting(
            help="Certificate (PEM): serve https and wss.",
            doc="PEM file of a certificate: serve https and wss, see below",
            option=FILE,
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        Setting(
            help="Its private key (PEM), when not in the same file.",
            doc="PEM file of its private key, when that is not in the same file",
            option=FILE,
        ),
    ] = None
    entrance: Entrance = field(default_factory=Entrance)
    upstream_url: Annotated[
        str | None,
        Setting(
            help="Realtime WebSocket URL of the model.",
            doc="a Realtime WebSocket URL; without one, OpenAI if there is a key, else the local engine. Its query is "
            "sent as it is (Azure: `?api-version=...&deployment=...`) and never logged",
            option={"callback": websocket_address},
        ),
    ] = field(default=None, repr=False)  # its query may hold a key
    model: Annotated[
        str,
        Setting(
            help="Realtime model.",
            doc="the model, sent as `model=` unless the URL names one, which then takes precedence; the log warns of "
            "a model that is unknown or about to be shut down",
            variable="UPSTREAM_MODEL",
        ),
    ] = MODEL
    session_seconds: Annotated[
        float | None,
        Setting(
            help="The model's sessions last so long (Azure: 1800).",
            doc="the longest session that the upstream allows (Azure: 1800); the default depends on the model",
            least=60,
        ),
    ] = None
    openai_api_key: Annotated[str, Setting(doc="sent to api.openai.com and nobody else", secret=True)] = field(
        default="", repr=False
    )
    upstream_api_key: Annotated[str, Setting(doc="sent to `--upstream-url` and nobody else", secret=True)] = field(
        default="", repr=False
    )
    personas: Annotated[
        Path,
        Setting(
            help="File of personas.",
            doc="the file of personas, by default the one in the package; reloaded when it is edited, see below",
            variable="PERSONAS_FILE",
        ),
    ] = SHIPPED
    default_astrologer: Annotated[
        str,
        Setting(
            help="Who answers callers who choose nobody: an id.",
            doc="the `astrologer_id` of the persona who answers a caller who speaks without having chosen anybody; "
            "without one such a caller is told `no_persona`",
        ),
    ] = ""
    local_llm_url: Annotated[
        str | None,
        Setting(
            help="OpenAI-compatible chat server for the local engine.",
            doc="an OpenAI-compatible chat server that writes the answers of the local engine",
        ),
    ] = None
    engine_workers: Annotated[
        int,
        Setting(
            help="Threads of the local engine.",
            doc="threads in which the local engine recognizes and synthesizes speech: one for each core that it may "
            "use, see below",
            least=1,
            most=64,
        ),
    ] = WORKERS
    engine_wait: Annotated[
        float,
        Setting(
            help="Seconds in which it must answer, or else: busy.",
            doc="seconds in which the local engine must have recognized a turn and synthesized the first sentence of "
            "its answer; a turn that would take longer is answered `busy`, see below",
            least=0.1,
        ),
    ] = WAIT
    allow_host: Annotated[
        tuple[str, ...],
        Setting(
            help="Host name by which this server may be called.",
            doc="host name by which the server may be called, besides localhost and IP addresses: upper or lower "
            "case, with or without a dot at its end, in Unicode or punycode (xn--), or a whole URL; the port is "
            "ignored",
            option={"callback": each(host_to_allow)},
        ),
    ] = ()
    allow_origin: Annotated[
        tuple[str, ...],
        Setting(
            help="Origin whose pages may call.",
            doc="origin whose pages may call, besides the server's own: scheme, host, and the port where it is not "
            "the usual one",
            option={"callback": each(origin_to_allow)},
        ),
    ] = ()
    trusted_proxy: Annotated[
        tuple[str, ...],
        Setting(
            help="Network of proxies that say who calls: a CIDR.",
            doc='network of reverse proxies whose headers name the client, as a CIDR or an address; see "In front of '
            'it". May be given several times, in the environment separated by spaces',
            option={"callback": each(network)},
        ),
    ] = ()
    limit_loopback: Annotated[
        bool,
        Setting(
            help="Take 127.0.0.2 and the like for strangers, not for us.",
            doc="apply the limits of addresses to loopback addresses, except 127.0.0.1 and ::1",
        ),
    ] = False
    limits: Limits = field(default_factory=Limits)
    privacy: Privacy = field(default_factory=Privacy)
    budgets: Budgets = field(default_factory=Budgets)
    caring: Caring = field(default_factory=Caring)
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    budget_file: Annotated[
        Path | None,
        Setting(
            help="Remembers what was spent over a restart.",
            doc="file in which what was spent, and what was talked today, outlives a restart; without one it begins "
            "anew. It holds the ids of users, and belongs to one server",
            option={"dir_okay": False},
        ),
    ] = None
    fleet: FleetMember = field(default_factory=FleetMember)
    traces: Traces = field(default_factory=Traces)
    drain_seconds: Annotated[
        float,
        Setting(
            help="In which calls end, after SIGTERM.",
            doc="after SIGTERM calls go on for so many seconds at most, see [Stop](#stop); 0 ends them at once",
            least=0,
        ),
    ] = 60.0
    decoder_user: Annotated[
        str,
        Setting(
            help="User as whom decoders run if root starts the server.",
            doc="name or number of the user as whom the decoders run if root starts the server: one of their own is "
            "best, see SECURITY.md",
            option={"callback": user},
        ),
    ] = "nobody"
    log_level: Annotated[
        LogLevel, Setting(doc="the least severity that is logged", option={"case_sensitive": False})
    ] = LogLevel.INFO

    @property
    def local(self) -> bool:
        """True if the local engine answers: there is no URL of an upstream and no key of OpenAI."""
        return self.upstream_url is None and not self.openai_api_key

    @property
    def record(self) -> Model:
        """What is known of the model that answers."""
        return Upstream(self.upstream_url or OPENAI, LOCAL if self.local else self.model).record

    @property
    def addresses(self) -> Addresses:
        """The rule by which the address of a client is found."""
        return Addresses(self.trusted_proxy, OURSELVES if self.limit_loopback else LOOPBACK)
