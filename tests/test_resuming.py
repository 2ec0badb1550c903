"""Calls that survive the caller's network: through the real server, over a line that the test cuts."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors.call.resume import absence
from actors.call.snapshot import SessionSnapshot
from actors.services import Limits
from audio import SYNTHETIC, wav
from bench.fragile_line import fragile_line
from cli.call import Script, place
from phone import CallEnded, Phone
from phone.lasting import LastingPhone
from tests.kit.exchange import exchange
from tests.kit.four import TINA
from tests.kit.insides import shown
from tests.kit.story import run, until
from tests.test_streams import BURST
from web.client_limits import ClientLimits

SOME = "This takes a second. " * 5


def cut(phone: Phone) -> None:
    """The line is gone, without a word."""
    phone.socket.transport.abort()


async def whole(phone: LastingPhone, times: int) -> tuple[bytes, str]:
    """Hear a reply to its end while the line is cut so often; its sound, and its words."""
    pcm, cuts, words = bytearray(), 0, ""
    async with asyncio.timeout(60):
        while True:
            message = await phone.next()
            match message:
                case {"type": "sound", "pcm": piece}:
                    pcm += piece
                    if cuts < times and len(pcm) > (cuts + 1) * 48_000:
                        cuts += 1
                        cut(phone)
                case {"type": "transcript", "role": "assistant", "final": True, "text": text}:
                    words = text
                case {"type": "response_done"}:
                    return bytes(pcm), words


@pytest.mark.thorough
def test_an_answer_is_heard_whole_over_a_line_that_is_cut() -> None:
    """Every byte of it once, and in order, however often the line goes."""

    async def story() -> None:
        async with exchange() as line:
            heard: list[bytes] = []
            for times in (0, 3):
                async with LastingPhone(line.url, f"user-{times}", {"mode": "stream"}) as phone:
                    await phone.choose(TINA, mode="stream")
                    await phone.reply()
                    await phone.say(type="text", text=SOME)
                    pcm, _ = await whole(phone, times)
                    assert phone.resumed == times
                    heard.append(pcm)
                    await phone.say(type="end")
                    assert (await phone.closed()).code == 1000
            assert heard[0] == heard[1]

    run(story())


async def talked(phone: LastingPhone) -> None:
    """The persona greets, and answers something."""
    await phone.choose(TINA, mode="stream")
    await phone.reply()
    await phone.say(type="text", text="Hello.")
    await phone.reply()


async def resume(url: str, user: str, **ask: Any) -> tuple[Phone, dict[str, Any]]:
    """A connection that asks for a call, and what it is told first."""
    phone = Phone(url, user, {"resume": "true"})
    await phone.__aenter__()
    await phone.say(type="resume", **ask)
    return phone, await phone.next()


def test_what_is_said_into_a_dead_line_is_heard_once() -> None:
    """The client has sent it, or recorded it meanwhile: the model hears one turn, and no part of it twice."""

    async def story() -> None:
        async with exchange() as line, LastingPhone(line.url, "user-1") as phone:
            await talked(phone)
            cut(phone)
            await phone.say(type="text", text="One.")  # perhaps it is sent
            await phone.say(type="text", text="Two.")
            phone._up = False
            await phone.say(type="text", text="Three.")
            words = ""
            while "Three" not in words:
                message = await phone.next()
                if message["type"] == "transcript" and message["role"] == "assistant" and message["final"]:
                    words = message["text"]
            assert words == "You said Hello., then One., then Two., then Three.."
            assert phone.resumed == 1

    run(story())


def test_nobody_gets_the_call_of_another() -> None:
    """A stolen token is of no use to another user, whose try changes nothing; its owner still comes back."""

    async def story() -> None:
        async with exchange() as line, LastingPhone(line.url, "owner") as phone:
            await talked(phone)
            thief, told = await resume(line.url, "thief", token=phone.token, attach=0, received=phone.received)
            assert (told["type"], told["code"]) == ("not_resumed", "unknown")
            await thief.say(type="ping")  # an ordinary call, of the thief's own
            await thief.hear("pong")
            cut(phone)
            await phone.say(type="text", text="It is me.")
            await phone.reply()
            assert phone.resumed == 1
            await thief.socket.close()

    run(story())


def test_a_call_that_has_ended_is_told_with_its_bill() -> None:
    """And the connection is a new call."""

    async def story() -> None:
        async with exchange() as line:
            async with LastingPhone(line.url, "user-1") as phone:
                await talked(phone)
                await phone.say(type="end")
                assert (await phone.closed()).code == 1000
            late, told = await resume(line.url, "user-1", token=phone.token, attach=0, received=phone.received)
            assert (told["type"], told["code"]) == ("not_resumed", "ended")
            assert told["summary"]["by_persona"][0]["astrologer_id"] == TINA
            await late.choose(TINA)
            await late.socket.close()

    run(story())


def test_who_asks_in_vain_takes_no_call_from_their_own_user() -> None:
    """They have called from another device since: that call goes on until this connection begins one."""

    async def story() -> None:
        async with exchange() as line, LastingPhone(line.url, "user-1", {"astrologer_id": TINA}) as phone:
            await talked(phone)
            cut(phone)
            async with Phone(line.url, "user-1") as other:
                await other.choose(TINA)
                with pytest.raises(CallEnded, match="ended: "):
                    await phone.hear("response_started")
                ask = {"token": phone.token, "attach": 0, "received": phone.received}
                gone, _ = await resume(line.url, "user-1", **ask)
                await gone.socket.close()
                late, told = await resume(line.url, "user-1", **ask)
                assert told["code"] == "ended"
                await (await late.socket.ping())
                await other.say(type="ping")
                await other.hear("pong")
                await late.say(type="ping")
                await late.hear("pong")
                assert (await other.closed()).code == 4409
                await late.socket.close()
            await until(lambda: not line.left()["actors"][1:])

    run(story())


def test_who_asks_in_vain_and_says_nothing_more_is_closed() -> None:
    """They count for nothing."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(begin_seconds=0.2)) as line:
            late, told = await resume(line.url, "user-1", token="guessed", attach=0, received=0)
            assert told["code"] == "unknown"
            assert (await late.closed()).code == 4408
            await until(lambda: not line.left()["actors"][1:])
            assert line.counters.begun == 0

    run(story())


