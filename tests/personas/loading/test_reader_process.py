"""A file of personas read in another process: the same catalogue as in this one, also after the process died."""

import io
import itertools
import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from personas import SHIPPED, Catalogue, Persona
from personas.loading.reader_process import COMMAND, PAUSE, Died, ReaderProcess
from personas.loading.watching import Edits
from personas.loading.worker import Packer, Unpacker, read
from tests.kit.story import children

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
SHIPS = SHIPPED.read_bytes()
SERVE = COMMAND[-1]


def many(number: int, edit: int = 0) -> bytes:
    """A file of so many personas; a different `edit` gives a different greeting of the last one."""
    data = json.loads(SHIPS)
    rows = itertools.islice(itertools.cycle(data["astrologers"]), number)
    data["astrologers"] = [{**row, "astrologer_id": f"a_{count}"} for count, row in enumerate(rows)]
    data["astrologers"][-1]["greeting"] += f" {edit}"
    return json.dumps(data).encode()


def taken(raw: bytes, known: tuple[Persona, ...] = (), *, process: ReaderProcess | None = None) -> Catalogue:
    """The catalogue that another process makes of a file."""
    found = (process or ReaderProcess()).read(raw, known)
    assert isinstance(found, Catalogue), found
    return found


def running(code: str) -> tuple[str, ...]:
    """The command of a process that runs some code first."""
    return (*COMMAND[:-1], f"import os, signal; {code}; {SERVE}")


def no_child() -> bool:
    return not children()


@pytest.mark.parametrize("raw", [SHIPS, many(40)], ids=["those that ship", "forty"])
def test_it_is_the_catalogue_that_is_made_here(raw: bytes) -> None:
    """The catalogue is equal in all values, and gives the same results: who is open, who matches, the instructions."""
    here, there = Catalogue.from_bytes(raw), taken(raw)
    assert there == here
    assert list(there.personas) == list(here.personas)
    assert there.open(NOW) == here.open(NOW)
    query = "shaadi aur career ke baare mein"
    assert there.match(query, limit=50) == here.match(query, limit=50)
    assert [one.instructions(NOW) for one in there.all()] == [one.instructions(NOW) for one in here.all()]
    assert [one.public() for one in there.all()] == [one.public() for one in here.all()]
    with pytest.raises(TypeError):
        there.personas["nobody"] = there.all()[0]  # type: ignore[index]
    assert no_child()


def test_who_is_left_alone_stays_who_they_are() -> None:
    """Unchanged personas are the same objects, in the catalogue and in its index; only the edited one is new."""
    before = Catalogue.from_bytes(many(40))
    after = taken(many(40, edit=1), before.all())
    same = [one is other for one, other in zip(before.all(), after.all(), strict=True)]
    assert same == [True] * 39 + [False]
    assert all(one.persona is after.get(one.persona.id) for one in after.match("love marriage", limit=50))


def test_it_comes_in_pieces() -> None:
    """No piece is large, as the event loop waits while one is unpickled."""
    pieces: list[int] = []

    class File(io.BytesIO):
        def write(self, piece: Any, /) -> int:
            pieces.append(len(memoryview(piece)))
            return super().write(piece)

        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            pieces.append(len(piece))
            return piece

    catalogue, file = Catalogue.from_bytes(many(100)), File()
    Packer(file).dump(catalogue)
    file.seek(0)
    assert Unpacker(file, {}).load() == catalogue
    assert sum(pieces) > 2_000_000
    assert max(pieces) < 80_000


def test_between_the_pieces_the_loop_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a sleep after each piece of the answer, and of the known personas that are sent first."""
    rests, sleep = 0, time.sleep

    def rest(seconds: float) -> None:
        nonlocal rests
        rests += seconds == PAUSE
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", rest)
    catalogue = taken(many(100))
    answered, rests = rests, 0
    taken(many(100, edit=1), catalogue.all())
    assert min(answered, rests) > 20  # they are some two million bytes, and a piece has 64 KB


def test_who_was_replaced_is_let_go_of(tmp_path: Path) -> None:
    """Replaced personas are freed by the poll after the edit, when the server no longer uses them."""
    file = tmp_path / "personas.json"
    file.write_bytes(SHIPS)
    edits = Edits(file, SHIPS, Catalogue.from_bytes(SHIPS))
    gone = edits._in_use.all()[0]
    file.write_bytes(SHIPS.replace(b"Tina", b"Mina"))
    assert edits.poll(0)
    assert edits.poll(5) is None
    assert sys.getrefcount(gone) == 2  # here, and as the argument


def test_who_was_replaced_is_let_go_of_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are freed in batches with sleeps in between, so that the event loop can run."""
    rests: list[float] = []
    file = tmp_path / "personas.json"
    file.write_bytes(many(250))
    edits = Edits(file, many(250), Catalogue.from_bytes(many(250)))
    file.write_bytes(many(250, edit=1))
    assert edits.poll(0)
    monkeypatch.setattr(time, "sleep", rests.append)
    assert edits.poll(5) is None
    assert rests == [PAUSE] * 3


