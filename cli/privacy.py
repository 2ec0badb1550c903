"""What others learn of callers and of keys: names in place of user ids, and no key in plain text over a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from actors.setting import Setting
from cli.failure import CannotServe
from upstream.pseudonyms import Pseudonyms

SHORTEST_SECRET = 16  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """The settings of how users are called where others read."""

    id_secret: Annotated[
        str,
        Setting(
            doc="the secret from which the names of users are made that the upstream (its safety identifier) and "
            "`--hash-users` show; without one each start makes other names. 16 characters or more, and the same for "
            "all servers of an owner",
            secret=True,
        ),
    ] = field(default="", repr=False)
    hash_users: Annotated[
        bool,
        Setting(
            help="The log has keyed hashes in place of user ids.",
            doc="the log has a keyed hash in place of each user id, see `ID_SECRET`",
        ),
    ] = False


def pseudonyms(settings: Privacy) -> Pseudonyms:
    """Those of this server. Raises CannotServe for a secret that can be guessed."""
    if 0 < len(settings.id_secret) < SHORTEST_SECRET:
        raise CannotServe(f"ID_SECRET: it has fewer than {SHORTEST_SECRET} characters.", 2)
    return Pseudonyms(settings.id_secret)


def log_name(settings: Privacy, names: Pseudonyms) -> Callable[[str], str]:
    """What the log calls a user."""
    return names.log if settings.hash_users else str


def check_key(url: str, key: str) -> None:
    """Raise CannotServe if the key would go to another host by ws://, for whoever is between to read."""
    parts = urlsplit(url)
    if key and parts.scheme == "ws" and not is_this_machine(parts.hostname or ""):
        raise CannotServe(
            "--upstream-url: by ws:// whoever is between would read the key. Use wss://, or a tunnel to a port of "
            "127.0.0.1; or set no UPSTREAM_API_KEY.",
            2,
        )


def is_this_machine(host: str) -> bool:
    """True for an address of loopback, and for localhost."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
