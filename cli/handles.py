"""Handles: each socket, pipe and file is one, and the system says how many a process may have."""

import resource

from cli.failure import CannotServe

MOST = 2**20  # some systems allow a thousand times as many; programs that we start may look at each of them
OWN = 96  # the listening socket, decoders and the engine, files, the log, name servers
QUESTIONS = 32  # REST, beside as many calls as are let in


def raise_limit() -> int:
    """Take as many as the system lets us have without asking; returns how many these are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def room_for_callers(limit: int, sessions: int) -> int:
    """How many connections may come in, so that the rest is there for calls that are let in: at least as many as calls.

    Raises CannotServe where the limit is too low for so many sessions.
    """
    needed = sessions + QUESTIONS + _upstreams(sessions) + OWN
    if limit < needed:
        raise CannotServe(
            f"{sessions} calls at once need {needed} handles, and the system allows {limit}: raise the limit "
            f"(`ulimit -n {needed}`, or LimitNOFILE={needed} in a unit of systemd), or lower --sessions.",
            2,
        )
    return limit - _upstreams(sessions) - OWN


def _upstreams(sessions: int) -> int:
    """One for each call; while a session is rolled over, or a persona is switched, a call has two."""
    return sessions + sessions // 4
