"""The file in which what was spent outlives a restart: a small SQLite database, written off the loop.

A write is a transaction, so that a crash leaves the sums as they were a second ago. A file that is no such database, or
holds what no server has written, is set aside under another name, and another one is begun.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from actors.budgets.sums import Key, Memory
from cli.failure import CannotServe

log = logging.getLogger("budgets")

WRITE_SECONDS = 1.0  # so much is lost at most if the process is killed
LAST_SECONDS = 2.0  # for the last write: a disk that hangs must not keep the process
LOCK_SECONDS = 1.0
TABLE = """CREATE TABLE spent (
    period TEXT NOT NULL, who TEXT NOT NULL, name TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (period, who, name)) WITHOUT ROWID"""
OURS = 0x70766273  # the application id in the head of the file
UNUSABLE = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_FULL", "SQLITE_IOERR")
"""How errors begin that say nothing of what is in the file."""

Sums = Mapping[Key, Mapping[str, int]]


class Broken(Exception):
    """The file holds what no server has written."""


class BudgetFile:
    """An open file. Only one server can have it. Each method may take long, and is called in a thread."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, sqlite3.Error, Broken."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it holds the ids of users
        self._database = sqlite3.connect(path, LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def read(self) -> dict[Key, dict[str, int]]:
        """All sums, in the order of their periods. Raises sqlite3.Error, Broken."""
        sums: dict[Key, dict[str, int]] = {}
        for period, who, name, amount in self._database.execute("SELECT * FROM spent ORDER BY period"):
            if not isinstance(amount, int) or amount < 0 or {type(one) for one in (period, who, name)} != {str}:
                raise Broken(f"{name!r} is {amount!r}")
            sums.setdefault((period, who), {})[name] = amount
        return sums

    def write(self, sums: Sums, periods: Iterable[str]) -> None:
        """Write these sums, and forget all periods but these. Raises sqlite3.Error."""
        kept = tuple(periods)
        rows = [(*key, name, amount) for key, of_key in sums.items() for name, amount in of_key.items()]
        with self._database as transaction:
            transaction.execute("BEGIN")
            transaction.executemany("INSERT OR REPLACE INTO spent VALUES (?, ?, ?, ?)", rows)
            transaction.execute(f"DELETE FROM spent WHERE period NOT IN ({', '.join('?' * len(kept))})", kept)

    def close(self) -> None:
        """Let another server have the file."""
        self._database.close()

    def _prepare(self) -> None:
        run = self._database.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("BEGIN EXCLUSIVE")
        application = run("PRAGMA application_id").fetchone()[0]
        if application != OURS:
            if run("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise Broken("it is a database of another program")
            run(TABLE)
            run(f"PRAGMA application_id = {OURS}")
        run("COMMIT")


def open_or_replace(path: Path) -> tuple[BudgetFile, dict[Key, dict[str, int]]]:
    """The file and its sums; one that is broken is set aside. Raises CannotServe."""
    try:
        return _open(path)
    except (Broken, sqlite3.DatabaseError) as error:
        if getattr(error, "sqlite_errorname", "").startswith(UNUSABLE):
            raise _unusable(path, error) from None
        aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%dT%H%M%S')}")
        log.error(  # noqa: TRY400  # it is no fault of ours
            "%s is no file of budgets (%s): it is now %s, and all budgets begin anew", path, error, aside.name
        )
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        path.rename(aside)
        return _open(path)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from None


def _open(path: Path) -> tuple[BudgetFile, dict[Key, dict[str, int]]]:
    file = BudgetFile(path)
    try:
        return file, file.read()
    except BaseException:
        file.close()
        raise


def _unusable(path: Path, error: Exception) -> CannotServe:
    why = "another server has it" if "locked" in f"{error}" else f"{error}"
    return CannotServe(f"--budget-file {path} cannot be used: {why}.")


@asynccontextmanager
async def keeping(path: Path | None, sums: Memory) -> AsyncIterator[None]:
    """Fill the sums from the file, and write what changes while the context is open. Raises CannotServe."""
    if path is None:
        yield
        return
    file, kept = await asyncio.to_thread(open_or_replace, path)
    for key, of_key in kept.items():
        sums.add(*key, of_key)
    sums.noting = True
    keeper = Keeper(path, file, sums)
    writing = asyncio.create_task(keeper.run(), name="the file of budgets")
    try:
        yield
    finally:
        keeper.stop()
        await asyncio.wait([writing], timeout=LAST_SECONDS)
        if writing.done():
            file.close()
        else:  # the disk hangs, and a thread with it
            log.error("%s could not be written in time: what was spent last is forgotten", path)


class Keeper:
    """Writes what has changed of the sums to their file."""

    def __init__(self, path: Path, file: BudgetFile, sums: Memory) -> None:
        self._path, self._file, self._sums = path, file, sums
        self._stopping = asyncio.Event()
        self._failing = False

    def stop(self) -> None:
        """Write once more, and end."""
        self._stopping.set()

    async def run(self) -> None:
        """Write every WRITE_SECONDS, if there is something to write, and a last time."""
        last = False
        while not last:
            with suppress(TimeoutError):
                last = await asyncio.wait_for(self._stopping.wait(), WRITE_SECONDS)
            if changed := self._sums.take_changed():
                await self._write(changed)

    async def _write(self, changed: Sums) -> None:
        """What cannot be written is tried again, and logged once."""
        try:
            await asyncio.to_thread(self._file.write, changed, self._sums.periods)
        except sqlite3.Error as error:
            self._sums.put_back(changed)
            if not self._failing:
                log.error(  # noqa: TRY400  # nor is this
                    "%s cannot be written: a restart would forget what is spent: %s", self._path, error
                )
            self._failing = True
        else:
            self._failing = False