@pytest.mark.thorough
def test_of_two_connections_the_later_one_has_the_call() -> None:
    """The other is closed with 4410, and is to stay away."""

    async def story() -> None:
        async with exchange() as line, LastingPhone(line.url, "user-1") as phone:
            await talked(phone)
            ask = {"token": phone.token, "attach": 0, "received": phone.received}
            one, first = await resume(line.url, "user-1", **ask)
            two, second = await resume(line.url, "user-1", **ask)
            assert (first["attach"], second["attach"]) == (1, 2)
            assert (await one.closed()).code == 4410
            assert (await Phone.closed(phone)).code == 4410
            await two.say(type="text", text="Goodbye.")
            await two.reply()
            await two.say(type="end")
            assert (await two.closed()).code == 1000

    run(story())


@pytest.mark.parametrize("first", [{"type": "ping"}, {"type": "resume"}, None])
def test_a_connection_that_promised_to_resume_does_so_first(first: dict[str, Any] | None) -> None:
    """Else it is closed: with 4400 if it says something else, with 4408 if it says nothing."""

    async def story() -> None:
        async with exchange(client_limits=ClientLimits(resume_seconds=0.2)) as line:
            async with Phone(line.url, "user-1", {"resume": "true"}) as phone:
                if first:
                    await phone.say(**first)
                assert (await phone.closed()).code == (4400 if first else 4408)
            await until(lambda: not line.left()["actors"][1:])

    run(story())


@pytest.mark.thorough
def test_nothing_is_sent_before_the_answer() -> None:
    """Who sends at once does not know from where to go on."""

    async def story() -> None:
        async with exchange() as line, LastingPhone(line.url, "user-1") as phone:
            await talked(phone)
            async with Phone(line.url, "user-1", {"resume": "true"}) as hasty:
                ask = {"type": "resume", "token": phone.token, "attach": 0, "received": phone.received}
                hasty.socket.protocol.send_text(orjson.dumps(ask))
                hasty.socket.protocol.send_text(b'{"type":"ping"}')
                hasty.socket.transport.write(b"".join(hasty.socket.protocol.data_to_send()))
                assert (await hasty.closed()).code == 4400
            await phone.say(type="end")
            assert (await phone.closed()).code == 1000

    run(story())


@pytest.mark.thorough
def test_coming_back_counts_for_no_limit_of_calls() -> None:
    """Of the user, of the address and of all: ten times in a row, where two new calls are too many."""

    async def story() -> None:
        limits = Limits(sessions=1, connects=4, calls=1, takeovers=1, address_connects=100)
        async with exchange(limits) as line, LastingPhone(line.url, "user-1") as phone:
            await talked(phone)
            for times in range(10):
                cut(phone)
                await phone.say(type="ping")
                await phone.hear("pong")
                assert phone.resumed == times + 1
            async with Phone(line.url, "user-2") as other:
                assert (await other.closed()).code == 4429

    run(story())


