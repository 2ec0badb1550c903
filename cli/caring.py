"""Whether a server can care for its callers as it is told to."""

import logging

from actors.caring.settings import Caring
from care import pressed, shipped
from cli.failure import CannotServe
from personas.countries import is_country
from schemas.explain import shown

log = logging.getLogger("serve")


def check_caring(caring: Caring) -> None:
    """Raises CannotServe if there is no such country; warns in the log if callers are not told that an AI speaks."""
    if not is_country(caring.country):
        raise CannotServe(
            f"--country: {shown(caring.country)!r} is no country: write two letters of ISO 3166, such as IN.", 2
        )
    shipped(), pressed("")  # half a second, which no call is to wait for
    if caring.leave_out_disclosure:
        log.warning("--leave-out-disclosure: callers are not told that an AI speaks; see docs/safety.md for laws")
