"""A file that is edited while it is watched, saved in every way that editors and machines save. Real files."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from personas import Catalogue, CatalogueBroken, Fault
from personas.loading.watching import Edits, _stat, watch
from tests.kit.story import WITHIN, run
from tests.personas.rows import Make


class Watched:
    """The catalogues and faults that `watch` reported, in order."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.said: asyncio.Queue[Catalogue | tuple[Fault, ...]] = asyncio.Queue()

    async def name(self) -> str:
        """The name of the first persona in the next catalogue."""
        said = await asyncio.wait_for(self.said.get(), WITHIN)
        assert isinstance(said, Catalogue), said
        return said.all()[0].name

    async def faults(self) -> list[str]:
        """The paths of the faults that are reported next."""
        said = await asyncio.wait_for(self.said.get(), WITHIN)
        assert isinstance(said, tuple), said
        return [fault.path for fault in said]


@asynccontextmanager
async def watched(file: Path) -> AsyncIterator[Watched]:
    """Watch a file; at the end, everything that was reported must have been read."""
    seen = Watched(file)
    put = seen.said.put_nowait
    first = await asyncio.to_thread(file.read_bytes)
    task = asyncio.create_task(watch(Edits(file, first, Catalogue.from_bytes(first)), put, put))
    yield seen
    assert seen.said.empty()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def file(tmp_path: Path, row: Make) -> Path:
    """A file with one persona, Asha, in a folder of its own."""
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
    """Each way of saving gives one new catalogue; done twice, as the inode may differ afterwards."""

    async def story() -> None:
        async with watched(file) as seen:
            save(file, text(row(name="Usha")))
            assert await seen.name() == "Usha"
            save(file, text(row(name="Meera")))
            assert await seen.name() == "Meera"

    run(story())


def config_map(mount: Path) -> Callable[[str], None]:
    """As Kubernetes has it: personas.json -> ..data/personas.json, ..data -> the newest folder, swapped as a whole."""
    mount.mkdir()
    for name in ("Asha", "Usha"):
        (mount / f"..{name}").mkdir()
    (mount / "..data").symlink_to("..Asha")
    (mount / "personas.json").symlink_to("..data/personas.json")

    def swap(name: str) -> None:
        (mount / "..new").symlink_to(f"..{name}")
        (mount / "..new").replace(mount / "..data")

    return swap


@pytest.mark.parametrize("way", ["swapped beside", "swapped above", "edited where it leads"])
def test_what_is_reached_by_links_is_followed(tmp_path: Path, row: Make, way: str) -> None:
    """The link beside the file, one further up its path, or the text in another folder."""
    swap = config_map(tmp_path / "mount")
    for name in ("Asha", "Usha"):
        (tmp_path / "mount" / f"..{name}" / "personas.json").write_text(text(row(name=name)))
    far = tmp_path / "far.json"
    far.symlink_to("mount/..data/personas.json")
    file = {"swapped beside": tmp_path / "mount" / "personas.json"}.get(way, far)
    edits = edits_of(file)
    if way == "edited where it leads":
        in_place(tmp_path / "mount" / "..Asha" / "personas.json", text(row(name="Usha")))
    else:
        swap("Usha")
    read = edits.poll(10)
    assert isinstance(read, Catalogue)
    assert read.all()[0].name == "Usha"


def test_a_faulty_edit_is_told_of_once_and_the_next_sound_one_taken(file: Path, row: Make) -> None:
    """One bad persona among good ones, or invalid JSON: every fault is reported with its line; the watch goes on."""

    async def story() -> None:
        async with watched(file) as seen:
            in_place(file, text(row(name="Usha"), row(astrologer_id="bad", gender="Femal", greting="Hi")))
            assert sorted(await seen.faults()) == ["$[1].gender", "$[1].greting"]
            in_place(file, "{")
            assert await seen.faults() == ["$"]
            renamed(file, text(row(name="Meera")))
            assert await seen.name() == "Meera"

    run(story())


def edits_of(file: Path) -> Edits:
    """An unchanged file is not read again."""
    os.utime(file, (0, 0))  # else the next edit may be of the same moment, by a coarse clock
    edits = Edits(file, file.read_bytes(), Catalogue.load(file))
    assert [edits.poll(now) for now in (0, 5, 6)] == [None] * 3
    return edits


def paths(said: object) -> list[str]:
    assert isinstance(said, tuple), said
    return [fault.path for fault in said]