def test_the_process_has_none_of_our_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process gets no environment variables that it does not need."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ours")
    told = tmp_path / "environment"
    taken(SHIPS, process=ReaderProcess(command=running(f"open({str(told)!r}, 'w').write(repr(os.environ))")))
    assert "PATH" in told.read_text()
    assert "sk-ours" not in told.read_text()


@pytest.mark.parametrize("raw", [b"{", b"[]", SHIPS.replace(b'"gender": "Female"', b'"gender": "Femal"')])
def test_faults_are_told_as_here(raw: bytes) -> None:
    """Faults have line and column; a file with one bad persona is refused as a whole."""
    known = Catalogue.from_bytes(SHIPS).all()
    found = ReaderProcess().read(raw, known)
    assert found
    assert isinstance(found, tuple)
    assert found == read(raw, known)


def test_a_process_that_is_killed_is_replaced_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is read once more if the process dies: before it received anything, or just before it answers."""
    for number, before in enumerate(["pass", "import sys; sys.stdin.buffer.read()"]):
        mark = tmp_path / str(number)
        once = f"if not os.path.exists(mark): open(mark, 'w').close(); {before}; os.kill(os.getpid(), 9)"
        process = ReaderProcess(command=(*COMMAND[:-1], f"import os; mark = {str(mark)!r}\n{once}\n{SERVE}"))
        assert taken(SHIPS, process=process) == Catalogue.from_bytes(SHIPS)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "ended with -9; it is read once more" in caplog.text
    assert no_child()


@pytest.mark.parametrize("code", ["signal.pause()", "os.kill(os.getpid(), signal.SIGSTOP)"])
def test_a_process_that_hangs_is_told_of_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    """The process is killed, the catalogue in use stays, and the next edit is read."""
    file = tmp_path / "personas.json"
    file.write_bytes(SHIPS)
    in_use = Catalogue.from_bytes(SHIPS)
    edits = Edits(file, SHIPS, in_use)
    assert edits.poll(0) is None
    file.write_bytes(SHIPS.replace(b"Mohit", b"Rohit Sharma"))
    hanging = ReaderProcess(patience=0.1, command=running(code))
    assert edits.poll(10, read=hanging.read) is None
    told = edits.poll(11, read=hanging.read)
    assert isinstance(told, tuple)
    (fault,) = told
    assert "which is a fault of the server: Died" in fault.message
    assert "ended with -9" in caplog.text
    assert no_child()
    assert edits.poll(20, forced=True) not in (None, in_use)


def test_a_fault_of_ours_in_the_process_is_told(tmp_path: Path) -> None:
    """`Died` names the exit code; a command that does not exist raises OSError."""
    with pytest.raises(Died, match="ended with 3"):
        ReaderProcess(command=running("os._exit(3)")).read(SHIPS, ())
    with pytest.raises(OSError, match="no-such-program"):
        ReaderProcess(command=(str(tmp_path / "no-such-program"),)).read(SHIPS, ())


def test_closing_ends_the_process_and_tells_nothing(tmp_path: Path) -> None:
    """`close` also kills a process that hangs, and one that is just being started."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = ReaderProcess(command=running(f"open({str(pipe)!r}, 'w').close(); signal.pause()"))
    found: list[object] = []
    reading = threading.Thread(target=lambda: found.append(process.read(SHIPS, ())))
    reading.start()
    pipe.read_bytes()  # it runs by now
    process.close()
    reading.join()
    assert process.read(SHIPS, ()) == ()
    assert found == [()]
    assert no_child()
