"""With which code a server ends."""

from typing import Any, cast

import pytest

from actors.runtime import Down
from cli.shutdown import Shutdown
from tests.kit.story import run


@pytest.mark.parametrize(
    ("down", "code"),
    [((None,), 0), ((RuntimeError("the supervisor failed"),), 1), ((), 1)],
    ids=["in order", "with a failure", "not at all"],
)
def test_a_supervisor_that_fails_is_an_exit_code(
    down: tuple[BaseException | None, ...], code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one that fails while its calls end, and one of which nothing was heard; and the log says so."""
    caplog.set_level("INFO", "serve")

    async def story() -> int:
        shutdown = Shutdown()
        shutdown.ask(600.0)
        for cause in down:
            shutdown.tell(Down(cast(Any, None), "supervisor", 1, cause))
        assert shutdown.at_once.is_set() == bool(down)
        return shutdown.exit_code()

    assert run(story()) == code
    assert caplog.messages == ["stopped after a failure" if code else "stopped"]
