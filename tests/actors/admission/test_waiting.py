"""The ledger of what waits: who may have how much, who loses what, and that all of it is given back."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from actors.admission.waiting import Holding, Kind, Ledger, Parcel


@dataclass
class Callers:
    """Who keeps something, in a ledger of 12 for a caller, 32 for an address, 100 in all."""

    ledger: Ledger = field(default_factory=lambda: Ledger(12, 32, 100))
    lost: list[Parcel] = field(default_factory=list)
    count: int = 0

    def holding(self, address: str = "") -> Holding:
        """Of a new caller."""
        self.count += 1
        return self.ledger.holding(self.count, address)

    def keep(self, holding: Holding, size: int, kind: Kind = Kind.CLIP) -> Parcel | None:
        """Some more of theirs; None where it is refused."""
        parcel = holding.parcel(kind, self.lost.append)
        return parcel if parcel.resize(size) else None


def test_a_caller_may_have_so_much() -> None:
    """Their clips; a frame that still comes, and what they do not read, has no part in it."""
    callers = Callers()
    one = callers.holding()
    assert callers.keep(one, 8)
    assert not callers.keep(one, 5)
    first = callers.keep(one, 4)
    assert first
    assert callers.keep(one, 8, Kind.FRAME)
    assert callers.keep(one, 20, Kind.REPLY)
    assert not first.resize(5)
    assert (first.size, callers.ledger.bytes, callers.lost) == (4, 40, [])
    first.release()
    assert callers.keep(one, 4)


def test_an_address_may_have_so_much() -> None:
    """All its callers together, frames too; who has no address is not limited by it."""
    callers = Callers()
    for _ in range(4):
        assert callers.keep(callers.holding("192.0.2.1"), 8)
    assert not callers.keep(callers.holding("192.0.2.1"), 1)
    assert not callers.keep(callers.holding("192.0.2.1"), 1, Kind.FRAME)
    assert callers.keep(callers.holding("192.0.2.2"), 8)
    for _ in range(5):
        assert callers.keep(callers.holding(), 12)
    assert not callers.lost


def test_at_one_address_who_does_not_read_most_is_given_up() -> None:
    """How long a reply is they did not choose: it is not the next one's fault."""
    callers = Callers()
    deaf = callers.keep(callers.holding("192.0.2.1"), 25, Kind.REPLY)
    assert callers.keep(callers.holding("192.0.2.1"), 10, Kind.REPLY)
    assert callers.lost == [deaf]
    assert not callers.keep(callers.holding("192.0.2.1"), 40, Kind.REPLY)


def test_where_all_is_full_the_largest_holder_loses_the_newest() -> None:
    """An address counts as one; there it is the caller who has most, and of theirs a clip goes first."""
    callers = Callers()
    greedy, modest = callers.holding("192.0.2.1"), callers.holding("192.0.2.1")
    frame = callers.keep(greedy, 12, Kind.FRAME)
    clips = [callers.keep(greedy, 4), callers.keep(greedy, 4)]
    assert callers.keep(modest, 12)
    for _ in range(5):
        assert callers.keep(callers.holding(), 12)
    assert callers.ledger.bytes == 92
    assert callers.keep(callers.holding(), 12)
    assert callers.lost == [clips[1]]
    assert clips[1]
    assert (clips[1].lost, clips[1].size, clips[1].resize(1)) == (True, 0, False)
    assert callers.keep(callers.holding(), 11)
    assert callers.lost == [clips[1], clips[0], frame]


def test_the_largest_holder_is_refused_when_they_ask() -> None:
    """Nobody else pays for it, and they lose nothing."""
    callers = Callers()
    greedy = callers.holding()
    assert callers.keep(greedy, 30, Kind.FRAME)
    for _ in range(6):
        assert callers.keep(callers.holding(), 11)
    assert not callers.keep(greedy, 5)
    assert callers.keep(greedy, 4)
    assert not callers.lost


def test_one_who_needs_more_than_all_is_refused_alone() -> None:
    """An empty ledger, too, has its end."""
    callers = Callers()
    assert callers.keep(callers.holding(), 90, Kind.FRAME)
    assert not callers.keep(callers.holding(), 101, Kind.FRAME)
    assert not callers.lost


def test_between_two_who_have_as_much_the_one_who_asks_gives_way() -> None:
    """Nobody pays for a room that another would only have instead of them."""
    callers = Callers()
    one, other = callers.holding(), callers.holding()
    assert callers.keep(one, 50, Kind.FRAME)
    assert callers.keep(other, 45, Kind.FRAME)
    assert callers.keep(callers.holding(), 5)
    assert not callers.keep(other, 5, Kind.FRAME)
    assert not callers.lost


def test_an_address_gives_way_although_each_of_its_callers_has_less() -> None:
    """Than the one who asks: groups are compared first."""
    callers = Callers()
    many = [callers.keep(callers.holding("192.0.2.1"), 10) for _ in range(3)]
    for _ in range(5):
        assert callers.keep(callers.holding(), 12)
    assert callers.keep(callers.holding(), 15, Kind.FRAME)
    assert callers.lost == [many[0]]


