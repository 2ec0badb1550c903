"""Who may come in: tokens of calls and of the owner's login are read here, and become an Identity.

Nothing beyond this package sees a token or a key, and nothing here says one to anybody: no log line, no exception and
no close reason quotes what was presented.
"""

from dataclasses import dataclass

from aiohttp import web

from web.auth.calls import CallsApi
from web.auth.doorman import Doorman, OpenDoor


@dataclass(frozen=True, slots=True)
class Auth:
    """Who decides on connections, and where the owner's server gets tokens: nowhere, where the server is open."""

    doorman: Doorman
    calls: CallsApi | None = None

    @property
    def closed(self) -> bool:
        """True where a call needs a token."""
        return not isinstance(self.doorman, OpenDoor)

    def routes(self) -> list[web.RouteDef]:
        """What is added to the REST API."""
        return self.calls.routes() if self.calls else []


OPEN = Auth(OpenDoor())
