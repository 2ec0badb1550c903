"""The limit of open file descriptors, and how many connections it leaves room for."""

import resource

from cli.failure import CannotServe

MOST = 2**20  # some systems allow a thousand times as many, and child processes may loop over all of them
OWN = 96  # the listening socket, decoders and the engine, files, the log, name servers
REQUESTS = 32  # connections for REST, besides the calls


def raise_limit() -> int:
    """Raise the soft limit to the hard limit, at most to MOST; returns the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def room_for_callers(limit: int, sessions: int) -> int:
    """The number of incoming connections that leaves enough descriptors to serve `sessions` calls.

    It is at least `sessions`. Raises CannotServe if the limit is too low for so many.
    """
    needed = sessions + REQUESTS + _upstreams(sessions) + OWN
    if limit < needed:
        raise CannotServe(
            f"{sessions} calls at once need {needed} handles, and the system allows {limit}: raise the limit "
            f"(`ulimit -n {needed}`, or LimitNOFILE={needed} in a unit of systemd), or lower --sessions.",
            2,
        )
    return limit - _upstreams(sessions) - OWN


def _upstreams(sessions: int) -> int:
    """One connection to the model per call, and a second for a fourth of them: during a rollover or a switch."""
    return sessions + sessions // 4
