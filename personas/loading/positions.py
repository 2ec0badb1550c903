"""Finds the line and column of a value in a JSON text, from its path."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from personas.loading.faults import TWICE, Fault
from schemas.explain import Parts

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_STEP = re.compile(r'\.([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')


def located(faults: Iterable[Fault], text: str) -> tuple[Fault, ...]:
    """Add line and column, from 1, to each fault and sort them. A missing field has the place of its object.

    Keys that are written twice come first: only the last was read, so other faults may follow from that.
    """
    found = tuple(faults)
    if not found:
        return ()
    wanted = {parts[:length] for fault in found for parts in [_parts(fault.path)] for length in range(len(parts) + 1)}
    offsets = {parts: offset for parts, offset in places(text) if parts in wanted}
    line_starts = [newline.end() for newline in re.finditer("\n", text)]  # of all lines but the first
    placed = (fault if fault.line else _placed(fault, offsets, line_starts) for fault in found)
    return tuple(sorted(placed, key=lambda fault: (fault.message != TWICE, fault.line, fault.column)))


def places(text: str) -> Iterator[tuple[Parts, int]]:
    """The path of every value of a valid JSON text, and its offset in characters (that of its key, if it has one)."""
    path: list[Any] = []  # the last item is None if the next token is a key
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in ("}", "]"):
            path.pop()
        elif word == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif path and path[-1] is None:
            path[-1] = json.loads(word)
            yield tuple(path), token.start()
        elif word != ":":
            if not path or isinstance(path[-1], int):
                yield tuple(path), token.start()
            if word in ("{", "["):
                path.append(None if word == "{" else 0)


def duplicate_keys(text: str) -> list[Parts]:
    """The paths of keys that an object has twice. JSON parsers accept these, and silently use the last."""
    if not _has_duplicates(text):
        return []
    seen: set[Parts] = set()
    duplicates: dict[Parts, None] = {}
    for path, _ in places(text):
        if path in seen and not any(path[:length] in duplicates for length in range(len(path) + 1)):
            duplicates[path] = None
        seen.add(path)
    return list(duplicates)


def _has_duplicates(text: str) -> bool:
    """True if any object has a key twice. Python's parser finds that fast, but not where it is."""
    found = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        members = dict(pairs)
        found = found or len(members) < len(pairs)
        return members

    with suppress(RecursionError):  # such a file is refused for its depth
        json.loads(text, object_pairs_hook=members)
    return found


def _parts(path: str) -> Parts:
    """The inverse of schemas.explain.path_of."""
    steps = ((name or json.loads(quoted or "null"), index) for name, index, quoted in _STEP.findall(path))
    return tuple(int(index) if index else name for name, index in steps)


def _placed(fault: Fault, offsets: dict[Parts, int], line_starts: list[int]) -> Fault:
    parts = _parts(fault.path)
    while parts not in offsets:
        if not parts:
            return fault
        parts = parts[:-1]
    before = bisect_right(line_starts, offsets[parts])  # lines
    return replace(fault, line=before + 1, column=offsets[parts] - (line_starts[before - 1] if before else 0) + 1)
