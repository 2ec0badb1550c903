"""What may import what: one way, downwards, without circles, and each library in its one home; and how large code is.

An import counts wherever it stands: in a function, and for types alone, too.
"""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    "bench",
    "cli",
    "supervisor",
    "web",
    "actors engine phone",
    "realtime care",
    "upstream personas audio register tracing",
    "schemas clients cage",
]
"""From the top down; the packages of one line do not know each other."""

ROOMS = {
    "actors.runtime": (),
    "actors.messages": ("actors.runtime",),
    "actors.budgets": ("actors.runtime", "actors.setting"),
    "actors.caring": (
        "actors.runtime",
        "actors.messages",
        "actors.setting",
        "actors.counters",
        "actors.guardian",
    ),
    "actors.admission": ("actors.runtime", "actors.messages", "actors.budgets", "actors.services"),
    "actors.call": (
        "actors.runtime",
        "actors.messages",
        "actors.admission",
        "actors.budgets",
        "actors.caring",
        "actors.services",
        "actors.counters",
    ),
    "realtime.contract": (),
    "realtime.client": ("realtime.contract",),
    "realtime.server": ("realtime.contract",),
}
"""Which neighbours of its own package a room knows."""

HOMES = {
    "pykka": ("actors/",),
    "opentelemetry": ("tracing/otel.py",),
    "redis": ("register/redis_commands.py", "register/redis_channel.py", "register/redis_register.py"),
    "aiohttp": ("web/", "cli/server.py", "engine/mind/"),
    "websockets": ("upstream/", "phone/", "engine/"),
    "pytest": ("actors/testing/plugin.py",),
    "av": ("audio/",),
    "jsonschema": ("schemas/", "personas/loading/shape.py"),
    "rapidfuzz": ("schemas/explain.py",),
    "jsonschema_rs": ("personas/loading/shape.py",),
    "jwt": ("web/auth/",),
    "regex": ("personas/",),
    "typer": ("cli/",),
    "babel": ("personas/",),
    "iso4217": ("personas/pricing.py",),
    "prometheus_client": ("web/metrics.py", "web/gathered.py"),
    "threading": (
        "actors/runtime/",
        "actors/testing/",
        "cli/forced_exit.py",
        "cli/log.py",
        "cli/stderr_capture.py",
        "engine/",
        "personas/loading/",
        "tracing/otel.py",
    ),
    "jinja2": ("personas/",),
    "sqlite3": ("cli/budget_file.py",),
    "idna": ("web/hostnames.py",),
    "ctypes": ("cage/kernel.py", "cage/allocator.py"),
    "resource": ("cage/processes.py", "cli/file_descriptors.py"),
    "pybase64": ("realtime/client/", "web/wires/app.py", "audio/clip_base64.py"),
}
PURE = [
    "realtime",
    "actors/admission",
    "actors/budgets",
    "actors/caring",
    "actors/call",
    "actors/messages",
    "web/wires",
    "personas/search",
    "care",
]
PURE += [f"register/{name}.py" for name in ("lapsing", "port", "presence", "record", "reading")]
PURE += ["tracing/port.py"]
PURE += [f"upstream/{name}.py" for name in ("commands", "facts", "protocol", "usage")]
FLOOR = {package: depth for depth, floor in enumerate(FLOORS) for package in floor.split()}
FILES = sorted(
    path.relative_to(ROOT)
    for package in FLOOR
    for path in [*ROOT.glob(f"{package}/**/*.py"), *ROOT.glob(f"{package}.py")]
)

LINES, METHODS, FUNCTION_LINES = 300, 20, 50
OVERSIZED: dict[str, str] = {}
"""What is larger than its limit, and why: a file, or a class or function with its file."""


def module(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


@cache
def imported(path: Path) -> frozenset[str]:
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
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in inner}
    return frozenset(names)


