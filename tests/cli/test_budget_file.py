"""What was spent outlives a restart, in a file; a file that is broken is set aside."""

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from actors.budgets.limits import Budgets
from actors.budgets.sums import EVERYBODY, Memory
from cli.budget_file import BudgetFile, keeping, open_or_replace
from cli.budgets import check_budgets
from cli.failure import CannotServe
from tests.kit.story import run, until
from upstream.models import named

DAY, HOUR = "2026-11-30", "2026-11-30T12"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where no file is yet."""
    return tmp_path / "budgets"


async def one_run(path: Path, *more: tuple[str, str, int]) -> Memory:
    """A server that starts, spends this, and ends."""
    sums = Memory()
    async with keeping(path, sums):
        for period, who, tokens in more:
            sums.add(period, who, {"tokens": tokens})
    return sums


def test_what_was_spent_outlives_a_restart(path: Path) -> None:
    """It is added up over three runs; nobody else on the machine may read it."""
    run(one_run(path, (DAY, "one", 3), (HOUR, EVERYBODY, 5)))
    run(one_run(path, (DAY, "one", 4), (DAY, "नाम", 1)))
    last = run(one_run(path))
    assert last.read(DAY, "one") == {"tokens": 7}
    assert last.read(DAY, "नाम") == {"tokens": 1}
    assert last.read(HOUR, EVERYBODY) == {"tokens": 5}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_periods_that_are_over_are_forgotten(path: Path) -> None:
    """As in memory."""
    run(one_run(path, ("2026-11-28", "one", 1), ("2026-11-29", "one", 1), (DAY, "one", 1)))
    file, sums = open_or_replace(path)
    file.close()
    assert list(sums) == [("2026-11-29", "one"), (DAY, "one")]


def test_it_is_written_while_the_server_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is killed has forgotten a second of it at most."""
    monkeypatch.setattr("cli.budget_file.WRITE_SECONDS", 0.01)

    async def story() -> None:
        sums, written = Memory(), asyncio.Event()
        write = BudgetFile.write

        def notes(file: BudgetFile, *what: object) -> None:
            write(file, *what)  # type: ignore[arg-type]
            loop.call_soon_threadsafe(written.set)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(BudgetFile, "write", notes)
        async with keeping(path, sums):
            sums.add(DAY, "one", {"tokens": 3})
            await asyncio.wait_for(written.wait(), 60)
            shutil.copy(path, killed)

    killed = path.with_name("killed")
    run(story())
    file, sums = open_or_replace(killed)
    file.close()
    assert sums == {(DAY, "one"): {"tokens": 3}}


def broken_value(path: Path) -> None:
    """Something wrote a word where a number belongs."""
    run(one_run(path, (DAY, "one", 3)))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE spent SET amount = 'many'")
    database.close()


def foreign(path: Path) -> None:
    """A database of another program."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE spent (x)")
    database.close()


def halved(path: Path) -> None:
    """The disk was full while somebody copied it."""
    run(one_run(path, *((DAY, f"user {number}", 3) for number in range(2000))))
    path.write_bytes(path.read_bytes()[:9000])


BROKEN = [lambda path: path.write_bytes(b'{"tokens": 3}' * 100), broken_value, foreign, halved]


@pytest.mark.parametrize("breaks", BROKEN, ids=["text", "value", "foreign", "halved"])
def test_a_broken_file_is_set_aside(path: Path, breaks: object, caplog: pytest.LogCaptureFixture) -> None:
    """The log says where it is, and the server starts with nothing spent."""
    assert callable(breaks)
    breaks(path)
    was = path.read_bytes()
    sums = run(one_run(path, (DAY, "one", 1)))
    assert sums.read(DAY, "one") == {"tokens": 1}
    (aside,) = [file for file in path.parent.iterdir() if ".broken-" in file.name]
    assert aside.read_bytes() == was
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert aside.name in caplog.text
    assert run(one_run(path)).read(DAY, "one") == {"tokens": 1}


def test_an_empty_file_is_none_yet(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As mktemp makes it."""
    path.touch()
    run(one_run(path, (DAY, "one", 1)))
    assert not caplog.records


def test_one_server_has_it(path: Path) -> None:
    """Another one does not start, and changes nothing."""

    async def story() -> None:
        async with keeping(path, Memory()):
            with pytest.raises(CannotServe, match="another server has it"):
                await one_run(path)

    run(story())
    assert [file.name for file in path.parent.iterdir()] == ["budgets"]


def test_a_file_that_cannot_be_made(path: Path) -> None:
    """The server does not start, and says why."""
    with pytest.raises(CannotServe, match="No such file or directory"):
        run(one_run(path / "in a file that is none"))


def test_what_cannot_be_written_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and calls go on."""
    monkeypatch.setattr("cli.budget_file.WRITE_SECONDS", 0.01)
    fails = [True, True, False]
    write = BudgetFile.write

    def disk(file: BudgetFile, *what: object) -> None:
        if fails.pop(0):
            raise sqlite3.OperationalError("disk I/O error")
        write(file, *what)  # type: ignore[arg-type]

    async def story() -> None:
        sums = Memory()
        async with keeping(path, sums):
            sums.add(DAY, "one", {"tokens": 3})
            await until(lambda: not fails)

    monkeypatch.setattr(BudgetFile, "write", disk)
    run(story())
    assert caplog.text.count("cannot be written") == 1
    monkeypatch.undo()
    assert run(one_run(path)).read(DAY, "one") == {"tokens": 3}


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as it was."""
    monkeypatch.chdir(tmp_path)

    async def story() -> None:
        async with keeping(None, Memory()):
            pass

    run(story())
    assert os.listdir(tmp_path) == []


def test_money_needs_a_price() -> None:
    """A limit that cannot be checked is refused, with the one that can be."""
    check_budgets(Budgets(budget_day_usd=5), named("gpt-realtime-2.1"))
    check_budgets(Budgets(budget_day_tokens=5), named("local-engine"))
    with pytest.raises(CannotServe, match=r"day-usd: what local-engine costs .*--budget-day-tokens") as refused:
        check_budgets(Budgets(budget_day_usd=5), named("local-engine"))
    assert refused.value.code == 2


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "/etc/passwd", "", "../UTC"])
def test_a_day_needs_a_time_zone_that_exists(zone: str) -> None:
    """It is said before anything is started."""
    with pytest.raises(CannotServe, match="--day-zone") as refused:
        check_budgets(Budgets(day_zone=zone), named("local-engine"))
    assert refused.value.code == 2
