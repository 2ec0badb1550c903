"""A file that is edited while it is watched, saved in every way that editors and machines save. Real files."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from personas import Catalogue, Fault
from personas.watching import Edits, watch

Make = Callable[..., dict[str, object]]
DEADLINE = 10.0  # seconds; a machine may be busy


class Watched:
    """What the watch said, in order."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.said: asyncio.Queue[Catalogue | tuple[Fault, ...]] = asyncio.Queue()

    async def name(self) -> str:
        """The name in the next catalogue."""
        said = await asyncio.wait_for(self.said.get(), DEADLINE)
        assert isinstance(said, Catalogue), said
        return said.all()[0].name

    async def faults(self) -> list[str]:
        """The paths of the faults that are told next."""
        said = await asyncio.wait_for(self.said.get(), DEADLINE)
        assert isinstance(said, tuple), said
        return [fault.path for fault in said]


@asynccontextmanager
async def watched(file: Path, look: int = 60_000) -> AsyncIterator[Watched]:
    """By default without a look that nobody asked for: what is noticed was an event."""
    seen = Watched(file)
    put = seen.said.put_nowait
    first = await asyncio.to_thread(file.read_bytes)
    task = asyncio.create_task(watch(Edits(file, first, Catalogue.from_bytes(first)), put, put, look=look))
    await armed(seen)
    yield seen
    assert seen.said.empty()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def armed(seen: Watched) -> None:
    """An edit that was noticed shows that the watch has begun; then the first text again."""
    first = await asyncio.to_thread(seen.file.read_text)
    in_place(seen.file, first.replace('"Asha"', '"Armed"'))
    assert await seen.name() == "Armed"
    in_place(seen.file, first)
    assert await seen.name() == "Asha"


@pytest.fixture
def file(tmp_path: Path, row: Make) -> Path:
    """A folder of its own, with Asha."""
    path = tmp_path / "folder" / "personas.json"
    path.parent.mkdir()
    path.write_text(text(row()))
    return path


def text(*rows: object) -> str:
    return json.dumps(rows, ensure_ascii=False)


def in_place(file: Path, new: str) -> None:
    file.write_text(new)


def renamed(file: Path, new: str) -> None:
    """As vim and most editors do: write a file beside it, and rename."""
    beside = file.with_name(".personas.json.swp")
    beside.write_text(new)
    beside.replace(file)


def moved_away_first(file: Path, new: str) -> None:
    """As vim does with a backup copy: the name is free for a moment."""
    file.replace(file.with_name("personas.json~"))
    file.write_text(new)


def deleted_first(file: Path, new: str) -> None:
    file.unlink()
    file.write_text(new)


def by_another_process(file: Path, new: str) -> None:
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(file), new], check=True)


@pytest.mark.parametrize("save", [in_place, renamed, moved_away_first, deleted_first, by_another_process])
def test_however_it_is_saved_the_edit_is_taken(file: Path, row: Make, save: Callable[[Path, str], None]) -> None:
    """Each way ends in one new catalogue with what is in the file now; twice, as the file may be another by then."""

    async def story() -> None:
        async with watched(file) as seen:
            save(file, text(row(name="Usha")))
            assert await seen.name() == "Usha"
            save(file, text(row(name="Meera")))
            assert await seen.name() == "Meera"

    asyncio.run(story())


def test_a_file_that_is_written_slowly_is_read_when_it_is_whole(file: Path, row: Make) -> None:
    """Truncated, then half of it, then the rest: nothing is told of the half."""

    async def story() -> None:
        new = text(row(name="Usha"))
        async with watched(file) as seen:
            with file.open("w") as half:
                half.write(new[:100])
                half.flush()
                os.fsync(half.fileno())
                await asyncio.to_thread(os.sync)
                half.write(new[100:])
            assert await seen.name() == "Usha"

    asyncio.run(story())


def test_a_link_that_is_swapped_is_an_edit(tmp_path: Path, row: Make) -> None:
    """As Kubernetes updates a config map: personas.json -> ..data/personas.json, ..data -> the newest folder."""
    mount = tmp_path / "mount"
    for name in ("Asha", "Usha"):
        (mount / f"..{name}").mkdir(parents=True)
        (mount / f"..{name}" / "personas.json").write_text(text(row(name=name)))
    (mount / "..data").symlink_to("..Asha")
    (mount / "personas.json").symlink_to("..data/personas.json")

    def swap(name: str) -> None:
        (mount / "..new").symlink_to(f"..{name}")
        (mount / "..new").replace(mount / "..data")

    async def story() -> None:
        said: asyncio.Queue[Catalogue | tuple[Fault, ...]] = asyncio.Queue()
        file = mount / "personas.json"
        first = await asyncio.to_thread(file.read_bytes)
        edits = Edits(file, first, Catalogue.from_bytes(first))
        task = asyncio.create_task(watch(edits, said.put_nowait, said.put_nowait, look=60_000))
        for name in ("Usha", "Asha"):  # the first may come before the watch has begun
            swap(name)
            new = await asyncio.wait_for(said.get(), DEADLINE)
            assert isinstance(new, Catalogue)
            assert new.all()[0].name == name
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())


def test_a_faulty_edit_is_told_of_once_and_the_next_sound_one_taken(file: Path, row: Make) -> None:
    """One bad persona among good ones, or no JSON at all: every fault, with its line; then it goes on."""

    async def story() -> None:
        async with watched(file) as seen:
            in_place(file, text(row(name="Usha"), row(astrologer_id="bad", gender="Femal", greting="Hi")))
            assert sorted(await seen.faults()) == ["$[1].gender", "$[1].greting"]
            in_place(file, "{")
            assert await seen.faults() == ["$"]
            renamed(file, text(row(name="Meera")))
            assert await seen.name() == "Meera"

    asyncio.run(story())


def test_a_file_that_is_deleted_changes_nothing(file: Path, row: Make) -> None:
    """Nothing is said of it; when it is back with the same words, neither, and with others it is an edit."""

    async def story() -> None:
        async with watched(file) as seen:
            deleted_first(file, text(row()))
            deleted_first(file, text(row(name="Usha")))
            assert await seen.name() == "Usha"

    asyncio.run(story())


def test_an_edit_that_nobody_tells_of_is_found_all_the_same(tmp_path: Path, row: Make) -> None:
    """Behind a link into another folder there are no events, as on a network file system; the regular look finds it."""
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    far = tmp_path / "far" / "personas.json"
    far.write_text(text(row()))
    near = tmp_path / "near" / "personas.json"
    near.symlink_to(far)

    async def story() -> None:
        async with watched(near, look=100) as seen:
            in_place(far, text(row(name="Usha")))
            assert await seen.name() == "Usha"

    asyncio.run(story())


def test_half_a_file_is_looked_at_twice_before_it_is_a_fault(file: Path, row: Make) -> None:
    """A look that meets the half says nothing; it is a fault if the next finds the same, and an edit if it is whole."""
    new = text(row(name="Usha"))
    edits = Edits(file, file.read_bytes(), Catalogue.load(file))
    in_place(file, new[:100])
    assert edits.look() is None
    in_place(file, new[:200])
    assert edits.look() is None
    in_place(file, new)
    whole = edits.look()
    assert isinstance(whole, Catalogue)
    assert edits.look() is None
    in_place(file, new[:100])
    assert edits.look() is None
    told = edits.look()
    assert [fault.path for fault in told] == ["$"]
    assert edits.look() is None
