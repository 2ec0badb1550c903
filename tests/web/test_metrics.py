"""The figures, as Prometheus would read them."""

import asyncio
from dataclasses import replace

import aiohttp
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from actors import runtime
from actors.counters import Counters
from actors.runtime import Boot, Watchdog
from actors.services import Limits
from audio import Pool
from tests.kit.exchange import CLIPS, Exchange, exchange
from tests.kit.four import TINA
from tests.kit.story import run, until
from upstream.models import LOCAL
from web.metrics import Metrics


async def read(line: Exchange) -> dict[tuple[str, str], float]:
    """(name, the value of its label) -> value."""
    async with aiohttp.ClientSession() as client, client.get(line.metrics) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        families = text_string_to_metric_families(await answer.text())
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


async def ended(line: Exchange, count: int) -> None:
    """So many sessions are over."""
    await until(lambda: line.counters.ended.total() == count)


def test_a_call_is_counted_from_its_beginning_to_its_end() -> None:
    """Callers, actors by kind, tasks and bytes while it lasts; its close code, and nothing left, when it is over."""

    async def story() -> None:
        async with exchange(Limits(sessions=1)) as line:
            before = await read(line)
            async with line.phone() as phone, line.phone("two") as two:
                await phone.say(type="config", astrologer_id="nobody")
                await phone.hear("error")
                await phone.choose(TINA)
                await phone.answer()
                await phone.ask((CLIPS / "hi_love_me.m4a").read_bytes())
                assert (await two.closed()).code == 4429
                during = await read(line)
                await until(lambda: bool(line.counters.allowances))
                await phone.say(type="end")
                await phone.closed()
            await ended(line, 1)
            after = await read(line)
        assert [counters["voice_callers", ""] for counters in (before, during, after)] == [0, 1, 0]
        assert after["voice_transcribed_seconds_total", ""] > before["voice_transcribed_seconds_total", ""] == 0
        assert after["voice_rate_limit_remaining", "tokens"] > 0
        actors = {kind: count for (name, kind), count in during.items() if name == "voice_actors"}
        assert actors == {"supervisor": 1, "session": 1, "persona": 1, "guardian": 1, "bridge": 1}
        assert [count for (name, _), count in after.items() if name == "voice_actors"] == [1]
        assert during["voice_tasks", ""] > after["voice_tasks", ""]
        assert after["voice_sessions_begun_total", ""] == 1
        assert after["voice_sessions_ended_total", "1000"] == 1
        assert after["voice_calls_refused_total", "4429"] == 1
        assert after["voice_messages_refused_total", "unknown_astrologer"] == 1
        assert after["voice_received_bytes_total", ""] > 4 / 3 * len((CLIPS / "hi_love_me.m4a").read_bytes())
        assert after["voice_sent_bytes_total", ""] > 2 * 4 / 3 * 48_000
        assert (during["voice_decoders_busy", ""], during["voice_clips_waiting", ""]) == (0, 0)
        assert after["voice_turn_phase_seconds_count", "created"] == 1
        assert after["voice_turn_phase_seconds_count", "first_audio"] == 1
        assert ("voice_turn_phase_seconds_count", "released") not in after  # of a reply that is sent whole
        assert (after["voice_answer_stalls_total", ""], after["voice_answers_moved_total", ""]) == (0, 0)
        assert before["process_resident_memory_bytes", ""] > 0

    run(story())


def test_how_a_call_ended_is_told_by_its_close_code() -> None:
    """Simply gone is 1006."""

    async def story() -> None:
        async with exchange() as line:
            async with line.phone() as phone:
                phone.socket.transport.abort()
            await ended(line, 1)
            assert (await read(line))["voice_sessions_ended_total", "1006"] == 1

    run(story())


def test_estimated_tokens_are_marked() -> None:
    """By the record of the model that answers."""

    async def marked(model: str) -> float:
        async with exchange(upstream=lambda real: replace(real, model=model)) as line:
            return (await read(line))["voice_tokens_estimated", ""]

    assert [run(marked(model)) for model in (LOCAL, "gpt-realtime-2.1")] == [1, 0]


def test_losses_and_a_refused_account_are_seen() -> None:
    """A connection that is refused counts as lost, and bars the others."""

    async def story() -> None:
        async with exchange(upstream=lambda real: type(real)(real.url, real.model, "wrong")) as line:
            assert (await read(line))["voice_upstream_barred", ""] == 0
            async with line.phone() as phone:
                await phone.say(type="config", astrologer_id=TINA)
                await phone.closed()
            counters = await read(line)
            assert (counters["voice_upstream_barred", ""], counters["voice_upstream_lost_total", ""]) == (1, 1)

    run(story())


def test_what_was_worst_is_told_for_two_minutes() -> None:
    """The deepest mailbox, beside the lateness of the loop and the dead letters."""

    async def story() -> None:
        async with exchange() as line:
            watchdog = Watchdog(line.counters.late)
            try:
                await until(lambda: sum(line.counters.late.counts) >= 3)
                runtime.ref.dead_letters += 1
                counters = await read(line)
                letters = counters["voice_dead_letters_total", ""]
                assert letters == runtime.ref.dead_letters
                assert (
                    counters["voice_loop_late_seconds_bucket", "+Inf"] == counters["voice_loop_late_seconds_count", ""]
                )
                assert counters["voice_loop_late_seconds_count", ""] >= 3
                for _ in range(500):
                    line.supervisor.tell(Boot())
                await asyncio.sleep(0)
                assert (await read(line))["voice_mailbox_deepest", ""] >= 500
                runtime.watchdog.running.next_minute()
                assert (await read(line))["voice_mailbox_deepest", ""] >= 500
                runtime.watchdog.running.next_minute()
                assert (await read(line))["voice_mailbox_deepest", ""] < 500
            finally:
                watchdog.stop()

    run(story())


def test_two_servers_in_one_process_count_apart() -> None:
    """Nothing is registered for the process."""

    async def story() -> None:
        one, two = Metrics(Counters(begun=3), Pool()), Metrics(Counters(begun=5), Pool())
        request = make_mocked_request("GET", "/metrics")
        told = [(await metrics.show(request)).body for metrics in (one, two)]
        for body, callers in zip(told, (b"3.0", b"5.0"), strict=True):
            assert isinstance(body, bytes)
            assert b"\nvoice_callers " + callers + b"\n" in body

    run(story())
