"""The end of the process, whatever hangs: the loop waits for its threads, and one of them for a name server, say."""

import os
import threading
import time


def end_within(seconds: float, code: int) -> None:
    """The process ends with this exit code by then, if it does not end by itself. All that counts has been done."""
    threading.Thread(target=_end, args=(seconds, code), name="the end", daemon=True).start()


def _end(seconds: float, code: int) -> None:
    time.sleep(seconds)
    os._exit(code)
