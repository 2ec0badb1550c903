"""The attacks by name: each entry prepares an attack, in the process of the attackers."""

from collections.abc import Callable

from bench.attacks import bodies, clips, log_flood, profiles, replies, silence, waiting
from bench.attacks.attacker import Attack

HALF = b"GET /api/astrologers HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
ATTACKS: dict[str, Callable[[], Attack]] = {
    "gzip 60 MB": lambda: bodies.growing(60),
    "gzip 500 MB": lambda: bodies.growing(500),
    "profiles": lambda: profiles.profiles(reads=True),
    "profiles unread": lambda: profiles.profiles(reads=False),
    "ended calls": replies.vanishing,
    "waiting frames": waiting.large,
    "waiting parts": waiting.unfinished,
    "waiting sound": waiting.long,
    "costly clips, 2": lambda: clips.costly(2),
    "costly clips, 10": lambda: clips.costly(10),
    "silent lines": silence.lines,
    "interrupts": lambda: silence.lines(b'{"type":"interrupt"}'),
    "silent sockets": lambda: silence.plain(b""),
    "half requests": lambda: silence.plain(HALF, b"x"),
    "connections": silence.rush,
    "trials": silence.trials,
    "noise": log_flood.log_flood,
}
