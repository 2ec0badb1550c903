"""Whether the settings of a server make sense with its personas, and with its model."""

import logging

from cli.budgets import check_budgets
from cli.caring import check_caring
from cli.failure import CannotServe
from cli.judge import judge_named
from cli.settings import Settings
from personas import Catalogue
from schemas.explain import nearest, shown

log = logging.getLogger("serve")


def check(settings: Settings, catalogue: Catalogue) -> None:
    """Raises CannotServe if they do not."""
    check_default(settings.default_astrologer, catalogue)
    check_budgets(settings.budgets, settings.record)
    check_caring(settings.caring)
    judge_named(settings.judge)


def warn_of_minors(catalogue: Catalogue) -> None:
    """The log says if minors can call nobody."""
    if all(persona.id in catalogue.not_for_minors for persona in catalogue.active()):
        log.info("callers who are known to be minors can call nobody: every persona has a price, or is for adults only")


def check_default(astrologer_id: str, catalogue: Catalogue) -> None:
    """Raises CannotServe if this is the id of nobody who takes calls; it may be empty."""
    active = [persona.id for persona in catalogue.active()]
    if astrologer_id and astrologer_id not in active:
        hint = nearest(astrologer_id, active)
        raise CannotServe(f"--default-astrologer: nobody who takes calls has the id {shown(astrologer_id)!r}.{hint}", 2)
