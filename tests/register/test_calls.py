"""Whose call it is: what every register does, in memory and in Redis."""

import asyncio
from random import Random

from register import Bounds, Holder, Kicked, Past, Register, Taken, YieldAsked
from tests.kit.redis import Fleet, Nodes, comes_true
from tests.kit.story import WITHIN, run, until

TOKEN, OTHER = b"t" * 32, b"o" * 32
KEPT = 60.0


def test_epochs_rise_and_the_newest_life_alone_saves(fleet: Fleet) -> None:
    """Whoever claims later has the higher epoch, on whichever node."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            first = await a.claim("मीरा", TOKEN, KEPT)
            assert await a.save(first, b"one", KEPT)
            second = await b.claim("मीरा", OTHER, KEPT)
            third = await a.claim("मीरा", TOKEN, KEPT)
            assert first.epoch < second.epoch < third.epoch
            assert not await a.save(first, b"one", KEPT)
            assert not await b.save(second, b"two", KEPT)
            assert await a.save(third, b"three", KEPT)
            assert not await b.end(second, b"two", KEPT)
            assert (await a.epochs(["मीरा", "nobody"])) == {"मीरा": third.epoch}

    run(story())


def test_a_claim_kicks_the_life_before_on_another_node(fleet: Fleet) -> None:
    """A node is not kicked by itself: it knows."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            told: list[object] = []
            a.listen(told.append)
            await a.claim("u1", TOKEN, KEPT)
            await a.claim("u1", TOKEN, KEPT)
            await b.claim("u2", TOKEN, KEPT)
            newest = await b.claim("u1", TOKEN, KEPT)
            await until(lambda: told)
            assert told == [Kicked("u1", newest.epoch)]

    run(story())


def test_a_call_is_taken_with_its_record_by_its_token_alone(fleet: Fleet) -> None:
    """Another token gets nothing and changes nothing; the right one may take it again."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            told: list[object] = []
            a.listen(told.append)
            claim = await a.claim("u1", TOKEN, KEPT)
            assert await b.take("u1", TOKEN, KEPT) is None  # it was never saved
            await a.save(claim, b"\x00record\xff", KEPT)
            assert await b.take("u1", OTHER, KEPT) is None
            assert await b.take("u2", TOKEN, KEPT) is None
            assert await a.save(claim, b"\x00record\xff", KEPT)
            taken = await b.take("u1", TOKEN, KEPT)
            assert isinstance(taken, Taken)
            assert taken.record == b"\x00record\xff"
            assert taken.claim.epoch > claim.epoch
            assert not await a.save(claim, b"late", KEPT)
            await until(lambda: told)
            assert told == [Kicked("u1", taken.claim.epoch, moved=True)]
            assert await b.save(taken.claim, b"next", KEPT)
            again = await a.take("u1", TOKEN, KEPT)
            assert isinstance(again, Taken)
            assert again.record == b"next"

    run(story())


def test_a_record_is_looked_at_without_taking_the_call(fleet: Fleet) -> None:
    """By its token alone; whoever has the call is told nothing and saves on, and another may take it."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            told: list[object] = []
            a.listen(told.append)
            assert await b.look("u1", TOKEN) is None
            claim = await a.claim("u1", TOKEN, KEPT)
            assert await b.look("u1", TOKEN) == b""
            assert await a.save(claim, b"\x00record\xff", KEPT)
            assert await b.look("u1", TOKEN) == b"\x00record\xff"
            assert await b.look("u1", OTHER) is None
            assert await b.look("u2", TOKEN) is None
            assert await a.epochs(["u1"]) == {"u1": claim.epoch}
            assert await a.save(claim, b"next", KEPT)
            assert await b.look("u1", TOKEN) == b"next"
            assert isinstance(await b.take("u1", TOKEN, KEPT), Taken)
            await until(lambda: told)
            assert [type(one) for one in told] == [Kicked]

    run(story())


def test_a_new_call_finds_nothing_of_the_one_before(fleet: Fleet) -> None:
    """Not even with the same token."""

    async def story() -> None:
        async with fleet() as node:
            a = await node("a")
            await a.save(await a.claim("u1", TOKEN, KEPT), b"old", KEPT)
            await a.claim("u1", TOKEN, KEPT)
            assert await a.take("u1", TOKEN, KEPT) is None

    run(story())


def test_a_call_that_has_ended_is_not_taken(fleet: Fleet) -> None:
    """Its last record is told, also again, and a save that comes late does not wake it."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            claim = await a.claim("u1", TOKEN, KEPT)
            assert await a.end(claim, b"bill", KEPT)
            assert not await a.save(claim, b"late", KEPT)
            assert await b.take("u1", OTHER, KEPT) is None
            assert await b.take("u1", TOKEN, KEPT) == Past(b"bill")
            assert await b.take("u1", TOKEN, KEPT) == Past(b"bill")
            assert await b.ask_to_yield("u1", TOKEN) is Holder.ABSENT

    run(story())


def test_a_record_is_kept_as_long_as_was_said(fleet: Fleet) -> None:
    """And its epoch for longer: a life that slept is still older."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            claim = await a.claim("u1", TOKEN, 0.05)
            await a.save(claim, b"short", 0.05)
            newer = await b.claim("u2", TOKEN, KEPT)
            await b.save(newer, b"long", KEPT)
            assert isinstance(await b.take("u2", TOKEN, 0.001), Taken)

            async def forgotten() -> bool:
                return not any([isinstance(await b.take(user, TOKEN, 0.001), Taken) for user in ("u1", "u2")])

            await comes_true(forgotten)
            assert set(await a.epochs(["u1", "u2"])) == {"u1", "u2"}
            assert not await b.save(newer, b"late", 0.05)  # of before it was taken

    run(story())