@pytest.mark.thorough
def test_a_full_server_lets_the_one_longest_away_go() -> None:
    """Who is there is kept."""

    async def story() -> None:
        async with (
            exchange(Limits(sessions=2)) as line,
            LastingPhone(line.url, "here") as here,
            LastingPhone(line.url, "away") as away,
        ):
            await talked(here)
            await talked(away)
            gone = line.session("away")
            cut(away)
            await until(lambda: shown(gone, SessionSnapshot).away)
            async with Phone(line.url, "new") as new:
                await new.choose(TINA)
            await here.say(type="ping")
            await here.hear("pong")
            late, told = await resume(line.url, "away", token=away.token, attach=0, received=away.received)
            assert told["code"] == "ended"
            await late.socket.close()

    run(story())


@pytest.mark.thorough
def test_a_call_that_cuts_its_own_line_is_answered_like_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`call --stream --drop` hears the greeting and an answer whole, and comes back each time."""
    monkeypatch.setattr(absence, "WORTH_SECONDS", 0.5)
    monkeypatch.setattr(import_module("cli.call"), "KEPT_AFTER", 0.7)  # `cli.call` is the function
    recording = tmp_path / "hello.wav"
    recording.write_bytes(wav(BURST))
    told: list[tuple[str, Any]] = []

    async def story() -> None:
        async with exchange() as line:
            script = Script(line.url, "caller", TINA, (recording,), tmp_path, stream=True, drop=0.7)
            await place(script, lambda event, facts: told.append((event, facts)))

    run(story())
    assert [event for event, _ in told if event in ("on_the_line", "saved", "ended")][-1] == "ended"
    assert len([event for event, _ in told if event == "saved"]) == 2
    assert told[-1][1]["code"] == 1000


@pytest.mark.thorough
def test_a_line_that_is_dead_without_a_word_is_left() -> None:
    """The client finds out by its pings; what was swallowed comes again, once."""

    async def story() -> None:
        async with exchange() as line, fragile_line(int(line.url.rpartition(":")[2])) as network:
            query = {"mode": "stream", "astrologer_id": TINA}
            keepalive = {"ping_interval": 0.3, "ping_timeout": 2.0, "close_timeout": 0.1}
            async with LastingPhone(network.url, "user-1", query, keepalive=keepalive) as phone:
                await phone.reply()
                await phone.say(type="text", text=SOME)
                pcm, swallowed = bytearray(), False
                while (message := await phone.next())["type"] != "response_done":
                    pcm += message.get("pcm", b"")
                    if len(pcm) > 48_000 and not swallowed:
                        swallowed = True
                        network.half_open(0.1)
                assert phone.resumed == 1
            async with LastingPhone(line.url, "user-2", query) as other:
                await other.reply()
                await other.say(type="text", text=SOME)
                assert wav(bytes(pcm), SYNTHETIC) == (await other.reply()).wav

    run(story())


@pytest.mark.thorough
def test_who_is_away_is_counted_and_the_log_says_how_often(caplog: pytest.LogCaptureFixture) -> None:
    """What waits for them is known as that of somebody who is away; nothing of it is left behind."""
    caplog.set_level("INFO", "actors.session")

    async def story() -> None:
        async with exchange() as line:
            async with LastingPhone(line.url, "user-1") as phone:
                await talked(phone)
                for times in (1, 2):
                    session = line.session()
                    cut(phone)
                    await until(lambda: shown(session, SessionSnapshot).away)  # noqa: B023
                    assert (line.counters.away, len(line.waiting.away)) == (1, 1)
                    await phone.say(type="ping")
                    await phone.hear("pong")
                    assert (line.counters.away, line.counters.resumed, len(line.waiting.away)) == (0, times, 0)
                cut(phone)
                await until(lambda: line.counters.away == 1)
                async with Phone(line.url, "user-1") as anew:
                    await until(lambda: line.counters.ended == {4409: 1})
                    await anew.socket.close()
            assert (line.counters.away, line.counters.given_up, len(line.waiting.away)) == (0, {4409: 1}, 0)

    run(story())
    (ended,) = (line for line in caplog.messages if line.startswith("ended ") and "away=" in line)
    assert " away=3 away_seconds=" in ended
