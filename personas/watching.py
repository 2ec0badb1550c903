"""Watches a file of personas: a sound edit makes a new catalogue, a faulty one is told of and changes nothing.

However a file is saved, what counts is what can be read under its name: truncated and written anew, renamed into place,
or reached by a link that is swapped (Kubernetes). Nobody tells of an edit on a network file system, so there is a look
every few seconds besides. A file that is being written is not JSON yet: it is only faulty once it has stayed so.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import awatch

from personas.catalogue import Catalogue
from personas.check import CatalogueBroken, Fault
from personas.file import read_bytes

_LOOK = 2_000  # ms between looks that nobody asked for; one costs a read of the file
_SETTLED = 400  # ms that a faulty text must stay as it is before it is told of; a slow editor writes on within it

Taken = Callable[[Catalogue], None]
Told = Callable[[tuple[Fault, ...]], None]


async def watch(
    edits: "Edits", taken: Taken, told: Told, *, look: int = _LOOK, asked: asyncio.Event | None = None
) -> None:
    """Runs until it is cancelled; cancelling leaves nothing behind.

    `taken` is given each new catalogue, `told` the faults of each edit that has any, once. Both run on the loop; a file
    is read and checked in a thread. Who sets `asked` has the file read anew and told of in any case.
    """
    # The real folder of a link is not watched: swapping a link is an event of the folder that holds it.
    changes = awatch(
        edits.path.parent,
        watch_filter=None,
        step=20,
        debounce=200,
        rust_timeout=min(look, _SETTLED),
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    async with contextlib.aclosing(changes):
        due = look  # at once: there may have been an edit before the watch began
        async for changed in changes:
            due += min(look, _SETTLED)
            if asked and asked.is_set():
                asked.clear()
                edits.forget()
                due = look
            if changed or edits.unsettled or due >= look:
                due = 0
                found = await asyncio.to_thread(edits.look)
                if isinstance(found, Catalogue):
                    taken(found)
                elif found:
                    told(tuple(found))


class Edits:
    """What was read last, and what is to be said of it. `seen` is the text that the catalogue in use was made of."""

    def __init__(self, path: Path, seen: bytes, in_use: Catalogue) -> None:
        self.path = path
        self._seen, self._in_use = seen, in_use
        self.unsettled: bytes | None = None  # faulty, and perhaps not whole yet

    def forget(self) -> None:
        """Whatever is read next is new."""
        self._seen, self.unsettled = b"", None

    def look(self) -> Catalogue | Iterable[Fault] | None:
        """A new catalogue, the faults of an edit, or None when there is nothing to say."""
        try:
            raw = read_bytes(self.path)
        except CatalogueBroken:
            return None  # a file that is away comes back, or was meant to go; nobody's call depends on it
        if raw == self._seen:
            self.unsettled = None
            return None
        try:
            read = Catalogue.from_bytes(raw, self._in_use)
            faults = read.faults
        except CatalogueBroken as broken:
            faults = broken.faults
        if faults and raw != self.unsettled:
            self.unsettled = raw
            return None
        self._seen, self.unsettled = raw, None
        if faults:
            return faults
        self._in_use = read
        return read
