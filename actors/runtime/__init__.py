"""Pykka's actors on one event loop, for any program: this package knows no call, and imports nothing of ours.

A program imports from here; the modules of the package import each other directly.
"""

from actors.runtime.actor import Hired, LoopActor, launch
from actors.runtime.clock import Clock
from actors.runtime.policy import Policy, Verdict
from actors.runtime.ref import LoopRef, Ref
from actors.runtime.signals import Boot, Down, MailboxOverflow, Snapshot, Stop
from actors.runtime.watchdog import Watchdog

__all__ = [
    "Boot",
    "Clock",
    "Down",
    "Hired",
    "LoopActor",
    "LoopRef",
    "MailboxOverflow",
    "Policy",
    "Ref",
    "Snapshot",
    "Stop",
    "Verdict",
    "Watchdog",
    "launch",
]
