"""The process that reads a file of personas for the server. It reads one file, answers, and ends.

Request on stdin: a pickle of the known personas, then the bytes of the file up to the end. Answer on stdout: a pickle
of the new catalogue or of the faults. A known persona is replaced by its `source` in the answer, as the server has it.
"""

import copyreg
import gc
import os
import pickle
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, BinaryIO

from cage import READER, shut_in
from personas.catalogue import Catalogue
from personas.loading.faults import CatalogueBroken, Faults
from personas.persona import Persona

LIFE_SECONDS = 60  # of CPU, for one file


def read(raw: bytes, known: Iterable[Persona]) -> Catalogue | Faults:
    """The catalogue of an edited file, or all its faults: a file with any fault is refused as a whole."""
    try:
        catalogue = Catalogue.from_bytes(raw, known)
    except CatalogueBroken as broken:
        return broken.faults
    return catalogue.faults or catalogue


def serve() -> None:
    """Answer one request."""
    gc.disable()  # nothing is freed before the end of this short process
    answer = _take_stdout()
    shut_in(READER, CPU=LIFE_SECONDS)
    with suppress(BrokenPipeError, EOFError):  # the server is gone
        known = pickle.load(sys.stdin.buffer)
        Packer(answer, {persona.source for persona in known}).dump(read(sys.stdin.buffer.read(), known))
        answer.flush()


class Packer(pickle.Pickler):
    """Pickles personas and catalogues. For personas whose source is in `known`, it writes only the source."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda mapping: (_read_only, (dict(mapping),))}

    def __init__(self, file: Any, known: Collection[bytes] = ()) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._known = known

    def persistent_id(self, thing: Any) -> bytes | None:
        """Called for each object: the source of a known persona; None for others, which are pickled as usual."""
        return thing.source if type(thing) is Persona and thing.source in self._known else None


class Unpacker(pickle.Unpickler):
    """Reads what a Packer wrote. For a source it returns that persona of `known`."""

    def __init__(self, file: Any, known: Mapping[bytes, Persona]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, source: Any) -> Persona:
        """Called for each persona of which only the source was written. Raises KeyError for an unknown source."""
        return self._known[source]


def _read_only(mapping: dict[Any, Any]) -> Mapping[Any, Any]:
    """Build a MappingProxyType, which pickle does not support."""
    return MappingProxyType(mapping)


def _take_stdout() -> BinaryIO:
    """Return stdout for the answer alone: what a library prints from here on goes to stderr."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answer
