"""A decoder that somebody has taken over gets nowhere; what it tries there is possible without the cage."""

import asyncio
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import audio.decoder
import audio.pool
from audio import Pool, seconds
from audio.answers import HEAD
from audio.decoder import Decoder, Died
from audio.worker import LIFE_SECONDS
from cage import User, kernel
from tests.audio.escape import WAYS
from tests.audio.sounds import CLIPS, clip, encoded, speech
from tests.audio.test_codec import KINDS
from tests.kit.story import run

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the cage is made of calls of Linux")
LANDLOCK = pytest.mark.skipif(not kernel.landlock_version(), reason="this kernel has no Landlock")
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process as somebody else")
CODE = Path(__file__).parents[2] / "audio" / "worker.py"
NOBODY = User(65534, 65534)
TO_ANOTHER = ("read_the_key", "limit_another", "signal_another", "trace_another", "read_memory")
SHUT_BEFORE = {"find_the_key_at_home", "find_a_handle"}
"""What is shut already when the process starts, without a cage."""
MACHINES_OWN = {"trace_another", "read_memory", "make_a_ring", "be_root_elsewhere", "limit_another"}
"""What some machines allow to no process of an ordinary user."""


def command(function: str, before: str = "") -> tuple[str, ...]:
    """The command of a decoder that runs a function of `escape.py`, some code before it."""
    code = f"import sys; from tests.audio import escape; {before}\nescape.{function}(*sys.argv[1:])"
    return (sys.executable, "-P", "-c", code)


def lacking(*names: str) -> str:
    """Code after which the kernel seems to have none of these calls."""
    lines = [f"kernel.{name} = refuse" for name in names]
    return "\n".join(["", "from cage import kernel", "def refuse(*_): raise OSError(38, 'not here')", *lines])


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the ways out are tried on."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "secret").write_text("the key of TLS")
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(type=socket.SOCK_DGRAM) as hearing:
        hearing.bind(("127.0.0.1", 0))
        yield {
            "read_a_file": str(folder / "secret"),
            "write_a_file": str(CODE),
            "list_a_folder": str(folder),
            "connect": str(listening.getsockname()[1]),
            "send": str(hearing.getsockname()[1]),
            "execute": "/bin/true",
            **dict.fromkeys(TO_ANOTHER, str(os.getpid())),
        }


def open_ways(arguments: dict[str, str], by: tuple[str, ...], user: User | None = None) -> set[str]:
    """The ways that were not refused in a decoder that `by` starts; it must have answered to each."""

    async def story() -> dict[str, str]:
        decoder = Decoder(user, by)
        await decoder.start()
        try:
            orders = {way: f"{way} {arguments.get(way, '')}".encode() for way in WAYS}
            return {way: (await decoder.decode(order)).decode() for way, order in orders.items()}
        finally:
            await decoder.end()

    return {way for way, went in run(story()).items() if went == "done"}


@LINUX
@pytest.mark.parametrize("user", [None, NOBODY], ids=["as the server", "as nobody"])
def test_no_way_leads_out_of_a_decoder(
    arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch, user: User | None
) -> None:
    """All that code in a decoder could try is refused by the system, and the decoder still answers."""
    monkeypatch.setenv("SOME_API_KEY", "secret")
    assert open_ways(arguments, command("serve"), user) == set()


@LINUX
def test_without_the_cage_each_way_is_open(arguments: dict[str, str]) -> None:
    """So the test above tests the cage, and not attempts that could never work."""
    assert WAYS.keys() - open_ways(arguments, command("serve_free")) - SHUT_BEFORE <= MACHINES_OWN


@LINUX
@LANDLOCK
@ROOT
def test_landlock_and_limits_hold_most_where_calls_cannot_be_filtered(arguments: dict[str, str]) -> None:
    """On a machine whose numbers of system calls are not known: no key, no file, no network, no process, no signal."""
    found = open_ways(arguments, command("serve", lacking("filter_calls")), NOBODY)
    assert found <= {"run_written_memory", "be_root_elsewhere"}


