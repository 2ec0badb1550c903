"""HAProxy in front of several servers: its configuration, made here and checked by HAProxy itself.

GET /ws/USER                      ──▶ the ready node with the fewest connections, or the one where this user was before
GET /ws/USER?resume=true&node=n1  ──▶ n1 as long as it lives, also when it is not ready; else as above
nobody is ready                   ──▶ whoever lives says why
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.failure import CannotServe
from web.addresses import LOOPBACK
from web.headers import HTTPS, HTTPS_SECONDS

NAME = re.compile(r"[\w.:-]{1,72}", re.ASCII)
OURS = ("ready", "living", "alive", "addresses", "callers")  # names of parts of the configuration
CHECK_SECONDS = 10.0

HEAD = """\
global
    maxconn {connections}
{leashed}    # What waits here for a caller cannot be taken back when they interrupt: as much as a server lets wait.
    tune.sndbuf.client 65536

defaults
    mode http
    maxconn {connections}
    option forwardfor
    # A node that does not answer has died: the next one is asked at once, also where the connection was still taken.
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    timeout connect 2s
    timeout check 5s  # whoever is asked whether it is ready may have to ask the model
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout client 75s
    timeout server 75s
    # The server pings a silent caller after 12 s, and ends a connection without a sign of life after 60.
    timeout tunnel 75s

frontend callers
    bind {bind}
    http-request disable-l7-retry if METH_POST  # it may have been done
"""
LEASHED = "    hard-stop-after {seconds}s\n"
LIMITED = """\
    # So many connections of one address, and twice so many new ones a second.
    tcp-request connection track-sc0 src table addresses unless known
    tcp-request connection reject if {{ sc0_conn_cur(addresses) gt {connections} }}
    tcp-request connection reject if {{ sc0_conn_rate(addresses) gt {connects} }}
"""
TOLD = """\
    # Who calls is said by this proxy alone{but}.
    http-request del-header X-Forwarded-For{unless}
    http-request del-header Forwarded{unless}
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]{unless}
"""
TO_NODE = (
    "    use_backend {name} if {{ url_param(node) -m str {name} }}"
    " !{{ srv_is_up(ready/{name}) }} {{ nbsrv({name}) gt 0 }}{but}\n"
)
NOT_ELSEWHERE = " {{ path,word(2,/),url_dec,table_server_id(ready) -m int 0 {number} }}"
READY = """\
    use_backend living unless { nbsrv(ready) gt 0 }
    default_backend ready

# Whoever is not ready gets no new call.
backend ready
    balance leastconn
"""
STICKY = """\
    # A user calls where they called before: what a server remembers of a user it need not tell another.
    stick-table type string len 128 size 100k expire 1d
    stick on path,word(2,/),url_dec if { path,word(1,/) -m str ws ws-mobile }
"""
STORED = "    stick store-request path,word(2,/),url_dec table ready if { path,word(1,/) -m str ws ws-mobile }\n"
BACK = """\
    # Who comes back to a node that is ready counts as a connection of it, as all others do.
"""
TO_READY = "    use-server {name} if {{ url_param(node) -m str {name} }}{but}\n"
ASKED = """\
    option httpchk
    http-check send meth GET uri /ready ver HTTP/1.1 hdr Host localhost
    http-check expect status 200
"""
LIVING = """
# Nobody is ready: whoever lives says why.
backend living
    balance leastconn
"""
NODE_HEAD = """
# A caller comes back to {name} while it lives, also if it is not ready, and else to another.
backend {name}
"""
NODE_ASKED = """\
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host localhost
    timeout check 2s
"""
NODE_SERVER = """\
    server {name} {address}{id} check inter {every}ms fall 2 rise 1 observe layer4 error-limit 1 on-error mark-down
"""
NODE_BACKUP = "    server {name} {address}{id} backup track {name}/{name}\n"
ADDRESSES = """
backend addresses
    stick-table type ipv6 size 100k expire 1m store conn_cur,conn_rate(1s)
"""
ALIVE = """
frontend alive
    bind {bind} mode 600
    http-request return status 200
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One server behind HAProxy. `address` is HOST:PORT, or unix@PATH."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How HAProxy meets callers, where that is more than to listen."""

    certificate: str = ""
    """A PEM file of a certificate and its key: it ends TLS."""
    proxies: Sequence[str] = ()
    """Networks of proxies in front of it, whose headers say who calls."""
    unlimited: Sequence[str] = LOOPBACK
    """Networks of callers whose connections are not counted."""
    address_connections: int = 0
    """So many connections of one address may be open; 0: they are not counted."""
    address_connects: int = 0
    """So many new connections of one address a second, and twice as many at once."""
    sticky: bool = False
    """A user is placed where they were before, for a day."""
    alive: str = ""
    """An address where it answers as soon as it runs."""
    stop_seconds: int = 0
    """It ends so many seconds after it was asked to, although calls are on the line; 0: it waits for them."""


