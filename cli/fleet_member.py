"""A server among others of its fleet: its register and its name."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated

import typer

from actors.fleet.openings import OPENS_A_SECOND, Openings
from actors.setting import Setting
from cli.failure import CannotServe
from register import NoRegister, Register, check_node, open_register
from upstream.link import Upstream


def name_of_node(value: str) -> str:
    """The name of a node, or nothing; raises BadParameter."""
    try:
        if value:
            check_node(value)
    except NoRegister as error:
        raise typer.BadParameter(str(error)) from None
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMember:
    """The settings of a server that has others beside it."""

    workers: Annotated[
        int,
        Setting(
            help="Processes that serve, behind one HAProxy; 0: one for each core.",
            doc="processes that serve, behind one HAProxy that this starts; 0: one for each core. See "
            "[Every core](#every-core)",
            least=0,
            most=64,
        ),
    ] = 1
    register_url: Annotated[
        str,
        Setting(
            doc="a Redis 7.0 or newer (`redis://:PASSWORD@HOST:6379/0`, `rediss://`, `unix://`) in which the servers "
            "of a fleet keep what they know together; without one this server is alone",
            secret=True,
        ),
    ] = field(default="", repr=False)
    node: Annotated[
        str,
        Setting(
            help="Name of this server, which no other of its fleet has.",
            doc="name of this server, which no other of its fleet has (letters, digits and . : _ -): by it a proxy "
            "finds the server to which a caller comes back. Without one a server with a register takes a random one, "
            "and tells no caller",
            option={"callback": name_of_node},
        ),
    ] = ""
    register_without_words: Annotated[
        bool,
        Setting(
            help="Nothing that is said is kept in the register.",
            doc="turns, profiles and questions are kept out of the register: a call that goes on at another server "
            "then remembers nothing of them, and its client is told so",
        ),
    ] = False
    upstream_opens_a_second: Annotated[
        float,
        Setting(
            help="Connections to the model that the fleet opens, a second.",
            doc="connections to the model that all servers with the same register open a second together, so that "
            "calls which move at the same time are no storm; of no use without a register",
            least=1,
        ),
    ] = OPENS_A_SECOND


@asynccontextmanager
async def registered(settings: FleetMember) -> AsyncIterator[Register | None]:
    """The register of this server while the context is open; None without one. Raises CannotServe."""
    if not settings.register_url:
        yield None
        return
    try:
        register = open_register(settings.register_url, settings.node or secrets.token_hex(8))
    except NoRegister as error:
        raise CannotServe(f"REGISTER_URL: {error}", 2) from None
    try:
        yield register
    finally:
        await register.close()


def in_turn(upstream: Upstream, register: Register | None, settings: FleetMember) -> Upstream:
    """The same, whose connections are opened when the fleet lets them; without a register at once."""
    return replace(upstream, turn=Openings(register, settings.upstream_opens_a_second).turn) if register else upstream
