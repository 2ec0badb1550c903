import pytest
import typer
from typer.testing import CliRunner

from cli import app
from cli.engine import pace_of, token_of


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


def test_an_engine_that_runs_alone_has_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """A new one each time, which is printed; one that was given is not."""
    first, show = token_of(None, open_=False, child=False)
    second, _ = token_of(None, open_=False, child=False)
    assert first
    assert first != second
    show("ws://here")
    assert first in capsys.readouterr().out
    given, show = token_of("given", open_=False, child=False)
    show("ws://here")
    assert given == "given"
    assert "given" not in capsys.readouterr().out


def test_an_engine_without_a_token_is_asked_for() -> None:
    """And not by a server, whose child it is: nobody would know the token."""
    assert token_of(None, open_=True, child=False)[0] is None
    for given, open_, child in (("given", True, False), (None, False, True)):
        with pytest.raises(typer.Exit) as refused:
            token_of(given, open_=open_, child=child)
        assert refused.value.exit_code == 2
