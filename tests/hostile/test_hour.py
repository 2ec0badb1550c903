"""The hostile hour itself: its attacks can be prepared, come from strangers' addresses, and end; a short one holds."""

import asyncio
from pathlib import Path

import pytest
import uvloop

from bench.attacks.attacker import Attacker
from tests.hostile import __main__ as command
from tests.hostile import hour, words
from tests.hostile.attackers import Guest, text
from tests.hostile.crew import crew
from tests.hostile.kinds import ATTACKS
from tests.kit.doors import KEY, entrance_of
from tests.kit.exchange import exchange
from tests.kit.secrets import INSIDES
from tests.kit.story import run


def test_what_comes_back_is_looked_through() -> None:
    """Also where a secret comes in two pieces; that of a frame is where it stands."""
    guest = Guest(1, 1, 2)
    wire = guest.wire()
    for piece in (b"HTTP/1.1 101 \r\n", b"\r\n", b"x" * 500 + KEY[:9].encode(), KEY[9:].encode() + b"yy", b"nothing"):
        wire.data_received(piece)
    assert len(guest.leaks) == 1
    assert wire.status == "101"


def test_a_guest_is_let_in_and_others_are_not(tmp_path: Path) -> None:
    """By the token of the user in the path, whatever characters that has."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            port, admin = int(line.http.rpartition(":")[2]), int(line.metrics.split(":")[2].split("/")[0])
            guest = Guest(port, 1, admin)
            call = await guest.opened(guest.path("astrologer_id=tina_kulkarni_vedic_marriage"), early=text(b"{}"))
            await call.until(lambda: guest.told["bad_message"] + guest.told["unknown_type"] > 0)
            call.cut()
            stranger = Attacker(port)
            refused = await stranger.call()
            await refused.until(lambda: stranger.told["closed with 4401"] > 0)
            await guest.ask(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", admin=True)
            assert guest.told["200"] == 1
            assert guest.leaks == []

    run(story())


def test_words_are_hidden_that_exist() -> None:
    """Keys, prompts, and what a traceback begins with: none is empty, none is what an attacker says."""
    assert all(len(secret) > 12 for secret in words.hidden() if secret not in INSIDES)
    assert not [secret for secret in words.hidden() if any(secret in said for said in words.EVERY)]


def test_a_phase_that_is_unknown_is_no_attack(capsys: pytest.CaptureFixture[str]) -> None:
    """The names are told."""
    assert command.main(["nothing of the kind"]) == 64
    told = capsys.readouterr().err
    assert all(name in told for name in ATTACKS)


@pytest.mark.thorough
def test_a_short_hour_holds() -> None:
    """Every attack runs for a second beside five callers; times are not compared, and so attackers need not yield."""

    async def story() -> None:
        plan = hour.Plan(callers=5, settle=1, warming=1, calm=0.5, attack=1, rest=0.2, again=0, yields=False)
        part = await hour.run(plan, [])
        assert [row["attack"] for row in part.rows] == list(ATTACKS)
        assert [
            target for target in part.targets if target.what != "p99 of callers who behave" and not target.met
        ] == []

    run(story(), uvloop.new_event_loop)


@pytest.mark.thorough
def test_attackers_end_when_nobody_gives_orders() -> None:
    """They are at an address where nobody listens, and say so."""

    async def story() -> None:
        async with crew(1, 2, yields=False) as attackers:
            await attackers.ready()
            spent = await attackers.attack("words", 3.0)
            assert spent["failed"] == spent["connections"] > 0
            assert spent["leaks"] == []
            attackers._orders.close()
            async with asyncio.timeout(60):
                assert await attackers._report.read() == b""

    run(story())