def test_a_file_that_is_written_slowly_is_read_when_it_is_whole(file: Path, row: Make) -> None:
    """A file that is truncated and rewritten in two steps: no faults are reported for the half."""
    new = text(row(name="Usha"))
    edits = edits_of(file)
    with file.open("w") as half:
        assert edits.poll(10) is None
        half.write(new[:100])
        half.flush()
        assert edits.poll(10.3) is None
        half.write(new[100:])
    read = edits.poll(10.6)
    assert isinstance(read, Catalogue)
    assert read.all()[0].name == "Usha"


def test_half_a_file_is_a_fault_once_it_has_stayed_so(file: Path, row: Make) -> None:
    """Faults are reported after a time, not after a number of polls; a change starts it again; the whole is an edit."""
    new = text(row(name="Usha"))
    edits = edits_of(file)
    in_place(file, new[:100])
    assert [edits.poll(now) for now in (10, 10.1, 10.2, 10.3)] == [None] * 4
    in_place(file, new[:200])
    assert edits.poll(10.5) is None
    in_place(file, new)
    assert isinstance(edits.poll(10.6), Catalogue)
    assert edits.poll(10.7) is None
    in_place(file, new[:100])
    assert edits.poll(20) is None
    assert paths(edits.poll(20.5)) == ["$"]
    assert [edits.poll(now) for now in (20.6, 20.8, 21, 30)] == [None] * 4


def test_a_file_that_is_away_is_told_of_and_changes_nothing(file: Path, row: Make) -> None:
    """A file that is missing for longer than a rename takes is reported; when it comes back, its catalogue is."""
    edits = edits_of(file)
    in_use = Catalogue.load(file)
    old = file.read_text()
    file.unlink()
    assert edits.poll(10) is None
    in_place(file, old)
    assert edits.poll(10.2) is None
    file.unlink()
    assert edits.poll(20) is None
    said = edits.poll(20.5)
    assert "cannot read" in str(said)
    assert edits.poll(21) is None
    in_place(file, old)
    assert edits.poll(30) == in_use
    file.unlink()
    in_place(file, text(row(name="Usha")))
    read = edits.poll(40)
    assert isinstance(read, Catalogue)
    assert read.all()[0].name == "Usha"


def test_who_asks_is_told_in_any_case(file: Path, row: Make) -> None:
    """A forced poll returns the catalogue in use if nothing has changed, or the same faults once more."""
    edits = edits_of(file)
    in_place(file, text(row(name="Usha")))
    read = edits.poll(10)
    assert edits.poll(20, forced=True) is read
    assert edits.poll(21) is None
    in_place(file, "{")
    assert edits.poll(30) is None
    for now in (31, 41):
        assert paths(edits.poll(now)) == ["$"]
        assert edits.poll(now + 5) is None
        assert edits.poll(now + 9, forced=True) is None
    file.unlink()
    assert edits.poll(60) is None
    assert "cannot read" in str(edits.poll(61))
    in_place(file, text(row(name="Usha")))
    assert edits.poll(70) is read


@pytest.mark.parametrize("later", [10.2, 60])
def test_an_edit_of_the_same_moment_and_length_is_taken(file: Path, row: Make, later: float) -> None:
    """Timestamps are coarse: a second edit may not change the stat. It is found nevertheless, also by late polls."""
    edits = edits_of(file)
    in_place(file, text(row(name="Usha")))
    state = file.stat()
    assert isinstance(edits.poll(10), Catalogue)
    in_place(file, text(row(name="Isha")))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    edits._stat = _stat(file)  # as if the time of the change were the same, too
    read = edits.poll(later)
    assert isinstance(read, Catalogue)
    assert read.all()[0].name == "Isha"
    assert edits.poll(later + 1) is None


def test_nobody_active_is_no_edit(file: Path, row: Make) -> None:
    """As at the start, a file without an active persona is refused."""
    edits = edits_of(file)
    in_place(file, text(row(status="inactive")))
    assert edits.poll(10) is None
    assert paths(edits.poll(11)) == ["$"]


def test_a_look_that_goes_wrong_ends_nothing(file: Path, row: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A crash of the reader is logged once with its traceback; the next valid edit is used."""
    edits = Edits(file, file.read_bytes(), cast(Catalogue, object()))  # no catalogue: nothing can be taken over from it
    in_place(file, text(row(name="Usha")))
    assert edits.poll(10) is None
    assert paths(edits.poll(11)) == ["$"]
    assert edits.poll(12) is None
    assert [bool(record.exc_info) for record in caplog.records] == [True]
    edits._in_use = Catalogue.load(file)
    in_place(file, text(row(name="Meera")))
    assert isinstance(edits.poll(20), Catalogue)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """Opening a named pipe does not block, neither at the start nor when it replaces a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(CatalogueBroken, match="is not a regular file"):
            Catalogue.load(path)
