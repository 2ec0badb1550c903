"""Ends the process even if a thread hangs, for example in a name lookup: the event loop waits for its threads."""

import os
import threading
import time


def exit_within(seconds: float, code: int) -> None:
    """Exit with this code after so many seconds, unless the process has ended before. Nothing is cleaned up then."""
    threading.Thread(target=_exit, args=(seconds, code), name="forced exit", daemon=True).start()


def _exit(seconds: float, code: int) -> None:
    time.sleep(seconds)
    os._exit(code)
