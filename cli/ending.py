"""The end of the process, whatever hangs in it: loop and interpreter wait for threads, and those for a name server."""

import os
import threading
import time


def end_within(seconds: float, code: int) -> None:
    """The process ends with this exit code by then, if it does not end by itself. All that counts has been done."""
    threading.Thread(target=_end, args=(seconds, code), name="the end", daemon=True).start()


def _end(seconds: float, code: int) -> None:
    time.sleep(seconds)
    os._exit(code)