MANNER = Manner()


def configuration(
    bind: str, nodes: Sequence[Node], connections: int = 20_000, every: int = 1000, manner: Manner = MANNER
) -> str:
    """The text of haproxy.cfg. `bind` as an address of a node, `every` so many ms the nodes are checked.

    Raises ValueError for names that are none, or not different.
    """
    names = {node.name for node in nodes}
    if not nodes or len(names) < len(nodes) or not names.isdisjoint(OURS) or not all(map(NAME.fullmatch, names)):
        raise ValueError("nodes have different names of letters, digits and . : _ -, and none is called ready")
    secured = f"{bind} ssl crt {manner.certificate} alpn http/1.1" if manner.certificate else bind
    leashed = LEASHED.format(seconds=manner.stop_seconds) if manner.stop_seconds else ""
    return "".join(
        [
            HEAD.format(bind=secured, connections=connections, leashed=leashed),
            *_rules(manner),
            *_to_nodes(TO_NODE, nodes, manner.sticky),
            READY + (STICKY if manner.sticky else "") + BACK,
            *_to_nodes(TO_READY, nodes, manner.sticky),
            ASKED,
            *_servers(nodes, every),
            LIVING,
            *(f"    server {node.name} {node.address} track {node.name}/{node.name}\n" for node in nodes),
            *(_own(node, nodes, every, manner.sticky) for node in nodes),
            ADDRESSES if manner.address_connections else "",
            ALIVE.format(bind=manner.alive) if manner.alive else "",
        ]
    )


def _rules(manner: Manner) -> list[str]:
    """What is done with a connection, and with a request, before it is placed."""
    lines = []
    if manner.proxies:
        lines.append(f"    acl proxy src {' '.join(manner.proxies)}\n")
    if manner.address_connections:
        known = " ".join([*manner.unlimited, *manner.proxies])
        lines.append(f"    acl known src {known}\n")
        connects = 2 * manner.address_connects
        lines.append(LIMITED.format(connections=manner.address_connections, connects=connects))
    but, unless = (", and by those in front of it", " unless proxy") if manner.proxies else ("", "")
    lines.append(TOLD.format(but=but, unless=unless))
    if manner.certificate:
        lines.append(f'    http-response set-header {HTTPS} "max-age={HTTPS_SECONDS}"\n')
    return lines


def _servers(nodes: Sequence[Node], every: int) -> list[str]:
    return [f"    server {node.name} {node.address} check inter {every}ms fall 1 rise 1\n" for node in nodes]


def _to_nodes(rule: str, nodes: Sequence[Node], sticky: bool) -> Iterator[str]:
    """Who asks for a node. Nobody chooses another than where they called last: it would count them anew."""
    for number, node in enumerate(nodes, start=1):
        yield rule.format(name=node.name, but=NOT_ELSEWHERE.format(number=number) if sticky else "")


def _own(node: Node, nodes: Sequence[Node], every: int, sticky: bool) -> str:
    """A backend of its own, in which the others wait until it has died."""
    ids = {other: f" id {number}" if sticky else "" for number, other in enumerate(nodes, start=1)}  # as in `ready`
    others = (other for other in nodes if other is not node)
    return "".join(
        [
            NODE_HEAD.format(name=node.name),
            STORED if sticky else "",
            NODE_ASKED,
            NODE_SERVER.format(name=node.name, address=node.address, every=every, id=ids[node]),
            *(NODE_BACKUP.format(name=other.name, address=other.address, id=ids[other]) for other in others),
        ]
    )


def find_haproxy() -> str:
    """The path of the program. Raises CannotServe."""
    if found := shutil.which("haproxy"):
        return found
    raise CannotServe(
        "HAProxy is not installed, which places the calls of several servers (apt-get install haproxy). By hand: start "
        "servers on ports of their own, and any proxy in front of them as deploy/haproxy.cfg shows."
    )


def check(configuration: str, handles: Sequence[int] = ()) -> None:
    """See what HAProxy says of a configuration, which may name these open files. Raises CannotServe with its words."""
    with tempfile.TemporaryDirectory(prefix="haproxy") as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(configuration)
        command = [find_haproxy(), "-c", "-f", str(file)]
        checked = subprocess.run(
            command, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False, pass_fds=handles
        )
    if checked.returncode:
        raise CannotServe(f"HAProxy refuses its configuration:\n{checked.stderr.strip()}")
