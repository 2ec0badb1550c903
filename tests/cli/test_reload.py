"""What the log says of the file of personas while a server runs: of the start, of each edit, and when it is asked."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.failure import CannotServe
from cli.reload import read, reloading
from personas import SHIPPED, Catalogue, CurrentCatalogue
from tests.kit.story import WITHIN, run


class Lines(logging.Handler):
    """What is written to the log, in order, and into a file beside the one that is followed."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file.open("w")
        self.said: asyncio.Queue[logging.LogRecord] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=self.file, flush=True)
        self._loop.call_soon_threadsafe(self.said.put_nowait, record)

    async def next(self) -> tuple[str, str]:
        """Level and text of the next line."""
        record = await asyncio.wait_for(self.said.get(), WITHIN)
        return record.levelname, record.getMessage()


@asynccontextmanager
async def followed(file: Path) -> AsyncIterator[tuple[Lines, CurrentCatalogue]]:
    """Everything that is logged at any level, in a file of the same folder."""
    raw, catalogue = read(file)
    lines = Lines(file.with_name("server.log"))
    log = logging.getLogger()
    level = log.level
    log.setLevel("DEBUG")
    log.addHandler(lines)
    try:
        async with reloading(file, raw, current := CurrentCatalogue(catalogue)):
            assert "active personas" in (await lines.next())[1]
            yield lines, current
            assert lines.said.empty()
    finally:
        log.removeHandler(lines)
        log.setLevel(level)
        lines.file.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file that ships, on its own."""
    path = tmp_path / "personas.json"
    path.write_bytes(SHIPPED.read_bytes())
    return path


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(SHIPPED.read_bytes())
    change(data)
    save(file, json.dumps(data, indent=1))


def save(file: Path, text: str) -> None:
    """At once: of a file that is half written it would be told, if the disk is busy for so long."""
    beside = file.with_name("new")
    beside.write_text(text)
    beside.replace(file)


def test_every_edit_and_every_hangup_has_its_line(file: Path) -> None:
    """Taken, the same, faulty, faulty still, away, away still: one line each, and none feeds the next."""
    no_json = f"has faults; nothing has changed, mend them:\n  {file}:3:1: $: is not JSON"

    async def story() -> None:
        async with followed(file) as (lines, current):
            first = current.catalogue
            edit(file, lambda data: data["astrologers"][0].update(tone="brisk"))
            level, said = await lines.next()
            assert (level, "was edited: from now on catalogue=" in said) == ("INFO", True)
            assert (second := current.catalogue) is not first
            os.kill(os.getpid(), signal.SIGHUP)
            level, said = await lines.next()
            assert (level, "nothing has changed" in said, "was edited" in said) == ("INFO", True, False)
            await asyncio.to_thread(save, file, "[\n 1,\n}")
            for _ in range(2):
                level, said = await lines.next()
                assert (level, no_json in said) == ("ERROR", True)
                os.kill(os.getpid(), signal.SIGHUP)
            assert "is not JSON" in (await lines.next())[1]
            await asyncio.to_thread(file.unlink)
            level, said = await lines.next()
            assert (level, f"{file}: $: cannot read {file}: No such file" in said) == ("ERROR", True)
            os.kill(os.getpid(), signal.SIGHUP)
            assert "No such file" in (await lines.next())[1]
            assert current.catalogue is second

    run(story())


def test_faults_have_their_place_and_their_order(file: Path) -> None:
    """As `personas check` prints them, from the top of the file down."""

    def spoil(data: dict[str, Any]) -> None:
        data["astrologers"][2].update(greting="Hi", gender="Femal")
        data["astrologers"][0]["availability"]["timezone"] = "IST"

    async def story() -> list[str]:
        async with followed(file) as (lines, _):
            await asyncio.to_thread(edit, file, spoil)
            return (await lines.next())[1].splitlines()[1:]

    told = run(story())
    places = [tuple(map(int, line.removeprefix(f"  {file}:").split(":")[:2])) for line in told]
    assert len(told) == 3
    assert places == sorted(places)
    assert "$.astrologers[0].availability.timezone (tina_kulkarni_vedic_marriage)" in told[0]


def test_nobody_active_neither_starts_nor_is_served(file: Path) -> None:
    """The same words for both."""

    def retire(data: dict[str, Any]) -> None:
        for row in data["astrologers"]:
            row["status"] = "inactive"

    async def story() -> str:
        async with followed(file) as (lines, current):
            await asyncio.to_thread(edit, file, retire)
            said = (await lines.next())[1]
            assert len(current.catalogue.active()) == 4
            return said

    told = run(story()).splitlines()[1]
    assert "set a status to active" in told
    with pytest.raises(CannotServe) as refused:
        read(file)
    assert str(refused.value).splitlines()[1] == told
    assert refused.value.code == 2


def test_a_warning_is_told_at_the_start_and_of_an_edit(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With its place, and served."""
    edit(file, lambda data: data["astrologers"][0].update(greeting="Namaste, main Tina hoon."))
    with caplog.at_level("WARNING"):
        _, catalogue = read(file)
    assert len(catalogue.active()) == 4
    (line,) = caplog.messages
    assert line.startswith(f"{file}:")
    assert "$.astrologers[0].greeting (tina_kulkarni_vedic_marriage): is not written as Hindi is." in line

    async def story() -> None:
        async with followed(file) as (lines, _):
            edit(file, lambda data: data["astrologers"][0].update(greeting="Namaste, Tina bol rahi hoon."))
            assert "was edited" in (await lines.next())[1]
            level, said = await lines.next()
            assert (level, "is not written as Hindi is" in said) == ("WARNING", True)

    run(story())


def test_of_many_warnings_some_are_told_and_how_many_more_there_are(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A line of the log takes the loop some time, and there may be ten thousand."""
    edit(file, lambda data: data.update(astrologers=[_warned(data["astrologers"][0], number) for number in range(100)]))
    with caplog.at_level("WARNING"):
        _, catalogue = read(file)
    assert len(catalogue.warnings) == 100
    *some, last = caplog.messages
    assert len(some) == 40
    assert last == f"{file} has 60 more warnings: see python -m supervisor personas check"


def _warned(row: dict[str, Any], number: int) -> dict[str, Any]:
    return {**row, "astrologer_id": f"a{number}", "greeting": "Namaste, main Tina hoon."}


def test_the_log_has_places_but_no_private_value(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a persona that is not served from the start, too."""
    edit(file, lambda data: data["astrologers"][1]["consultation_style"].update(response_length="Zq7Xk"))
    with caplog.at_level("WARNING"):
        read(file)
    (line,) = caplog.messages
    assert line.startswith(f"not served: {file}:")
    assert "must be one of brief, detailed." in line
    assert "Zq7Xk" not in line
    assert "Zq7Xk" not in repr(Catalogue.load(file))
