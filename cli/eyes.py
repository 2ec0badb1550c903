"""What the operator sees of calls as they are now, and where."""

import logging
import socket

from actors.runtime import Hired
from actors.services import Services
from cli.shutdown import Shutdown
from supervisor import SupervisorInbox, SupervisorSnapshot
from web.admin import AdminShore, Shows
from web.live import LiveView
from web.live.rows import Live
from web.live.workers import Told

log = logging.getLogger("serve")


def say_where(shore: str) -> None:
    """Say in the log where an operator looks; `shore` is the address of the admin shore."""
    log.info("metrics at %s/metrics", shore)
    log.info("live view at %s/live", shore)


def view(supervisor: Hired[SupervisorInbox], services: Services, shutdown: Shutdown, shore: AdminShore) -> Shows:
    """The calls of the server, on a page; on a unix socket for whoever puts them on a page with those of others."""
    live = _live(supervisor, services, shutdown)
    return Told(live) if shore.listener.family == socket.AF_UNIX else LiveView(live, shore.token)


def _live(supervisor: Hired[SupervisorInbox], services: Services, shutdown: Shutdown) -> Live:

    def shown() -> SupervisorSnapshot | None:
        snapshot = supervisor.snapshot() if supervisor.is_alive() else None
        return snapshot if isinstance(snapshot, SupervisorSnapshot) else None

    return Live(
        shown,
        lambda: services.counters.away,
        services.pseudonym,
        services.clock.of_this_loop(),
        services.limits.sessions,
        shutdown.drain,
    )
