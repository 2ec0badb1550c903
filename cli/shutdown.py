"""How a server is asked to end: by a signal, which lets its calls end, by another one, at once; or by a failure."""

import asyncio
import logging
import os
import signal

from actors.runtime import Down

log = logging.getLogger("serve")

TERMINAL_SECONDS = 10.0  # who has pressed Ctrl-C waits no longer for the calls


class Shutdown:
    """A Ref that receives the supervisor's `Down`. `requested` is set by that, or by a signal; `at_once` by the next.

    `within` is for how many seconds calls may go on.
    """

    def __init__(self) -> None:
        self.down: asyncio.Future[Down] = asyncio.get_running_loop().create_future()
        self.requested, self.at_once = asyncio.Event(), asyncio.Event()
        self.within = self._drain_seconds = 0.0

    def tell(self, message: Down, /) -> None:
        self.down.set_result(message)
        self.requested.set()
        self.at_once.set()

    def ask(self, within: float) -> None:
        """End, and let the calls go on for so many seconds; if that was asked before, end at once."""
        if self.requested.is_set():
            self.at_once.set()
        else:
            self.within = within
        self.requested.set()

    def drain(self) -> None:
        """End as SIGTERM would have it; whoever asks twice does not hurry it."""
        if not self.requested.is_set():
            self.ask(self._drain_seconds)

    def exit_code(self) -> int:
        """Of a server that has stopped."""
        failed = not self.down.done() or self.down.result().cause is not None
        log.info("stopped%s", " after a failure" if failed else "")
        return 1 if failed else 0

    def on_signals(self, drain_seconds: float) -> None:
        """Be asked by SIGTERM and SIGINT. Who presses Ctrl-C on a terminal waits TERMINAL_SECONDS at most."""
        self._drain_seconds = drain_seconds
        loop = asyncio.get_running_loop()
        by_hand = min(drain_seconds, TERMINAL_SECONDS) if _on_a_terminal() else drain_seconds
        loop.add_signal_handler(signal.SIGTERM, self.ask, drain_seconds)
        loop.add_signal_handler(signal.SIGINT, self.ask, by_hand)


def _on_a_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:  # it is closed
        return False
