"""The register: what the servers of a fleet know together. In memory, or in Redis; pure but for that."""

from register.memory import Memory, MemoryRegister
from register.opening import NoRegister, open_register
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
    "YieldAsked",
    "open_register",
]
