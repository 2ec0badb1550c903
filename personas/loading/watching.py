"""Watches a file of personas: a sound edit makes a new catalogue, a faulty one is told of and changes nothing.

However a file is saved, what counts is what can be read under its name: truncated and written anew, renamed into place,
reached by a link that is swapped (Kubernetes), or on a network file system, which tells nobody. So the file is asked
ten times a second whether it is another, and read when it may be. One that is being written is not JSON yet: it is only
faulty once it has stayed so.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from personas.catalogue import Catalogue
from personas.loading.apart import PAUSE, Apart
from personas.loading.aside import Aside
from personas.loading.check import CatalogueBroken, Fault
from personas.loading.file import read_bytes
from personas.loading.worker import Faults, read
from personas.persona import Persona

log = logging.getLogger(__name__)

_LOOK = 0.1  # seconds between two looks; each costs one question to the file system
_SETTLED = 0.4  # seconds that a faulty text must stay as it is before it is told of; a slow editor writes on within it
_FEW = 100  # personas

Read = Callable[[bytes, tuple[Persona, ...]], Catalogue | Faults]
Taken = Callable[[Catalogue], None]
Told = Callable[[Faults], None]


async def watch(edits: "Edits", taken: Taken, told: Told, *, asked: asyncio.Event | None = None) -> None:
    """Runs until it is cancelled; cancelling leaves nothing behind.

    `taken` is given each new catalogue, `told` the faults of each edit that has any, once. Both run on the loop; a file
    is looked at aside, as a file system may keep who asks it waiting, for good. Who sets `asked` is given one of both
    in any case: the catalogue in use when the file is still as it was.
    """
    asked = asked or asyncio.Event()
    with contextlib.closing(Aside("the file of personas")) as aside, contextlib.closing(Apart()) as apart:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await asked.wait()
            wanted = asked.is_set()
            asked.clear()
            now = asyncio.get_running_loop().time()
            found = await aside.run(partial(edits.look, now, asked=wanted, read=apart.read))
            if isinstance(found, Catalogue):
                taken(found)
            elif found:
                told(found)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Faults that are not told yet, as the text may not be whole, or the file may come back."""

    text: bytes
    faults: Faults
    since: float


class Edits:
    """What was read last, and what is to be said of it. `seen` is the text that the catalogue in use was made of.

    Of texts only their hashes are kept.
    """

    def __init__(self, path: Path, seen: bytes, in_use: Catalogue) -> None:
        self.path = path
        self._in_use = in_use
        self._of_use = self._told = _hash(seen)
        self._past: list[Persona] = []
        self._doubt: Doubt | None = None
        self._state: tuple[int, ...] | None = None
        self._since = self._looked = 0.0

    def look(self, now: float, *, asked: bool = False, read: Read = read) -> Catalogue | Faults | None:
        """A new catalogue, the faults of an edit, or None when there is nothing to say; `now` in seconds."""
        self._let_go()
        if asked:
            self._told = b""
        changed = self._changed(now)
        if not (changed or asked or self._doubt):
            return None
        text, raw = self._text()
        if text == self._told:
            self._doubt = None
            return None
        if text == self._of_use:
            return self._take(text, self._in_use)
        if not self._doubt or self._doubt.text != text:
            found = self._read(raw, read) if isinstance(raw, bytes) else raw
            if isinstance(found, Catalogue):
                return self._take(text, found)
            self._doubt = Doubt(text, found, now)
        return self._settled(self._doubt, now)

    def _changed(self, now: float) -> bool:
        """Whether the file may be another. A file system's clock is coarse: what is new is looked into for a while.

        The last time is after that while, however late the looks are.
        """
        state, before = _state(self.path), self._looked
        self._looked = now
        if state != self._state:
            self._state, self._since = state, now
        return min(now, before) - self._since <= _SETTLED

    def _take(self, text: bytes, catalogue: Catalogue) -> Catalogue:
        self._of_use = self._told = text
        self._past, self._in_use, self._doubt = list(self._in_use.all()), catalogue, None
        return catalogue

    def _let_go(self) -> None:
        """Of who was replaced at the last look, a few at a time: to free a thousand at once holds the loop for 5 ms."""
        while self._past:
            del self._past[-_FEW:]
            time.sleep(PAUSE)

    def _settled(self, doubt: Doubt, now: float) -> Faults | None:
        if now - doubt.since < _SETTLED:
            return None
        self._told, self._doubt = doubt.text, None
        return doubt.faults

    def _text(self) -> tuple[bytes, bytes | Faults]:
        """The hash of what is in the file, and what it is; or why it cannot be read."""
        try:
            raw = read_bytes(self.path)
        except CatalogueBroken as away:
            return _hash(str(away).encode()), away.faults
        return _hash(raw), raw

    def _read(self, raw: bytes, read: Read) -> Catalogue | Faults:
        try:
            return read(raw, self._in_use.all())
        except BaseException as error:  # a panic of a library in Rust is one; the next edit is looked at all the same
            log.exception("%s cannot be read, which is a fault of the server", self.path)
            return (Fault("$", f"cannot be read, which is a fault of the server: {type(error).__name__}."),)


def _hash(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes with the file behind all links; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
