"""Whether the engine may listen at an address: asked before the models are loaded, which takes seconds."""

import socket


def check_free(host: str, port: int) -> None:
    """Raise OSError if nobody can listen there now. Another program may still take it before we do."""
    for family, kind, number, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:1]:
        with socket.socket(family, kind, number) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
