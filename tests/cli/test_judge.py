"""The settings of a judge model: what a server does not start with."""

import pytest

from actors.counters import Counters
from cli.failure import CannotServe
from cli.judge import JudgeSettings, judging
from tests.kit import secrets
from tests.kit.judge import judge_model
from tests.kit.story import run, until

KEY = secrets.key("a-key-that-stands-in-the-settings.of-the-judge")


@pytest.mark.parametrize(
    ("url", "model", "says"),
    [
        ("http://judge.example/v1", "judge-1", "read what callers say"),
        ("ftp://127.0.0.1/v1", "judge-1", "write a base URL"),
        ("judge.example", "judge-1", "write a base URL"),
        ("https://[::1/v1", "judge-1", "write a base URL"),
        ("https://judge.example:99999/v1", "judge-1", "write a base URL"),
        ("https://judge.example/v1?key=x", "judge-1", "write a base URL"),
        ("https://me:secret@judge.example/v1", "judge-1", "write a base URL"),
        ("https://:secret@judge.example/v1", "judge-1", "write a base URL"),
        ("https://judge.example/v1#x", "judge-1", "write a base URL"),
        ("https://judge.example/v1", "", "--care-judge-model"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, model: str, says: str) -> None:
    """At the start, and without the key."""

    async def story() -> None:
        async with judging(JudgeSettings(care_judge_url=url, care_judge_model=model, care_judge_key=KEY), Counters()):
            pass

    with pytest.raises(CannotServe, match=says):
        run(story())


@pytest.mark.parametrize("url", ["https://judge.example/v1", "http://127.0.0.1:8080/v1", "http://localhost/v1"])
def test_a_judge_is_asked_so_often(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says at the start that words go there."""
    caplog.set_level("INFO")

    async def story() -> None:
        settings = JudgeSettings(care_judge_url=url, care_judge_model="judge-1", care_judge_minute=12)
        async with judging(settings, Counters()) as judge:
            assert judge
            assert judge.pause == 5.0

    run(story())
    assert "what is said in calls is read by judge-1 at " in caplog.text


def test_the_key_and_the_limit_are_those_of_the_settings() -> None:
    """As the judge sees them."""

    async def story() -> None:
        async with judge_model() as (model, url):
            model.answers = model.hang
            settings = JudgeSettings(
                care_judge_url=url, care_judge_model="judge-1", care_judge_key=KEY, care_judge_at_once=2
            )
            async with judging(settings, Counters()) as judge:
                assert judge
                asked = [judge.ask((("user", "hello"),), lambda _: None) is not None for _ in range(3)]
                assert asked == [True, True, False]
                await until(lambda: len(model.asked) == 2)
            assert {headers["Authorization"] for headers, _ in model.asked} == {f"Bearer {KEY}"}

    run(story())


def test_a_key_with_a_line_break_is_refused() -> None:
    """As a file has it: every question would fail. It is not shown."""

    async def story() -> None:
        async with judging(
            JudgeSettings(care_judge_url="https://judge.example/v1", care_judge_model="m", care_judge_key=f"{KEY}\n"),
            Counters(),
        ):
            pass

    with pytest.raises(CannotServe, match="CARE_JUDGE_KEY: a key is one line") as refused:
        run(story())
    assert KEY not in str(refused.value)


def test_without_one_nothing_is_asked() -> None:
    """As a server comes."""

    async def story() -> None:
        async with judging(JudgeSettings(), Counters()) as judge:
            assert judge is None

    run(story())
    assert KEY not in repr(JudgeSettings(care_judge_key=KEY))
