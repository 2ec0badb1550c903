"""Personas whose language the model does not have, over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from audio import wav
from phone import CallFailed
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.languages import MARATHI, SEVEN, TAMIL, URDU
from tests.kit.parts import SECOND
from tests.kit.story import run
from upstream.models import LOCAL


@asynccontextmanager
async def served(model: str = LOCAL) -> AsyncIterator[Exchange]:
    """The seven, answered by the engine under this name of a model."""
    async with exchange(catalogue=SEVEN, upstream=lambda real: replace(real, model=model)) as line:
        yield line


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("astrologer", [TAMIL, URDU])
def test_a_choice_that_cannot_be_served_leaves_the_call_as_it_is(astrologer: str, stream: bool) -> None:
    """The persona before answers the next turn, over the same connection."""
    mode = {"mode": "stream"} if stream else {}

    async def story() -> None:
        async with served() as line, line.phone() as phone:
            with pytest.raises(CallFailed, match="language_not_served"):
                await phone.choose(astrologer, **mode)
            await phone.choose(TINA, **mode)
            await (phone.reply() if stream else phone.answer())
            with pytest.raises(CallFailed, match="language_not_served"):
                await phone.choose(astrologer, **mode)
            await phone.say(type="text", text="hello")
            answer = await (phone.reply() if stream else phone.answer())
            assert "hello" in answer.text
            assert line.counters.upstream_lost == 0

    run(story())


def test_who_is_spoken_and_not_heard_takes_typed_turns() -> None:
    """A clip gets an error and no connection is lost; what is typed is answered before and after it."""

    async def story() -> None:
        async with served() as line, line.phone() as phone:
            await phone.choose(MARATHI)
            assert (await phone.hear("notice"))["code"] == "typed_only"
            await phone.answer()
            for _ in range(2):
                with pytest.raises(CallFailed, match="language_not_served"):
                    await phone.ask(wav(SECOND))
                await phone.say(type="text", text="माझे लग्न")
                assert "माझे लग्न" in (await phone.answer()).text
            assert line.counters.upstream_lost == 0

    run(story())


def test_a_model_of_which_nothing_is_known_says_it_turn_by_turn() -> None:
    """An engine under another name: the choice is taken, the turn fails, and the call goes on with somebody else."""

    async def story() -> None:
        async with served("somebody-else") as line, line.phone() as phone:
            await phone.choose(TAMIL)
            await phone.answer()
            with pytest.raises(CallFailed, match="language_not_served"):
                await phone.ask(wav(SECOND))
            await phone.choose(TINA)
            await phone.answer()
            assert "seconds in hi" in (await phone.ask(wav(SECOND))).text
            assert line.counters.upstream_lost == 0

    run(story())
