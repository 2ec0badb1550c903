"""What the manifests say, as far as it can be known without a cluster. `make manifests` compares them with schemas."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from cli.options import declared
from cli.settings import Settings

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
ALL: dict[tuple[str, str], dict[str, Any]] = {
    (one["kind"], one["metadata"]["name"]): one for file in FILES for one in yaml.safe_load_all(file.read_text())
}
DEPLOYMENT = ALL["Deployment", "voice"]["spec"]
POD = DEPLOYMENT["template"]["spec"]
(SERVER,) = POD["containers"]
TOLD = {one["name"]: one.get("value") for one in SERVER["env"]}
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text()


def test_a_pod_is_told_what_a_server_understands() -> None:
    """Also in the comment that makes the secret."""
    secret = re.findall(r"--from-literal=(\w+)=", FILES[-1].read_text())
    assert TOLD.keys() | {*secret} <= {one.variable for one in declared(Settings)}
    assert {"API_KEY", "ADMIN_TOKEN", "REGISTER_URL"} <= {*secret}
    assert "BUDGET_FILE" not in TOLD  # it belongs to one server


def test_a_drain_has_its_time() -> None:
    """The hook counts as part of the grace; a new pod is ready before an old one drains."""
    (_, seconds) = SERVER["lifecycle"]["preStop"]["exec"]["command"]
    assert POD["terminationGracePeriodSeconds"] == int(seconds) + int(TOLD["DRAIN_SECONDS"]) + 20
    assert DEPLOYMENT["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_a_server_is_asked_where_it_answers() -> None:
    """Ready and alive are two questions, on the callers' port, with a host name that every server takes."""
    ports = {port["name"]: port["containerPort"] for port in SERVER["ports"]}
    assert f"PORT={ports['calls']}" in CONTAINERFILE
    assert str(ports["metrics"]) == TOLD["ADMIN_PORT"]
    for probe, path in (("readinessProbe", "/ready"), ("livenessProbe", "/health"), ("startupProbe", "/health")):
        asked = SERVER[probe]["httpGet"]
        assert (asked["path"], asked["port"]) == (path, "calls")
        assert asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    for name in ("voice", "voice-metrics"):
        service = ALL["Service", name]["spec"]
        assert service["selector"] == DEPLOYMENT["template"]["metadata"]["labels"]
        assert {port["targetPort"] for port in service["ports"]} <= ports.keys()


def test_a_pod_is_shut_in() -> None:
    """As the user of the image, with nothing that it does not need."""
    assert POD["securityContext"]["runAsNonRoot"]
    assert f"USER {POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}" in CONTAINERFILE
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert SERVER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "cpu" not in SERVER["resources"]["limits"]


def test_it_grows_with_its_callers() -> None:
    """By a figure that there is, before the servers are full; a server that goes has the time of its drain."""
    spec = ALL["HorizontalPodAutoscaler", "voice"]["spec"]
    (metric,) = spec["metrics"]
    assert (
        f"{metric['pods']['metric']['name']} gauge"
        in json.loads((ROOT / "tests" / "surface.json").read_text())["metrics"]
    )
    assert int(metric["pods"]["target"]["averageValue"]) == 0.7 * int(TOLD["SESSIONS"])
    assert spec["scaleTargetRef"]["name"] == "voice"
    (down,) = spec["behavior"]["scaleDown"]["policies"]
    assert down["value"] == 1
    assert down["periodSeconds"] > POD["terminationGracePeriodSeconds"]
    assert spec["minReplicas"] > ALL["PodDisruptionBudget", "voice"]["spec"]["maxUnavailable"]
    assert ALL["PodDisruptionBudget", "voice"]["spec"]["selector"] == DEPLOYMENT["selector"]
