"""Where a server sits: what it listens on, and how it is told to end. `cli/fleet/seat.py` is that of one of several."""

import socket
import ssl
from dataclasses import dataclass
from typing import Protocol

from cli.eyes import say_where
from cli.listening import admin_shore, bind, tls_context
from cli.settings import Settings
from cli.shutdown import Shutdown
from web.acceptor import shown_address
from web.addresses import Addresses
from web.admin import AdminShore


@dataclass(frozen=True, slots=True)
class Shores:
    """The bound sockets of a server, and by which rule it finds the address of who comes."""

    callers: socket.socket
    admin: AdminShore
    addresses: Addresses
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        """Where callers reach it."""
        if self.callers.family == socket.AF_UNIX:
            return shown_address(self.callers)
        return f"{'https' if self.tls else 'http'}://{shown_address(self.callers)}"

    def close(self) -> None:
        """Close both sockets. Idempotent."""
        self.callers.close()
        self.admin.listener.close()


class Seat(Protocol):
    """What `cli/server.py` asks for. `take` binds, and raises CannotServe; `leave` releases what `take` took."""

    def take(self, settings: Settings) -> Shores: ...
    def attend(self, shutdown: Shutdown, settings: Settings) -> None: ...
    def serving(self, shores: Shores) -> None: ...
    def leave(self, shores: Shores) -> None: ...


class Alone:
    """A server by itself: it is reached where its settings say, and signals end it."""

    def take(self, settings: Settings) -> Shores:
        """Bind the two addresses of the settings. Raises CannotServe."""
        tls = tls_context(settings.tls_cert, settings.tls_key)
        listener = bind(settings.host, settings.port)
        return Shores(listener, admin_shore(settings, tls), settings.addresses, tls)

    def attend(self, shutdown: Shutdown, settings: Settings) -> None:
        """From now on signals end it."""
        shutdown.on_signals(settings.drain_seconds)

    def serving(self, shores: Shores) -> None:
        """It serves: say where an operator looks."""
        say_where(shores.admin.url)

    def leave(self, shores: Shores) -> None:
        """Close the sockets."""
        shores.close()
