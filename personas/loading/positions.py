"""Where things stand in a JSON text: whoever mends a file looks for a line, not for a path."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from personas.loading.check import Fault
from schemas.explain import Parts

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_STEP = re.compile(r'\.([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')


def located(faults: Iterable[Fault], text: str) -> tuple[Fault, ...]:
    """Give each fault its line and column, from 1, and sort them; what is missing stands where it should be added."""
    found = tuple(faults)
    if not found:
        return ()
    wanted = {way[:length] for fault in found for way in [_way(fault.path)] for length in range(len(way) + 1)}
    where = {way: offset for way, offset in places(text) if way in wanted}
    ends = [newline.end() for newline in re.finditer("\n", text)]
    told = (fault if fault.line else _placed(fault, where, ends) for fault in found)
    return tuple(sorted(told, key=lambda fault: (fault.line, fault.column)))


def places(text: str) -> Iterator[tuple[Parts, int]]:
    """The way to every value of a JSON text that was read before, and where it begins; a member begins at its key."""
    way: list[Any] = []  # None at its end: the next token is a key
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in ("}", "]"):
            way.pop()
        elif word == ",":
            way[-1] = way[-1] + 1 if isinstance(way[-1], int) else None
        elif way and way[-1] is None:
            way[-1] = json.loads(word)
            yield tuple(way), token.start()
        elif word != ":":
            if not way or isinstance(way[-1], int):
                yield tuple(way), token.start()
            if word in ("{", "["):
                way.append(None if word == "{" else 0)


def written_twice(text: str) -> list[Parts]:
    """The keys that an object has twice, of which JSON readers take the last and say nothing."""
    if not _any_twice(text):
        return []
    seen: set[Parts] = set()
    twice: dict[Parts, None] = {}
    for way, _ in places(text):
        if way in seen and not any(way[:length] in twice for length in range(len(way) + 1)):
            twice[way] = None
        seen.add(way)
    return list(twice)


def _any_twice(text: str) -> bool:
    """Whether it is worth a look: Python's own reader is quick, but tells no places."""
    found = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        members = dict(pairs)
        found = found or len(members) < len(pairs)
        return members

    with suppress(RecursionError):  # what is nested so deeply is refused for that
        json.loads(text, object_pairs_hook=members)
    return found


def _way(path: str) -> Parts:
    steps = ((name or json.loads(quoted or "null"), index) for name, index, quoted in _STEP.findall(path))
    return tuple(int(index) if index else name for name, index in steps)


def _placed(fault: Fault, where: dict[Parts, int], ends: list[int]) -> Fault:
    way = _way(fault.path)
    while way not in where:
        if not way:
            return fault
        way = way[:-1]
    before = bisect_right(ends, where[way])
    return replace(fault, line=before + 1, column=where[way] - (ends[before - 1] if before else 0) + 1)
