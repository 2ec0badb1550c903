"""A budget over real sockets, with the usage that the engine reports."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from actors.budgets.limits import Budgets
from cli.budget_file import open_or_replace
from phone import CallEnded, Phone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.process import server
from tests.kit.story import run


async def figures(line: Exchange) -> dict[str, float]:
    """Those of budgets."""
    async with aiohttp.ClientSession() as client, client.get(line.metrics) as answer:
        return {
            name: float(value) for name, value in re.findall(r"^(voice_budget\S+) (\S+)$", await answer.text(), re.M)
        }


async def spent(phone: Phone) -> CallEnded:
    """Ask until the call is closed."""
    await phone.choose(TINA)
    try:
        for _ in range(100):
            await phone.say(type="text", text="Will I marry?")
            await phone.hear("audio_response")
    except CallEnded as ended:
        return ended
    raise AssertionError("it never ended")


def test_a_user_spends_their_day() -> None:
    """A notice, 4402 with its reason; the next call is refused for it, another user's is not."""

    async def story() -> None:
        async with exchange(budgets=Budgets(budget_user_tokens=5000, budget_day_usd=50)) as line:
            async with line.phone("one") as phone:
                ended = await spent(phone)
            reason = "what your calls may cost in a day is spent: call again after 00:00 UTC"
            assert (ended.code, ended.reason) == (4402, reason)
            told = [one["message"] for one in phone.seen if one["type"] == "notice" and one["code"] == "budget"]
            assert "your calls may cost in a day" in told[0]
            assert phone.seen[-1]["type"] == "summary"
            async with line.phone("one") as again:
                refused = await again.closed()
                assert (refused.code, refused.reason, refused.error and refused.error["code"]) == (
                    4402,
                    reason,
                    "budget",
                )
            async with line.phone("two") as other:
                await other.choose(TINA)
                await other.answer()
            read = await figures(line)
            assert read['voice_budget_stops_total{limit="user_tokens"}'] == 2
            assert 0 < read['voice_budget_spent_ratio{limit="day_usd"}'] < 0.1

    run(story())


def test_a_server_that_starts_knows_what_was_spent(tmp_path: Path) -> None:
    """The user has spent their day before the restart."""
    path, today = tmp_path / "budgets", datetime.now(UTC)
    days = [f"{(today + timedelta(days=more)).date()}" for more in (0, 1)]  # it may be midnight meanwhile
    file, _ = open_or_replace(path)
    file.write({(day, "one"): {"tokens": 100} for day in days}, days)
    file.close()
    options = ("--budget-user-tokens", "100", "--budget-file", f"{path}", "--upstream-url", "ws://127.0.0.1:9/v1")

    async def story(url: str) -> CallEnded:
        async with Phone(url, "one") as phone:
            return await phone.closed()

    with server(*options) as running:
        assert run(story(running.url)).code == 4402
        assert running.stop() == 0
