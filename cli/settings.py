"""The settings of a server, each declared once: its option, variable, default, bounds and documentation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from actors.services import Limits, Setting
from engine import WAIT, WORKERS
from personas import SHIPPED
from upstream.link import check_url
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


FILE = {"exists": True, "dir_okay": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field per setting. `cli/options.py` makes the options of `serve` and the table of docs/operations.md."""

    host: Annotated[str, Setting(help="Address to listen on.", doc="address to listen on")] = "127.0.0.1"
    port: Annotated[
        int,
        Setting(help="0 takes a free one.", doc="port 0 takes a free one; the log names it", least=0, most=65535),
    ] = 8000
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
    upstream_url: Annotated[
        str | None,
        Setting(
            help="Realtime WebSocket URL of the model.",
            doc="a Realtime WebSocket URL; without it OpenAI when there is a key, else the local engine. A query is "
            "kept (Azure: `?api-version=...&deployment=...`) and never shown",
            option={"callback": websocket_address},
        ),
    ] = field(default=None, repr=False)  # its query may hold a key
    model: Annotated[
        str,
        Setting(
            help="Realtime model.",
            doc="asked for with `model=` unless the URL names one, which then counts; a model that is about to shut "
            "down is warned of, and so is one of which nothing is known",
            variable="UPSTREAM_MODEL",
        ),
    ] = MODEL
    session_seconds: Annotated[
        float | None,
        Setting(
            help="The model's sessions last so long (Azure: 1800).",
            doc="how long the upstream lets a session last (Azure: 1800); by default as the model does",
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
            doc="the file of personas, by default the one that ships; followed while the server runs, see below",
            variable="PERSONAS_FILE",
        ),
    ] = SHIPPED
    local_llm_url: Annotated[
        str | None,
        Setting(
            help="OpenAI-compatible chat server for the local engine.",
            doc="an OpenAI-compatible chat server that thinks for the local engine",
        ),
    ] = None
    engine_workers: Annotated[
        int,
        Setting(
            help="Threads of the local engine.",
            doc="threads in which the local engine hears and speaks: as many as it may have cores, see below",
            least=1,
            most=64,
        ),
    ] = WORKERS
    engine_wait: Annotated[
        float,
        Setting(
            help="Seconds in which it must answer, or else: busy.",
            doc="seconds in which the local engine must have heard a turn and made the first sentence of its answer; "
            "a turn that would take longer is told `busy`, see below",
            least=0.1,
        ),
    ] = WAIT
    allow_host: Annotated[
        tuple[str, ...],
        Setting(
            help="Host name by which this server may be called.",
            doc="host name by which the server may be called, besides localhost and IP addresses; in any case, with "
            "or without a dot at its end, in Unicode or as xn--, also pasted as an address; its port does not matter",
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
            doc='network of proxies that say who calls, as a CIDR or an address; see "In front of it". May be given '
            "often, in the environment with spaces between",
            option={"callback": each(network)},
        ),
    ] = ()
    limit_loopback: Annotated[
        bool,
        Setting(
            help="Take 127.0.0.2 and the like for strangers, not for us.",
            doc="127.0.0.2 and the like are limited as strangers are; 127.0.0.1 and ::1 never are",
        ),
    ] = False
    limits: Limits = field(default_factory=Limits)
    log_level: Annotated[
        LogLevel, Setting(doc="the least severity that is logged", option={"case_sensitive": False})
    ] = LogLevel.INFO

    @property
    def local(self) -> bool:
        """True if the local engine answers: there is no URL of an upstream and no key of OpenAI."""
        return self.upstream_url is None and not self.openai_api_key

    @property
    def addresses(self) -> Addresses:
        """How callers are told apart by address."""
        return Addresses(self.trusted_proxy, OURSELVES if self.limit_loopback else LOOPBACK)
