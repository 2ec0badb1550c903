"""Sums that several servers share: what each reads, whatever becomes of questions and answers."""

from hypothesis import given
from hypothesis import strategies as st

from actors.budgets.fleet_sums import FleetSums, key_of
from actors.budgets.sums import Memory

DAY, LATER, LATEST = "2026-11-30", "2026-12-01", "2026-12-02"
TOKENS = (DAY, "one", "tokens")


def read(sums: FleetSums) -> int:
    """The tokens of the day."""
    return sums.read(DAY, "one").get("tokens", 0)


def test_what_others_have_spent_is_read_with_what_was_spent_here() -> None:
    """What is added while the question is on its way counts too, once."""
    sums = FleetSums(Memory())
    sums.add(DAY, "one", {"tokens": 5})
    assert sums.take_untold() == {TOKENS: 5}
    sums.add(DAY, "one", {"tokens": 2})
    sums.answered(TOKENS, 25)
    assert read(sums) == 27
    assert sums.take_untold() == {TOKENS: 2}
    sums.answered(TOKENS, 27)
    assert read(sums) == 27
    assert sums.take_untold() == {}


def test_a_server_that_starts_again_counts_nothing_twice() -> None:
    """It remembers from its file what the register knows as well, and perhaps more."""
    memory = Memory()
    memory.add(DAY, "one", {"tokens": 40})
    sums = FleetSums(memory)
    for answer, known in ((60, 60), (10, 60), (13, 63), (5, 63), (6, 64)):  # the register loses its data twice
        assert sums.take_untold() == {}
        sums.answered(TOKENS, answer)
        assert read(sums) == known


def test_an_answer_that_is_older_than_what_is_known_is_no_loss() -> None:
    """Another question, asked later, was answered before; what comes next is not counted twice."""
    sums = FleetSums(Memory())
    assert sums.take_untold() == {}
    sums.learned(TOKENS, 10)
    sums.answered(TOKENS, 0)
    assert sums.take_untold() == {}
    sums.answered(TOKENS, 10)
    assert read(sums) == 10
    assert sums.losses == 0


def test_what_was_never_sent_is_told_later_and_what_was_is_not() -> None:
    """An answer that did not come may have counted: then the register knows more, and nothing is added."""
    sums = FleetSums(Memory())
    sums.add(DAY, "one", {"tokens": 5})
    sums.put_back(sums.take_untold())
    assert sums.take_untold() == {TOKENS: 5}  # and no answer comes
    sums.add(DAY, "one", {"tokens": 1})
    assert sums.take_untold() == {TOKENS: 1}
    for counted, more in ((6, 0), (6, 4)):
        sums.answered(TOKENS, counted + more)
        assert read(sums) == 6 + more


def test_nothing_is_told_of_a_day_that_is_over_long_ago() -> None:
    """Nor does an answer bring it back, in the place of a day that counts."""
    memory = Memory()
    sums = FleetSums(memory)
    sums.add(DAY, "one", {"tokens": 5})
    for day in (LATER, LATEST):
        sums.add(day, "one", {"tokens": 1})
    sums.learned(TOKENS, 100)
    sums.answered(TOKENS, 100)
    assert memory.periods == [LATER, LATEST]
    assert sums.take_untold() == {(LATER, "one", "tokens"): 1, (LATEST, "one", "tokens"): 1}
    sums.learned(("2026-12-03", "two", "tokens"), 7)
    assert memory.periods == [LATEST, "2026-12-03"]


USERS = st.text("a1 :|{}रवि\n", min_size=0, max_size=6)
NAMES = st.sampled_from(["tokens", "micro_usd", "paid_ms a 5 INR", "1 a tokens"])


@given(st.lists(st.tuples(st.sampled_from([DAY, LATER, f"{DAY}T12"]), USERS, NAMES), unique=True))
def test_no_two_sums_have_the_same_name(sums: list[tuple[str, str, str]]) -> None:
    """Whatever a user calls themselves."""
    assert len({key_of(one) for one in sums}) == len(sums)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.integers(0, 9), st.sampled_from(["told", "unanswered", "lost", "asked", "slow"])
        )
    ),
)
def test_two_servers_agree_in_the_end(steps: list[tuple[int, int, str]]) -> None:
    """None reads less than it knew, or than what was counted; without a loss none reads more than was spent."""
    register, spent, lost = 0, 0, False
    servers = [FleetSums(Memory()), FleetSums(Memory())]
    slow: list[tuple[FleetSums, int, int]] = []  # answers to questions that are on their way
    for number, amount, what in steps:
        server, before = servers[number], read(servers[number])
        server.add(DAY, "one", {"tokens": amount})
        spent += amount
        if what == "lost":
            register, lost = 0, True
        if what == "asked":
            server.learned(TOKENS, register)
        elif what == "slow":
            slow.append((server, server.losses, register))
        else:
            register += server.take_untold().get(TOKENS, 0)
            for asker, losses, total in slow:  # they are answered while this is told
                if asker.losses == losses:
                    asker.learned(TOKENS, total)
            slow.clear()
            if what != "unanswered":
                server.answered(TOKENS, register)
        assert read(server) >= before + amount
        if not lost:
            assert read(server) <= spent
    for server in (*servers, *servers):
        register += server.take_untold().get(TOKENS, 0)
        server.answered(TOKENS, register)
        assert read(server) >= register
    if not lost:
        assert [read(server) for server in servers] == [spent, spent]
