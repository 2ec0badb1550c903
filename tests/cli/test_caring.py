"""Whether a server can care for its callers as it is told to."""

import logging

import pytest

from actors.caring.settings import Caring
from cli.caring import check_caring
from cli.failure import CannotServe


@pytest.mark.parametrize("country", ["ZZ", "India", "", "EU", "I1"])
def test_a_country_that_there_is_not_is_refused(country: str) -> None:
    """At the start: nobody would notice it before somebody needs the numbers."""
    with pytest.raises(CannotServe, match="--country"):
        check_caring(Caring(country=country))


@pytest.mark.parametrize("country", ["IN", "us", "NP", "VA"])
def test_a_country_may_be_written_in_small_letters(country: str) -> None:
    """Also one that has no numbers of its own: it has those of elsewhere."""
    check_caring(Caring(country=country))


def test_who_leaves_out_the_disclosure_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    """Each time that the server starts; nobody else is."""
    with caplog.at_level(logging.WARNING):
        check_caring(Caring())
        assert not caplog.records
        check_caring(Caring(leave_out_disclosure=True))
    assert "--leave-out-disclosure" in caplog.text