def test_a_holder_that_lives_is_asked_to_yield(fleet: Fleet) -> None:
    """It saves, answers, and the taker has what it saved; a stranger's wish is not even told."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            claim = await a.claim("u1", TOKEN, KEPT)
            told: list[YieldAsked] = []
            tasks: list[asyncio.Task[None]] = []

            async def let_go(asked: YieldAsked) -> None:
                assert await a.save(claim, b"to the last word", KEPT)
                await a.answer(asked, yielded=True)

            def hear(message: Kicked | YieldAsked) -> None:
                if isinstance(message, YieldAsked):
                    told.append(message)
                    tasks.append(asyncio.get_running_loop().create_task(let_go(message)))

            a.listen(hear)
            assert await b.ask_to_yield("u1", OTHER) is Holder.UNKNOWN
            assert await b.ask_to_yield("u2", TOKEN) is Holder.UNKNOWN
            assert told == []
            assert await b.ask_to_yield("u1", TOKEN) is Holder.YIELDED
            assert [(asked.user, asked.epoch, asked.asker) for asked in told] == [("u1", claim.epoch, "b")]
            await asyncio.gather(*tasks)
            taken = await b.take("u1", TOKEN, KEPT)
            assert isinstance(taken, Taken)
            assert taken.record == b"to the last word"

    run(story())


def test_a_holder_that_does_not_answer_is_waited_for_briefly(fleet: Fleet) -> None:
    """One that is no more, one that has no such call, one that says nothing, and the asker itself."""

    async def story() -> None:
        async with fleet() as node:
            a, b, c = await node("a"), await node("b", Bounds(answer=WITHIN, yielding=0.05)), await node("c")
            await a.claim("u1", TOKEN, KEPT)
            await b.claim("own", TOKEN, KEPT)
            assert await b.ask_to_yield("own", TOKEN) is Holder.ABSENT
            assert await b.ask_to_yield("u1", TOKEN) is Holder.ABSENT  # nobody listens there
            a.listen(lambda message: None)
            assert await b.ask_to_yield("u1", TOKEN) is Holder.SILENT
            await c.claim("u2", TOKEN, KEPT)
            await c.close()
            assert await b.ask_to_yield("u2", TOKEN) is Holder.ABSENT

    run(story())


def test_after_a_loss_of_data_a_zombie_is_still_older(fleet: Fleet) -> None:
    """Whichever saves first: what the newer life saves stays, and the older one is kicked."""

    async def story() -> None:
        async with fleet() as node:
            a, b = await node("a"), await node("b")
            told: list[object] = []
            a.listen(told.append)
            old, new = await a.claim("u1", TOKEN, KEPT), await b.claim("u1", OTHER, KEPT)
            await until(lambda: told)
            for _ in range(2):
                node.forget()
                assert await a.save(old, b"old", KEPT)  # nobody knows better
                assert await b.save(new, b"new", KEPT)
                assert not await a.save(old, b"old", KEPT)
            await until(lambda: len(told) == 3)
            assert set(told) == {Kicked("u1", new.epoch)}
            assert isinstance(kept := await a.take("u1", OTHER, KEPT), Taken)
            assert kept.record == b"new"
            node.forget()
            assert await a.take("u1", OTHER, KEPT) is None
            assert (await a.claim("u1", TOKEN, KEPT)).epoch > kept.claim.epoch
            assert not await b.save(new, b"new", KEPT)

    run(story())


def test_two_lives_of_one_user_never_both_save(fleet: Fleet) -> None:
    """Two nodes race for one user 200 times, by claims and takes: what is saved at last is of the highest epoch."""

    async def life(register: Register, dice: Random) -> tuple[int, bool]:
        """Begin one, save a while, and say at last whether it still may."""
        for _ in range(dice.randrange(3)):
            await asyncio.sleep(0)
        taken = await register.take("u1", TOKEN, KEPT) if dice.random() < 0.5 else None
        claim = taken.claim if isinstance(taken, Taken) else await register.claim("u1", TOKEN, KEPT)
        for _ in range(dice.randrange(4)):
            await register.save(claim, str(claim.epoch).encode(), KEPT)
        return claim.epoch, await register.save(claim, str(claim.epoch).encode(), KEPT)

    async def race(node: Nodes) -> None:
        a, b, dice = await node("a"), await node("b"), Random(7)
        for number in range(200):
            lives = await asyncio.gather(life(a, dice), life(b, dice))
            last = max(epoch for epoch, _ in lives)
            assert lives[0][0] != lives[1][0], number
            assert (last, True) in lives, number
            assert await a.epochs(["u1"]) == {"u1": last}
            kept = await a.take("u1", TOKEN, KEPT)
            assert isinstance(kept, Taken)
            assert kept.record == str(last).encode(), number

    async def story() -> None:
        async with fleet() as node:
            await race(node)

    run(story())