def test_what_was_lost_or_closed_counts_nothing_any_more() -> None:
    """Also once there is room again."""
    callers = Callers()
    one = callers.holding()
    lost = callers.keep(one, 60, Kind.FRAME)
    assert lost
    assert callers.keep(callers.holding(), 50, Kind.FRAME)
    assert callers.lost == [lost]
    assert not lost.resize(1)
    home = "192.0.2.1"
    leaves, stays = callers.holding(home), callers.holding(home)
    gone, kept = callers.keep(leaves, 1), callers.keep(stays, 2)
    assert gone
    assert kept
    leaves.close()
    assert not gone.resize(1)
    assert (kept.size, callers.ledger.bytes) == (2, 52)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["grow", "grow", "grow", "shrink", "release", "close"]),
        st.integers(0, 5),
        st.sampled_from(list(Kind)),
        st.integers(0, 40),
    ),
    max_size=60,
)


@given(ACTS)
def test_the_limits_hold_and_all_is_given_back(acts: list[tuple[str, int, Kind, int]]) -> None:
    """Whatever comes and goes, in any order: the sums are those of the parcels, and in the end nothing is known."""
    callers = Callers()
    addresses = ["", "", "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]
    holdings = [callers.holding(address) for address in addresses]
    kept: list[Parcel] = []
    for act, who, kind, size in acts:
        theirs = [parcel for parcel in kept if parcel.holding is holdings[who]]
        match act:
            case "grow" if theirs and size % 2:
                theirs[-1].resize(theirs[-1].size + size)
            case "grow" if parcel := callers.keep(holdings[who], size, kind):
                kept.append(parcel)
            case "shrink" if theirs:
                theirs[0].resize(theirs[0].size // 2)
            case "release" if theirs:
                theirs[0].release()
            case "close":
                holdings[who].close()
                holdings[who] = callers.ledger.holding(who + 1, addresses[who])
        check(callers.ledger, kept)
    for parcel in kept:
        parcel.release()
    assert callers.ledger.bytes == 0
    assert not callers.ledger._parcels
    assert not callers.ledger._groups
    assert not callers.ledger._callers


def check(ledger: Ledger, kept: list[Parcel]) -> None:
    """All is counted, and nobody has more than they may."""
    assert ledger.bytes == sum(parcel.size for parcel in kept) <= 100
    assert not any(parcel.size for parcel in kept if parcel.lost or parcel.holding.closed)
    for caller in range(1, 7):
        clips = [one.size for one in kept if one.holding.caller == caller and one.kind is Kind.CLIP]
        assert sum(clips) <= 12
    for address in ("192.0.2.1", "192.0.2.2"):
        assert sum(parcel.size for parcel in kept if parcel.holding.address == address) <= 32


def away(callers: Callers, size: int, address: str = "") -> Parcel:
    """A caller who is away, and for whom a reply waits."""
    holding = callers.holding(address)
    parcel = callers.keep(holding, size, Kind.REPLY)
    assert parcel
    holding.leave()
    return parcel


def test_where_all_is_full_who_is_longest_away_is_given_up() -> None:
    """With all that waits for them; not who is here, nor who asks, nor who is back."""
    callers = Callers()
    here = [callers.keep(callers.holding(), 12, Kind.REPLY) for _ in range(5)]
    asking, back, longest, shorter = (away(callers, 8) for _ in range(4))
    back.holding.come_back()
    assert asking.resize(12)
    assert callers.keep(shorter.holding, 4, Kind.REPLY)
    assert not callers.lost
    assert asking.resize(13)
    assert callers.lost == [longest]
    assert not any(one.lost for one in (*here, back) if one)


def test_who_has_more_than_one_caller_may_goes_before_who_is_away() -> None:
    """So nobody drives out those who are away by taking what is theirs."""
    callers = Callers()
    gone = away(callers, 8)
    greedy = [callers.keep(callers.holding("192.0.2.1"), 10, Kind.REPLY) for _ in range(3)]
    for _ in range(5):
        assert callers.keep(callers.holding(), 12, Kind.REPLY)
    assert callers.keep(callers.holding(), 12, Kind.REPLY)
    assert not gone.lost
    assert [one for one in greedy if one and one.lost] == callers.lost


def test_a_thousand_who_are_away_stay_within_the_limits() -> None:
    """Of one address: together they have what one address may have, and give all of it back."""
    callers = Callers(Ledger(12_000, 32_000, 100_000))
    holdings, most = [callers.holding("192.0.2.1") for _ in range(1000)], 0
    for number, holding in enumerate(holdings):
        callers.keep(holding, 1000 + number % 7, Kind.REPLY)  # None: of those who have most, it is the one to lose
        holding.leave()
        most = max(most, callers.ledger.bytes)
    assert 30_000 < most <= 32_000
    assert len(callers.ledger.away) == 1000
    for holding in holdings:
        holding.close()
    assert (callers.ledger.bytes, callers.ledger.away, callers.ledger.parcels("192.0.2.1")) == (0, {}, ())
