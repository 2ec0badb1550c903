"""What the compose files say: of settings that there are, to programs that are shut in.

`python -m tests.deploy.test_compose` writes haproxy.cluster.cfg.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from cli.haproxy import Node, check, configuration
from cli.options import declared
from cli.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = ("compose.yaml", "compose.cluster.yaml")
VARIABLES = {one.variable for one in declared(Settings)}
PROXY = DEPLOY / "haproxy.cluster.cfg"
CERTIFICATE = "/usr/local/etc/haproxy/voice.pem"
HEAD = (
    "# HAProxy in front of the two servers of compose.cluster.yaml. Made by `python -m tests.deploy.test_compose`, as\n"
    "# haproxy.cfg is by cli/haproxy.py.\n\n"
)


def read(file: str) -> dict[str, Any]:
    """A file as compose reads it, with the default of each variable, or X."""
    text = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", (DEPLOY / file).read_text())
    whole: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:\?[^}]+\}", "X", text))
    return whole


def servers(file: str) -> dict[str, dict[str, Any]]:
    """The services that are servers of ours."""
    return {name: one for name, one in read(file)["services"].items() if "build" in one}


def made() -> str:
    """haproxy.cluster.cfg as it must be, with the nodes of compose.cluster.yaml."""
    found = servers("compose.cluster.yaml").values()
    nodes = [Node(one["environment"]["NODE"], f"{one['networks']['front']['ipv4_address']}:{8000}") for one in found]
    return HEAD + configuration(f":443 ssl crt {CERTIFICATE} alpn http/1.1", nodes)


@pytest.mark.parametrize("file", FILES)
def test_servers_are_told_what_they_understand(file: str) -> None:
    """Each variable is a setting. They have the time of a drain, and trust the proxy that there is."""
    whole, found = read(file), servers(file)
    assert found
    for server in found.values():
        told = server["environment"]
        assert told.keys() <= VARIABLES
        assert int(server["stop_grace_period"].removesuffix("s")) == int(told["DRAIN_SECONDS"]) + 20
        assert server["env_file"] == "voice.env"
        proxies = [one for one in whole["services"].values() if one.get("ports")]
        assert [one["networks"]["front"]["ipv4_address"] for one in proxies] == [told["TRUSTED_PROXY"]]
        assert (
            f"AS {server['build']['target']}\n" in (DEPLOY / server["build"]["dockerfile"].split("/")[-1]).read_text()
        )
        assert "ports" not in server


@pytest.mark.parametrize("file", FILES)
def test_services_are_shut_in(file: str) -> None:
    """No capabilities but one of Caddy, no new privileges; the root is read only but Caddy's; all come back."""
    for name, service in read(file)["services"].items():
        assert service["cap_drop"] == ["ALL"]
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("read_only", False) == (name != "caddy")
        assert service["restart"] == "unless-stopped"
        assert not service.get("privileged")


@pytest.mark.parametrize("file", FILES)
def test_what_is_mounted_is_there(file: str) -> None:
    """But the certificate, which whoever runs it brings."""
    whole = read(file)
    for service in whole["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert source in whole.get("volumes", {}) or source == "./voice.pem" or (DEPLOY / source).is_file()


def test_a_cluster_knows_its_nodes() -> None:
    """Redis is reached by servers alone; each has its own name; nothing that belongs to one server is shared."""
    whole, found = read("compose.cluster.yaml"), servers("compose.cluster.yaml")
    assert [server["environment"]["NODE"] for server in found.values()] == list(found)
    for server in found.values():
        assert server["environment"]["REGISTER_URL"] == "redis://redis"
        assert "BUDGET_FILE" not in server["environment"]
    assert whole["networks"]["back"]["internal"]
    assert {name for name, one in whole["services"].items() if "back" in one["networks"]} == {*found, "redis"}


def test_haproxy_of_the_cluster_is_what_is_made() -> None:
    """With the addresses of compose.cluster.yaml."""
    assert PROXY.read_text() == made(), "python -m tests.deploy.test_compose"


@pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy: apt-get install haproxy")
def test_haproxy_takes_it(tmp_path: Path) -> None:
    """With a certificate."""
    certificate = trustme.CA().issue_cert("voice.example.com")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "voice.pem")
    check(made().replace(CERTIFICATE, str(tmp_path / "voice.pem")))


if __name__ == "__main__":
    PROXY.write_text(made())
