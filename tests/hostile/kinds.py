"""The phases of the hour by name: each entry prepares what is done in it, in the process of the attackers."""

from collections.abc import Callable
from typing import Any

from bench.attacks import kinds as bench
from tests.hostile import frames, messages, requests
from tests.hostile.messages import together


def _bench(*names: str) -> Any:
    return together(*(bench.ATTACKS[name]() for name in names))


ATTACKS: dict[str, Callable[[], Any]] = {
    "half-open sockets": requests.half_open,
    "slow handshakes": lambda: together(_bench("half requests", "silent sockets"), requests.strangers()),
    "slow bodies": lambda: together(requests.slow(), _bench("gzip 60 MB")),
    "odd requests": requests.requests,
    "the admin shore": requests.admin,
    "keys and tokens": lambda: together(requests.keys(), _bench("connections")),
    "floods of every message": messages.valid,
    "messages that are nearly valid": messages.nearly_valid,
    "deep and wide JSON": lambda: together(messages.deep_and_wide(), _bench("profiles")),
    "words": messages.said,
    "pings and closes": frames.controls,
    "fragments": frames.fragments,
    "no frames, no UTF-8": frames.invalid,
    "compression": frames.compressed,
    "large frames": lambda: _bench("waiting frames", "waiting parts"),
    "bombs of audio": messages.bombs,
    "slow readers": lambda: _bench("ended calls", "profiles unread"),
}
"""By what is shown in the table."""
