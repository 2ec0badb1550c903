"""Secrets that a client may hold in place of the key: each opens sessions for some minutes, set as it was asked for."""

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

from realtime.server.session import Session
from realtime.server.settings import Event, session, shown
from realtime.server.shape import one_of, record, within
from upstream.models import names

LIFE = 600  # seconds, unless another is asked for
MOST = 1000  # the oldest is forgotten

_WANTED = record(
    session=session,
    expires_after=record(anchor=one_of("created_at"), seconds=within(10, 7200, whole=True)),
)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a secret opens: a session of these settings, until this time (since 1970)."""

    settings: Event
    expires_at: int


class ClientSecrets:
    """The secrets of one server, in the order in which they were given."""

    def __init__(self) -> None:
        self._granted: dict[str, Granted] = {}

    def issue(self, wanted: Any, now: float) -> Event:
        """A new secret, as the API answers. Raises Rejected for what is no session to be had."""
        asked = _WANTED(wanted, "")
        settings = asked.get("session", {"type": "realtime"})
        expires_at = int(now) + asked.get("expires_after", {}).get("seconds", LIFE)
        opened = shown(new_session(settings, "", now=now).settings)  # refuses what no session takes
        value = f"ek_{token_urlsafe(24)}"
        self._granted[value] = Granted(settings, expires_at)
        while len(self._granted) > MOST:
            self._granted.pop(next(iter(self._granted)))
        return {"value": value, "expires_at": expires_at, "session": opened}

    def find(self, value: str, now: float) -> Granted | None:
        """What this secret opens; None if it is none, or no more."""
        granted = self._granted.get(value)
        return granted if granted and now < granted.expires_at else None


def new_session(settings: Event, model: str, *, now: float, **how: Any) -> Session:
    """A session with these checked settings; their model, else `model`. Raises Rejected."""
    model = settings.get("model") or model or next(iter(names()))
    opened = Session(model, now=now, detector=how.pop("detector", _Deaf), kind=settings["type"], **how)
    opened.configure(settings)
    return opened


class _Deaf:
    """For a session that is only shown."""

    def hear(self, pcm: bytes) -> list[float]:
        return []
