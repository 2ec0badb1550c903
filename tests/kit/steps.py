"""How much Python has to do, counted: the same on a busy machine as on an idle one."""

import sys
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any, cast


def steps(work: Callable[[], object]) -> int:
    """The lines that were run; what a library in C does is not among them."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def calls(function: Callable[..., object], work: Callable[[], object]) -> int:
    """How often this function was called."""
    count, code = 0, cast(FunctionType, function).__code__

    def trace(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        count += frame.f_code is code

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
