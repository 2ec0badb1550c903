"""Reads the file of personas at the start of a server, and reloads it whenever it is edited."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from actors.admission.languages import Served
from cli.failure import CannotServe
from cli.name import COMMAND
from personas import Catalogue, CatalogueBroken, CurrentCatalogue, Fault
from personas.loading.file import read_bytes
from personas.loading.watching import Edits, watch
from upstream.models import Languages

log = logging.getLogger("personas")

MOST_WARNINGS = 40  # that are logged of one edit: a thousand lines would hold the event loop for 12 ms


def read(file: Path) -> tuple[bytes, Catalogue]:
    """The bytes of the file, and its catalogue; raises CannotServe if it has no active persona."""
    try:
        raw = read_bytes(file)
        catalogue = Catalogue.from_bytes(raw)
    except CatalogueBroken as broken:
        raise _unusable(file, broken.faults) from None
    if not catalogue.active():
        raise _unusable(file, catalogue.faults)
    for fault in catalogue.faults:
        log.warning("not served: %s", fault.within(file))
    _warn(file, catalogue.warnings)
    return raw, catalogue


def warn_of_languages(file: Path, catalogue: Catalogue, languages: Languages, raw: bytes | None = None) -> None:
    """Log which personas the model that serves cannot hear or speak for; with `raw`, at which line of the file."""
    _warn(file, catalogue.warn(Served(languages).warning, raw))


def _unusable(file: Path, faults: Iterable[Fault]) -> CannotServe:
    return CannotServe(f"{file} holds no persona that can be served:{_lines(file, faults)}", 2)


@asynccontextmanager
async def reloading(
    file: Path, raw: bytes, current: CurrentCatalogue, languages: Languages | None = None
) -> AsyncIterator[None]:
    """While the context is open, each valid edit of the file replaces `current.catalogue`; SIGHUP reloads at once."""
    requested, loop = asyncio.Event(), asyncio.get_running_loop()
    served = languages or Languages()

    def accepted(catalogue: Catalogue) -> None:
        if catalogue is current.catalogue:
            log.info("%s is what is served already; nothing has changed: %s", file, _summary(catalogue))
        else:
            current.catalogue = catalogue
            log.info("%s was edited: from now on %s", file, _summary(catalogue))
        _warn(file, catalogue.warnings)
        warn_of_languages(file, catalogue, served)

    def rejected(faults: tuple[Fault, ...]) -> None:
        log.error("%s has faults; nothing has changed, mend them:%s", file, _lines(file, faults))

    def ended(watching: "asyncio.Task[None]") -> None:
        if not watching.cancelled() and (error := watching.exception()):
            log.critical("%s is not followed any more: edits need a new start", file, exc_info=error)

    log.info("%s: %s", file, _summary(current.catalogue))
    edits = Edits(file, raw, current.catalogue)
    watching = asyncio.create_task(watch(edits, accepted, rejected, reload=requested), name="the file of personas")
    watching.add_done_callback(ended)
    loop.add_signal_handler(signal.SIGHUP, requested.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        watching.cancel()
        with suppress(asyncio.CancelledError, Exception):  # an error is in the log already
            await watching


def _summary(catalogue: Catalogue) -> str:
    return f"catalogue={catalogue.version}, {len(catalogue.active())} active personas"


def _lines(file: Path, faults: Iterable[Fault]) -> str:
    return "".join(f"\n  {fault.within(file)}" for fault in faults)


def _warn(file: Path, warnings: Sequence[Fault]) -> None:
    for warning in warnings[:MOST_WARNINGS]:
        log.warning("%s", warning.within(file))
    if (more := len(warnings) - MOST_WARNINGS) > 0:
        log.warning("%s has %d more warnings: see %s personas check", file, more, COMMAND)
