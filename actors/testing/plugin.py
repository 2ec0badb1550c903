"""The pytest plugin: fixtures `stage`, `probe` and `scene`. It is loaded in every run, so it loads nothing yet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from actors.testing.probe import Probe
    from actors.testing.scene import Scene
    from actors.testing.stage import Stage


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator["Stage"]:
    """A stage; a test that leaves anything on it fails. Parametrized indirectly it takes a seed."""
    from actors.testing.stage import Stage

    failures = request.session.testsfailed
    stage = Stage(getattr(request, "param", None)).open()
    yield stage
    stage.close(check=request.session.testsfailed == failures)


@pytest.fixture
def probe() -> type["Probe"]:
    """Makes probes, each by a name that its complaints carry."""
    from actors.testing.probe import Probe

    return Probe


@pytest.fixture
def scene(request: pytest.FixtureRequest, stage: "Stage") -> Iterator["Scene"]:
    """A caller's session with the personas that ship; it must end quietly when the test is over."""
    from actors.testing.scene import Scene

    failures = request.session.testsfailed
    scene = Scene(stage)
    yield scene
    if request.session.testsfailed == failures:
        scene.end()
