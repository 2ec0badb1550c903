"""The attackers of the benchmark: what they send, what they report, and that they end."""

import asyncio
import itertools
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import uvloop

from bench import report
from bench.attacks import bodies, profiles, sounds
from bench.attacks.cases import CASES
from bench.attacks.kinds import ATTACKS
from bench.attacks.measure import Pace, measured
from bench.attacks.memory import Held, alike
from bench.attacks.neighbours import Try, summary
from bench.attacks.server import options_of
from bench.report import Part, Target
from bench.server_process import ROOT
from tests.kit.process import START_SECONDS
from tests.kit.story import WITHIN, run


@pytest.mark.parametrize("coding", bodies.CODINGS)
def test_a_body_grows_a_thousand_times(coding: str) -> None:
    """A thousandth of what it becomes, in both codings."""
    body = bodies.packed(coding, 5)
    assert len(body) < 10_000
    assert zlib.decompress(body, bodies.CODINGS[coding]) == bytes(5 * bodies.MEGABYTE)


def test_every_frame_of_a_costly_clip_is_at_another_rate_than_the_one_before() -> None:
    """By the index in the head of each frame of AAC: 0 is 96 kHz, 1 is 88.2 kHz."""
    rates = [frame[2] >> 2 & 15 for frame in sounds._frames(sounds.alternating(2, 12_000))]
    assert len(rates) > 100
    assert set(itertools.pairwise(rates)) == {(0, 1), (1, 0)}


def test_a_faulty_profile_is_as_large_as_a_message_may_be() -> None:
    """5,200 fields that nobody knows, in less than 64 KB."""
    message = profiles.message()
    assert len(message) < 64 * 1024
    assert len(orjson.loads(message)["profile"]) == profiles.FIELDS


def test_each_case_has_its_attack() -> None:
    """And every attack is tried."""
    assert {case.attack for case in CASES.values()} - {""} == ATTACKS.keys()


def test_who_was_not_served_in_time_has_waited_until_the_end() -> None:
    """One was served, one was refused, one still waits, one came later."""
    tries = [Try(1, 0.5), Try(2, 0.1, instead="busy"), Try(3), Try(9, 0.1)]
    told = summary(tries, 0, 5)
    assert (told["of"], told["served"], told["p99"]) == (3, 1, 2000)
    assert told["instead"] == {"busy": 1, "no answer yet": 1}


@pytest.mark.parametrize(("server", "children", "back"), [(110, 50, True), (150, 50, False), (100, 90, False)])
def test_memory_is_back_when_hardly_more_is_held(server: float, children: float, back: bool) -> None:
    """Of the server, and of its children."""
    assert alike(Held(0, server, children), Held(0, 100, 50)) is back


def test_rows_that_were_not_measured_again_are_kept(tmp_path: Path) -> None:
    """And so are their targets; a row that was replaces the one before."""

    def part(**rows: int) -> Part:
        targets = [Target(name, "1", str(got), True) for name, got in rows.items()]
        return Part("attacks", [{"attack": name, "got": got} for name, got in rows.items()], targets, key="attack")

    file = tmp_path / "results.json"
    report.save([part(one=1, two=2)], "quick", file)
    report.save([part(two=3)], "quick", file)
    saved = orjson.loads(file.read_bytes())["parts"]["attacks"]
    assert saved["rows"] == [{"attack": "one", "got": 1}, {"attack": "two", "got": 3}]
    assert [target["got"] for target in saved["targets"]] == ["1", "3"]


@asynccontextmanager
async def attackers(name: str, port: int, seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process of the attackers, ready to attack."""
    arguments = [name, str(port), str(seconds), "1"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.attacks.process", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stdout
        async with asyncio.timeout(START_SECONDS):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("seconds", [0.5, 1000.0])
def test_attackers_come_from_their_own_address_and_end(seconds: float) -> None:
    """The process ends after its time, or when stdin is closed; it then reports what it spent."""

    async def story() -> None:
        came: list[str] = []
        heard = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(writer.get_extra_info("peername")[0])
            with suppress(ConnectionError):
                while await reader.read(65536):
                    heard.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with attackers("half requests", server.sockets[0].getsockname()[1], seconds) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(b"go\n")
            async with asyncio.timeout(WITHIN):
                if seconds > WITHIN:
                    await heard.wait()
                    process.stdin.close()
                spent = orjson.loads(await process.stdout.readline())
                assert await process.wait() == 0
        server.close()
        assert set(came) <= {"127.0.0.2"}
        assert len(came) <= spent["connections"]
        assert spent["seconds"] >= seconds or (came and spent["sent"])

    run(story())


def test_a_checkout_says_which_options_its_server_has() -> None:
    """By its own help."""
    assert {"--sessions", "--connects", "--upstream-url"} < options_of(ROOT)


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_each_case_can_be_measured(name: str) -> None:
    """Each attack runs for a second beside three callers; the effect on the server is not checked."""

    async def story() -> None:
        case = replace(CASES[name], seconds=1.0, callers=3)
        try:
            row = await measured(case, ROOT, Pace(settle=1.0, before=1.0, after=0.0))
        except OSError:
            if not case.handles:  # with few of them it may refuse to start
                raise
            return
        assert (row["callers"], row["p50_before"] > 0) == (3, True)
        assert not case.attack or row["spent"]["connections"] > 0

    run(story(), uvloop.new_event_loop)
