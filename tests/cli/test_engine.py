import pytest
from typer.testing import CliRunner

from cli import app
from cli.engine import pace_of


@pytest.mark.parametrize(
    ("given", "child", "pace"),
    [(None, False, 4.0), (None, True, 0.0), (0.0, False, 0.0), (2.5, False, 2.5), (1.0, True, 1.0)],
)
def test_the_engine_paces_its_answers_where_it_runs_alone(given: float | None, child: bool, pace: float) -> None:
    """Four times as fast as speech; as the child of a server it does not, unless it is told to."""
    assert pace_of(given, child=child) == pace


def test_a_pace_is_not_negative() -> None:
    """It is refused before anything is loaded."""
    assert CliRunner().invoke(app, ["engine", "--pace", "-1"]).exit_code == 2
    assert CliRunner().invoke(app, ["engine"], env={"ENGINE_PACE": "fast"}).exit_code == 2
