"""What is known of the models."""

from datetime import date

import pytest

from realtime.client.requests import TRANSCRIBER
from upstream import models
from upstream.link import Upstream


def test_the_model_we_ask_for_by_default_is_known_whole() -> None:
    """Nothing to warn of, and what it costs is known, with the day of the price."""
    model = models.named("gpt-realtime-2.1")
    assert model.doubts == []
    assert model.can == models.Capabilities()
    assert model.prices
    assert (model.prices.audio_in, model.prices.audio_out) == (32, 64)
    assert date.fromisoformat(model.prices.of)


@pytest.mark.parametrize(("name", "day"), [("gpt-realtime", "2027-01-20"), ("whisper-1", "2027-02-26")])
def test_a_model_that_retires_is_warned_of(name: str, day: str) -> None:
    """Also one that only transcribes."""
    assert models.named(name).doubts == [f"the model {name} shuts down on {day}"]


def test_the_transcriber_in_use_is_known_and_stays() -> None:
    """It is named in the code, not in a setting."""
    assert models.named(TRANSCRIBER).doubts == []


def test_an_unknown_model_is_taken_for_what_the_api_promises() -> None:
    """And warned of."""
    model = models.named("gpt-next")
    assert model.can == models.Capabilities()
    assert len(model.doubts) == 1


def test_the_local_engine_costs_nothing_and_estimates() -> None:
    """Its tokens are not OpenAI's, and it has some languages only."""
    model = models.named(models.LOCAL)
    assert (model.doubts, model.prices, model.can.counts_tokens) == ([], None, False)
    assert set(model.can.languages.heard) == {"en", "hi"}


def test_an_upstream_may_let_sessions_last_less() -> None:
    """The setting goes before the model's record."""
    assert Upstream("ws://x", "gpt-realtime-2.1").can.session_seconds == 3600
    assert Upstream("ws://x", "gpt-realtime-2.1", session_seconds=1800).can.session_seconds == 1800
