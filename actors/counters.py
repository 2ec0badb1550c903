"""The counters of a server: plain numbers, written on the event loop and read by web/metrics.py.

One object for each server, passed on with its services, so that two servers in one process are counted apart.
"""

from collections import Counter
from dataclasses import dataclass, field

from actors.runtime.watchdog import LoopLag
from upstream.facts import Used


@dataclass(slots=True)
class Counters:
    """Totals since the start. What exists at present (actors, tasks, decoders) is read when it is shown, not here."""

    begun: int = 0
    """Sessions that were admitted."""
    ended: Counter[int] = field(default_factory=Counter)
    """Sessions that ended, by the close code of the caller's connection, whichever side closed; 1006: it was lost."""
    refused: Counter[int] = field(default_factory=Counter)
    """Calls that were not admitted, by close code."""
    address_refused: Counter[str] = field(default_factory=Counter)
    """Refused connections, calls and requests of one address, and connections for lack of file descriptors, by kind."""
    handshakes_refused: Counter[str] = field(default_factory=Counter)
    """Handshakes of calls that were refused with an HTTP status, by reason: web/refused_handshakes.py."""
    messages_refused: Counter[str] = field(default_factory=Counter)
    """Messages of callers that were refused, also choices of a persona, by error code."""
    upstream_lost: int = 0
    """Upstream connections that were lost or refused."""
    received: int = 0
    """Bytes of callers' frames."""
    sent: int = 0
    """Bytes of frames to callers."""
    log_lines_dropped: int = 0
    """Lines of the log that were dropped because nobody read it."""
    account_blocked: bool = False
    """The upstream refuses our account, and new calls are turned away."""
    used: Used = field(default_factory=Used)
    """Tokens that the model and its transcriber reported."""
    tokens_estimated: bool = False
    """The model does not count them, it estimates."""
    allowances: dict[str, float] = field(default_factory=dict)
    """What remains of each rate limit of the account, as the upstream last reported."""
    late: LoopLag = field(default_factory=LoopLag)
