"""What the fleet limits together: what every register does, in memory and in Redis."""

import asyncio
from datetime import UTC, datetime

from register import Claim, Epoch, Spent, ToldAge
from tests.kit.redis import Fleet, RedisServer, comes_true, nodes_of
from tests.kit.story import run

KEPT = 60.0


def claim(user: str, epoch: int) -> Claim:
    """A life of this user's."""
    return Claim(user, Epoch(epoch), b"")


def test_a_persona_has_so_many_places_over_all_nodes(fleet: Fleet) -> None:
    """A place is kept by asking again, and is free once it was let go."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            one, two = claim("u1", 1), claim("u2", 2)
            three = claim("u3", 3)
            assert await a.occupy("tina", one, 2, KEPT)
            assert await b.occupy("tina", two, 2, KEPT)
            assert not await b.occupy("tina", three, 2, KEPT)
            assert await a.occupy("tina", one, 2, KEPT)
            assert await b.occupy("mohit", three, 1, KEPT)
            await a.vacate("tina", one)
            await a.vacate("tina", one)
            assert await b.occupy("tina", three, 2, KEPT)

    run(story())


def test_a_taken_call_finds_its_own_place(fleet: Fleet) -> None:
    """And the life before neither lets it go nor takes it back."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            before = claim("u1", 4)
            assert await a.occupy("tina", before, 1, KEPT)
            after = claim("u1", 5)
            assert await b.occupy("tina", after, 1, KEPT)
            await a.vacate("tina", before)
            assert not await a.occupy("tina", before, 1, KEPT)
            other = claim("u2", 6)
            assert not await a.occupy("tina", other, 1, KEPT)

    run(story())


def test_a_place_that_is_not_kept_is_free(fleet: Fleet) -> None:
    """Its node is no more."""

    async def story() -> None:
        async with fleet() as node:
            a = (await node("a")).limits
            one, two = claim("u1", 7), claim("u2", 8)
            assert await a.occupy("tina", one, 1, 0.05)
            await comes_true(lambda: a.occupy("tina", two, 1, KEPT))
            assert not await a.occupy("tina", one, 1, KEPT)

    run(story())


def test_a_user_begins_so_many_calls_in_any_window(fleet: Fleet) -> None:
    """On all nodes together; what was refused does not count."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            assert [
                await a.begins("u1", 3, KEPT),
                await b.begins("u1", 3, KEPT),
                await a.begins("u1", 3, KEPT),
            ] == [True] * 3
            assert not await b.begins("u1", 3, KEPT)
            assert await b.begins("u2", 3, KEPT)
            assert await a.begins("u3", 1, KEPT)
            await comes_true(lambda: a.begins("u3", 1, 1.0))  # and counts for so long
            assert not await a.begins("u3", 1, KEPT)

    run(story())


def test_a_token_is_used_so_often(fleet: Fleet) -> None:
    """Once, or by the connections that one phone may lose before it has said anything; then its id is remembered."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            assert sorted(await asyncio.gather(a.use("id-1", 1, KEPT), b.use("id-1", 1, KEPT))) == [False, True]
            assert [await a.use("id-2", 3, KEPT), await b.use("id-2", 3, KEPT)] == [True, True]
            assert await a.use("id-2", 9, KEPT, times=3)
            assert not await b.use("id-2", 3, KEPT)
            assert await a.use("id-3", 1, 0.05)
            await comes_true(lambda: b.use("id-3", 1, KEPT))

    run(story())


