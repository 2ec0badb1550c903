"""An upstream whose words are the test's."""

import pytest

from tests.realtime.client.upstream import Upstream


@pytest.fixture
def up() -> Upstream:
    """A connection that is Tina, in a stream."""
    return Upstream()
