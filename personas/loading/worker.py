"""What a process does that reads a file of personas for a server: one text, then it ends.

A request is a pickle of who is known, then the text, up to the end of stdin. The answer is a pickle of the new
catalogue, in which who is known is only named, or of the faults.
"""

import copyreg
import gc
import os
import pickle
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, BinaryIO, TypeAlias

from personas.catalogue import Catalogue
from personas.loading.check import CatalogueBroken, Fault
from personas.persona import Persona

Faults: TypeAlias = tuple[Fault, ...]


def read(raw: bytes, known: Iterable[Persona]) -> Catalogue | Faults:
    """The catalogue of an edit, or what is wrong with it: it is taken whole, or not at all."""
    try:
        catalogue = Catalogue.from_bytes(raw, known)
    except CatalogueBroken as broken:
        return broken.faults
    return catalogue.faults or catalogue


def serve() -> None:
    """Answer one request."""
    gc.disable()  # all that is made is kept until the end
    answer = _take_stdout()
    with suppress(BrokenPipeError, EOFError):  # the server is gone and nobody waits for the answer
        known = pickle.load(sys.stdin.buffer)
        Packer(answer, {persona.source for persona in known}).dump(read(sys.stdin.buffer.read(), known))
        answer.flush()


class Packer(pickle.Pickler):
    """Pickles personas and catalogues; of who is known to the other side it writes the source only."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda mapping: (_read_only, (dict(mapping),))}

    def __init__(self, file: Any, known: Collection[bytes] = ()) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._known = known

    def persistent_id(self, thing: Any) -> bytes | None:
        """Called for everything that is pickled."""
        return thing.source if type(thing) is Persona and thing.source in self._known else None


class Unpacker(pickle.Unpickler):
    """Reads what a Packer wrote; who is `known`, by source, is taken from here."""

    def __init__(self, file: Any, known: Mapping[bytes, Persona]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, source: Any) -> Persona:
        """Called for who was only named."""
        return self._known[source]


def _read_only(mapping: dict[Any, Any]) -> Mapping[Any, Any]:
    """A class of Python's own that it does not pickle."""
    return MappingProxyType(mapping)


def _take_stdout() -> BinaryIO:
    """The pipe to the server; whatever a library prints from here on goes to stderr."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answer
