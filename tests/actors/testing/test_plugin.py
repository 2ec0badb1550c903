"""The plugin as people meet it: a pytest run of theirs, with nothing of ours around it."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

DOCUMENT = Path(__file__).parents[3] / "docs/testing.md"

ACTOR = """
from actors.runtime import LoopActor, Stop, launch

class Clerk(LoopActor):
    def on_receive(self, message):
        if isinstance(message, Stop):
            self.end()
        elif isinstance(message, int):
            1 / message
"""


def test_the_first_test_of_the_document_works_as_pasted(pytester: pytest.Pytester) -> None:
    """And so do the others, in one file."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert sum(bool(line) for line in blocks[0].splitlines()) <= 12
    for number, block in enumerate(blocks):
        pytester.makepyfile(**{f"test_block_{number}": block})
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=3 + 100)  # one of them with a hundred seeds


def test_a_test_that_leaves_something_on_the_stage_fails(pytester: pytest.Pytester) -> None:
    """The one after it has a clean stage."""
    pytester.makepyfile(
        ACTOR
        + """
def test_leaves_an_actor(stage):
    stage.launch(Clerk)

def test_leaves_a_crash(stage):
    stage.launch(Clerk).tell(0)

def test_is_clean(stage):
    stage.launch(Clerk).tell(Stop())
"""
    )
    run = pytester.runpytest()
    run.assert_outcomes(passed=3, errors=2)
    run.stdout.fnmatch_lines(["*actor Clerk: end it, and settle", "*a crash of Clerk, ZeroDivisionError*"])


def test_a_test_that_fails_has_one_failure(pytester: pytest.Pytester) -> None:
    """What it left is no second one, of the stage or of the scene."""
    pytester.makepyfile(
        ACTOR
        + """
def test_fails(stage, probe):
    launch(Clerk(), probe("parent"))
    assert False

def test_fails_in_a_scene(scene):
    assert False
"""
    )
    pytester.runpytest().assert_outcomes(failed=2)


def test_a_seed_is_a_parameter(pytester: pytest.Pytester) -> None:
    """So it stands in the name of the test that fails by it."""
    pytester.makepyfile("""
import pytest

@pytest.mark.parametrize("stage", range(3), indirect=True)
def test_order(stage):
    assert stage.seed != 1
""")
    run = pytester.runpytest()
    run.assert_outcomes(passed=2, failed=1)
    run.stdout.fnmatch_lines(["FAILED *::test_order[[]1[]]*"])


def test_a_scene_must_end_quietly(pytester: pytest.Pytester) -> None:
    """A session that fails fails its test, although its parent was told."""
    pytester.makepyfile("""
def test_crash(scene):
    scene.session.tell("what no session understands")
""")
    run = pytester.runpytest()
    run.assert_outcomes(passed=1, errors=1)
    run.stdout.fnmatch_lines(["*the session did not end quietly*AssertionError*"])


def test_a_run_that_does_not_use_it_loads_nothing(pytester: pytest.Pytester) -> None:
    """Only the plugin itself, and pytest."""
    pytester.makepyfile("""
import sys

def test_loaded():
    ours = {name for name in sys.modules if name.startswith(("actors", "audio", "realtime", "personas", "pykka"))}
    assert ours == {"actors", "actors.testing", "actors.testing.plugin"}
""")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
