"""Which tokens are used, and for how long that is remembered."""

import asyncio

from web.auth.used_tokens import MOST_TRIES, MemoryUsedTokens


def test_a_token_may_be_tried_again_until_something_is_said() -> None:
    """Three times, each token by itself; then, or once it is spent, no more."""

    async def story() -> None:
        used = MemoryUsedTokens(lambda: 0.0)
        assert [await used.take("a", 60) for _ in range(MOST_TRIES + 2)] == [True] * MOST_TRIES + [False] * 2
        assert await used.take("b", 60)
        used.spend("b")
        assert not await used.take("b", 60)

    asyncio.run(story())


def test_nothing_is_remembered_for_longer_than_a_token_lasts() -> None:
    """It is refused by its time then."""
    now = [0.0]

    async def story() -> None:
        used = MemoryUsedTokens(lambda: now[0])
        for number in range(1000):
            now[0] = number
            await used.take(f"{number}", number + 60)
            used.spend(f"{number}")
            assert len(used) <= 62
        used.spend("0")  # of a call that was heard late
        assert len(used) <= 62

    asyncio.run(story())
