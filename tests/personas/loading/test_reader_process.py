"""A file of personas read in a process of its own: the same catalogue, whatever becomes of the process."""

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
    """So many of those that ship; another edit is another greeting of the last."""
    data = json.loads(SHIPS)
    rows = itertools.islice(itertools.cycle(data["astrologers"]), number)
    data["astrologers"] = [{**row, "astrologer_id": f"a_{count}"} for count, row in enumerate(rows)]
    data["astrologers"][-1]["greeting"] += f" {edit}"
    return json.dumps(data).encode()


def taken(raw: bytes, known: tuple[Persona, ...] = (), *, process: ReaderProcess | None = None) -> Catalogue:
    """What a process of its own makes of this."""
    found = (process or ReaderProcess()).read(raw, known)
    assert isinstance(found, Catalogue), found
    return found


def running(code: str) -> tuple[str, ...]:
    """A process that does something else first."""
    return (*COMMAND[:-1], f"import os, signal; {code}; {SERVE}")


def no_child() -> bool:
    return not children()


@pytest.mark.parametrize("raw", [SHIPS, many(40)], ids=["those that ship", "forty"])
def test_it_is_the_catalogue_that_is_made_here(raw: bytes) -> None:
    """Equal in every value, and it answers as that does: who is open, who fits, what the model is told."""
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
    """The very persona, in the catalogue and in what it finds; only who was edited is another."""
    before = Catalogue.from_bytes(many(40))
    after = taken(many(40, edit=1), before.all())
    same = [one is other for one, other in zip(before.all(), after.all(), strict=True)]
    assert same == [True] * 39 + [False]
    assert all(one.persona is after.get(one.persona.id) for one in after.match("love marriage", limit=50))


def test_it_comes_in_pieces() -> None:
    """None is large: each is read at once, and the loop of the calls waits for that."""
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
    """Of what the process answers, and of who is known, which it is told first."""
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
    """With the look after the one that took the edit: whoever served them has let go of them by then."""
    file = tmp_path / "personas.json"
    file.write_bytes(SHIPS)
    edits = Edits(file, SHIPS, Catalogue.from_bytes(SHIPS))
    gone = edits._in_use.all()[0]
    file.write_bytes(SHIPS.replace(b"Tina", b"Mina"))
    assert edits.poll(0)
    assert edits.poll(5) is None
    assert sys.getrefcount(gone) == 2  # here, and as the argument


def test_who_was_replaced_is_let_go_of_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop has its turn in between."""
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
    """What it needs not, it does not know."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ours")
    told = tmp_path / "environment"
    taken(SHIPS, process=ReaderProcess(command=running(f"open({str(told)!r}, 'w').write(repr(os.environ))")))
    assert "PATH" in told.read_text()
    assert "sk-ours" not in told.read_text()


@pytest.mark.parametrize("raw", [b"{", b"[]", SHIPS.replace(b'"gender": "Female"', b'"gender": "Femal"')])
def test_faults_are_told_as_here(raw: bytes) -> None:
    """With line and column; a file with one bad persona is no edit."""
    known = Catalogue.from_bytes(SHIPS).all()
    found = ReaderProcess().read(raw, known)
    assert found
    assert isinstance(found, tuple)
    assert found == read(raw, known)


def test_a_process_that_is_killed_is_replaced_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At any moment: before it has heard of anything, and when it was about to answer."""
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
    """It is killed; what was served stays, and the next edit is taken."""
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
    """Whatever it ends with."""
    with pytest.raises(Died, match="ended with 3"):
        ReaderProcess(command=running("os._exit(3)")).read(SHIPS, ())
    with pytest.raises(OSError, match="no-such-program"):
        ReaderProcess(command=(str(tmp_path / "no-such-program"),)).read(SHIPS, ())


def test_closing_ends_the_process_and_tells_nothing(tmp_path: Path) -> None:
    """Also one that hangs, and one that is started at that very moment."""
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
