"""The address of a client: the socket's, or the one in the headers that a trusted proxy has set."""

import re
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from aiohttp import web

ADDRESS = web.RequestKey("address", str)
"""The client's address; empty if it has no limits."""

LOOPBACK = ("127.0.0.0/8", "::1/128")
OURSELVES = ("127.0.0.1/32", "::1/128")
"""The addresses without limits if `--limit-loopback` is set."""

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_PAIR = re.compile(r"""([!#$%&'*+.^_`|~0-9a-z-]+)=("(?:[^"\\]|\\.)*+"|[^\s",;]*+)[ \t]*+(?:;|$|(?=,))""", re.IGNORECASE)
_SPACE = re.compile(r"[, \t]+")
_NODE = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+))(?::[0-9]{1,5})?")
_MAPPED = IPv6Network("::ffff:0:0/96")  # IPv4 addresses of a dual-stack socket
_LONGEST = 64  # characters of an address, its port and brackets
_CUSTOMER_BITS = 64  # bits: the IPv6 prefix that a provider assigns to one customer


def network(option: str) -> str:
    """The network of an option; raises ValueError with an instruction."""
    try:
        return str(_network(option.strip()))
    except ValueError:
        raise ValueError(f"{option!r} is no network: write one such as 10.0.0.0/8, or an address") from None


class Addresses:
    """Finds the address of a client from its socket and the headers of a request. IPv6 is reduced to the /64.

    `trusted` are the networks of proxies, `unlimited` those of clients without limits. `behind_ours`: a socket without
    an address, as a unix socket has none, is our own proxy's.
    """

    def __init__(
        self, trusted: Collection[str] = (), unlimited: Collection[str] = LOOPBACK, behind_ours: bool = False
    ) -> None:
        self._behind_ours = behind_ours
        self._trusted = [_network(text) for text in trusted]
        self._unlimited = [_network(text) for text in unlimited]

    def trusts(self, peer: str) -> bool:
        """True if this socket is a trusted proxy's, so that the address is to be found for each request."""
        if not peer:
            return self._behind_ours
        address = _address(peer)
        return address is not None and self._is_trusted(address)

    def of_socket(self, peer: str) -> str:
        """The address of a socket's peer; empty if it has no limits."""
        address = _address(peer)
        return self._named(address) if address else peer

    def of_request(self, peer: str, forwarded_for: Sequence[str] = (), forwarded: Sequence[str] = ()) -> str:
        """The address of a request: the last in X-Forwarded-For, or in Forwarded, that is no trusted proxy's.

        If that is no valid address, or the two headers disagree, the client is unknown: all unknown clients of a proxy
        share one address. Without such a header it is the socket's own.
        """
        if not self.trusts(peer):
            return self.of_socket(peer)
        named = {self._last(_listed, forwarded_for), self._last(_elements, forwarded)}
        named.discard("")  # the header is absent, or names only proxies
        if len(named) > 1 or None in named:
            return f"somebody behind {peer or 'our proxy'}"
        address = _address(named.pop() or "") if named else None
        return self._named(address) if address else self.of_socket(peer)

    def _last(self, nodes: Callable[[str], list[str]], lines: Sequence[str]) -> str | None:
        """The last node that is no trusted proxy: None if it is no address, empty if there is none."""
        for line in reversed(lines):  # from the end, because the client may have sent any number of entries
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
        return str(address) if address.version == 4 else str(ip_network((address, _CUSTOMER_BITS), strict=False))


def _address(text: str) -> Address | None:
    if len(text) > _LONGEST:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> Network:
    """The network, where one of IPv4-mapped addresses becomes IPv4; raises ValueError."""
    given = ip_network(text)
    if isinstance(given, IPv6Network) and given.subnet_of(_MAPPED):
        return IPv4Network((int(given.network_address) & 0xFFFFFFFF, given.prefixlen - _MAPPED.prefixlen))
    return given


def _without_port(node: str) -> str:
    found = _NODE.fullmatch(node[: _LONGEST + 1])
    return found[1] or found[2] if found else ""


def _listed(line: str) -> list[str]:
    """The nodes of a line of X-Forwarded-For."""
    return [entry for entry in map(str.strip, line.split(",")) if entry]


def _elements(line: str) -> list[str]:
    """The `for` node of each element in a line of Forwarded (RFC 7239); "unknown" from a malformed element on."""
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
