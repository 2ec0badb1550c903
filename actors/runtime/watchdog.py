"""The watchdog of the event loop: it measures how late the loop is, and logs which handler blocks it, and where.

A handler that takes 100 ms delays all callers by 100 ms, and afterwards nothing says which one it was. So each actor
notes the message in hand, and a thread reads that note while the loop is blocked.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from bisect import bisect_left
from typing import Any

log = logging.getLogger(__name__)

EVERY = 0.02  # seconds between two checks on the loop
LATE = 0.1  # seconds; a delay of so much is logged
RECENT = 1.0  # seconds over which `LoopLag.recent` is a mean
MINUTE = 60.0  # of which the worst is remembered, and of the one before: reading it changes nothing

STEPS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
)  # seconds: the upper bounds of the histogram but for the last


class LoopLag:
    """The delays of the loop: a histogram, their sum in seconds, and the worst of the last one to two minutes."""

    def __init__(self) -> None:
        self.counts = [0] * (len(STEPS) + 1)
        self.total = self.recent = 0.0
        """`recent` is the mean delay of about the last second."""
        self._worst = self._worst_before = 0.0

    def add(self, seconds: float) -> None:
        """Count a delay."""
        self.counts[bisect_left(STEPS, seconds)] += 1
        self.total += seconds
        self.recent += (seconds - self.recent) * min(1.0, (EVERY + seconds) / RECENT)
        self._worst = max(self._worst, seconds)

    @property
    def worst(self) -> float:
        """The worst delay of this minute and the one before, in seconds."""
        return max(self._worst, self._worst_before)

    def next_minute(self) -> None:
        """A minute has passed."""
        self._worst_before, self._worst = self._worst, 0.0


class Running:
    """The actor and the message that the loop is at. Written at every message without a lock; the watchdog reads it."""

    __slots__ = ("actor", "deepest", "deepest_before", "message")

    def __init__(self) -> None:
        self.actor: Any = None
        self.message: Any = None
        self.deepest = self.deepest_before = 0
        """The messages in the longest mailbox of this minute, and of the one before."""

    @property
    def deepest_lately(self) -> int:
        """Of both."""
        return max(self.deepest, self.deepest_before)

    def next_minute(self) -> None:
        """A minute has passed."""
        self.deepest_before, self.deepest = self.deepest, 0

    def __str__(self) -> str:
        actor, message = self.actor, self.message
        if actor is None:
            return "no actor"
        return f"{actor.name} {actor.incarnation} at {type(message).__name__}"


running = Running()


class Watchdog:
    """A timer on the loop that measures its delay, and a thread that logs once for each stall what blocks the loop."""

    def __init__(self, late: LoopLag, heard_from: float = LATE, minute: float = MINUTE) -> None:
        self._late, self._heard_from, self._minute = late, heard_from, minute
        self._turns_at = time.monotonic() + minute
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._due = time.monotonic() + EVERY
        self._timer = self._loop.call_later(EVERY, self._look)
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the timer and the thread; the thread has ended when this returns."""
        self._timer.cancel()
        self._ended.set()
        self._watcher.join()

    def _look(self) -> None:
        now = time.monotonic()
        late = max(0.0, now - self._due)
        self._late.add(late)
        if late >= self._heard_from:
            log.warning("the loop was late by %.0f ms", late * 1000)
        if now >= self._turns_at:
            self._late.next_minute()
            running.next_minute()
            self._turns_at = now + self._minute
        self._due = now + EVERY
        self._timer = self._loop.call_later(EVERY, self._look)

    def _watch(self) -> None:
        told = 0.0
        while not self._ended.wait(max(EVERY, self._due + self._heard_from - time.monotonic())):
            due, now = self._due, time.monotonic()
            if now - due >= self._heard_from and due != told:
                self._report(now - due)
                told = due

    def _report(self, late: float) -> None:
        frame = sys._current_frames().get(self._thread)
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        log.warning("the loop is late by %.0f ms: %s\n%s", late * 1000, str(running), stack.rstrip())
