"""The sockets that a server listens on, bound before anything slow is loaded, and their TLS."""

import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

from cli.failure import CannotServe
from cli.settings import Settings
from web.admin import AdminShore, is_loopback


def bind(host: str, port: int, of: str = "") -> socket.socket:
    """Bind the port, before anything slow is loaded; it listens later. Raises CannotServe.

    `of` is how the names of the two options begin.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as failing:
            listener = failing.enter_context(socket.socket(family, kind, number))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            failing.pop_all()
    except OSError as error:
        raise cannot_listen(host, port, error, of) from None
    return listener


def admin_shore(settings: Settings, tls: ssl.SSLContext | None) -> AdminShore:
    """The shore of /metrics, bound; with TLS where others can reach it, if callers have that. Raises CannotServe."""
    listener = bind(settings.admin_host, settings.admin_port, "admin-")
    reachable = not is_loopback(listener)
    if reachable and not settings.admin_token:
        listener.close()
        raise CannotServe(f"--admin-host {settings.admin_host}: others can reach it, so set ADMIN_TOKEN.", 2)
    return AdminShore(listener, settings.admin_token, tls if reachable else None, settings.allow_host)


def tls_context(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """The TLS context of the server; None without a certificate. Raises CannotServe."""
    if cert is None:
        if key:
            raise CannotServe("A key alone shows nobody who we are: set --tls-cert too.", 2)
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key, password="")  # an empty password: fail instead of prompting for one
    except ssl.SSLError:
        pair = f"{cert} and {key}" if key else f"{cert}"
        raise CannotServe(f"{pair}: no PEM of a certificate and its key without a password.", 2) from None
    return context


def cannot_listen(host: str, port: int, error: OSError, of: str = "") -> CannotServe:
    why = error.strerror or error
    return CannotServe(f"Cannot listen on {host}:{port} ({why}): set --{of}host or --{of}port.")
