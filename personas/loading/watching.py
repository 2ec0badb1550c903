"""Watches a file of personas: each edit without faults makes a new catalogue; the faults of others are reported once.

File system events do not cover every way in which a file is replaced (truncated and rewritten, renamed into place,
reached by a link that is swapped as Kubernetes does, on a network file system), so the file is polled: a `stat` ten
times a second, and a read whenever it may have changed. `Edits.poll` decides what follows:

    stat unchanged ─────────────────────────────▶ None
    stat changed: read, hash
        hash reported before ───────────────────▶ None
        hash of the catalogue in use ───────────▶ that catalogue (an edit was undone)
        no faults ──────────────────────────────▶ the new catalogue
        faults, for the first time ─────────────▶ None, but `_pending`: the editor may still be writing
        the same faults for 0.4 s ──────────────▶ the faults

A `stat` may hang for ever on a network file system, so `watch` polls in a thread of its own (`JobThread`), and a file
is parsed in another process (`ReaderProcess`).
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
from personas.loading.faults import CatalogueBroken, Fault, Faults
from personas.loading.file import read_bytes
from personas.loading.job_thread import JobThread
from personas.loading.reader_process import PAUSE, ReaderProcess
from personas.loading.worker import read
from personas.persona import Persona

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1  # between two polls; each costs one stat
_SETTLED_SECONDS = 0.4  # that a faulty file must stay unchanged before its faults are reported
_BATCH = 100  # personas that are freed at once

Read = Callable[[bytes, tuple[Persona, ...]], Catalogue | Faults]
OnCatalogue = Callable[[Catalogue], None]
OnFaults = Callable[[Faults], None]


async def watch(
    edits: "Edits", on_catalogue: OnCatalogue, on_faults: OnFaults, *, reload: asyncio.Event | None = None
) -> None:
    """Poll the file until cancelled; then the thread and the process are ended.

    `on_catalogue` is called with each new catalogue, `on_faults` with the faults of each edit that has any, once. Both
    run on the event loop. Setting `reload` causes one of the two calls in any case: with the catalogue in use if the
    file has not changed.
    """
    reload = reload or asyncio.Event()
    with (
        contextlib.closing(JobThread("the file of personas")) as thread,
        contextlib.closing(ReaderProcess()) as process,
    ):
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await reload.wait()
            forced = reload.is_set()
            reload.clear()
            now = asyncio.get_running_loop().time()
            found = await thread.run(partial(edits.poll, now, forced=forced, read=process.read))
            if isinstance(found, Catalogue):
                on_catalogue(found)
            elif found:
                on_faults(found)


@dataclass(frozen=True, slots=True)
class _Pending:
    """Faults that are not reported yet: the file may be half written, or away for a moment. `digest` is its hash."""

    digest: bytes
    faults: Faults
    since: float


class Edits:
    """The state of a polled file: what was reported last, and the catalogue in use, which was read from `raw`.

    Of contents only hashes are stored.
    """

    def __init__(self, path: Path, raw: bytes, in_use: Catalogue) -> None:
        self.path = path
        self._in_use = in_use
        self._in_use_digest = self._reported = _hash(raw)
        self._replaced: list[Persona] = []
        self._pending: _Pending | None = None
        self._stat: tuple[int, ...] | None = None
        self._changed_at = self._polled_at = 0.0

    def poll(self, now: float, *, forced: bool = False, read: Read = read) -> Catalogue | Faults | None:
        """A new catalogue, the faults of an edit, or None if there is nothing to report.

        `now` is in seconds of a monotonic clock. With `forced`, the file is read and reported even if it is unchanged.
        """
        self._free_replaced()
        if forced:
            self._reported = b""
        changed = self._may_have_changed(now)
        if not (changed or forced or self._pending):
            return None
        digest, raw = self._contents()
        if digest == self._reported:
            self._pending = None
            return None
        if digest == self._in_use_digest:
            return self._use(digest, self._in_use)
        if not self._pending or self._pending.digest != digest:
            found = self._read(raw, read) if isinstance(raw, bytes) else raw
            if isinstance(found, Catalogue):
                return self._use(digest, found)
            self._pending = _Pending(digest, found, now)
        return self._settled(self._pending, now)

    def _may_have_changed(self, now: float) -> bool:
        """True if the stat changed lately. Timestamps are coarse: two edits in quick succession may share one.

        So the file is read until `_SETTLED_SECONDS` have passed since the change, and once after that, however late
        the polls come.
        """
        state, before = _stat(self.path), self._polled_at
        self._polled_at = now
        if state != self._stat:
            self._stat, self._changed_at = state, now
        return min(now, before) - self._changed_at <= _SETTLED_SECONDS

    def _use(self, digest: bytes, catalogue: Catalogue) -> Catalogue:
        self._in_use_digest = self._reported = digest
        self._replaced, self._in_use, self._pending = list(self._in_use.all()), catalogue, None
        return catalogue

    def _free_replaced(self) -> None:
        """Free the personas of the previous catalogue in batches: a thousand at once block the loop for 5 ms."""
        while self._replaced:
            del self._replaced[-_BATCH:]
            time.sleep(PAUSE)

    def _settled(self, pending: _Pending, now: float) -> Faults | None:
        if now - pending.since < _SETTLED_SECONDS:
            return None
        self._reported, self._pending = pending.digest, None
        return pending.faults

    def _contents(self) -> tuple[bytes, bytes | Faults]:
        """The hash and the bytes of the file; if it cannot be read, the hash of the error and its faults."""
        try:
            raw = read_bytes(self.path)
        except CatalogueBroken as away:
            return _hash(str(away).encode()), away.faults
        return _hash(raw), raw

    def _read(self, raw: bytes, read: Read) -> Catalogue | Faults:
        try:
            return read(raw, self._in_use.all())
        except BaseException as error:  # also a panic of a library in Rust: the next edit must be read all the same
            log.exception("%s cannot be read, which is a fault of the server", self.path)
            return (Fault("$", f"cannot be read, which is a fault of the server: {type(error).__name__}."),)


def _hash(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _stat(path: Path) -> tuple[int, ...] | None:
    """What differs after an edit, of the file behind all links; None if there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
