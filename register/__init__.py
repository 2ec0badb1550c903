"""The register: what the servers of a fleet know together. In memory, or in Redis; pure but for that."""

from register.memory import Memory, MemoryRegister
from register.opening import NoRegister, check_node, open_register
from register.port import (
    BOUNDS,
    EPOCH_SECONDS,
    Bounds,
    Claim,
    Epoch,
    Holder,
    Kicked,
    Listener,
    Past,
    Register,
    RegisterAway,
    SharedLimits,
    Spent,
    Taken,
    ToldAge,
    YieldAsked,
)
from register.presence import Presence

__all__ = [
    "BOUNDS",
    "EPOCH_SECONDS",
    "Bounds",
    "Claim",
    "Epoch",
    "Holder",
    "Kicked",
    "Listener",
    "Memory",
    "MemoryRegister",
    "NoRegister",
    "Past",
    "Presence",
    "Register",
    "RegisterAway",
    "SharedLimits",
    "Spent",
    "Taken",
    "ToldAge",
    "YieldAsked",
    "check_node",
    "open_register",
]
