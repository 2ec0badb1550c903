"""The address of a caller: that of the socket, or what a proxy says that we trust. Nothing else is believed."""

import re
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from aiohttp import web

ADDRESS = web.RequestKey("address", str)
"""Of who asks; empty for who is not limited by address."""

LOOPBACK = ("127.0.0.0/8", "::1/128")
OURSELVES = ("127.0.0.1/32", "::1/128")
"""Who is not limited where other loopback addresses are taken for strangers."""

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_PAIR = re.compile(r"""([!#$%&'*+.^_`|~0-9a-z-]+)=("(?:[^"\\]|\\.)*+"|[^\s",;]*+)[ \t]*+(?:;|$|(?=,))""", re.IGNORECASE)
_SPACE = re.compile(r"[, \t]+")
_NODE = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+))(?::[0-9]{1,5})?")
_MAPPED = IPv6Network("::ffff:0:0/96")  # IPv4 addresses as a socket for both kinds writes them
_LONGEST = 64  # characters of an address, its port and brackets
_HOUSEHOLD = 64  # bits of an IPv6 address that one customer has for themselves


def network(option: str) -> str:
    """The network in what somebody gives as one; ValueError says what to do."""
    try:
        return str(_network(option.strip()))
    except ValueError:
        raise ValueError(f"{option!r} is no network: write one such as 10.0.0.0/8, or an address") from None


class Addresses:
    """Who asks, by their socket and the headers of a request. An IPv6 address stands for its /64.

    `trusted` are the networks of proxies, `unlimited` those of callers who are not limited by address.
    """

    def __init__(self, trusted: Collection[str] = (), unlimited: Collection[str] = LOOPBACK) -> None:
        self._trusted = [_network(text) for text in trusted]
        self._unlimited = [_network(text) for text in unlimited]

    def trusts(self, peer: str) -> bool:
        """Whether this socket is a trusted proxy's, so that its requests have addresses of their own."""
        address = _address(peer)
        return address is not None and self._is_trusted(address)

    def of_socket(self, peer: str) -> str:
        """Of who is at the other end; empty for who is not limited by address."""
        address = _address(peer)
        return self._named(address) if address else peer

    def of_request(self, peer: str, forwarded_for: Sequence[str] = (), forwarded: Sequence[str] = ()) -> str:
        """Of who asks: the last in X-Forwarded-For, or in Forwarded, that is not trusted itself.

        Where that is no address, or both headers are there and name two, the proxy does not tell who it is: all of
        whom that is so share one address. Without any, it is the socket's own.
        """
        if not self.trusts(peer):
            return self.of_socket(peer)
        told = {self._last(_listed, forwarded_for), self._last(_elements, forwarded)}
        told.discard("")  # there is no such header, or it names proxies alone
        if len(told) > 1 or None in told:
            return f"somebody behind {peer}"
        address = _address(told.pop() or "") if told else None
        return self._named(address) if address else self.of_socket(peer)

    def _last(self, nodes: Callable[[str], list[str]], lines: Sequence[str]) -> str | None:
        """The last who is not trusted: None where that is no address, empty where there is nobody."""
        for line in reversed(lines):  # from the end, and no further than to them: what comes before may be long
            for node in reversed(nodes(line)):
                address = _address(node) or _address(_without_port(node))
                if not address:
                    return None
                if not self._is_trusted(address):
                    return str(address)
        return ""

    def _is_trusted(self, address: Address) -> bool:
        return any(address in one for one in self._trusted)

    def _named(self, address: Address) -> str:
        if any(address in one for one in self._unlimited):
            return ""
        return str(address) if address.version == 4 else str(ip_network((address, _HOUSEHOLD), strict=False))


def _address(text: str) -> Address | None:
    if len(text) > _LONGEST:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> Network:
    """ValueError where it is none; one of IPv4 addresses that are written as IPv6 is one of IPv4."""
    given = ip_network(text)
    if isinstance(given, IPv6Network) and given.subnet_of(_MAPPED):
        return IPv4Network((int(given.network_address) & 0xFFFFFFFF, given.prefixlen - _MAPPED.prefixlen))
    return given


def _without_port(node: str) -> str:
    found = _NODE.fullmatch(node[: _LONGEST + 1])
    return found[1] or found[2] if found else ""


def _listed(line: str) -> list[str]:
    """The entries of a line of X-Forwarded-For."""
    return [entry for entry in map(str.strip, line.split(",")) if entry]


def _elements(line: str) -> list[str]:
    """Whom each element of a line of Forwarded (RFC 7239) is for; what is malformed is one for nobody known."""
    nodes: list[str] = []
    at, node = 0, None
    while at < len(line):
        if space := _SPACE.match(line, at):
            if "," in space[0] and node is not None:
                nodes.append(node)
                node = None
            at = space.end()
        elif pair := _PAIR.match(line, at):
            node = _unquoted(pair[2]) if pair[1].lower() == "for" else node or "unknown"
            at = pair.end()
        else:
            return [*nodes, "unknown"]
    return nodes if node is None else [*nodes, node]


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
