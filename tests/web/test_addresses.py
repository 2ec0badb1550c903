"""Whose address counts: what a stranger writes into a header changes nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.examples import examples
from tests.kit.steps import steps
from web.addresses import OURSELVES, Addresses, network

PROXY = "10.0.0.1"
BEHIND = Addresses(["10.0.0.0/8", "2001:db8:1::/48"])
UNCLEAR = f"somebody behind {PROXY}"

words = st.text(st.sampled_from('for=;,":[] \\127.0.abf%_-'), max_size=60)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
    ],
)
def test_of_a_socket(peer: str, address: str) -> None:
    """Loopback is nobody to be limited; IPv6 is told apart by the network of a household."""
    assert Addresses().of_socket(peer) == address
    assert Addresses().of_request(peer, ["198.51.100.7"], ["for=198.51.100.8"]) == address


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        (["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9", "10.4.5.6, 10.1.1.1"], "203.0.113.9"),
        (["203.0.113.9,"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::7]:4711"], "2001:db8::/64"),
        (["[2001:db8::7]"], "2001:db8::/64"),
        (["2001:db8::7"], "2001:db8::/64"),
        (["203.0.113.9, 2001:db8:1::5"], "203.0.113.9"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["unknown, 203.0.113.9"], "203.0.113.9"),
        (["127.0.0.1"], ""),
        ([], PROXY),
        ([""], PROXY),
        (["10.1.1.1"], PROXY),
        (["203.0.113.9, unknown"], UNCLEAR),
        (["203.0.113.9, _hidden"], UNCLEAR),
        (["203.0.113.999"], UNCLEAR),
        (["x" * 8000], UNCLEAR),
    ],
)
def test_behind_a_proxy_that_writes_x_forwarded_for(forwarded_for: Sequence[str], address: str) -> None:
    """The last who is not trusted; whoever comes before was written by they themselves."""
    assert BEHIND.of_request(PROXY, forwarded_for) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["for=203.0.113.9"], "203.0.113.9"),
        (['for=198.51.100.7, For="[2001:db8::17]:4711"'], "2001:db8::/64"),
        (["for=203.0.113.9;proto=https;by=10.0.0.1"], "203.0.113.9"),
        (['proto=https ; for="203.0.113.9:80"; by="a,b;for=198.51.100.7"'], "203.0.113.9"),
        (["for=203.0.113.9", "for=10.2.2.2"], "203.0.113.9"),
        (['for="198.51.100.7', "for=203.0.113.9"], "203.0.113.9"),
        (['for="203.0.113.\\9"'], "203.0.113.9"),
        (["for=203.0.113.9, for=unknown"], UNCLEAR),
        (["for=_hidden"], UNCLEAR),
        (["for=203.0.113.9, by=10.0.0.1"], UNCLEAR),
        (['for="198.51.100.7, for=203.0.113.9'], UNCLEAR),
        (["nonsense"], UNCLEAR),
    ],
)
def test_behind_a_proxy_that_writes_forwarded(forwarded: Sequence[str], address: str) -> None:
    """RFC 7239, with what people write in its place."""
    assert BEHIND.of_request(PROXY, (), forwarded) == address


def test_headers_that_contradict_each_other_are_no_way_out() -> None:
    """A proxy writes one of them, and lets the other pass, which is the caller's own."""
    assert BEHIND.of_request(PROXY, ["203.0.113.9"], ["for=203.0.113.9"]) == "203.0.113.9"
    assert BEHIND.of_request(PROXY, ["203.0.113.9"], ["for=198.51.100.7"]) == UNCLEAR
    assert BEHIND.of_request(PROXY, ["203.0.113.9"], ["for=127.0.0.1"]) == UNCLEAR


def test_a_proxy_on_this_machine_does_not_make_everybody_one_of_us() -> None:
    """Nor does what it cannot tell."""
    here = Addresses(["127.0.0.1"])
    assert here.of_request("127.0.0.1", ["203.0.113.9"]) == "203.0.113.9"
    assert here.of_request("127.0.0.1", ["unknown"]) == "somebody behind 127.0.0.1"
    assert here.of_request("127.0.0.1") == ""


def test_other_loopback_addresses_may_be_strangers() -> None:
    """So that a stranger can be played on one machine."""
    strict = Addresses(unlimited=OURSELVES)
    assert [strict.of_socket(peer) for peer in ("127.0.0.1", "::1", "127.0.0.2")] == ["", "", "127.0.0.2"]


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(words, max_size=4), st.lists(words, max_size=4))
def test_what_a_stranger_sends_decides_nothing(forwarded_for: list[str], forwarded: list[str]) -> None:
    """By their own socket, and before what the proxy adds in a line of its own."""
    assert BEHIND.of_request("203.0.113.9", forwarded_for, forwarded) == "203.0.113.9"
    assert BEHIND.of_request(PROXY, [*forwarded_for, "203.0.113.9"]) == "203.0.113.9"
    assert BEHIND.of_request(PROXY, (), [*forwarded, "for=203.0.113.9"]) == "203.0.113.9"
    assert BEHIND.of_request(PROXY, [",".join([*forwarded_for, "203.0.113.9"])]) == "203.0.113.9"
    assert BEHIND.of_request(PROXY, [*forwarded_for, "203.0.113.9"], forwarded) in ("203.0.113.9", UNCLEAR)


def test_a_socket_without_an_address_is_our_proxys_where_that_is_so() -> None:
    """A unix socket: what it says of the caller holds. Elsewhere a connection that is gone has no address, either."""
    ours = Addresses(["10.0.0.0/8"], behind_ours=True)
    assert ours.trusts("")
    assert ours.of_request("", ["198.51.100.7, 203.0.113.9"]) == "203.0.113.9"
    assert ours.of_request("", ["203.0.113.9", "10.0.0.1"]) == "203.0.113.9"
    assert ours.of_request("", ["127.0.0.1"]) == ours.of_request("") == ""
    assert ours.of_request("", ["nobody"]) == "somebody behind our proxy"
    assert not Addresses().trusts("")
    assert Addresses().of_request("", ["203.0.113.9"]) == ""


@pytest.mark.parametrize("long", ['for="' + "\\a" * 4000, " " * 8000 + '"', "for= " + " " * 8000 + '"', "," * 8000])
def test_long_headers_cost_little(long: str) -> None:
    """A line may hold 8 KB, and there may be a hundred: no more than the last is looked at."""
    lines = [long] * 100
    few = steps(lambda: BEHIND.of_request(PROXY, [*lines, "203.0.113.9"], [*lines, "for=203.0.113.9"]))
    assert few < 1000


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        (" 10.0.0.1 ", "10.0.0.1/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_network_as_it_is_given(option: str, text: str) -> None:
    """One address is a network, too."""
    assert network(option) == text


@pytest.mark.parametrize("option", ["", "proxy.local", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8,192.168.0.0/16"])
def test_what_is_no_network_says_what_to_do(option: str) -> None:
    """At the start."""
    with pytest.raises(ValueError, match="write one such as"):
        network(option)
