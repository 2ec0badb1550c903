"""What is counted while a server serves: plain numbers, written on the loop, read by whoever shows them.

Made once by the command line and handed down with the equipment, so that two servers in one process count apart.
"""

from collections import Counter
from dataclasses import dataclass, field

from actors.runtime.watchdog import LoopLag
from upstream.facts import Used


@dataclass(slots=True)
class Counters:
    """All of them. What exists now (actors, tasks, decoders) is not kept here: it is counted when it is shown."""

    begun: int = 0
    """Sessions let in."""
    ended: Counter[int] = field(default_factory=Counter)
    """Sessions that ended, by the close code of the caller's connection, of whoever closed it; 1006: simply gone."""
    refused: Counter[int] = field(default_factory=Counter)
    """Calls turned away at the door, by close code."""
    address_refused: Counter[str] = field(default_factory=Counter)
    """Connections, calls and questions that were too many of one address, and connections without a handle left."""
    messages_refused: Counter[str] = field(default_factory=Counter)
    """What callers said that was refused, by error code; a choice of a persona, too."""
    upstream_lost: int = 0
    """Upstream connections that ended when they should not have."""
    received: int = 0
    """Bytes of callers' frames."""
    sent: int = 0
    """Bytes of frames to callers."""
    log_lines_dropped: int = 0
    """Lines of the log that nobody would have read."""
    account_blocked: bool = False
    """The upstream refuses our account, and new calls are turned away."""
    used: Used = field(default_factory=Used)
    """Tokens that the model and its recogniser told of."""
    allowances: dict[str, float] = field(default_factory=dict)
    """What our account had left of each limit when the upstream last said so."""
    late: LoopLag = field(default_factory=LoopLag)
