"""Open or closed: which keys and tokens are taken, and that no server is open to strangers unless its owner says so."""

import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

from actors.setting import Setting
from cli.failure import CannotServe
from personas import CurrentCatalogue
from register import Register
from web.acceptor import shown_address
from web.addresses import Addresses
from web.admin import is_loopback
from web.auth import OPEN, Auth
from web.auth.call_tokens import CallTokens
from web.auth.calls import CallsApi
from web.auth.doorman import ClosedDoor
from web.auth.fleet_tokens import FleetUsedTokens
from web.auth.followed import FAULTS, Followed, fault_text, from_address, from_file
from web.auth.jwks import read_jwks
from web.auth.keys import ServerKeys, read_keys
from web.auth.logins import Logins
from web.auth.refusal import Unfit
from web.auth.revoked import read_revoked
from web.auth.used_tokens import MemoryUsedTokens

log = logging.getLogger("serve")

T = TypeVar("T")

KEYS_SECONDS = 600.0  # between two readings of the keys of a login, where nobody asks for a newer one
FILE_SECONDS = 5.0  # between two readings of a file
WAYS_OUT = (
    "This server has no keys, and {address} is not loopback: whoever reaches it could call at your cost. Either set "
    "API_KEY, JWT_SECRET or --jwt-keys, so that a call needs a token, or say --open: docs/operations.md, Who may come "
    "in."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The settings of who may come in."""

    open: Annotated[
        bool,
        Setting(
            help="Whoever reaches the server may call, without a token.",
            doc="whoever reaches the server may call, as whom they like; without keys this must be said on any address "
            "but loopback, see [Who may come in](#who-may-come-in)",
            variable="SERVE_OPEN",
        ),
    ] = False
    api_key: Annotated[
        str,
        Setting(doc="the key for `POST /api/calls`, several separated by commas: see below", secret=True),
    ] = field(default="", repr=False)
    api_keys_file: Annotated[
        Path | None,
        Setting(
            help="File of keys for POST /api/calls, one a line.",
            doc="file of such keys, one a line; read at the start",
            option={"exists": True, "dir_okay": False},
        ),
    ] = None
    jwt_secret: Annotated[
        str, Setting(doc="the secret with which your login signs its tokens by HS256", secret=True)
    ] = field(default="", repr=False)
    jwt_keys: Annotated[
        str,
        Setting(
            help="Public keys of your login: a JWKS file, or its https URL.",
            doc="the public keys of your login for RS256, ES256 and EdDSA: a JWKS file, or its https URL",
        ),
    ] = field(default="", repr=False)
    jwt_audience: Annotated[
        str, Setting(help="`aud` that tokens of your login have.", doc="the `aud` that tokens of your login must have")
    ] = ""
    jwt_issuer: Annotated[
        str, Setting(help="`iss` that tokens of your login have.", doc="the `iss` that tokens of your login must have")
    ] = ""
    revoked: Annotated[
        Path | None,
        Setting(
            help="File of users and tokens that are revoked (JSON).",
            doc='file of those who may not come in any more: `{"sub": [...], "jti": [...]}`; read again every 5 s',
            variable="REVOKED_FILE",
            option={"exists": True, "dir_okay": False},
        ),
    ] = None

    @property
    def keys_of_servers(self) -> list[str]:
        """The keys for `POST /api/calls`, the newest first. Raises OSError, ValueError."""
        given = [key.strip() for key in self.api_key.split(",")]
        return [key for key in given if key] + (read_keys(self.api_keys_file.read_text()) if self.api_keys_file else [])


@asynccontextmanager
async def entrance(
    settings: Entrance,
    listener: socket.socket,
    current: CurrentCatalogue,
    addresses: Addresses,
    register: Register | None = None,
) -> AsyncIterator[Auth]:
    """Who may come in at the address of the listener. While the context is open, files and addresses are followed.

    Raises CannotServe.
    """
    try:
        keys = ServerKeys(settings.keys_of_servers)
    except (OSError, ValueError) as fault:
        where = f"{settings.api_keys_file or 'API_KEY'}"
        raise CannotServe(f"{where}: {fault_text(fault)}.", 2) from None
    if not (keys or settings.jwt_secret or settings.jwt_keys):
        _check_open(settings, listener)
        yield OPEN
        return
    if settings.open:
        raise CannotServe("--open, and keys: say one of both. With keys a call needs a token, without it none does.", 2)
    async with AsyncExitStack() as stack:
        revoked = await _file(settings.revoked, "the list of the revoked", read_revoked, stack)
        calls = CallTokens(keys) if keys else None
        logins = await _logins(settings, stack)
        log.info("closed: a call needs a token, %s", " or ".join(_kinds(settings, keys)))
        api = CallsApi(keys, calls or CallTokens(keys), current, addresses.trusts)
        used = FleetUsedTokens(register) if register else MemoryUsedTokens()
        yield Auth(ClosedDoor(calls, logins, revoked, used), api)


def check_entrance(settings: Entrance, listener: socket.socket) -> None:
    """What can be said of it before anything is loaded. Raises CannotServe if the address is open to strangers."""
    if not (settings.api_key or settings.api_keys_file or settings.jwt_secret or settings.jwt_keys):
        _check_open(settings, listener)


def _check_open(settings: Entrance, listener: socket.socket) -> None:
    address = shown_address(listener) if listener.family == socket.AF_UNIX else listener.getsockname()[0]
    if settings.jwt_audience or settings.jwt_issuer or settings.revoked:
        raise CannotServe("--jwt-audience, --jwt-issuer and --revoked are of use with keys alone: set those too.", 2)
    if is_loopback(listener):
        log.info("open: who reaches %s may call, as no keys are set", address)
    elif settings.open:
        log.warning("open to everybody who reaches %s: they call at your cost", address)
    else:
        raise CannotServe(WAYS_OUT.format(address=address), 2)


async def _logins(settings: Entrance, stack: AsyncExitStack) -> Logins | None:
    """Who reads the tokens of the owner's login; None if there is none. Raises CannotServe."""
    if not (settings.jwt_secret or settings.jwt_keys):
        return None
    keys = None
    try:
        if settings.jwt_keys.lower().startswith(("https:", "http:")):
            keys = Followed("the keys of --jwt-keys", from_address(settings.jwt_keys), read_jwks, KEYS_SECONDS)
            await _load(keys)
            await stack.enter_async_context(keys.following())
        elif settings.jwt_keys:
            keys = await _file(Path(settings.jwt_keys), "--jwt-keys", read_jwks, stack)
        return Logins(settings.jwt_secret, keys, settings.jwt_audience, settings.jwt_issuer)
    except Unfit as fault:
        raise CannotServe(f"JWT_SECRET, --jwt-keys: {fault}.", 2) from None


async def _load(keys: Followed[T]) -> None:
    """Read the keys of an address. A login that is away for a while must not keep the server from starting."""
    try:
        await keys.load()
    except FAULTS as fault:
        log.warning("--jwt-keys: %s; until they can be read no token of your login is taken", fault_text(fault))


async def _file(path: Path | None, name: str, parse: Callable[[bytes], T], stack: AsyncExitStack) -> Followed[T] | None:
    """What a file says, which is followed; None without a file. Raises CannotServe."""
    if path is None:
        return None
    followed = Followed(name, from_file(path), parse, FILE_SECONDS)
    try:
        await followed.load()
    except FAULTS as fault:
        raise CannotServe(f"{path}: {fault_text(fault)}.", 2) from None
    await stack.enter_async_context(followed.following())
    return followed


def _kinds(settings: Entrance, keys: ServerKeys) -> list[str]:
    kinds = {"of POST /api/calls": bool(keys), "of your login": bool(settings.jwt_secret or settings.jwt_keys)}
    return [kind for kind, served in kinds.items() if served]
