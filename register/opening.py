"""Which register a server has: the one in Redis that an address names, or its own."""

import re
from importlib.util import find_spec

from register.memory import MemoryRegister
from register.port import BOUNDS, Bounds, Register

NODE = re.compile(r"[\w.:-]{1,64}", re.ASCII)
SCHEMES = ("redis://", "rediss://", "unix://")


class NoRegister(Exception):
    """The register cannot be used; the message says what to correct, and holds no password."""


def check_node(node: str) -> None:
    """Raises NoRegister if this is no name of a node."""
    if not NODE.fullmatch(node):
        raise NoRegister(f"'{node}' is no name of a node: letters, digits and . : _ -, at most 64")


def open_register(url: str, node: str, bounds: Bounds = BOUNDS) -> Register:
    """The register for a node of this name; in memory without an address. To be called on the event loop.

    A Redis that does not answer is no error: the register is away until it does. Raises NoRegister.
    """
    check_node(node)
    if not url:
        return MemoryRegister(node, bounds=bounds)
    if not url.startswith(SCHEMES):
        raise NoRegister(f"The address of a register begins with {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}")
    if find_spec("redis") is None:
        raise NoRegister(
            "A register in Redis needs the extra `cluster` (redis missing). "
            'Run: pip install "persona-voice-server[cluster]" (in a clone: make setup)'
        )
    from register.redis_commands import connect
    from register.redis_register import RedisRegister

    try:
        return RedisRegister(connect(url), node, bounds)
    except ValueError:
        raise NoRegister("The address of the register is none, such as redis://:PASSWORD@HOST:6379/0") from None