def test_budgets_are_counted_over_all_nodes(fleet: Fleet) -> None:
    """Each addition answers the sum, several in one question; nothing is lost between nodes."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            day = f"u1 {datetime.now(UTC):%Y-%m-%d}"
            assert await a.spend([]) == ()
            assert await a.spend([Spent(day, 0, KEPT)]) == (0,)
            assert await a.spend([Spent(day, 5, KEPT), Spent("hour", 7, KEPT)]) == (5, 7)
            each = [node.spend([Spent(day, 1, KEPT), Spent("hour", 2, KEPT)]) for node in (a, b) for _ in range(20)]
            sums = await asyncio.gather(*each)
            assert sorted(day for day, _ in sums) == list(range(6, 46))
            assert await b.spend([Spent(day, 0, KEPT), Spent("hour", 0, KEPT)]) == (45, 87)
            large = 10**15
            assert await b.spend([Spent("large", large, KEPT), Spent("large", 1, KEPT)]) == (large, large + 1)

    run(story())


def test_to_ask_for_a_sum_keeps_none(redis: RedisServer) -> None:
    """Users who only call take no room."""

    async def story() -> None:
        async with nodes_of(redis) as node:
            a = (await node("a")).limits
            assert await a.spend([Spent("u1", 0, KEPT), Spent("u2", 0, KEPT)]) == (0, 0)
            assert redis.says("KEYS", "voice:spent:*") == b"*0\r\n"
            assert await a.spend([Spent("u1", 10**15, KEPT)]) == (10**15,)
            assert await a.spend([Spent("u1", 0, KEPT)]) == (10**15,)

    run(story())


def test_a_budget_begins_again_after_its_window(fleet: Fleet) -> None:
    """So long after the first amount, however often it was asked for since."""

    async def story() -> None:
        async with fleet() as node:
            a = (await node("a")).limits
            assert await a.spend([Spent("u1", 5, 0.05)]) == (5,)

            async def forgotten() -> bool:
                return await a.spend([Spent("u1", 0, 0.05)]) == (0,)

            await comes_true(forgotten)

    run(story())


def test_the_youngest_age_that_a_user_told_is_known_to_all(fleet: Fleet) -> None:
    """For as long as it was told last; an older one changes nothing, and to ask keeps none."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            assert await a.youngest("u1", None) is None
            assert under(await a.youngest("u1", ToldAge(19, KEPT))) == (19, True)
            assert under(await b.youngest("u1", ToldAge(18, 2 * KEPT))) == (18, False)
            assert under(await a.youngest("u1", ToldAge(19, 9 * KEPT))) == (18, False)
            assert under(await a.youngest("u1", ToldAge(18, 1.0))) == (18, False)
            assert under(await a.youngest("u1", None)) == (18, False)
            assert await b.youngest("u2", None) is None
            assert under(await a.youngest("u3", ToldAge(18, 0.05))) == (18, True)

            async def forgotten() -> bool:
                return await b.youngest("u3", None) is None

            await comes_true(forgotten)
            assert under(await a.youngest("u1", None)) == (18, False)
            assert "18" not in repr(ToldAge(18, KEPT))

    run(story())


def under(known: ToldAge | None) -> tuple[int, bool]:
    """The age, and whether it is known for KEPT or less."""
    assert known
    assert 0 < known.seconds <= 2 * KEPT
    return known.under, known.seconds <= KEPT


def test_openings_are_spaced_over_all_nodes(fleet: Fleet) -> None:
    """Whoever asks gets the next moment, and of 20 a second the 40th is two seconds later or less."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            now = asyncio.get_running_loop().time
            began = now()
            for number in range(40):
                wait = await (a, b)[number % 2].opening(20, KEPT)
                assert wait is not None
                assert wait <= number / 20
                assert now() + wait >= began + number / 20 - 0.01  # two clocks

    run(story())


def test_no_opening_is_too_far_away(fleet: Fleet) -> None:
    """Then none is taken, so that those that nobody waits for are not in the way of others."""

    async def story() -> None:
        async with fleet() as node:
            a, b = (await node("a")).limits, (await node("b")).limits
            assert await a.opening(1 / KEPT, KEPT / 2) is not None
            assert [await one.opening(1 / KEPT, KEPT / 2) for one in (a, b, a)] == [None] * 3
            wait = await b.opening(1 / KEPT, 2 * KEPT)
            assert wait is not None
            assert 0 < wait <= KEPT

    run(story())
