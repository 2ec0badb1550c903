"""Several server processes and one HAProxy in front of them, as `serve --workers N` runs them.

    callers ──▶ HAProxy ──▶ unix sockets ──▶ n1, n2 ... each a server as it is alone, with a part of the limits
                                               │
    Prometheus ──▶ this process (/metrics) ────┘        the local engine ◀── all of them

This process serves no caller. It has bound the port, starts the others, starts them again when they die, passes on what
they write to stderr, and ends them. It tells a worker by a line on its stdin; the end of stdin tells that it has died.
"""
