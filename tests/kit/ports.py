"""Ports for programs that must be told one."""

import socket

_kept: list[socket.socket] = []


def free_port() -> int:
    """One of 127.0.0.1 at which nobody listens, and which nobody else is given as long as these tests run.

    A socket that does not listen has it. So the system gives it to no connection and no other server, and yet a server
    that is told it can listen there, again and again: all of ours set SO_REUSEADDR, as this socket does.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _kept.append(keeper)
    return int(keeper.getsockname()[1])