def imports() -> list[tuple[Path, str]]:
    """Every file with every module that it imports."""
    return [(path, name) for path in FILES for name in sorted(imported(path))]


def test_imports_run_downwards() -> None:
    """No file imports a floor above its own, or a neighbour on its own floor."""
    for path, name in imports():
        own, package = path.parts[0].removesuffix(".py"), name.partition(".")[0]
        if package in FLOOR and package != own:
            assert FLOOR[package] > FLOOR[own], f"{path} imports {name}"


def test_no_module_imports_itself_over_others() -> None:
    """No circles, but for the card's own: `supervisor`, run as a program, starts the command line above it."""
    graph = {name: imported(path) & MODULES.keys() - {name} for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_these_of_its_neighbours(room: str) -> None:
    """Within a package, too, imports run one way."""
    package, allowed = room.partition(".")[0], (room, *ROOMS[room])
    for name, path in MODULES.items():
        if f"{name}.".startswith(f"{room}."):
            for other in imported(path):
                if other.partition(".")[0] == package:
                    assert f"{other}.".startswith(tuple(f"{one}." for one in allowed)), f"{path} imports {other}"


def test_the_runtime_imports_nothing_of_ours() -> None:
    """It is a library of actors: it knows no call."""
    for name, path in MODULES.items():
        if name.startswith("actors.runtime"):
            ours = {other for other in imported(path) if other.partition(".")[0] in FLOOR}
            assert {other for other in ours if not other.startswith("actors.runtime")} == set(), path


def test_only_the_bridge_knows_the_realtime_protocol() -> None:
    """A second API is made in its place; everybody else knows upstream/ alone."""
    users = {str(path) for path, name in imports() if name.startswith("realtime.client")}
    assert {path for path in users if path.startswith(("actors/", "web/", "supervisor"))} == {"actors/bridge.py"}


def test_each_library_has_one_home() -> None:
    """So that it can be replaced there. What measures may use anything."""
    for path, name in imports():
        homes = (*HOMES.get(name.partition(".")[0], ("",)), "bench/")
        assert str(path).startswith(homes), f"{path} imports {name}"


def test_what_decides_does_no_io() -> None:
    """It knows no socket, no clock and no task."""
    pure = [path for path in FILES if str(path).startswith(tuple(PURE))]
    assert len(pure) > len(PURE)
    for path in pure:
        assert not imported(path) & {"asyncio", "time", "socket", "threading"}, path


def oversized() -> Iterator[str]:
    """Each file of more than LINES lines, class of more than METHODS methods, function of more than FUNCTION_LINES."""
    for path in FILES:
        text = (ROOT / path).read_text()
        if len(text.splitlines()) > LINES:
            yield str(path)
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.ClassDef(name=name, body=body):
                    if sum(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in body) > METHODS:
                        yield f"{path} {name}"
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES:
                        yield f"{path} {name}"


def test_files_classes_and_functions_are_small() -> None:
    """Except those of the table, each of which is still as large."""
    assert sorted(oversized()) == sorted(OVERSIZED)


def test_there_are_few_exceptions() -> None:
    """Two files and three classes at most, beside lists of options."""
    files = [name for name in OVERSIZED if name.endswith(".py")]
    classes = [name for name in OVERSIZED if name.rpartition(" ")[2].strip("_")[:1].isupper()]
    assert len(files) <= 2
    assert len(classes) <= 3


def test_an_error_is_asked_for_its_words() -> None:
    """An exception is true, also one without words: `error or "no answer"` would say nothing. One of a group, too."""
    for path in FILES:
        for handler in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(handler, ast.ExceptHandler):
                inner = list(ast.walk(handler))
                errors = {
                    node.target.id for node in inner if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
                }
                for node in inner:
                    if isinstance(node, ast.BoolOp) and isinstance(node.values[0], ast.Name):
                        assert node.values[0].id not in errors | {handler.name}, f"{path}:{node.lineno}"
