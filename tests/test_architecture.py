"""What may import what: one way, downwards, and each library in its one home."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ["cli", "supervisor", "web", "actors", "personas realtime audio", "schemas"]
"""From the top down; the packages of one line do not know each other."""

HOMES = {
    "pykka": ("actors/",),
    "aiohttp": ("web/", "cli/serve.py", "realtime/local/"),
    "websockets": ("realtime/", "actors/testing/phone.py"),
    "pytest": ("actors/testing/plugin.py",),
    "av": ("audio/",),
    "jsonschema": ("schemas/", "personas/shape.py"),
    "rapidfuzz": ("schemas/sentences.py",),
    "jsonschema_rs": ("personas/shape.py",),
    "regex": ("personas/",),
    "typer": ("cli/",),
    "babel": ("personas/",),
    "iso4217": ("personas/pricing.py",),
    "prometheus_client": ("web/metrics.py",),
    "threading": (
        "actors/pykka_loop.py",
        "actors/watch.py",
        "actors/testing/",
        "cli/ending.py",
        "cli/log.py",
        "personas/aside.py",
        "personas/apart.py",
        "realtime/local/",
    ),
    "jinja2": ("personas/",),
}
LEVEL = {package: depth for depth, layer in enumerate(LAYERS) for package in layer.split()}
FILES = sorted(
    path.relative_to(ROOT)
    for package in LEVEL
    for path in [*ROOT.glob(f"{package}/**/*.py"), *ROOT.glob(f"{package}.py")]
)


def imported(path: Path) -> set[str]:
    """The modules that a file imports, except in its `if __name__ == "__main__"`."""
    names: set[str] = set()
    tree = ast.parse((ROOT / path).read_text())
    main = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    hidden = {child for node in main for child in ast.walk(node)}
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_run_downwards(path: Path) -> None:
    """No file imports a layer above its own, or a neighbour of its own layer."""
    own = path.parts[0].removesuffix(".py")
    for module in imported(path):
        package = module.partition(".")[0]
        if package in LEVEL and package != own:
            assert LEVEL[package] > LEVEL[own], f"{path} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_each_library_has_one_home(path: Path) -> None:
    """So that it can be replaced there."""
    for module in imported(path):
        homes = HOMES.get(module.partition(".")[0])
        assert homes is None or str(path).startswith(homes), f"{path} imports {module}"


def test_the_protocol_does_no_io() -> None:
    """Neither half of what is pure knows a socket, a clock or a task."""
    realtime = (
        "protocol", "answers", "listening", "opening", "outbox", "states", "errors", "usage", "requests", "events",
        "gate", "turns",
    )  # fmt: skip
    actors = ("line", "turns", "playback", "microphone")
    pure = [*(f"realtime/{name}.py" for name in realtime), *(f"actors/{name}.py" for name in actors), "web/wire.py"]
    for name in pure:
        assert not imported(Path(name)) & {"asyncio", "time", "socket", "threading"}, name
