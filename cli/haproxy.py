"""HAProxy in front of several servers: its configuration, made here and checked by HAProxy itself.

GET /ws/USER                      ──▶ the ready node with the fewest connections
GET /ws/USER?resume=true&node=n1  ──▶ n1 as long as it lives, also when it is not ready; else as above
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.failure import CannotServe

NAME = re.compile(r"[\w-]{1,32}", re.ASCII)
CHECK_SECONDS = 10.0

HEAD = """\
global
    maxconn {connections}

defaults
    mode http
    maxconn {connections}
    option forwardfor
    option redispatch
    retries 2
    timeout connect 2s
    timeout http-request 10s
    timeout client 75s
    timeout server 75s
    # The server pings a silent caller after 12 s, and ends a connection without a sign of life after 60.
    timeout tunnel 75s

frontend callers
    bind {bind}
"""
TO_NODE = "    use_backend {name} if {{ url_param(node) -m str {name} }} {{ nbsrv({name}) gt 0 }}\n"
READY = """\
    default_backend ready

# Whoever is not ready gets no new call.
backend ready
    balance leastconn
    option httpchk GET /ready
    http-check expect status 200
"""
NODE = """
# A caller comes back to {name} while it lives.
backend {name}
    server {name} {address} check inter {every}ms fall 2 rise 1
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One server behind HAProxy. `address` is HOST:PORT, or unix@PATH."""

    name: str
    address: str


def configuration(bind: str, nodes: Sequence[Node], connections: int = 20_000, every: int = 1000) -> str:
    """The text of haproxy.cfg. `bind` as an address of a node, `every` so many ms the nodes are checked.

    Raises ValueError for names that are none, or not different.
    """
    names = {node.name for node in nodes}
    if not nodes or len(names) < len(nodes) or "ready" in names or not all(map(NAME.fullmatch, names)):
        raise ValueError("nodes have different names of letters, digits, _ and -, and none is called ready")
    to_nodes = "".join(TO_NODE.format(name=node.name) for node in nodes)
    servers = "".join(f"    server {node.name} {node.address} check inter {every}ms fall 1 rise 1\n" for node in nodes)
    own = "".join(NODE.format(name=node.name, address=node.address, every=every) for node in nodes)
    return HEAD.format(bind=bind, connections=connections) + to_nodes + READY + servers + own


def find_haproxy() -> str:
    """The path of the program. Raises CannotServe."""
    if found := shutil.which("haproxy"):
        return found
    raise CannotServe(
        "HAProxy is not installed, which places the calls of several servers (apt-get install haproxy). By hand: start "
        "servers on ports of their own, and any proxy in front of them as deploy/haproxy.cfg shows."
    )


def check(configuration: str) -> None:
    """See what HAProxy says of a configuration. Raises CannotServe with its words."""
    with tempfile.TemporaryDirectory(prefix="haproxy") as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(configuration)
        command = [find_haproxy(), "-c", "-f", str(file)]
        checked = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)
    if checked.returncode:
        raise CannotServe(f"HAProxy refuses its configuration:\n{checked.stderr.strip()}")