@LINUX
def test_the_filter_alone_holds_where_there_is_no_landlock(arguments: dict[str, str]) -> None:
    """As in a kernel before 5.13."""
    assert open_ways(arguments, command("serve", lacking("restrict"))) == set()


@LINUX
def test_what_is_missing_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names each layer that the system does not have; of a whole cage it says nothing."""

    async def story() -> None:
        pool = Pool()
        await pool.warm()
        await pool.close()

    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(Decoder.__init__, "__defaults__", (None, command("serve", lacking("restrict"))))
    run(story())
    monkeypatch.undo()
    run(story())
    (line,) = caplog.messages
    assert line.endswith(": no Landlock (not here)")


@LINUX
def test_a_decoder_in_its_cage_decodes_every_clip_and_kind() -> None:
    """As nobody, where root runs the tests."""
    clips = [clip(file.name) for file in sorted(CLIPS.glob("??_*.*"))]
    kinds = [encoded(speech(0.5), *kind) for kind in KINDS]

    async def story() -> list[float]:
        decoder = Decoder(NOBODY)
        await decoder.start()
        assert decoder.missing == [] or not kernel.landlock_version()
        lengths = [seconds(await decoder.decode(each)) for each in [*clips, *kinds]]
        await decoder.end()
        return lengths

    lengths = run(story())
    assert len(clips) == 8
    assert min(lengths[:8]) > 2
    assert min(lengths[8:]) == pytest.approx(0.5, abs=0.1)


@LINUX
def test_what_stops_its_timer_is_ended_by_a_limit() -> None:
    """CPU that no clip accounts for ends the process, for good."""

    async def story() -> None:
        decoder = Decoder(command=command("serve", "escape.audio.worker.LIFE_SECONDS = 2"))
        await decoder.start()
        with pytest.raises(Died, match=str(-signal.SIGKILL)):
            await decoder.decode(b"go_on_for_ever")
        await decoder.end()

    run(story())


def test_what_hangs_up_and_goes_on_holds_nobody_up() -> None:
    """It is killed; the loop of the calls does not wait for its end."""

    async def story() -> None:
        decoder = Decoder(command=command("serve"))
        await decoder.start()
        with pytest.raises(Died, match=str(-signal.SIGKILL)):
            await decoder.decode(b"hang_up")
        await decoder.end()

    run(story())


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (HEAD.pack(True, 0.1, 2**32 - 1), "4294967295 bytes"),
        (HEAD.pack(True, 0.1, 3) + b"pcm", "3 bytes"),
        (HEAD.pack(True, -1e9, 4) + b"pcm.", "-1000000000.0 s"),
        (HEAD.pack(True, math.nan, 4) + b"pcm.", "nan s"),
        (HEAD.pack(False, 0.1, 8) + b"nonsense", "no words"),
        (HEAD.pack(False, 0.1, 8) + b"busi\n\xff\xfe.", "no words"),
    ],
    ids=["large", "odd", "cheap", "no number", "no code", "no text"],
)
def test_what_no_decoder_answers_is_a_lost_decoder(lie: bytes, named: str) -> None:
    """The server takes no memory for it, books no time that is none, and knows no code but its own."""

    async def story() -> None:
        decoder = Decoder(command=command("serve"))
        await decoder.start()
        with pytest.raises(Died, match=f"taken over: .*{named}"):
            await decoder.decode(f"answer {lie.hex()}".encode())
        assert not decoder.ready
        await decoder.end()

    run(story())


def test_a_decoder_is_replaced_before_that_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of days use it up too; after half of it a new process is started between two clips."""
    assert audio.decoder.REPLACED_SECONDS <= LIFE_SECONDS / 2
    spoken = clip("en_proposal.m4a")

    async def story() -> list[bool]:
        decoder = Decoder()
        await decoder.start()
        ready = []
        async with asyncio.timeout(60):
            for most in (1e9, 0.0):
                monkeypatch.setattr(audio.decoder, "REPLACED_SECONDS", most)
                await decoder.decode(spoken)
                ready.append(decoder.ready)
            await decoder.start()
            ready.append(decoder.ready)
        await decoder.end()
        return ready

    assert run(story()) == [True, False, True]
